"""Fields whose values have an order: numbers and money here, days and moments in `date_types`.

One function says which span of values an operator lets through; SQL, memory and the search for contradictions all
follow it, so they cannot differ.
"""

import datetime as dt
import math
from decimal import Decimal, InvalidOperation
from typing import Any

from apps.core.errors import InvalidInput
from apps.core.money import money
from apps.core.rules import expressions as sql
from apps.core.rules.field_types import FieldType
from apps.core.rules.moment import Moment
from apps.core.rules.operators import COMPARISONS, Op
from apps.core.rules.regions import Axis, Span, Spans

MOST_DIGITS = 20


class Ordered(FieldType):
    """The base of types with an order. Operands are spans themselves: a day is the span of its instants."""

    def spanned(self, operand: Any, moment: Moment) -> Span:
        """Return the span that one operand stands for."""
        return Span(operand, operand)

    def span(self, op: Op, operand: Any, moment: Moment) -> Span:
        """Return the span of values that `op` lets through."""
        if op == Op.BETWEEN:
            first, last = (self.spanned(each, moment) for each in operand)
            return Span(first.low, last.high, first.low_closed, last.high_closed)
        own = self.spanned(operand, moment)
        return {
            Op.EQ: own,
            Op.GTE: Span(own.low, None, own.low_closed),
            Op.LTE: Span(None, own.high, True, own.high_closed),
            Op.GT: Span(own.high, None, not own.high_closed),
            Op.LT: Span(None, own.low, True, not own.low_closed),
        }[op]

    def operand(self, op: Op, given: Any) -> Any:
        """Return a value, or two in their order."""
        if op != Op.BETWEEN:
            return super().operand(op, given)
        if not isinstance(given, list) or len(given) != 2:
            raise InvalidInput("Give two values, from and to.")
        first, last = self.value(given[0]), self.value(given[1])
        if self.order(first) > self.order(last):
            raise InvalidInput(f"From {self.say(first)} to {self.say(last)} is nothing; exchange the two.")
        return first, last

    def order(self, value: Any) -> Any:
        """Return what operands are sorted by."""
        return value

    def holds(self, op: Op, actual: Any, operand: Any, moment: Moment) -> bool:
        """Whether the value lies in the span."""
        return self.span(op, operand, moment).contains(actual)

    def condition(self, op: Op, left: Any, operand: Any, moment: Moment) -> Any:
        """Return the same as SQL: comparisons with constants, which an index serves."""
        if op == Op.EMPTY:
            return sql.is_null(left)
        span = self.span(op, operand, moment)
        if span.low is not None and span.low == span.high:
            return sql.compare(left, "=", self.parameter(span.low))
        bounds = []
        if span.low is not None:
            bounds.append(sql.compare(left, ">=" if span.low_closed else ">", self.parameter(span.low)))
        if span.high is not None:
            bounds.append(sql.compare(left, "<=" if span.high_closed else "<", self.parameter(span.high)))
        return sql.joined("AND", bounds)

    def parameter(self, value: Any) -> Any:
        """Return a bound as the database takes it."""
        return value

    def axis(self, op: Op, operand: Any) -> tuple[str, Axis]:
        """Return the span as a region."""
        return "", Spans((self.span(op, operand, ANY_MOMENT),))

    def everything(self) -> Spans:
        """Return all values."""
        return Spans()

    def phrase(self, op: Op, operand: Any) -> str:
        """Return "is between 1 and 5"."""
        if op == Op.BETWEEN:
            return f"{self.words[op]} {self.say(operand[0])} and {self.say(operand[1])}"
        return super().phrase(op, operand)


ANY_MOMENT = Moment(dt.datetime(2000, 1, 1, tzinfo=dt.UTC))


class Number(Ordered):
    """A number.

    Args:
        whole: only whole numbers exist, so that more than 5 and less than 6 is nothing.
        unit: said behind the number, for instance "points".
    """

    key = "number"
    words = COMPARISONS

    def __init__(self, *, whole: bool = False, unit: str = "") -> None:
        self.whole, self.unit = whole, unit

    def value(self, given: Any) -> Decimal:
        """Return the number."""
        if isinstance(given, bool) or not isinstance(given, int | float | str | Decimal):
            raise InvalidInput("Give a number such as 1250 or 99.5.")
        try:
            number = Decimal(str(given).strip())
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            raise InvalidInput("Give a number such as 1250 or 99.5.")
        if number and (abs(number.adjusted()) >= MOST_DIGITS or len(number.as_tuple().digits) > MOST_DIGITS):
            raise InvalidInput(f"The number has too many digits; {MOST_DIGITS} fit.")
        return number

    def actual(self, given: Any) -> Any:
        """Return a number; a float stays one, as it does in the database."""
        if given is None or given == "":
            return None
        if isinstance(given, float | Decimal):
            return given
        return Decimal(given) if isinstance(given, int) else self.value(given)

    def holds(self, op: Op, actual: Any, operand: Any, moment: Moment) -> bool:
        """Compare; with a float as the database does, which makes the constant a float too."""
        span = self.span(op, operand, moment)
        if isinstance(actual, float):
            low, high = (None if each is None else float(each) for each in (span.low, span.high))
            span = Span(low, high, span.low_closed, span.high_closed)
        return span.contains(actual)

    def parameter(self, value: Any) -> Any:
        """Send whole numbers as such, which the index of a whole-number column wants."""
        return int(value) if value == int(value) else value

    def axis(self, op: Op, operand: Any) -> tuple[str, Axis]:
        """Return the span, of whole numbers where there are no others."""
        return "", Spans((self.span(op, operand, ANY_MOMENT),), self.whole).cut(self.everything())

    def span(self, op: Op, operand: Any, moment: Moment) -> Span:
        """Return the span, from whole to whole number where there are no others."""
        span = super().span(op, operand, moment)
        return span.whole() if self.whole else span

    def slip(self, op: Op, operand: Any) -> str:
        """Say which whole number is meant where only those exist."""
        given = () if operand is None else operand if isinstance(operand, tuple) else (operand,)
        broken = [each for each in given if each != each.to_integral_value()]
        if not self.whole or not broken:
            return ""
        if op in (Op.EQ, Op.NE):
            return f"is a whole number, which {self.say(broken[0])} is not."
        return f"is a whole number; write “{self.phrase(op, self._meant(op, operand))}”."

    def _meant(self, op: Op, operand: Any) -> Any:
        """Return the whole numbers that let through what `operand` does: at least 1.5 is at least 2."""
        if op == Op.BETWEEN:
            return tuple(map(Decimal, (math.ceil(operand[0]), math.floor(operand[1]))))
        return Decimal(math.ceil(operand) if op in (Op.GTE, Op.LT) else math.floor(operand))

    def everything(self) -> Spans:
        """Return all numbers."""
        return Spans(whole=self.whole)

    def say(self, value: Any) -> str:
        """Return the number with its thousands."""
        text = f"{Decimal(str(value)):,f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return f"{text} {self.unit}" if self.unit else text


class Money(Number):
    """An amount in one currency. Amounts in several are no field: give the catalog an expression that converts."""

    key = "money"

    def __init__(self, currency: str) -> None:
        super().__init__()
        self.currency = currency

    def say(self, value: Any) -> str:
        """Return the amount with its currency."""
        return money(value, self.currency)
