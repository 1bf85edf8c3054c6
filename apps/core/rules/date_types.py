"""Fields that hold days and moments; relative dates count from the moment a predicate is asked about."""

import datetime as dt
from typing import Any, ClassVar

from apps.core.errors import InvalidInput
from apps.core.rules.moment import Moment
from apps.core.rules.operators import DATE_COMPARISONS, IN_DAYS, Op
from apps.core.rules.ordered_types import ANY_MOMENT, Ordered
from apps.core.rules.regions import Axis, Span, Spans

MOST_DAYS = 36_500
EARLIEST, LATEST = dt.date(1900, 1, 1), dt.date(2199, 12, 31)


class Date(Ordered):
    """A day. "In the last 7 days" counts today and the six before it; "in the next 7 days" today and the six after."""

    key = "date"
    words = DATE_COMPARISONS

    def value(self, given: Any) -> Any:
        """Return the day."""
        return _day(given)

    def operand(self, op: Op, given: Any) -> Any:
        """Return a day, two, or a number of days."""
        if op not in IN_DAYS:
            return super().operand(op, given)
        if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= MOST_DAYS:
            raise InvalidInput(f"Give a whole number of days, 1 to {MOST_DAYS:,}.")
        return given

    def actual(self, given: Any) -> Any:
        """Return the day."""
        if isinstance(given, str) and given:
            return dt.date.fromisoformat(given)
        return given or None

    def span(self, op: Op, operand: Any, moment: Moment) -> Span:
        """Return the days that pass."""
        if op not in IN_DAYS:
            return super().span(op, operand, moment)
        return _relative(op, operand, self.now(moment), at_once=self.includes_now)

    includes_now: ClassVar[bool] = True

    def now(self, moment: Moment) -> Any:
        """Return what relative dates count from."""
        return moment.today

    def axis(self, op: Op, operand: Any) -> tuple[str, Axis]:
        """Return the span; relative dates have an axis of their own, the age in days."""
        if op not in IN_DAYS:
            found = self.span(op, operand, ANY_MOMENT)
            return "", Spans((self._counted(found),)).cut(self.everything())
        found = _relative(op, operand, _DAY_ZERO, at_once=self.includes_now)
        low, high = (None if each is None else (each - _DAY_ZERO).days for each in (found.low, found.high))
        return "age", Spans((Span(low, high, found.low_closed, found.high_closed),))

    def _counted(self, span: Span) -> Span:
        low, high = (None if each is None else each.toordinal() for each in (span.low, span.high))
        return Span(low, high, span.low_closed, span.high_closed)

    def everything(self) -> Spans:
        """Return all days, as numbers: between one day and the next there is none."""
        return Spans(whole=True)

    def say(self, value: Any) -> str:
        """Return the day as people write it."""
        return f"{value:%-d %B %Y}"

    def phrase(self, op: Op, operand: Any) -> str:
        """Return "is in the last 7 days"."""
        if op in IN_DAYS:
            return (
                self.words[op]
                .replace("…", f"{operand:,}")
                .replace(" 1 days", " day" if "the" in self.words[op] else " 1 day")
            )
        return super().phrase(op, operand)


_DAY_ZERO = dt.date(2000, 1, 1)


def _relative(op: Op, days: int, now: Any, *, at_once: bool) -> Span:
    """Return the span of a relative date: days count now's own day, moments count from the instant itself."""
    reach = dt.timedelta(days=days)
    spans = {
        Op.LAST_DAYS: Span(now - reach, now, low_closed=False),
        Op.OLDER_DAYS: Span(None, now - reach),
        Op.NEXT_DAYS: Span(now, now + reach, low_closed=at_once, high_closed=not at_once),
        Op.LATER_DAYS: Span(now + reach, None, low_closed=at_once),
    }
    return spans[op]


class DateTime(Date):
    """A moment. A day given without a time is the whole day, a time without seconds the whole minute."""

    key = "datetime"
    includes_now = False

    def value(self, given: Any) -> Any:
        """Return a day or a moment."""
        if isinstance(given, dt.datetime):
            return given
        if isinstance(given, str) and len(given) > len("2026-01-31"):
            try:
                found = dt.datetime.fromisoformat(given)
            except ValueError as error:
                raise InvalidInput("Give a moment such as 2026-03-31T14:30.") from error
            _day(found.date())
            return found.replace(second=0, microsecond=0)
        return _day(given)

    def order(self, value: Any) -> Any:
        """Sort days and moments together."""
        return self.spanned(value, ANY_MOMENT).low

    def actual(self, given: Any) -> Any:
        """Return the moment."""
        if given and not isinstance(given, dt.datetime):
            given = dt.datetime.fromisoformat(str(given))
        if given and given.tzinfo is None:
            given = ANY_MOMENT.aware(given)
        return given or None

    def spanned(self, operand: Any, moment: Moment) -> Span:
        """Return the day, or the minute."""
        if isinstance(operand, dt.datetime):
            start = moment.aware(operand)
            return Span(start, start + dt.timedelta(minutes=1), high_closed=False)
        return Span(moment.start_of(operand), moment.start_of(operand + dt.timedelta(days=1)), high_closed=False)

    def now(self, moment: Moment) -> Any:
        """Return the instant."""
        return moment.as_of

    def _counted(self, span: Span) -> Span:
        return span

    def everything(self) -> Spans:
        """Return all moments."""
        return Spans()

    def say(self, value: Any) -> str:
        """Return the day, with the time where there is one."""
        return f"{value:%-d %B %Y, %H:%M}" if isinstance(value, dt.datetime) else super().say(value)


def _day(given: Any) -> dt.date:
    day: Any = given.date() if isinstance(given, dt.datetime) else given
    if isinstance(day, str):
        try:
            day = dt.date.fromisoformat(day.strip())
        except ValueError:
            day = None
    if not isinstance(day, dt.date):
        raise InvalidInput("Give a date such as 2026-03-31.")
    if not EARLIEST <= day <= LATEST:
        raise InvalidInput(f"The date must lie between {EARLIEST.year} and {LATEST.year}.")
    return day
