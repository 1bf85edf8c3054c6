"""What strangers send, as the database can keep it: text without null bytes and half characters, JSON of bounded depth.

PostgreSQL has no text with a null byte, UTF-8 no half of a character (a lone surrogate), JSON no infinite number.
"""

import math
from collections.abc import Mapping
from typing import Any

NULL_SHOWN, HALF_SHOWN = "␀", "\ufffd"
DEEPEST, TOO_DEEP = 20, "… nested too deep to be kept"


def no_number(word: str) -> None:
    """Refuse what Python alone reads as JSON, NaN and Infinity: the `parse_constant` of `json.loads`.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{word} is no JSON")


def is_storable(text: str) -> bool:
    """Whether the database can keep `text`."""
    return "\x00" not in text and (text.isascii() or not any(map(_is_half, text)))


def storable_text(text: str) -> str:
    """Return `text` with what no database keeps shown as what it is."""
    if is_storable(text):
        return text
    return "".join(HALF_SHOWN if _is_half(each) else each for each in text.replace("\x00", NULL_SHOWN))


def _is_half(sign: str) -> bool:
    return "\ud800" <= sign <= "\udfff"


def storable_object(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON object with what no database keeps shown as what it is, whatever it is nested in."""
    return {storable_text(str(name)): _kept(value, 1) for name, value in given.items()}


def _kept(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, float) and not math.isfinite(value):  # Python reads them, though JSON has none
        return str(value)
    if isinstance(value, (Mapping, list)) and depth >= DEEPEST:
        return TOO_DEEP
    if isinstance(value, Mapping):
        return {storable_text(str(name)): _kept(each, depth + 1) for name, each in value.items()}
    return [_kept(each, depth + 1) for each in value] if isinstance(value, list) else value
