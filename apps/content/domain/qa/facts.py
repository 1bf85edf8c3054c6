"""What a text promises in figures: percentages, amounts of money, dates; the same however they are written."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

PERCENT, AMOUNT, DATE = "percentage", "amount", "date"
_CURRENCIES = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY"}
_MONEY = r"€|\$|£|¥|EUR|USD|GBP|CHF|JPY|SEK|NOK|DKK|PLN|BRL|AUD|CAD|INR"
_NUMBER = r"\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            *("january jan januar jänner janvier enero janeiro gennaio januari",),
            *("february feb februar février febrero fevereiro febbraio februari",),
            *("march mar märz mars marzo março maart",),
            *("april apr avril abril aprile",),
            *("may mai mayo maio maggio mei",),
            *("june jun juni juin junio junho giugno",),
            *("july jul juli juillet julio julho luglio",),
            *("august aug août agosto augustus",),
            *("september sept sep septembre septiembre setembro settembre",),
            *("october oct oktober okt octobre octubre outubro ottobre",),
            *("november nov novembre noviembre novembro",),
            *("december dec dezember dez décembre diciembre dezembro dicembre",),
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_PERCENT = re.compile(rf"(?<![\w.,])({_NUMBER})\s?(?:%|per\s?cent\b|prozent\b|pour\s?cent\b)", re.IGNORECASE)
_AMOUNT = re.compile(rf"(?<!\w)({_MONEY})\s?({_NUMBER})(?!\d)|(?<![\w.,])({_NUMBER})\s?({_MONEY})(?!\w)", re.IGNORECASE)
_DATE = re.compile(
    rf"(?<!\d)(?P<y1>\d{{4}})-(?P<m1>\d{{2}})-(?P<d1>\d{{2}})(?!\d)"
    rf"|(?<!\d)(?P<d2>\d{{1,2}})\.(?P<m2>\d{{1,2}})\.(?P<y2>\d{{4}})(?!\d)"
    rf"|(?<!\d)(?P<d3>\d{{1,2}})(?:st|nd|rd|th|\.|º)?\s(?:de\s)?(?P<m3>{_MONTH})\b\.?(?:,?\s(?:de\s)?(?P<y3>\d{{4}}))?"
    rf"|\b(?P<m4>{_MONTH})\b\.?\s(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s(?P<y4>\d{{4}}))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Fact:
    """One figure that a text states.

    Attributes:
        kind: PERCENT, AMOUNT or DATE.
        value: the same for the same figure: “20”, “EUR 1200.5”, “10-12 2026”.
        said: as it stands there.
        start, end: where it stands in the text that people read.
    """

    kind: str
    value: str
    said: str
    start: int
    end: int

    def agrees(self, other: "Fact") -> bool:
        """Whether both state the same; a date without a year agrees with one of any year."""
        if self.kind != other.kind:
            return False
        if self.kind != DATE:
            return self.value == other.value
        (day, _, year), (other_day, _, other_year) = self.value.partition(" "), other.value.partition(" ")
        return day == other_day and (not year or not other_year or year == other_year)


def facts_of(text: str) -> list[Fact]:
    """Return what `text` states in figures, in its order. A date of two numbers (10/12) may mean either and is none."""
    return sorted((*_percentages(text), *_amounts(text), *_dates(text)), key=lambda each: each.start)


def _percentages(text: str) -> Iterator[Fact]:
    for found in _PERCENT.finditer(text):
        yield _fact(PERCENT, _number(found[1]), found)


def _amounts(text: str) -> Iterator[Fact]:
    for found in _AMOUNT.finditer(text):
        currency, number = (found[1] or found[4]).upper(), found[2] or found[3]
        yield _fact(AMOUNT, f"{_CURRENCIES.get(currency, currency)} {_number(number)}", found)


def _dates(text: str) -> Iterator[Fact]:
    for found in _DATE.finditer(text):
        part = {name[0]: value for name, value in found.groupdict().items() if value}
        try:
            month = _MONTHS.get(part["m"].lower()) or int(part["m"])
            day = dt.date(int(part.get("y") or 2000), month, int(part["d"]))
        except ValueError:
            continue  # 31.02.2026 and 45 May are no days
        yield _fact(DATE, f"{day:%m-%d} {part.get('y', '')}".strip(), found)


def _fact(kind: str, value: str, found: re.Match[str]) -> Fact:
    return Fact(kind, value, " ".join(found[0].split()), found.start(), found.end())


def _number(written: str) -> str:
    """Return a number one way: the last point or comma before one or two digits is the decimal one."""
    whole, _, rest = written.replace(",", ".").rpartition(".")
    if not whole or len(rest) == 3:
        whole, rest = whole + rest, ""
    number = Decimal(re.sub(r"\D", "", whole) + (f".{rest}" if rest else ""))
    return f"{number.normalize():f}"
