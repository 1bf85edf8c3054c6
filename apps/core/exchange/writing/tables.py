"""From rows of values to the bytes of a file."""

import csv
import datetime as dt
import decimal
import io
import itertools
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import openpyxl

from apps.core.errors import InvalidInput
from apps.core.exchange import formulas

Values = Sequence[Any]
CELL, SHEET_ROWS, EXACT_DIGITS = 32_767, 1_048_576, 15
CHUNK_ROWS, CHUNK = 500, 64 * 1024
MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
# control signs XML cannot carry, a carriage return (XML makes it a line feed), and what looks like an escape already
_NOT_XML = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def text_of(value: Any) -> str:
    """Return a value as the text of a cell; reading it as an import does gives the value again."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, (list, tuple, set)):
        if any(isinstance(each, (dict, list)) for each in value):
            return json.dumps(list(value), ensure_ascii=False, default=str)
        return ", ".join(text_of(each) for each in value)
    return str(value)


def csv_bytes(rows: Iterable[Values]) -> bytes:
    """Return rows as CSV in UTF-8, no text of which becomes a formula; every CSV that leaves mops is written here."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([_csv_cell(value) for value in row] for row in rows)
    return buffer.getvalue().encode()


def write_csv(names: Sequence[str], titles: Sequence[str], rows: Iterable[Values]) -> Iterator[bytes]:
    """Yield CSV in UTF-8 with a byte-order mark, which spreadsheets need to see that it is UTF-8."""
    yield b"\xef\xbb\xbf" + csv_bytes([titles])
    waiting = iter(rows)
    while portion := list(itertools.islice(waiting, CHUNK_ROWS)):
        yield csv_bytes(portion)


def write_json(names: Sequence[str], titles: Sequence[str], rows: Iterable[Values]) -> Iterator[bytes]:
    """Yield a JSON list of objects, one a line."""
    before = "[\n"
    for row in rows:
        record = {name: _json(value) for name, value in zip(names, row, strict=True)}
        yield (before + json.dumps(record, ensure_ascii=False, default=text_of)).encode()
        before = ",\n"
    yield b"\n]\n" if before == ",\n" else b"[]\n"


def write_xlsx(names: Sequence[str], titles: Sequence[str], rows: Iterable[Values]) -> Iterator[bytes]:
    """Yield an Excel workbook with one sheet.

    Raises:
        InvalidInput: a text or the list is longer than a sheet can hold.
    """
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Export")
    sheet.freeze_panes = "A2"
    try:
        sheet.append([_cell(title, 1, title) for title in titles])
        for line, row in enumerate(rows, 2):
            if line > SHEET_ROWS:
                raise InvalidInput(f"An Excel sheet holds {SHEET_ROWS:,} rows; this list has more. Export it as CSV.")
            sheet.append([_cell(value, line, title) for value, title in zip(row, titles, strict=True)])
    except BaseException:
        sheet.close()
        sheet._writer.cleanup()  # the half-written sheet lies in a file that only saving would remove
        raise
    with tempfile.TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk


WRITERS: dict[str, Callable[[Sequence[str], Sequence[str], Iterable[Values]], Iterator[bytes]]] = {
    "csv": write_csv,
    "xlsx": write_xlsx,
    "json": write_json,
}


def _csv_cell(value: Any) -> str:
    """A value as its text; only what is a number or a date for sure goes out unescaped."""
    sure = isinstance(value, (int, float, decimal.Decimal, dt.date, dt.time))
    return text_of(value) if sure else formulas.escape(text_of(value))


def _json(value: Any) -> Any:
    if isinstance(value, (dict, list, str, int, float, type(None))):
        return value
    return text_of(value)


def _cell(value: Any, line: int, title: str) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    number = isinstance(value, (int, float, decimal.Decimal))
    if number and len(str(value).lstrip("-").replace(".", "")) <= EXACT_DIGITS and "e" not in str(value).lower():
        return value
    text = text_of(value)
    text = _NOT_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", text if number else formulas.escape(text))
    if len(text) > CELL:
        raise InvalidInput(
            f"Row {line:,}: “{title}” has {len(text):,} characters, an Excel cell holds {CELL:,}. Export as CSV or "
            "JSON, or leave the column out."
        )
    return text
