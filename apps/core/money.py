"""Money as people read it: one way for fields, lists, boxes, histories and sentences.

Thousands are grouped, the coins are those of the currency (two where none is named), the currency stands behind.
"""

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache, reduce
from importlib.util import find_spec
from typing import Any

from django.db import models

from apps.core.words import NOTHING

THREE_CAPITALS = re.compile(r"[A-Z]{3}")
COINS = 2  # decimals where the currency is not known


@lru_cache(maxsize=1)
def known_currencies() -> dict[str, tuple[str, int]]:
    """Return the currencies of ISO 4217 that money can be in: code → (name, decimals).

    Metals, funds and test codes have no decimals there and are left out.
    """
    if find_spec("iso4217") is None:  # not installed yet: the database still wants three capital letters
        return {}
    from iso4217 import Currency  # noqa: PLC0415  # the table is read once, by who needs it

    return {each.code: (each.currency_name, each.exponent) for each in Currency if each.exponent is not None}


def decimals(code: str) -> int:
    """Return to how many decimals amounts in a currency are counted: 2 for EUR, 0 for JPY, 3 for KWD."""
    return known_currencies().get(code, ("", COINS))[1] if code else COINS


def money(amount: Decimal | float | str | None, currency: str = "", *, exact: bool = False) -> str:
    """Return an amount as people read it, for instance "96,300.00 EUR".

    Args:
        amount: what is told; None is nothing.
        currency: its code, "" where the words around it name it.
        exact: keep what is smaller than the smallest coin, as prices per unit have it: "0.0125 EUR".
    """
    if amount is None:
        return NOTHING
    given = Decimal(str(amount))
    coins = decimals(currency)
    kept = max(coins, _places(given)) if exact else coins
    rounded = given.quantize(Decimal(1).scaleb(-kept), ROUND_HALF_UP) + 0  # no "-0.00"
    return f"{rounded:,f} {currency}".rstrip()


def figure(value: Decimal | float | str | None) -> str:
    """Return a number that is no money as people read it: grouped, without zeros that say nothing."""
    if value is None:
        return NOTHING
    given = Decimal(str(value))
    return f"{given:,.{_places(given)}f}"


def _places(number: Decimal) -> int:
    """How many decimals say something."""
    exponent = (number.normalize() + 0).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


class MoneyField(models.DecimalField):  # type: ignore[type-arg]  # the class takes no parameter at run time
    """A column of money that knows where its currency stands; to the database it is a plain number."""

    def __init__(self, *args: Any, currency: str = "currency", **kwargs: Any) -> None:
        """Name the currency.

        Args:
            args: as a DecimalField takes them.
            currency: the field of the row that holds the code, or the way to it ("campaign__currency"); "" where no
                column names one.
            kwargs: as a DecimalField takes them.
        """
        super().__init__(*args, **kwargs)
        self.currency_path = currency

    def deconstruct(self) -> Any:
        """Return a plain DecimalField: what people read changes no table."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.DecimalField", args, kwargs

    def currency_of(self, row: Any) -> str:
        """Return the code for a row, "" where it names none."""
        steps = self.currency_path.split("__") if self.currency_path else []
        found = reduce(lambda thing, step: getattr(thing, step, None), steps, row) if steps else ""
        return found if isinstance(found, str) else ""


def number_in_words(field: Any, value: Any, row: Any = None) -> str:
    """Return the value of a column of numbers as people read it.

    Args:
        field: the DecimalField it stands in.
        value: what it holds.
        row: where the currency is looked up; None tells the amount alone.
    """
    if isinstance(field, MoneyField):
        return money(value, field.currency_of(row) if row is not None else "", exact=True)
    return figure(value)
