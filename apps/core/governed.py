"""Governed models: a row whose every version, author and change is kept, by the database itself."""

import uuid
from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from simple_history.models import HistoricalRecords

SILENT_COLUMNS = ("updated_at", "row_version", "last_login")
SECRET_COLUMNS = ("password",)

# One statement for both: the ledger entry (what changed) and the history row (the whole version). The columns of the
# history table (where there is one) are looked up as it runs, so a new column needs no new trigger.
_RECORD = """
    ctx := coalesce(nullif(current_setting('mops.ctx', true), ''), '{{}}')::jsonb;
    SELECT string_agg(quote_ident(mine.attname), ', ') INTO kept
    FROM pg_attribute mine JOIN pg_attribute theirs ON theirs.attname = mine.attname AND NOT theirs.attisdropped
    WHERE mine.attrelid = TG_RELID AND mine.attnum > 0 AND NOT mine.attisdropped
      AND theirs.attrelid = to_regclass('{meta.app_label}_historical{meta.model_name}') AND theirs.attnum > 0;
    EXECUTE format($statement$
        WITH changed AS MATERIALIZED (%s),
        ledger AS (
            INSERT INTO audit_auditevent (at, txid, actor_id, actor_label, on_behalf_of_label, channel, request_id,
                                          job_id, reason, db_role, action, table_name, object_id, object_label, changes)
            SELECT clock_timestamp(), txid_current(), ($1->>'actor_id')::bigint,
                   coalesce(nullif($1->>'actor', ''), 'unattributed'), coalesce($1->>'behalf', ''),
                   coalesce($1->>'channel', 'database'), coalesce($1->>'request', ''), coalesce($1->>'job', ''),
                   coalesce($1->>'reason', ''), session_user, $2, $3, id::text, mops_label, mops_diff
            FROM changed WHERE mops_diff <> '{{}}'::jsonb)
        %%s$statement$,
        CASE WHEN kept IS NULL THEN 'SELECT $4' ELSE format($history$
        INSERT INTO {meta.app_label}_historical{meta.model_name} (%%1$s, history_date, history_type, history_user_id,
                                          history_change_reason, actor_label, channel, request_id, job_id)
        SELECT %%1$s, clock_timestamp(), $4, ($1->>'actor_id')::bigint, left(coalesce($1->>'reason', ''), 500),
               coalesce(nullif($1->>'actor', ''), 'unattributed'), coalesce($1->>'channel', 'database'),
               coalesce($1->>'request', ''), coalesce($1->>'job', '')
        FROM changed WHERE mops_diff <> '{{}}'::jsonb$history$, kept) END)
    USING ctx, lower(TG_OP), TG_TABLE_NAME, '%s';
    RETURN NULL;
"""
_LABEL = "left(coalesce(to_jsonb(r)->>'name', to_jsonb(r)->>'title', to_jsonb(r)->>'email', ''), 300) AS mops_label"
_ONE_SIDED = """
            SELECT r.*, %s, (
                SELECT coalesce(jsonb_object_agg(e.key, %s), '{{}}'::jsonb) FROM jsonb_each(to_jsonb(r)) e
                WHERE e.key <> ALL (ARRAY[%s]) AND e.value <> 'null'::jsonb) AS mops_diff
            FROM %s r"""
_TWO_SIDED = """
            SELECT r.*, %s, (
                SELECT coalesce(jsonb_object_agg(e.key, jsonb_build_array(to_jsonb(o)->e.key, e.value)), '{{}}'::jsonb)
                FROM jsonb_each(to_jsonb(r)) e
                WHERE e.key <> ALL (ARRAY[%s]) AND e.value IS DISTINCT FROM to_jsonb(o)->e.key) AS mops_diff
            FROM new_rows r JOIN old_rows o ON o.id = r.id"""


def ledger_triggers(*, secrets: tuple[str, ...] = ()) -> list[pgtrigger.Trigger]:
    """Return the statement-level triggers that write every change of a table into the ledger and the history.

    Args:
        secrets: columns whose values must never reach the ledger, besides `SECRET_COLUMNS`; leave them out of the
            history with `governed_history(excluded_fields=…)`.
    """
    hidden = ", ".join(f"'{name}'" for name in (*SILENT_COLUMNS, *SECRET_COLUMNS, *secrets))
    return [
        _recorder(
            "insert",
            pgtrigger.Insert,
            "+",
            _ONE_SIDED % (_LABEL, "jsonb_build_array(NULL, e.value)", hidden, "new_rows"),
            new="new_rows",
        ),
        _recorder("update", pgtrigger.Update, "~", _TWO_SIDED % (_LABEL, hidden), old="old_rows", new="new_rows"),
        _recorder(
            "delete",
            pgtrigger.Delete,
            "-",
            _ONE_SIDED % (_LABEL, "jsonb_build_array(e.value, NULL)", hidden, "old_rows"),
            old="old_rows",
        ),
    ]


def _recorder(verb: str, operation: Any, kind: str, rows: str, **sides: str) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=f"ledger_{verb}",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(**sides),  # type: ignore[no-untyped-call]
        declare=[("ctx", "jsonb"), ("kept", "text")],
        func=pgtrigger.Func(_RECORD % (rows, kind)),  # type: ignore[no-untyped-call]
    )


def append_only_triggers(sentence: str) -> list[pgtrigger.Trigger]:
    """Return the triggers that refuse UPDATE, DELETE and TRUNCATE of a table in the words of `sentence`."""
    refuse = "RAISE EXCEPTION USING ERRCODE = 'P0001', MESSAGE = '" + sentence.replace("'", "''") + "';"
    row = pgtrigger.Update | pgtrigger.Delete
    return [
        pgtrigger.Trigger(name="append_only", level=pgtrigger.Row, when=pgtrigger.Before, operation=row, func=refuse),
        pgtrigger.Trigger(
            name="no_truncate",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func=refuse,
        ),
    ]


class HistoryEntry(models.Model):
    """What a history row says besides the version itself: through which door, in which request or job.

    The rows are written by the ledger's triggers, so that `update()`, bulk and raw SQL leave versions too;
    simple-history's own signals are switched off (SIMPLE_HISTORY_ENABLED).
    """

    actor_label = models.CharField(max_length=150, default="unattributed", editable=False)
    channel = models.CharField(max_length=10, default="shell", editable=False)
    request_id = models.CharField(max_length=64, blank=True, editable=False)
    job_id = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        abstract = True


class LeanHistory(HistoricalRecords):  # type: ignore[misc]  # simple-history ships no types
    """simple-history without the copies of the model's indexes, which cost more than the rows (50 against 8 µs)."""

    def copy_fields(self, model: type[models.Model]) -> dict[str, Any]:
        """Copy the model's fields, keeping an index on the object's key alone."""
        fields: dict[str, Any] = super().copy_fields(model)
        for field in fields.values():
            if not field.primary_key and field.name != model._meta.pk.name:
                field.db_index = False
        return fields


def governed_history(**kwargs: Any) -> LeanHistory:
    """Return the history declaration of a governed model; `excluded_fields` keeps secrets out of it."""
    return LeanHistory(
        inherit=True,
        bases=[HistoryEntry],
        history_change_reason_field=models.CharField(max_length=500, blank=True, default=""),
        user_db_constraint=False,
        user_model=settings.AUTH_USER_MODEL,
        **kwargs,
    )


class GovernedQuerySet(models.QuerySet[Any]):
    """Rows that are archived, never deleted, by people."""

    def live(self) -> "GovernedQuerySet":
        """Rows in use."""
        return self.filter(archived_at__isnull=True)

    def archived(self) -> "GovernedQuerySet":
        """Rows put away."""
        return self.filter(archived_at__isnull=False)


class GovernedBase(models.Model):
    """The columns and ledger triggers of a governed row; declares no history of its own.

    For the rare model that must exclude fields from its history; it adds `history = governed_history(...)` itself.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    row_version = models.PositiveIntegerField(default=0, editable=False)

    objects = GovernedQuerySet.as_manager()

    class Meta:
        abstract = True
        triggers = ledger_triggers()

    @property
    def is_archived(self) -> bool:
        """Whether the row has been put away."""
        return self.archived_at is not None

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, counting the version that optimistic locking compares."""
        self.row_version += 1
        if (fields := kwargs.get("update_fields")) is not None:
            kwargs["update_fields"] = {*fields, "row_version", "updated_at"}
        super().save(*args, **kwargs)


class GovernedModel(GovernedBase):
    """A row with versions, an author for each change, and a ledger entry whatever wrote it.

    Write `class Meta(GovernedModel.Meta)` in every subclass: it carries the ledger's triggers.
    """

    history = governed_history()

    class Meta(GovernedBase.Meta):
        abstract = True
