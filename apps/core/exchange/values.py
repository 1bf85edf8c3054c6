"""From the text of a cell to a value and back: the parsers that importers share.

Each parser gets the stripped, non-empty text of a cell and returns a value or raises a sentence.
"""

import datetime as dt
import decimal
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from apps.core.errors import InvalidInput

TRUE = frozenset({"true", "yes", "y", "1", "on", "x", "ja", "oui", "si", "sí", "wahr"})
FALSE = frozenset({"false", "no", "n", "0", "off", "nein", "non", "falsch"})
QUOTED, MOST_DIGITS = 60, 40
LONGEST_EMAIL = 320  # as Django's rule has it
DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})(?:[ T](.*))?$")
GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?$")


def quoted(text: str) -> str:
    """Return `text` in quotation marks, shortened, for use in a sentence."""
    flat = " ".join(text.split())
    return f"“{flat[:QUOTED]}…”" if len(flat) > QUOTED else f"“{flat}”"


def text(cell: str) -> str:
    """Take the text as it is."""
    return cell


def one_line(cell: str) -> str:
    """Take the text with every run of white space as one space."""
    return " ".join(cell.split())


def integer(cell: str) -> int:
    """Read a whole number; thousands may be grouped by commas."""
    number = decimal_number(cell)
    if number != number.to_integral_value():
        raise InvalidInput(f"{quoted(cell)} is not a whole number.")
    return int(number)


def decimal_number(cell: str) -> decimal.Decimal:
    """Read a number with a decimal point; thousands may be grouped by commas."""
    plain = cell.replace(",", "") if GROUPED.match(cell) else cell
    try:
        number = decimal.Decimal(plain)
    except decimal.InvalidOperation as error:
        hint = " Write the decimals after a point." if "," in cell else ""
        raise InvalidInput(f"{quoted(cell)} is not a number.{hint}") from error
    if not number.is_finite():
        raise InvalidInput(f"{quoted(cell)} is not a number.")
    if number and (abs(number.adjusted()) >= MOST_DIGITS or len(number.as_tuple().digits) > MOST_DIGITS):
        raise InvalidInput(f"{quoted(cell)} has too many digits; {MOST_DIGITS} fit.")  # 1e999999999 takes all memory
    return number


def boolean(cell: str) -> bool:
    """Read yes or no, in the usual spellings."""
    word = cell.casefold()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise InvalidInput(f"{quoted(cell)} is neither yes nor no.")


def date(cell: str) -> dt.date:
    """Read a date written year-month-day; a time after it is ignored."""
    try:
        found = parse_date(cell) or ((moment_ := parse_datetime(cell)) and moment_.date())
    except ValueError as error:
        raise InvalidInput(f"{quoted(cell)} is not a date of the calendar.") from error
    if not found:
        raise InvalidInput(f"{quoted(cell)} is not a date; write it as 2026-03-31.")
    return found


def moment(cell: str) -> dt.datetime:
    """Read date and time as ISO 8601; without an offset in the time zone of the installation."""
    try:
        found = parse_datetime(cell)
        if found is None and (day := parse_date(cell)):
            found = dt.datetime.combine(day, dt.time.min)
    except ValueError as error:
        raise InvalidInput(f"{quoted(cell)} is not a moment of the calendar.") from error
    if found is None:
        raise InvalidInput(f"{quoted(cell)} is not a date and time; write it as 2026-03-31 14:30.")
    return timezone.make_aware(found, timezone.get_default_timezone()) if timezone.is_naive(found) else found


def day_first(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return `date` or `moment` for files that write days first: 31.3.2026 or 31/03/2026 14:30."""

    def read(cell: str) -> Any:
        if found := DAY_FIRST.match(cell):
            day, month, year, rest = found.groups()
            cell = f"{year}-{int(month):02}-{int(day):02}" + (f" {rest}" if rest else "")
        return parse(cell)

    return read


def email(cell: str) -> str:
    """Read an e-mail address."""
    name, at, domain = cell.rpartition("@")
    # Django's rule in its two halves: files name the same few domains over and over
    if not at or len(cell) > LONGEST_EMAIL or not validate_email.user_regex.match(name) or not _is_domain(domain):
        raise InvalidInput(f"{quoted(cell)} is not an e-mail address.")
    return cell


@lru_cache(maxsize=10_000)
def _is_domain(text: str) -> bool:
    try:
        validate_email(f"a@{text}")
    except ValidationError:
        return False
    return True


def choice(choices: type[models.Choices] | list[tuple[Any, str]]) -> Callable[[str], Any]:
    """Return a parser that takes the value or the label of a choice, whatever the case."""
    pairs: list[tuple[Any, Any]] = list(getattr(choices, "choices", choices))
    known = {str(value).casefold(): value for value, _ in pairs}
    known.update({str(label).casefold(): value for value, label in pairs})

    def read(cell: str) -> Any:
        if (found := known.get(cell.casefold(), known)) is not known:
            return found
        labels = ", ".join(str(label) for _, label in pairs)
        raise InvalidInput(f"{quoted(cell)} is not one of: {labels}.")

    return read


def listed(parse: Callable[[str], Any] = text, *, separator: str = ",") -> Callable[[str], list[Any]]:
    """Return a parser for several values in one cell; blanks between separators are left out."""

    def read(cell: str) -> list[Any]:
        return [parse(part.strip()) for part in cell.split(separator) if part.strip()]

    return read


def unless(parse: Callable[[str], Any], *blanks: str, empty: Any = None) -> Callable[[str], Any]:
    """Return a parser that takes some words ("TBD", "N/A", "?") for an empty cell."""
    words = {each.casefold() for each in blanks}

    def read(cell: str) -> Any:
        return empty if cell.casefold() in words else parse(cell)

    return read


def shown(value: Any) -> str:
    """Return a value as the report shows it."""
    if type(value) is str:  # most are
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat(sep=" ") if isinstance(value, dt.datetime) else value.isoformat()
    if isinstance(value, (list, tuple, set)):
        return ", ".join(shown(each) for each in value)
    return str(value)
