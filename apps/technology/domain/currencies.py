"""Which currencies are taken: those of ISO 4217."""

from apps.core.errors import InvalidInput
from apps.core.exchange import values
from apps.core.money import THREE_CAPITALS, known_currencies


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
