"""What can be imported: each app declares its importers here, from `AppConfig.ready`.

`docs/importing.md` shows how to write one. The kit reads the file, matches the columns, parses the cells and keeps
the report; an importer only says what its columns are and carries rows out.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from django.db import models

from apps.core import access
from apps.core.errors import DomainError, InvalidInput
from apps.core.exchange import values
from apps.core.exchange.enums import OutcomeKind

if TYPE_CHECKING:
    from apps.accounts.models import User

Parse = Callable[[str], Any]
Changes = Mapping[str, tuple[str, str]]
BATCH = 1_000
NOTHING: Changes = MappingProxyType({})


@dataclass(frozen=True)
class Column:
    """One thing an importer wants to know of each record.

    Attributes:
        name: the key in `Row.values`; for a `ModelImporter` the model's field.
        label: as people know it; matched against the file's headers, and the header of the template file.
        required: an empty cell refuses the row, and the column must be matched.
        help: what belongs into it, in a sentence.
        aliases: other headers that mean the same, for instance the names other systems give it.
        parse: turns the text of a cell (never empty, already stripped) into a value. Raises a `DomainError` with a
            sentence to refuse the row; a ValueError is told in general words with `example`. Asked once for a text that
            stands in many rows of a batch.
        example: a believable value, shown on the matching page and in refusals.
        empty: the value of an empty cell.
    """

    name: str
    label: str = ""
    required: bool = False
    help: str = ""
    aliases: tuple[str, ...] = ()
    parse: Parse = values.text
    example: str = ""
    empty: Any = None

    @property
    def title(self) -> str:
        """The label, or the name in words."""
        words = self.label or self.name.replace("_", " ")
        return words[:1].upper() + words[1:]

    def headers(self) -> tuple[str, ...]:
        """Every header that means this column."""
        return (self.name, self.title, *self.aliases)

    def read(self, cell: str) -> Any:
        """Turn a cell into a value.

        Raises:
            InvalidInput: or another refusal with a sentence that names the column.
        """
        stripped = cell.strip()
        if not stripped:
            if self.required:
                raise InvalidInput(f"{self.title} is empty; every row needs one.")
            return self.empty
        try:
            return self.parse(stripped)
        except DomainError as refusal:
            raise InvalidInput(f"{self.title}: {refusal.message}") from refusal
        except (ValueError, TypeError, ArithmeticError) as error:
            such_as = f"; write it like {self.example}" if self.example else ""
            raise InvalidInput(f"{self.title}: {values.quoted(stripped)} cannot be read{such_as}.") from error


class Row(NamedTuple):
    """One record of a file, parsed: the matched columns only, by column name."""

    line: int
    values: dict[str, Any]


class Outcome(NamedTuple):
    """What became of one row."""

    line: int
    kind: OutcomeKind
    key: str = ""
    object_id: str = ""
    reason: str = ""
    changes: Changes = NOTHING

    @classmethod
    def created(cls, row: Row, *, object_id: Any = "", changes: Changes | None = None) -> "Outcome":
        """A record was added."""
        return cls(row.line, OutcomeKind.CREATED, object_id=str(object_id), changes=changes or NOTHING)

    @classmethod
    def updated(cls, row: Row, *, object_id: Any = "", changes: Changes | None = None) -> "Outcome":
        """A record was changed; `changes` maps the label of each changed field to (before, after)."""
        return cls(row.line, OutcomeKind.UPDATED, object_id=str(object_id), changes=changes or NOTHING)

    @classmethod
    def unchanged(cls, row: Row, *, object_id: Any = "") -> "Outcome":
        """The record is already as the row says; nothing was written."""
        return cls(row.line, OutcomeKind.UNCHANGED, object_id=str(object_id))

    @classmethod
    def refused(cls, row: Row, reason: str, *, object_id: Any = "") -> "Outcome":
        """The row did not go in; `reason` is a sentence for the person who prepared the file."""
        return cls(row.line, OutcomeKind.REFUSED, object_id=str(object_id), reason=reason)


class Importer(ABC):
    """One kind of record that files bring in. Subclass it, say what and how, and register it.

    Attributes:
        key: "technology.tools"; stable, stored with every import.
        title: plural, as people say it: "Tools".
        model: what is written; its admin page is linked from the report.
        columns: what the file may bring.
        natural_key: names of the columns that tell one record from another; they are required, and a file that
            names the same record twice has its second row refused.
        ignore_case: whether two natural keys that differ only in case are the same.
        batch_size: how many rows `apply` gets at a time.
        help: a sentence or two above the upload form: where such files come from.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    model: ClassVar[type[models.Model]]
    columns: Sequence[Column] = ()
    natural_key: ClassVar[tuple[str, ...]]
    ignore_case: ClassVar[bool] = True
    batch_size: ClassVar[int] = BATCH
    help: ClassVar[str] = ""

    @abstractmethod
    def apply(self, rows: Sequence[Row], *, by: Any) -> Sequence[Outcome]:
        """Write what differs, in the caller's transaction, and say for each row in order what became of it.

        A row that is already so writes nothing. The actor, channel and job are set by the kit. A `DomainError`
        refuses the whole call; the kit then tries the rows in smaller portions until only the guilty one is left.
        The preview calls this too and rolls back, so nothing here may reach outside the database.
        """

    def for_walk(self, *, dry: bool) -> "Importer":
        """Return what carries one walk through a file out: this importer, unless something is to be remembered.

        An importer that refuses a row for what an earlier portion wrote (an address that is one record's alone) has to
        remember that itself in a preview, which takes each portion back before the next one comes.
        """
        return self

    def refuse(self, user: "User") -> str | None:
        """Return why `user` may not import this, None when it is allowed: the right to add and to change."""
        verbs = ("add", "change")
        if all(access.has_model_permission(user, verb, self.model) for verb in verbs):
            return None
        return f"You may not import {self.title.lower()}: that takes the right to add and to change them."

    def key_of(self, row: Row) -> str:
        """Return the row's natural key as one text, by which rows and syncs are compared."""
        key = " · ".join(str(row.values.get(name, "")) for name in self.natural_key)
        return key.casefold() if self.ignore_case else key

    def name_of(self, row: Row) -> str:
        """Return what the report calls the row."""
        return " · ".join([values.shown(row.values.get(name)) for name in self.natural_key])

    def column(self, name: str) -> Column:
        """Return the column called `name`.

        Raises:
            KeyError: there is none.
        """
        for each in self.columns:
            if each.name == name:
                return each
        raise KeyError(name)

    def required_columns(self) -> tuple[Column, ...]:
        """The columns that must be matched: the required ones and the natural key."""
        return tuple(each for each in self.columns if each.required or each.name in self.natural_key)

    def refuse_mapping(self, mapping: Mapping[str, str]) -> str | None:
        """Return which columns that must be matched are not, None when all are."""
        missing = [column.title for column in self.required_columns() if column.name not in mapping]
        if not missing:
            return None
        return (
            f"Required and not matched: {', '.join(missing)}. Choose the column of the file that holds it; if there is "
            "none, add it to the file."
        )


_importers: dict[str, Importer] = {}


def register_importer(importer: type[Importer]) -> type[Importer]:
    """Offer an importer; usable as a decorator. Call it from `AppConfig.ready` by importing `imports.py` there.

    Raises:
        ValueError: another importer has the key, or the natural key names no column.
    """
    made = importer()
    taken = _importers.get(importer.key)
    if taken is not None and type(taken) is not importer:
        raise ValueError(f"Two importers are called {importer.key!r}.")
    names = {column.name for column in made.columns}
    if not made.natural_key or not set(made.natural_key) <= names:
        raise ValueError(f"The natural key of {importer.key!r} must name columns of it.")
    _importers[importer.key] = made
    return importer


def all_importers() -> list[Importer]:
    """Return every importer by title."""
    return sorted(_importers.values(), key=lambda each: each.title)


def importers_for(user: "User") -> list[Importer]:
    """Return the importers `user` may use, by title."""
    return [each for each in all_importers() if each.refuse(user) is None]


def get_importer(key: str) -> Importer:
    """Return the importer with this key.

    Raises:
        InvalidInput: there is none (any more).
    """
    if (found := _importers.get(key)) is None:
        raise InvalidInput(f"Nothing imports {values.quoted(key)}; that part of mops is not installed here.")
    return found
