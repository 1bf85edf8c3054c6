"""Personal data: which columns of which models hold it, whose it is, and what stands there when it is erased.

A governed model declares `personal_fields = ("name", "email")`. Where its rows are about a person kept elsewhere, it
names the foreign key that leads there: `personal_subject = "lead"`; rows about any record (`AboutRecord`) say
`personal_subject = EVERYWHERE`. Copies that are no such rows (reports, files) an app erases itself: `register_traces`.
What erasing puts into the columns is their empty value; a column that must be unique says otherwise in
`erased_values(self) -> dict`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import models

EVERYWHERE = "*"
SHORTEST_TRACE = 3  # a shorter value names nobody


@dataclass(frozen=True)
class Traces:
    """By what copies of a person are found.

    Attributes:
        rows: the rows that hold data about the person.
        values: everything the person was ever called or reached by, as far as it is kept.
    """

    rows: list[models.Model]
    values: frozenset[str]


EraseTraces = Callable[[Traces], int]
_traces: dict[str, EraseTraces] = {}


def register_traces(name: str, erase: EraseTraces) -> None:
    """Say how an app erases its copies of a person; called from `AppConfig.ready`.

    Args:
        name: names it, so that registering again replaces it.
        erase: `erase(traces)` returns how many places it emptied; it runs in the transaction of the erasure, after the
            tombstone is written.
    """
    _traces[name] = erase


def erase_traces(traces: Traces) -> int:
    """Let every app erase its copies; returns how many places were emptied."""
    return sum(erase(traces) for erase in _traces.values())


def known_by(rows: "list[tuple[PersonalKind, models.Model]]") -> frozenset[str]:
    """Return every value that the personal fields of `rows` hold or have held."""
    found: set[str] = set()
    for kind, row in rows:
        if kind.subject == EVERYWHERE:
            continue
        versions = row.history.all() if kind.history else ()  # type: ignore[attr-defined]
        for version in (row, *versions):
            found |= {str(getattr(version, name) or "").strip() for name in kind.fields}
    return frozenset(value for value in found if len(value) >= SHORTEST_TRACE)


@dataclass(frozen=True)
class PersonalKind:
    """One model that holds personal data."""

    model: type[models.Model]
    fields: tuple[str, ...]
    subject: str

    @property
    def columns(self) -> list[str]:
        """The database columns of the fields."""
        return [str(self.model._meta.get_field(name).column) for name in self.fields]  # type: ignore[union-attr]

    @property
    def history(self) -> str:
        """The table of versions; "" where none are kept."""
        versions = getattr(self.model, "history", None)
        return str(versions.model._meta.db_table) if versions is not None else ""


def personal_kinds() -> Iterator[PersonalKind]:
    """Yield every model that declares personal data."""
    for model in apps.get_models():
        if fields := tuple(getattr(model, "personal_fields", ())):
            yield PersonalKind(model, fields, getattr(model, "personal_subject", ""))


def rows_about(subject: models.Model) -> list[tuple[PersonalKind, models.Model]]:
    """Return the rows that hold data about `subject`: its own first, then those that point to it, locked."""
    found: list[tuple[PersonalKind, models.Model]] = []
    for kind in sorted(personal_kinds(), key=lambda each: (each.subject == EVERYWHERE, each.subject)):
        manager = kind.model._base_manager
        if kind.subject == EVERYWHERE:
            found += [(kind, row) for row in _about(kind, [row for _, row in found])]
        elif not kind.subject and isinstance(subject, kind.model):
            found += [(kind, row) for row in manager.select_for_update(of=("self",)).filter(pk=subject.pk)]
        elif kind.subject and isinstance(subject, kind.model._meta.get_field(kind.subject).related_model):  # type: ignore[arg-type]
            rows = manager.select_for_update(of=("self",)).filter(**{kind.subject: subject.pk})
            found += [(kind, row) for row in rows.order_by("pk")]
    return found


def _about(kind: PersonalKind, things: list[models.Model]) -> list[models.Model]:
    """The rows of a kind that are about one of `things`, locked."""
    about = models.Q(pk__in=())
    for thing in things:
        about |= models.Q(content_type=ContentType.objects.get_for_model(type(thing)), object_id=thing.pk)
    return list(kind.model._base_manager.select_for_update(of=("self",)).filter(about).order_by("pk"))


def erased_values(kind: PersonalKind, row: models.Model) -> dict[str, Any]:
    """Return what stands in the personal fields of `row` once they are erased."""
    own = getattr(row, "erased_values", None)
    given: dict[str, Any] = own() if own is not None else {}
    return {name: given[name] if name in given else _empty(kind.model, name) for name in kind.fields}


def _empty(model: type[models.Model], name: str) -> Any:
    field: Any = model._meta.get_field(name)
    return (
        None if field.null else field.get_default() if field.has_default() else "" if field.empty_strings_allowed else 0
    )
