"""Finding entries by a name: whose it is, among the people and the records that the reader may see.

The ledger keeps numbers; names are looked up in the tables of today, so that a person, a lead or a record that was
renamed is found however old its entries are, and by indexes alone.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Cast, Coalesce, NullIf

from apps.accounts.models import User
from apps.audit.domain.people import about_people
from apps.audit.kinds import kind_of, models_by_table
from apps.core import access
from apps.core.access_log import note_read
from apps.core.governed import GovernedBase

if TYPE_CHECKING:
    from django.db.models.expressions import Combinable

SHORTEST = 3  # letters; fewer are in too many names to tell anything
MOST = 20  # of each kind; more than that is not a name but a word
# the columns that hold what a record is called, the one that is shown first
NAMES = (
    *("full_name", "name", "title", "file_name", "label", "wording", "matter", "email", "username"),
    *("requester_name", "requester_email", "holder"),
)


@dataclass(frozen=True)
class Bearer:
    """A record that bears a name.

    Attributes:
        table: its kind.
        key: its number, as entries hold it.
        name: what it is called today.
    """

    table: str
    key: str
    name: str

    @property
    def kind(self) -> str:
        """What people call such records."""
        return kind_of(self.table)


@dataclass(frozen=True)
class Named:
    """Who and what bears a name.

    Attributes:
        bearers: at most `MOST` of each kind, people first.
        crowded: the kinds, in words, of which more than `MOST` do; the others of them are not looked for.
    """

    bearers: tuple[Bearer, ...] = ()
    crowded: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.bearers)

    @property
    def people(self) -> list[int]:
        """The numbers of the people among them."""
        return [int(each.key) for each in self.bearers if each.table == User._meta.db_table]

    def about(self) -> Q:
        """Return the condition: entries about these records, and about what holds something of these people."""
        keys: dict[str, list[str]] = {}
        for each in self.bearers:
            keys.setdefault(each.table, []).append(each.key)
        found = about_people(self.people)
        for table, wanted in keys.items():
            found |= Q(table_name=table, object_id__in=wanted)
        return found

    def in_words(self) -> list[str]:
        """Return who and what was looked for, by number: a name here would outlive its erasure."""
        kinds: dict[str, list[str]] = {}
        for each in self.bearers:
            kinds.setdefault(each.kind, []).append(each.key)
        words = [f"{kind} no. {', '.join(keys)}" for kind, keys in kinds.items()]
        return words + [f"not every {kind.lower()} of that name, there are more than {MOST}" for kind in self.crowded]


def named(text: str, *, by: User) -> Named:
    """Return who and what `by` may see under a name that contains `text`; nothing for less than three letters.

    One statement asks every kind, for at most `MOST` + 1 rows each; columns hidden from `by` are not looked into.
    """
    said = text.strip().strip("\"'").strip()
    if len(said) < SHORTEST or "\0" in said:
        return Named()
    asked = [rows for table in _kinds() if (rows := _bearing(table, said, by)) is not None]
    if not asked:
        return Named()
    rows = asked[0].union(*asked[1:], all=True) if len(asked) > 1 else asked[0]
    kinds: dict[str, list[Bearer]] = {}
    for table, key, name in rows:
        kinds.setdefault(table, []).append(Bearer(table, key, name or f"#{key}"))
    ordered = sorted(kinds, key=lambda table: (table != User._meta.db_table, kind_of(table)))
    for table in ordered:
        note_read(by, models_by_table()[table], "ledger, by name")
    return Named(
        tuple(each for table in ordered for each in sorted(kinds[table], key=lambda one: int(one.key))[:MOST]),
        tuple(kind_of(table) for table in ordered if len(kinds[table]) > MOST),
    )


@cache
def _kinds() -> tuple[str, ...]:
    """The governed kinds whose records are called something, in one order."""
    return tuple(
        table
        for table, model in sorted(models_by_table().items())
        if issubclass(model, GovernedBase)
        and not model._meta.proxy
        and isinstance(model._meta.pk, models.IntegerField)
        and any(field.name in NAMES for field in model._meta.concrete_fields)
    )


def _bearing(table: str, said: str, by: User) -> "models.QuerySet[Any, Any] | None":
    """The rows of one kind that bear the name and that `by` may see; None where there can be none."""
    model = models_by_table()[table]
    hidden = access.hidden_columns(by, model)
    known = {field.name for field in model._meta.concrete_fields} - hidden
    if "full_name" in known:
        known.discard("title")  # of a person that is a job
    names = [name for name in NAMES if name in known]
    if not names or not access.may_open(by, "view", model):
        return None
    found = Q()
    for name in names:
        found |= Q(**{f"{name}__icontains": said})
    rows: models.QuerySet[Any] = access.visible(by, model).filter(found).order_by("pk")
    return rows.values_list(
        models.Value(table, output_field=models.TextField()), Cast("pk", models.TextField()), _called(names)
    )[: MOST + 1]


def _called(names: list[str]) -> "Combinable":
    """The first of these columns that says something."""
    text = models.TextField()
    texts = [NullIf(Cast(name, text), models.Value("", output_field=text), output_field=text) for name in names]
    return Coalesce(*texts, output_field=text) if len(texts) > 1 else texts[0]
