"""Reading the ledger in words: kinds instead of tables, labels instead of columns, names instead of keys."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import InvalidOperation
from functools import cache
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.formats import date_format
from django.utils.timezone import localtime

from apps.audit.kinds import kind_of, models_by_table
from apps.audit.models import AuditEvent, PersonalValue
from apps.core import access
from apps.core.admin_kit.names import label_of
from apps.core.governed import GovernedBase
from apps.core.money import number_in_words
from apps.core.records import AboutRecord
from apps.core.text_diff import Line, compare
from apps.core.words import NOTHING

if TYPE_CHECKING:
    from apps.accounts.models import User

WITHHELD = "withheld"
ERASED = "erased"


def kinds() -> list[tuple[str, str]]:
    """Return every kind that has entries, as choices, by name: one look into the index for each, not a scan."""
    skipping = """
        WITH RECURSIVE found AS (
            (SELECT table_name FROM audit_auditevent ORDER BY table_name LIMIT 1)
            UNION ALL
            SELECT (SELECT e.table_name FROM audit_auditevent e WHERE e.table_name > found.table_name
                    ORDER BY e.table_name LIMIT 1) FROM found WHERE found.table_name IS NOT NULL)
        SELECT 1 AS id, table_name FROM found WHERE table_name IS NOT NULL
    """
    tables = [row.table_name for row in AuditEvent.objects.raw(skipping)]
    return sorted(((table, kind_of(table)) for table in tables), key=lambda each: each[1])


class Things:
    """The records that entries are about, as far as `person` may see them; one query for each kind."""

    def __init__(self, events: Iterable[AuditEvent], person: "User") -> None:
        """Fetch them."""
        wanted: dict[str, set[str]] = {}
        for event in events:
            wanted.setdefault(event.table_name, set()).add(event.object_id)
        self._found: dict[tuple[str, str], models.Model] = {}
        for table, keys in wanted.items():
            model = models_by_table().get(table)
            if model is None or not access.has_model_permission(person, "view", model):
                continue
            # what is always there, a name may be made of
            for thing in access.visible(person, model).filter(pk__in=_keys(model, keys)).select_related():
                self._found[table, str(thing.pk)] = thing

    def of(self, event: AuditEvent) -> models.Model | None:
        """Return the record of an entry; None when it is gone or not for this person."""
        return self._found.get((event.table_name, event.object_id))


def _keys(model: type[models.Model], keys: set[str]) -> list[Any]:
    whole = isinstance(model._meta.pk, models.IntegerField)
    return [key for key in keys if not whole or key.lstrip("-").isdigit()]


@dataclass(frozen=True)
class ReadChange:
    """One changed column of an entry, as a person reads it."""

    label: str
    before: str
    after: str

    @property
    def lines(self) -> list[Line]:
        """Where both sides are texts of several lines, what differs between them."""
        return compare(self.before, self.after) if "\n" in self.before and "\n" in self.after else []


Values = Mapping[tuple[int, str, str], Any]  # personal values by entry, column and side


class Reader:
    """Reads many entries in words: the names of what they point to are fetched once for all of them."""

    def __init__(
        self,
        events: Iterable[AuditEvent],
        *,
        by: "User | None",
        values: Mapping[tuple[int, str, str], Any] | None = None,
    ) -> None:
        """Fetch the names.

        Args:
            events: what will be read.
            by: who reads: shown are the names of what they may see, and no column that is hidden from them. None where
                what is read leaves mops for good: then nobody is named whom an erasure could not reach any more.
            values: the personal values behind them, by entry, column and side; None withholds them all.
        """
        listed = list(events)
        self._by = by
        self._values = values
        self._names = _Related(listed, by)

    def changes_of(self, event: AuditEvent, *, whole: bool = True) -> list[ReadChange]:
        """Return what an entry changed, in words; not `whole` leaves out what tells a reader nothing in passing."""
        model = models_by_table().get(event.table_name)
        shown = event.changes if self._by is None else access.shown_columns(self._by, model, event.changes)
        columns = [each for each in (sorted(event.changes) if whole else _worth_telling(event)) if each in shown]
        return [
            ReadChange(
                _label(model, column),
                *(
                    self._told(event, model, column, side, value)
                    for side, value in zip(("old", "new"), sides, strict=True)
                ),
            )
            for column, sides in ((column, event.changes[column]) for column in columns)
        ]

    def _told(self, event: AuditEvent, model: type[models.Model] | None, column: str, side: str, value: Any) -> str:
        if isinstance(value, dict) and set(value) == {"commitment"}:
            if self._values is None:
                return WITHHELD
            key = (event.pk, column, side)
            return self._names.show(model, column, self._values[key]) if key in self._values else ERASED
        return self._names.show(model, column, value)


def changes_of(event: AuditEvent, person: "User", *, reveal: bool = False) -> list[ReadChange]:
    """Return what an entry changed, in words.

    Args:
        event: the entry.
        person: who reads.
        reveal: also the personal values, where `person` may see them and nobody has erased them; whoever asks for
            that writes it down.
    """
    values = _behind(event) if reveal and person.has_perm("audit.view_personalvalue") else None
    return Reader([event], by=person, values=values).changes_of(event)


def holds_personal(event: AuditEvent) -> bool:
    """Whether an entry keeps a personal value as a commitment."""
    sides = (side for pair in event.changes.values() if isinstance(pair, list) for side in pair)
    return any(isinstance(side, dict) and set(side) == {"commitment"} for side in sides)


def changed_fields(event: AuditEvent) -> str:
    """Return the names of what an entry changed, a few of them."""
    model = models_by_table().get(event.table_name)
    labels = [_label(model, column) for column in _worth_telling(event)]
    more = f" and {len(labels) - FEW} more" if len(labels) > FEW else ""
    return ", ".join(labels[:FEW]) + more


def _worth_telling(event: AuditEvent) -> list[str]:
    """The changed columns without bookkeeping, and without names that are kept beside the person they name."""
    named = {column.removesuffix("_id") for column in event.changes}
    told = [each for each in sorted(event.changes) if each not in BOOKKEEPING]
    return [each for each in told if not (each.endswith("_label") and each.removesuffix("_label") in named)]


FEW = 3
BOOKKEEPING = ("id", "uuid", "digest", "ledger_mark")  # columns that tell a reader nothing in passing


def _behind(event: AuditEvent) -> dict[tuple[int, str, str], Any]:
    stored = PersonalValue.objects.filter(event_id=event.pk)
    return {
        (event.pk, column, side): value for column, side, value in stored.values_list("column_name", "side", "value")
    }


@cache
def _field(model: type[models.Model] | None, column: str) -> Any:
    fields = model._meta.concrete_fields if model is not None else ()
    return next((field for field in fields if field.column == column), None)


def _label(model: type[models.Model] | None, column: str) -> str:
    field = _field(model, column)
    if field is None or model is None:
        return column.replace("_", " ").capitalize()
    return label_of(model, field.name)


class _Related:
    """The names of the records that the columns of entries point to, and values as people write them."""

    def __init__(self, events: list[AuditEvent], by: "User | None") -> None:
        self._names: dict[tuple[type[models.Model], Any], str] = {}
        wanted: dict[type[models.Model], set[Any]] = {}
        for event in events:
            model = models_by_table().get(event.table_name)
            for column, sides in event.changes.items():
                field = _field(model, column)
                if field is not None and field.is_relation:
                    plain = (each for each in sides if each is not None and not isinstance(each, dict))
                    wanted.setdefault(field.related_model, set()).update(plain)
        for related, keys in wanted.items():
            rows = related._base_manager.all() if by is None else _nameable(related, by)
            for thing in rows.filter(pk__in=keys).select_related():
                self._names[related, thing.pk] = str(thing) if by is not None else name_for_good(thing)

    def show(self, model: type[models.Model] | None, column: str, value: Any) -> str:
        field = _field(model, column)
        if value is None or value == "":
            return NOTHING
        if field is not None and field.is_relation:
            return self._names.get((field.related_model, value), f"#{value}")
        if field is not None and field.choices:
            return str(dict(field.flatchoices).get(value, value))
        if isinstance(value, bool):
            return "Yes" if value else "No"
        if isinstance(value, list):
            return ", ".join(str(each) for each in value) or NOTHING
        if isinstance(field, models.DateField) and isinstance(value, str):
            return _moment(field, value)
        if isinstance(field, models.DecimalField) and isinstance(value, (int, float, str)):
            return _amount(field, value)
        return str(value)


def _amount(field: Any, value: Any) -> str:
    """An amount, grouped; an entry tells what changed, and the currency seldom does."""
    try:
        return number_in_words(field, value)
    except InvalidOperation:
        return str(value)


def _nameable(model: type[models.Model], by: "User") -> "models.QuerySet[Any]":
    """The rows that an entry names to `by`: people, who stand on every entry anyway, and else what they may see."""
    if issubclass(model, GovernedBase) and model._meta.label_lower != "accounts.user":
        return access.visible(by, model)
    return model._base_manager.all()


def name_for_good(thing: models.Model) -> str:
    """Return what a record is called where that can never be taken back: its number instead of anybody's name."""
    if not _may_name_somebody(type(thing)):
        return str(thing)
    kept = set(getattr(thing, "personal_fields", ()))
    fields = {field.name for field in thing._meta.concrete_fields}
    named = (str(getattr(thing, name)) for name in LABELS if name in fields - kept)
    return next((each for each in named if each), f"#{thing.pk}")


LABELS = ("name", "title", "file_name", "label")  # columns that the ledger shows as a record's name


@cache
def _may_name_somebody(model: type[models.Model]) -> bool:
    """Whether what such a record is called may hold a personal value: its own, or of a record it is about."""
    if getattr(model, "personal_fields", ()) or issubclass(model, AboutRecord):
        return True
    related = (field.related_model for field in model._meta.concrete_fields if field.is_relation)
    return any(getattr(each, "personal_fields", ()) for each in related)


def _moment(field: Any, value: str) -> str:
    """A date, or a moment in the reader's time zone."""
    try:
        if isinstance(field, models.DateTimeField):
            return date_format(localtime(dt.datetime.fromisoformat(value)), "j M Y, H:i:s")
        return date_format(dt.date.fromisoformat(value), "j M Y")
    except ValueError:
        return value
