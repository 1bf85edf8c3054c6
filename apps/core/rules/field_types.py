"""What a field of a catalog holds: which operators it knows, what they take, and what they mean in both engines.

Every type answers for the positive operators alone; their opposites are the plain negation (`operators.OPPOSITES`).
A missing value fails every positive operator but "is empty", in SQL and in memory alike.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.db import models

from apps.core.asking import once
from apps.core.errors import InvalidInput
from apps.core.rules import expressions as sql
from apps.core.rules.moment import Moment
from apps.core.rules.operators import (
    CHOICE_COMPARISONS,
    MANY_VALUES,
    TEXT_COMPARISONS,
    WITHOUT_VALUE,
    Op,
)
from apps.core.rules.regions import Axis, Words
from apps.core.storable import is_storable

Choices = Sequence[tuple[Any, str]]
LONGEST_TEXT, MOST_VALUES, MOST_OPTIONS = 500, 500, 200


class FieldType(ABC):
    """The base of all types."""

    key: ClassVar[str] = ""
    words: ClassVar[Mapping[Op, str]] = {}

    def operand(self, op: Op, given: Any) -> Any:
        """Return what `op` compares with, checked and typed.

        Raises:
            InvalidInput: `given` does not fit, in a sentence.
        """
        if op in WITHOUT_VALUE:
            return None
        if op not in MANY_VALUES:
            return self.value(given)
        if not isinstance(given, list) or not given:
            raise InvalidInput("Give at least one value.")
        if len(given) > MOST_VALUES:
            raise InvalidInput(f"{len(given):,} values are too many; {MOST_VALUES} fit.")
        return tuple(dict.fromkeys(self.value(each) for each in given))

    @abstractmethod
    def value(self, given: Any) -> Any:
        """Return one value, checked and typed."""

    def actual(self, given: Any) -> Any:
        """Return a record's value as `holds` compares it; None where there is none."""
        return given

    def holds(self, op: Op, actual: Any, operand: Any, moment: Moment) -> bool:
        """Whether the positive operator `op` holds for a value that is not missing."""
        if op == Op.IN:
            return actual in operand
        return bool(actual == operand)

    def condition(self, op: Op, left: Any, operand: Any, moment: Moment) -> Any:
        """Return the same as SQL; unknown counts as false."""
        if op == Op.EMPTY:
            return sql.is_null(left)
        return sql.among(left, operand) if op == Op.IN else sql.compare(left, "=", operand)

    def axis(self, op: Op, operand: Any) -> tuple[str, Axis]:
        """Return which values `op` lets through, and on which axis."""
        named = frozenset(operand) if op == Op.IN else frozenset((operand,))
        return "", Words(named, all_but=False)

    def everything(self) -> Axis:
        """Return all values a record can have."""
        return Words()

    def say(self, value: Any) -> str:
        """Return one value in words."""
        return str(value)

    def phrase(self, op: Op, operand: Any) -> str:
        """Return operator and operand in words, "is at least 1,000"."""
        if op in WITHOUT_VALUE:
            return self.words[op]
        if op in MANY_VALUES:
            return f"{self.words[op]} {listed((self.say(each) for each in operand), 'or')}"
        return f"{self.words[op]} {self.say(operand)}"

    def slip(self, op: Op, operand: Any) -> str:
        """Return what is odd about a question that can be asked, as it goes on after the field's name; "" mostly."""
        return ""

    def options(self) -> Choices | None:
        """Return what can be chosen, None where a value is typed."""
        return None


def listed(words: Iterable[str], last: str) -> str:
    """Return "a, b or c"."""
    *most, end = words
    return f"{', '.join(most)} {last} {end}" if most else end


class Text(FieldType):
    """A text, compared without regard to small and capital letters.

    Args:
        exact: compare letter by letter: for codes and addresses kept in one form, whose plain index then serves.
    """

    key = "text"
    words = TEXT_COMPARISONS

    def __init__(self, *, exact: bool = False) -> None:
        self.exact = exact

    def value(self, given: Any) -> str:
        """Return the text as it was written."""
        if not isinstance(given, str):
            raise InvalidInput("Give a text.")
        if not given.strip():
            raise InvalidInput("Give a text; to ask for a missing one, use “is empty”.")
        if len(given) > LONGEST_TEXT:
            raise InvalidInput(f"The text is too long; {LONGEST_TEXT} characters fit.")
        if not is_storable(given):
            raise InvalidInput("The text holds a character that no text holds; type it again.")
        return given

    def actual(self, given: Any) -> str | None:
        """Return the text as it is compared; "" is none."""
        return self._folded(str(given)) if given not in (None, "") else None

    def _folded(self, given: Any) -> Any:
        if self.exact:
            return given
        return tuple(map(sql.fold, given)) if isinstance(given, tuple) else sql.fold(given)

    def holds(self, op: Op, actual: Any, operand: Any, moment: Moment) -> bool:
        """Compare two texts."""
        operand = self._folded(operand)
        return fits(op, operand, actual) if op in _PATTERNS else super().holds(op, actual, operand, moment)

    def condition(self, op: Op, left: Any, operand: Any, moment: Moment) -> Any:
        """Return the same as SQL."""
        if op == Op.EMPTY:
            return sql.joined("OR", [sql.is_null(left), sql.compare(left, "=", "")])
        side, operand = left if self.exact else sql.folded(left), self._folded(operand)
        if op not in _PATTERNS:
            return super().condition(op, side, operand, moment)
        before, after = _PATTERNS[op]
        return sql.like(side, before=before, text=operand, after=after)

    def axis(self, op: Op, operand: Any) -> tuple[str, Axis]:
        """Return which texts pass."""
        operand = self._folded(operand)
        if op in _PATTERNS:
            return "", Words(fits=frozenset(((op.value, operand),)), fit=fits)
        sort, found = super().axis(op, operand)
        assert isinstance(found, Words)  # noqa: S101  # for the type checker: a base type has no spans
        return sort, Words(found.named, all_but=False, fit=fits)

    def everything(self) -> Axis:
        """Return all texts."""
        return Words(fit=fits)

    def say(self, value: Any) -> str:
        """Return a text in quotation marks."""
        return f"“{value}”"


_PATTERNS: dict[str, tuple[str, str]] = {Op.CONTAINS: ("%", "%"), Op.STARTS: ("", "%"), Op.ENDS: ("%", "")}


def fits(kind: str, pattern: str, text: str) -> bool:
    """Whether `text` contains, starts or ends with `pattern`."""
    if kind == Op.CONTAINS:
        return pattern in text
    return text.startswith(pattern) if kind == Op.STARTS else text.endswith(pattern)


class Choice(FieldType):
    """One of some values known by a label.

    Args:
        choices: pairs of value and label, or a function that returns them.
        blank: what is stored where nothing was chosen, besides NULL.
    """

    key = "choice"
    words = CHOICE_COMPARISONS

    def __init__(self, choices: Choices | Callable[[], Choices], *, blank: Any = "") -> None:
        self._choices, self.blank = choices, blank

    def options(self) -> Choices:
        """Return the choices."""
        return list(self._choices() if callable(self._choices) else self._choices)

    def value(self, given: Any) -> Any:
        """Return one of the choices."""
        if not any(value == given and type(value) is type(given) for value, _ in self._plain()):
            known = listed((label for _, label in self._plain()[:10]), "or") if self._plain() else "nothing yet"
            raise InvalidInput(f"“{given}” is no choice here; choose {known}.")
        return given

    def actual(self, given: Any) -> Any:
        """Return the value; the blank one is none."""
        plain = given.value if isinstance(given, models.Choices) else given
        return None if plain is None or plain == self.blank else plain

    def condition(self, op: Op, left: Any, operand: Any, moment: Moment) -> Any:
        """Treat the blank value as none."""
        if op == Op.EMPTY and isinstance(self.blank, str) and all(isinstance(value, str) for value, _ in self._plain()):
            return sql.joined("OR", [sql.is_null(left), sql.compare(left, "=", self.blank)])
        return super().condition(op, left, operand, moment)

    def everything(self) -> Axis:
        """Return the choices: a finite set."""
        return Words(frozenset(value for value, _ in self._plain()), all_but=False)

    def say(self, value: Any) -> str:
        """Return the label."""
        return next((str(label) for known, label in self._plain() if known == value), str(value))

    def _plain(self) -> list[tuple[Any, str]]:
        return [
            (value.value if isinstance(value, models.Choices) else value, str(label)) for value, label in self.options()
        ]


class Boolean(FieldType):
    """Yes or no."""

    key = "boolean"
    words: ClassVar[Mapping[Op, str]] = {Op.EQ: "is", Op.EMPTY: "is not known", Op.FILLED: "is known"}

    def value(self, given: Any) -> bool:
        """Return true or false."""
        if not isinstance(given, bool):
            raise InvalidInput("Choose yes or no.")
        return given

    def everything(self) -> Axis:
        """Return both."""
        return Words(frozenset((True, False)), all_but=False)

    def say(self, value: Any) -> str:
        """Return yes or no."""
        return "yes" if value else "no"

    def options(self) -> Choices:
        """Return both answers."""
        return [(True, "yes"), (False, "no")]


class Reference(FieldType):
    """Another record, by its key: a person, a team, a campaign.

    Args:
        model: of what.
        rows: returns the records that can be chosen; all in use where it is left out.
    """

    key = "reference"
    words = CHOICE_COMPARISONS

    def __init__(self, model: type[models.Model], *, rows: Callable[[], models.QuerySet[Any]] | None = None) -> None:
        self.model, self._rows = model, rows

    def rows(self) -> models.QuerySet[Any]:
        """Return the records that can be chosen."""
        if self._rows is not None:
            return self._rows()
        rows = self.model._default_manager.all()
        governed = any(field.name == "archived_at" for field in self.model._meta.fields)
        return rows.filter(archived_at__isnull=True) if governed else rows

    def value(self, given: Any) -> int:
        """Return the key of a record that exists."""
        if isinstance(given, bool) or not isinstance(given, int):
            raise InvalidInput(f"Choose a {self.model._meta.verbose_name}.")
        if self._row(given) is None:
            raise InvalidInput(f"There is no {self.model._meta.verbose_name} number {given}; choose another.")
        return given

    def actual(self, given: Any) -> Any:
        """Return the key."""
        return given.pk if isinstance(given, models.Model) else given

    def options(self) -> Choices:
        """Return the records in use, as far as a list can show them."""
        return [(row.pk, str(row)) for row in self.rows()[:MOST_OPTIONS]]

    def say(self, value: Any) -> str:
        """Return the record's name."""
        row = self._row(value)
        return f"number {value}" if row is None else str(row)

    def _row(self, key: Any) -> models.Model | None:
        # many rules name the same few people, and a page reads its rules more than once
        return once(("reference", self.model, key), lambda: self.model._base_manager.filter(pk=key).first())
