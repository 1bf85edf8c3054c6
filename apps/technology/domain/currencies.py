"""Which currencies there are, by ISO 4217, and to how many decimals each is counted."""

import re
from functools import lru_cache
from importlib.util import find_spec

from apps.core.errors import InvalidInput
from apps.core.exchange import values

THREE_CAPITALS = re.compile(r"[A-Z]{3}")


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
    return known_currencies().get(code, ("", 2))[1]


def refuse_currency(code: str) -> str | None:
    """Return why `code` is no currency, None when it is one."""
    if code in known_currencies() or (not known_currencies() and THREE_CAPITALS.fullmatch(code)):
        return None
    if code.upper() in known_currencies():
        return "A currency is three capital letters, for instance EUR."
    return f"{values.quoted(code)} is no currency of ISO 4217; write its three letters, for instance EUR."


def currency(cell: str) -> str:
    """Read a currency from the cell of a file.

    Raises:
        InvalidInput: there is no such currency.
    """
    if refused := refuse_currency(cell.upper()):
        raise InvalidInput(refused)
    return cell.upper()
