"""Governed models: a row whose every version, author and change is kept, by the database itself."""

import uuid
from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from simple_history.models import HistoricalRecords

from apps.core.actors import current_actor

SILENT_COLUMNS = ("updated_at", "row_version", "last_login")
SECRET_COLUMNS = ("password",)

_RECORD = """
    INSERT INTO audit_auditevent (at, txid, actor_id, actor_label, on_behalf_of_label, channel, request_id, job_id,
                                  reason, action, table_name, object_id, object_label, changes)
    SELECT clock_timestamp(), txid_current(), (ctx->>'actor_id')::bigint,
           coalesce(nullif(ctx->>'actor', ''), 'unattributed'),
           coalesce(ctx->>'behalf', ''), coalesce(ctx->>'channel', 'database'), coalesce(ctx->>'request', ''),
           coalesce(ctx->>'job', ''), coalesce(ctx->>'reason', ''), lower(TG_OP), TG_TABLE_NAME, d.id::text,
           coalesce(d.row->>'name', d.row->>'title', d.row->>'email', ''), d.diff
    FROM (SELECT coalesce(nullif(current_setting('mops.ctx', true), ''), '{}')::jsonb AS ctx) c, (%s) d
    WHERE d.diff <> '{}'::jsonb;
    RETURN NULL;
"""
_ONE_SIDED = """
    SELECT r.id, to_jsonb(r) AS row,
           (SELECT coalesce(jsonb_object_agg(e.key, %s), '{}'::jsonb) FROM jsonb_each(to_jsonb(r)) e
            WHERE e.key <> ALL (ARRAY[%s]) AND e.value <> 'null'::jsonb) AS diff
    FROM %s r
"""
_TWO_SIDED = """
    SELECT n.id, to_jsonb(n) AS row,
           (SELECT coalesce(jsonb_object_agg(e.key, jsonb_build_array(to_jsonb(o)->e.key, e.value)), '{}'::jsonb)
            FROM jsonb_each(to_jsonb(n)) e
            WHERE e.key <> ALL (ARRAY[%s]) AND e.value IS DISTINCT FROM to_jsonb(o)->e.key) AS diff
    FROM new_rows n JOIN old_rows o ON o.id = n.id
"""


def _hidden(secrets: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in (*SILENT_COLUMNS, *SECRET_COLUMNS, *secrets))


def ledger_triggers(*, secrets: tuple[str, ...] = ()) -> list[pgtrigger.Trigger]:
    """Return the statement-level triggers that write every change of a table into the ledger.

    Args:
        secrets: columns whose values must never be recorded, besides `SECRET_COLUMNS`.
    """
    hidden = _hidden(secrets)
    bodies = {
        "insert": (pgtrigger.Insert, _ONE_SIDED % ("jsonb_build_array(NULL, e.value)", hidden, "new_rows")),
        "update": (pgtrigger.Update, _TWO_SIDED % hidden),
        "delete": (pgtrigger.Delete, _ONE_SIDED % ("jsonb_build_array(e.value, NULL)", hidden, "old_rows")),
    }
    sides = {
        "insert": {"new": "new_rows"},
        "update": {"old": "old_rows", "new": "new_rows"},
        "delete": {"old": "old_rows"},
    }
    return [
        pgtrigger.Trigger(
            name=f"ledger_{verb}",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=operation,
            referencing=pgtrigger.Referencing(**sides[verb]),  # type: ignore[no-untyped-call]
            func=_RECORD % rows,
        )
        for verb, (operation, rows) in bodies.items()
    ]


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
    """What a history row says besides the version itself: through which door, in which request or job."""

    actor_label = models.CharField(max_length=150, default="unattributed", editable=False)
    channel = models.CharField(max_length=10, default="shell", editable=False)
    request_id = models.CharField(max_length=64, blank=True, editable=False)
    job_id = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Stamp the row with the acting person before it is written."""
        actor = current_actor()
        self.actor_label, self.channel = actor.label, str(actor.channel)
        self.request_id, self.job_id = actor.request_id, actor.job_id
        self.history_change_reason = (getattr(self, "history_change_reason", None) or actor.reason)[:500]
        super().save(*args, **kwargs)


class LeanHistory(HistoricalRecords):  # type: ignore[misc]  # simple-history ships no types
    """simple-history without the copies of the model's indexes, which cost more than the rows (50 against 8 µs)."""

    def copy_fields(self, model: type[models.Model]) -> dict[str, Any]:
        """Copy the model's fields, keeping an index on the object's key alone."""
        fields: dict[str, Any] = super().copy_fields(model)
        for field in fields.values():
            if not field.primary_key and field.name != model._meta.pk.name:
                field.db_index = False
        return fields


def _history_user(instance: models.Model, **kwargs: Any) -> Any:
    user = current_actor().user
    return user if user is not None and user.pk else None


def governed_history(**kwargs: Any) -> LeanHistory:
    """Return the history declaration of a governed model; `excluded_fields` keeps secrets out of it."""
    return LeanHistory(
        inherit=True,
        bases=[HistoryEntry],
        get_user=_history_user,
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
