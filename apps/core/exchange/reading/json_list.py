"""JSON: a list of records, an object that holds one such list, or one record a line."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from apps.core.exchange.reading.limits import VALUES
from apps.core.exchange.reading.records import Record, Value, table_of
from apps.core.exchange.reading.refusal import Unreadable, mark
from apps.core.exchange.reading.sheet import Sheet

_SPACE = re.compile(r"[ \t\r\n]*")
_DEEP = "The JSON is nested too deeply: mops reads a list of records with plain values."


def read(path: Path, options: dict[str, str]) -> Sheet:
    """Read the file.

    Raises:
        Unreadable: with a sentence.
    """
    return table_of("json", path, options, records)


def records(text: str) -> Iterator[Record]:
    """Yield each record with the line on which it begins."""
    if text.count("{") + text.count("[") + text.count(",") > VALUES:
        raise Unreadable(f"The JSON holds more than {VALUES:,} values. Bring the list as CSV.")
    text = text.lstrip("\ufeff")
    at = _SPACE.match(text).end()  # type: ignore[union-attr]  # matches the empty text too
    if text[at : at + 1] == "[":
        yield from _items(text, at + 1)
    else:
        yield from _objects(text, at)


def _items(text: str, at: int) -> Iterator[Record]:
    line, counted = 1, 0
    at = _skip(text, at)
    while text[at : at + 1] != "]":
        line += text.count("\n", counted, at)
        counted = at
        value, at = _decode(text, at)
        yield line, value
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "]":
            raise Unreadable(f"Line {_line(text, at):,}: a comma or the end of the list was expected.")
    if text[at + 1 :].strip():
        raise Unreadable(f"Line {_line(text, at):,}: something follows after the end of the list.")


def _objects(text: str, at: int) -> Iterator[Record]:
    first, after = _decode(text, at)
    if _skip(text, after) == len(text):
        lists = [value for value in first.values() if isinstance(value, list)] if isinstance(first, dict) else []
        if len(lists) != 1:
            raise Unreadable("The JSON must be a list of records, or an object that holds one such list.")
        yield from enumerate(lists[0], 1)
        return
    yield 1, first
    while (at := _skip(text, after)) < len(text):
        value, after = _decode(text, at)
        yield _line(text, at), value


def _decode(text: str, at: int) -> tuple[Value, int]:
    try:
        value, after = _DECODER.raw_decode(text, at)
    except RecursionError as error:
        raise Unreadable(_DEEP) from error
    except json.JSONDecodeError as error:
        raise Unreadable(f"Line {error.lineno:,}, column {error.colno:,}: this is not JSON ({error.msg}).") from error
    return _plain(value), after


def _plain(value: Any) -> Value:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return [_plain(each) for each in value]
    plain: Value = value  # objects are plain already, numbers are the text that stood in the file
    return plain


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Value]:
    made: dict[str, Value] = {}
    for key, value in pairs:
        if key in made:
            raise Unreadable(f"A record names {mark(key)} twice.")
        made[key] = _plain(value)
    return made


def _constant(word: str) -> str:
    raise Unreadable(f"{word} is not JSON; write null for what is unknown.")


def _skip(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=str, parse_float=str, parse_constant=_constant)
