"""The importer for a plain model: finds the row by its natural key, writes the fields that differ."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, models, transaction
from django.db.models.functions import Lower

from apps.core import access
from apps.core.admin_kit.names import label_of
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import DomainError, NotAllowed
from apps.core.exchange import values
from apps.core.exchange.columns import column_of
from apps.core.exchange.registry import Changes, Column, Importer, Outcome, Row
from apps.core.governed import GovernedBase


class ModelImporter(Importer):
    """Adds and changes rows of one model, one by one, through `create` and `update`.

    Say `fields` to have the columns made from the model's fields, or `columns` to write them yourself. Override
    `create` and `update` to call the app's own operations; what they refuse stands in the report.
    """

    fields: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        """Make the columns of `fields`, where none were written by hand."""
        by_hand = {column.name: column for column in self.columns}
        made = [by_hand.pop(name) if name in by_hand else self._column(name) for name in self.fields]
        self.columns: Sequence[Column] = (*made, *by_hand.values())

    def _column(self, name: str) -> Column:
        return column_of(self.model, name, required=name in self.natural_key or None)

    def apply(self, rows: Sequence[Row], *, by: Any) -> Sequence[Outcome]:
        """Write what differs, each row for itself: one that is refused takes none of the others with it."""
        found = self.find(rows)
        keys = [thing.pk for things in found.values() for thing in things]
        mine = set(access.visible(by, self.model, verb="change").filter(pk__in=keys).values_list("pk", flat=True))
        return [self._carry_out(row, found.get(self.key_of(row), []), mine, by=by) for row in rows]

    def find(self, rows: Sequence[Row]) -> dict[str, list[Any]]:
        """Return the stored rows, locked, by natural key; the first key column narrows the search."""
        first = self.natural_key[0]
        wanted = {row.values.get(first) for row in rows}
        stored: models.QuerySet[Any] = self.model._base_manager.select_for_update(of=("self",)).order_by("pk")
        field = self.model._meta.get_field(first)
        if self.ignore_case and isinstance(field, (models.CharField, models.TextField)):
            stored = stored.annotate(_import_key=Lower(first)).filter(
                _import_key__in={str(each).lower() for each in wanted}
            )
        else:
            stored = stored.filter(**{f"{first}__in": wanted})
        found: dict[str, list[Any]] = {}
        for thing in stored.select_related(*self._relations()):
            current = Row(0, {name: getattr(thing, name) for name in self.natural_key})
            found.setdefault(self.key_of(current), []).append(thing)
        return found

    def create(self, data: Mapping[str, Any], *, by: Any) -> Any:
        """Add one row; raises a refusal or a ValidationError."""
        return self.save(self.model(**data))

    def update(self, thing: Any, data: Mapping[str, Any], *, by: Any) -> Any:
        """Change the fields in `data`, which all differ; raises a refusal or a ValidationError."""
        for name, value in data.items():
            setattr(thing, name, value)
        return self.save(thing, untouched={field.name for field in self.model._meta.concrete_fields} - set(data))

    def save(self, thing: Any, *, untouched: Collection[str] = ()) -> Any:
        """Validate and save a row.

        The database keeps uniqueness and constraints; asking it about each before saving costs more than the saving.
        Only where it refuses are they looked at one by one, for a sentence that names what is wrong.

        Args:
            thing: the row.
            untouched: fields that are not to be looked at.

        Raises:
            ValidationError: with sentences, by field.
        """
        thing.clean_fields(exclude=untouched)
        thing.clean()
        try:
            with transaction.atomic():
                thing.save()
        except IntegrityError:
            thing.validate_unique(exclude=untouched)
            thing.validate_constraints()
            raise
        return thing

    def prepare(self, row: Row) -> dict[str, Any]:
        """Return the values to store; override it to derive some."""
        return {name: self._stored(name, value) for name, value in row.values.items()}

    def _stored(self, name: str, value: Any) -> Any:
        """An empty cell is an empty text where the field knows no unknown."""
        if value is not None:
            return value
        field = self.model._meta.get_field(name)
        if isinstance(field, models.Field) and not field.null:
            return "" if field.empty_strings_allowed else field.get_default()
        return None

    def differing(self, thing: Any, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of `data` that `thing` does not have yet."""
        return {name: value for name, value in data.items() if getattr(thing, name) != value}

    def _carry_out(self, row: Row, things: list[Any], mine: set[Any], *, by: Any) -> Outcome:
        thing = things[0] if things else None
        known = thing.pk if thing is not None else ""
        if refused := self._refusal(row, things, mine, by):
            return Outcome.refused(row, refused, object_id=known if known in mine else "")
        try:
            with transaction.atomic():
                data = self.prepare(row)
                if thing is None:
                    made = self.create(data, by=by)
                    self._read_back(made, "add", by)
                    return Outcome.created(row, object_id=made.pk, changes=self._told(None, data))
                changed = self.differing(thing, data)
                if not changed:
                    return Outcome.unchanged(row, object_id=thing.pk)
                told = self._told(thing, changed)
                self.update(thing, changed, by=by)
                self._read_back(thing, "change", by)
                return Outcome.updated(row, object_id=thing.pk, changes=told)
        except DomainError as refusal:
            return Outcome.refused(row, refusal.message, object_id=known)
        except ValidationError as refusal:
            return Outcome.refused(row, self._sentence(refusal), object_id=known)
        except DatabaseError as error:
            if (sentence := sentence_of(error)) is None:
                raise
            return Outcome.refused(row, sentence, object_id=known)

    def _read_back(self, thing: Any, verb: str, by: Any) -> None:
        """Take the row back that has left what the importing person may write, as a form does."""
        if access.is_narrowed(by, type(thing), verb=verb) and (refused := access.refuse_outside(by, verb, thing)):
            raise NotAllowed(refused)

    def _refusal(self, row: Row, things: list[Any], mine: set[Any], by: Any) -> str | None:
        name, kind = self.name_of(row), str(self.model._meta.verbose_name)
        if len(things) > 1:
            return f"{len(things)} records are called {values.quoted(name)}; it is not clear which one is meant."
        if things and things[0].pk not in mine:
            return f"There is already a {kind} {values.quoted(name)}, and you may not change it."
        if things and isinstance(things[0], GovernedBase) and things[0].is_archived:
            return f"{values.quoted(name)} is archived; restore it first if it is in use again."
        if not things and not access.has_model_permission(by, "add", self.model):
            return f"There is no {kind} {values.quoted(name)}, and you may not add one."
        return None

    def _told(self, thing: Any, data: Mapping[str, Any]) -> Changes:
        labels = {column.name: column.title for column in self.columns}
        before = {name: values.shown(getattr(thing, name)) if thing is not None else "" for name in data}
        return {
            labels.get(name) or label_of(self.model, name): (before[name], values.shown(value))
            for name, value in data.items()
            if before[name] != values.shown(value)
        }

    def _sentence(self, error: ValidationError) -> str:
        if not hasattr(error, "error_dict"):
            return " ".join(error.messages)
        told = []
        for name, messages in error.message_dict.items():
            label = "" if name == "__all__" else f"{label_of(self.model, name)}: "
            told.append(label + " ".join(messages))
        return " ".join(told)

    def _relations(self) -> list[str]:
        names = {column.name for column in self.columns}
        fields = self.model._meta.concrete_fields
        # a nullable relation is an outer join, which FOR UPDATE OF self allows
        return [field.name for field in fields if field.is_relation and field.name in names]
