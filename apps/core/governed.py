"""Governed models: a row whose every version, author and change is kept, by the database itself."""

import uuid
from dataclasses import dataclass
from typing import Any

import pgtrigger
from django.apps import apps
from django.conf import settings
from django.db import models
from simple_history.models import HistoricalRecords

SILENT_COLUMNS = ("updated_at", "row_version", "last_login")
SECRET_COLUMNS = ("password",)

# Every table's trigger is this stub; what it runs is built by `mops_record_sql` (apps/core/sql/recording.sql), and
# `manage.py migrate` puts the ready statement in its place (apps/core/recorders.py), which costs no planning.
_STUB = """
    EXECUTE mops_record_sql(TG_RELID, TG_OP, '{history}', ARRAY[{hidden}]::text[], ARRAY[{personal}]::text[])
    INTO mops_done USING coalesce(nullif(current_setting('mops.ctx', true), ''), '{{}}')::jsonb;
    RETURN NULL;
"""


@dataclass(frozen=True)
class Recorded:
    """What the recording of one table must know.

    Attributes:
        history: the table that takes whole versions; "" where there is none.
        hidden: columns that appear in no ledger entry (`SILENT_COLUMNS`), or without their value (secrets).
        personal: columns whose values appear there as salted commitments alone.
    """

    history: str
    hidden: tuple[str, ...]
    personal: tuple[str, ...]

    @property
    def stub(self) -> str:
        """The body of a trigger that looks up everything as it runs."""
        return _STUB.format(history=self.history, hidden=_literals(self.hidden), personal=_literals(self.personal))


def _literals(names: tuple[str, ...]) -> str:
    return ", ".join("'" + name.replace("'", "''") + "'" for name in names)


def personal_columns(model: type[models.Model]) -> tuple[str, ...]:
    """Return the columns that `model` declares personal; also for the bare copies of models that migrations make."""
    try:
        real = apps.get_model(model._meta.label_lower)
    except LookupError:
        real = model
    return tuple(real._meta.get_field(name).column for name in getattr(real, "personal_fields", ()))


def history_table(model: type[models.Model]) -> str:
    """Return the table that takes the versions of `model`, also for the bare copies of models that migrations make."""
    try:
        history = getattr(apps.get_model(model._meta.label_lower), "history", None)
    except LookupError:
        history = None
    if history is not None:
        return str(history.model._meta.db_table)
    return f"{model._meta.app_label}_historical{model._meta.model_name}"


class LedgerTrigger(pgtrigger.Trigger):
    """Writes every change of a table into the ledger and the history, statement by statement."""

    level = pgtrigger.Statement
    when = pgtrigger.After
    declare = [("mops_done", "bigint")]  # pgtrigger wants a list

    def __init__(self, *, secrets: tuple[str, ...] = (), **kwargs: Any) -> None:
        """Remember which columns must never reach the ledger."""
        self.secrets = secrets
        super().__init__(**kwargs)

    def recorded(self, model: type[models.Model]) -> Recorded:
        """Return what the recording of `model` must know."""
        return Recorded(
            history=history_table(model),
            hidden=(*SILENT_COLUMNS, *SECRET_COLUMNS, *self.secrets),
            personal=personal_columns(model),
        )

    def get_func(self, model: Any) -> str:
        """Return the stub."""
        return self.recorded(model).stub


def ledger_triggers(*, secrets: tuple[str, ...] = ()) -> list[pgtrigger.Trigger]:
    """Return the statement-level triggers that write every change of a table into the ledger and the history.

    Args:
        secrets: columns whose values must never reach the ledger, besides `SECRET_COLUMNS`; leave them out of the
            history with `governed_history(excluded_fields=…)`.
    """
    return [
        LedgerTrigger(
            name=f"ledger_{verb}",
            operation=operation,
            referencing=pgtrigger.Referencing(**sides),  # type: ignore[no-untyped-call]
            secrets=secrets,
        )
        for verb, operation, sides in (
            ("insert", pgtrigger.Insert, {"new": "new_rows"}),
            ("update", pgtrigger.Update, {"old": "old_rows", "new": "new_rows"}),
            ("delete", pgtrigger.Delete, {"old": "old_rows"}),
        )
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
    """simple-history without the copies of the model's indexes, which cost more than the rows (50 against 8 µs).

    Nor is it asked after every save whether it is switched on: the triggers have written the version by then.
    """

    def finalize(self, sender: type[models.Model], **kwargs: Any) -> None:
        """Make the history's model, and listen to no save."""
        super().finalize(sender, **kwargs)
        models.signals.post_save.disconnect(self.post_save, sender=sender)  # noqa: TID251  # one listener fewer

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
