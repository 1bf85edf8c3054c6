"""Catalogs: which fields of a kind of record predicates may ask about, registered by the app that owns the kind."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, OuterRef, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from apps.core import access
from apps.core.records import kind_of
from apps.core.rules.date_types import Date, DateTime
from apps.core.rules.field_types import Boolean, Choice, FieldType, Reference, Text
from apps.core.rules.ordered_types import Number
from apps.core.workspace.domain.custom_values import fields_of
from apps.core.workspace.enums import FieldType as CustomType
from apps.core.workspace.models import CustomField, CustomValues

if TYPE_CHECKING:
    from apps.accounts.models import User


@dataclass(frozen=True)
class Field:
    """One thing a predicate may ask about.

    Attributes:
        key: its name in predicates; it never changes once rules use it.
        label: what people read.
        type: what it holds.
        expression: an ORM path ("company__size", along single-valued relations) or an ORM expression; the key where
            it is left out. An expression must reach other tables by subqueries, not by joins.
        nullable: whether a record may lack it; False lets an index serve negations, too.
        help: a sentence for whoever builds a rule.
        reads: the paths that `expression` reads, where it is no path, so that a hidden column stays hidden.
    """

    key: str
    label: str
    type: FieldType
    expression: Any = None
    nullable: bool = True
    help: str = ""
    reads: tuple[str, ...] = ()

    @property
    def path(self) -> str | None:
        """The ORM path, None where an expression computes the value."""
        given = self.key if self.expression is None else self.expression
        return given if isinstance(given, str) else None

    @property
    def left(self) -> Any:
        """The left-hand side of its conditions."""
        return self.expression if self.path is None else F(self.path)

    @property
    def columns(self) -> tuple[str, ...]:
        """The ORM paths it reads."""
        return self.reads if self.path is None else (self.path,)


@dataclass(frozen=True)
class Relation:
    """Rows that hang on a record, which a predicate may count: touchpoints, tickets, opportunities.

    Attributes:
        key: its name in predicates.
        label: what people read, in the plural: "touchpoints".
        model: of the rows; it needs a catalog of its own where they are narrowed by `where`.
        link: the field of `model` that holds the record's key.
        moment: the key, in that catalog, of the date that `within` asks about; "" where there is none.
        rows: returns the rows that count, all where it is left out.
        catalog: of the rows, where the one registered for `model` is not meant.
    """

    key: str
    label: str
    model: type[models.Model]
    link: str
    moment: str = ""
    rows: Callable[[], models.QuerySet[Any]] | None = None
    catalog: "Catalog | None" = None

    def queryset(self) -> models.QuerySet[Any]:
        """Return the rows that count, of all records."""
        return self.rows() if self.rows is not None else self.model._base_manager.all()


@dataclass(frozen=True)
class Catalog:
    """The fields of one kind of record. `catalog_of` returns it complete with custom fields."""

    fields: tuple[Field, ...] = ()
    relations: tuple[Relation, ...] = ()
    model: type[models.Model] | None = None
    inner: dict[str, "Catalog"] = field(default_factory=dict, compare=False)

    def find(self, key: str) -> Field | None:
        """Return the field of this key."""
        return next((each for each in self.fields if each.key == key), None)

    def relation(self, key: str) -> Relation | None:
        """Return the relation of this key."""
        return next((each for each in self.relations if each.key == key), None)

    def of_relation(self, relation: Relation) -> "Catalog":
        """Return the catalog of a relation's rows."""
        if relation.key not in self.inner:
            own = replace(relation.catalog, model=relation.model) if relation.catalog else None
            self.inner[relation.key] = own or catalog_of(relation.model)
        return self.inner[relation.key]

    def for_person(self, user: "User") -> "Catalog":
        """Return the catalog without what `user` must not see: hidden columns, and rows of kinds not opened to them."""
        if self.model is None:
            return self
        hidden = _hidden_from(user)
        seen = tuple(
            each
            for each in self.fields
            if self.model is None or not any(access.is_hidden_path(hidden, self.model, path) for path in each.columns)
        )
        opened = tuple(each for each in self.relations if access.may_open(user, "view", each.model))
        inner = {each.key: self.of_relation(each).for_person(user) for each in opened}
        return replace(self, fields=seen, relations=opened, inner=inner)


def _hidden_from(user: "User") -> Callable[[type[models.Model]], frozenset[str]]:
    known: dict[type[models.Model], frozenset[str]] = {}

    def hidden(model: type[models.Model]) -> frozenset[str]:
        if model not in known:
            known[model] = access.hidden_columns(user, model)
        return known[model]

    return hidden


_catalogs: dict[type[models.Model], Callable[[], Catalog]] = {}


def register_catalog(model: type[models.Model], catalog: Catalog | Callable[[], Catalog]) -> None:
    """Let predicates ask about records of `model`; called from `AppConfig.ready` of the app that owns it.

    Args:
        model: the kind of record.
        catalog: its fields, or a function that returns them where they depend on rows.
    """
    _catalogs[model] = catalog if callable(catalog) else lambda: catalog


def has_catalog(model: type[models.Model]) -> bool:
    """Whether predicates may ask about records of `model`."""
    return model in _catalogs


def registered() -> list[type[models.Model]]:
    """Return every kind of record that predicates may ask about."""
    return list(_catalogs)


def catalog_of(model: type[models.Model]) -> Catalog:
    """Return the fields of `model` as they are now, custom fields included: one query.

    Raises:
        KeyError: no catalog was registered.
    """
    declared = _catalogs[model]()
    return replace(declared, fields=(*declared.fields, *custom_fields(model)), model=model, inner={})


def model_fields(model: type[models.Model], *names: str, exact: Iterable[str] = ()) -> tuple[Field, ...]:
    """Return fields for columns of `model`, with the label, help and type that the model declares.

    Args:
        model: the kind of record.
        names: of its fields.
        exact: texts that are compared letter by letter.
    """
    found = []
    for name in names:
        column: Any = model._meta.get_field(name)
        label = str(column.verbose_name)
        nullable = column.null or isinstance(column, models.CharField | models.TextField)
        kind = _type_of(column, exact=name in exact)
        found.append(Field(name, label[:1].upper() + label[1:], kind, nullable=nullable, help=str(column.help_text)))
    return tuple(found)


def _type_of(column: Any, *, exact: bool) -> FieldType:
    if column.choices:
        return Choice(list(column.flatchoices))
    if isinstance(column, models.ForeignKey):
        return Reference(column.related_model)
    for kinds, made in (
        (models.BooleanField, Boolean),
        (models.IntegerField, lambda: Number(whole=True)),
        ((models.DecimalField, models.FloatField), Number),
        (models.DateTimeField, DateTime),
        (models.DateField, Date),
        ((models.CharField, models.TextField), lambda: Text(exact=exact)),
    ):
        if isinstance(column, kinds):  # type: ignore[arg-type]  # a loop over types and tuples of them
            kind: FieldType = made()  # type: ignore[operator]
            return kind
    raise TypeError(f"Predicates know no type for {column}; declare the field yourself.")


_CUSTOM: dict[str, tuple[Callable[[Any], FieldType], Any]] = {
    CustomType.TEXT: (lambda _: Text(), None),
    CustomType.URL: (lambda _: Text(), None),
    CustomType.CHOICE: (lambda row: Choice([(each, each) for each in row.choices]), None),
    CustomType.NUMBER: (lambda _: Number(), models.DecimalField(max_digits=40, decimal_places=20)),
    CustomType.DATE: (lambda _: Date(), models.DateField()),
    CustomType.BOOLEAN: (lambda _: Boolean(), models.BooleanField()),
}


def custom_fields(model: type[models.Model]) -> tuple[Field, ...]:
    """Return the fields that the workspace added to `model`: one query."""
    kind = kind_of(model)
    return tuple(_custom_field(row, kind) for row in fields_of(model))


def _custom_field(row: CustomField, kind: Any) -> Field:
    made, output = _CUSTOM[row.type]
    text: Any = KeyTextTransform(row.key, "values")
    value = text if output is None else Cast(text, output)
    stored = CustomValues.objects.filter(content_type=kind, object_id=OuterRef("pk")).values_list(value)
    return Field(
        f"custom.{row.key}", row.label, made(row), Subquery(stored[:1]), help=row.help_text, reads=("custom_values",)
    )
