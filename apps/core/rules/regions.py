"""Which values a leaf lets through, as sets that can be intersected: what contradictions are found with."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Span:
    """The values from `low` to `high`; None is no bound on that side."""

    low: Any = None
    high: Any = None
    low_closed: bool = True
    high_closed: bool = True

    def contains(self, value: Any) -> bool:
        """Whether `value` lies in it."""
        if self.low is not None and (value < self.low or (value == self.low and not self.low_closed)):
            return False
        return not (self.high is not None and (value > self.high or (value == self.high and not self.high_closed)))

    @property
    def is_empty(self) -> bool:
        """Whether no value lies in it."""
        if self.low is None or self.high is None:
            return False
        return bool(self.low > self.high or (self.low == self.high and not (self.low_closed and self.high_closed)))

    def cut(self, other: "Span") -> "Span":
        """Return what lies in both."""
        low, low_closed = _higher((self.low, self.low_closed), (other.low, other.low_closed))
        high, high_closed = _lower((self.high, self.high_closed), (other.high, other.high_closed))
        return Span(low, high, low_closed, high_closed)

    def whole(self) -> "Span":
        """Return the same whole numbers between bounds that are whole and belong to it."""
        low = self.low if self.low is None else _up(self.low, self.low_closed)
        high = self.high if self.high is None else -_up(-self.high, self.high_closed)
        return Span(low, high)

    def rest(self) -> "tuple[Span, ...]":
        """Return what lies outside."""
        below = () if self.low is None else (Span(None, self.low, True, not self.low_closed),)
        above = () if self.high is None else (Span(self.high, None, not self.high_closed, True),)
        return (*below, *above)


def _higher(one: tuple[Any, bool], two: tuple[Any, bool]) -> tuple[Any, bool]:
    if one[0] is None or two[0] is None:
        return two if one[0] is None else one
    if one[0] == two[0]:
        return one[0], one[1] and two[1]
    return max(one, two, key=lambda each: each[0])


def _lower(one: tuple[Any, bool], two: tuple[Any, bool]) -> tuple[Any, bool]:
    if one[0] is None or two[0] is None:
        return two if one[0] is None else one
    if one[0] == two[0]:
        return one[0], one[1] and two[1]
    return min(one, two, key=lambda each: each[0])


@dataclass(frozen=True)
class Spans:
    """Some spans of values that have an order; `whole` where only whole numbers exist."""

    spans: tuple[Span, ...] = (Span(),)
    whole: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left."""
        return not self.spans

    def cut(self, other: "Spans") -> "Spans":
        """Return what lies in both."""
        whole = self.whole or other.whole
        pairs = (one.cut(two) for one in self.spans for two in other.spans)
        tight = (each.whole() if whole else each for each in pairs)
        return Spans(tuple(each for each in tight if not each.is_empty), whole)

    def rest(self) -> "Spans":
        """Return what lies outside all of them."""
        left = Spans((Span(),), self.whole)
        for span in self.spans:
            left = left.cut(Spans(span.rest(), self.whole))
        return left


def _up(bound: Any, closed: bool) -> int:
    whole: int = math.ceil(bound)
    return whole + 1 if whole == bound and not closed else whole


def _no_patterns(kind: str, text: str, value: Any) -> bool:
    return False


@dataclass(frozen=True)
class Words:
    """A set of single values: those named, or all but those named; and patterns that each must, or must not, fit."""

    named: frozenset[Any] = frozenset()
    all_but: bool = True
    fits: frozenset[tuple[str, str]] = frozenset()
    fits_not: frozenset[tuple[str, str]] = frozenset()
    fit: Callable[[str, str, Any], bool] = field(default=_no_patterns, compare=False)

    @property
    def is_empty(self) -> bool:
        """Whether surely nothing is left; patterns are compared, not solved."""
        if not self.all_but:
            return not any(self._lets(value) for value in self.named)
        if self.fits & self.fits_not or any(self._implied_but_forbidden(each) for each in self.fits):
            return True
        for kind in ("starts_with", "ends_with"):
            texts = [text for each, text in self.fits if each == kind]
            if any(not (self.fit(kind, one, two) or self.fit(kind, two, one)) for one in texts for two in texts):
                return True
        return False

    def _implied_but_forbidden(self, pattern: tuple[str, str]) -> bool:
        kind, text = pattern
        return any(self.fit(other, part, text) for other, part in self.fits_not if other in (kind, "contains"))

    def _lets(self, value: Any) -> bool:
        return all(self.fit(kind, text, value) for kind, text in self.fits) and not any(
            self.fit(kind, text, value) for kind, text in self.fits_not
        )

    def cut(self, other: "Words") -> "Words":
        """Return what lies in both."""
        if self.all_but and other.all_but:
            named, all_but = self.named | other.named, True
        elif self.all_but or other.all_but:
            some, but = (other.named, self.named) if self.all_but else (self.named, other.named)
            named, all_but = some - but, False
        else:
            named, all_but = self.named & other.named, False
        return Words(named, all_but, self.fits | other.fits, self.fits_not | other.fits_not, self.fit)

    def rest(self) -> "Words":
        """Return what lies outside; only of a plain set or of one pattern."""
        if self.fits or self.fits_not:
            return replace(self, fits=self.fits_not, fits_not=self.fits)
        return replace(self, all_but=not self.all_but)


Axis = Spans | Words


def all_of(regions: Iterable[Any]) -> Any:
    """Return what lies in all of the regions, which must be of one sort."""
    first, *others = regions
    for each in others:
        first = first.cut(each)
    return first
