"""Lists of records, as YAML and JSON bring them, made into a table."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from apps.core.exchange.reading import texts
from apps.core.exchange.reading.limits import CELL, COLUMNS, ROWS
from apps.core.exchange.reading.refusal import Unreadable
from apps.core.exchange.reading.sheet import Line, Sheet, check_headers, check_length, damaged
from apps.core.storable import storable_text

Value = str | None | list["Value"] | dict[str, "Value"]
Record = tuple[int, Value]  # the line it begins on


def table_of(kind: str, path: Path, options: dict[str, str], parse: Callable[[str], Iterator[Record]]) -> Sheet:
    """Read a text file as a list of records; the columns are all keys, in the order in which they first appear.

    Rows are numbered by record: several may stand on one line.

    Raises:
        Unreadable: with a sentence.
    """
    guessed = texts.Guess(options["encoding"]) if options.get("encoding") else texts.guess(path)
    try:
        text = path.read_text(encoding=guessed.encoding)
    except UnicodeError as error:
        raise Unreadable("The file is not written in the encoding chosen; choose another.") from error
    rows: list[tuple[int, dict[str, str], str]] = []
    headers: dict[str, None] = {}
    for line, record in parse(text):
        if not isinstance(record, dict):
            raise Unreadable(f"Line {line:,}: every entry of the list must be a record with named values.")
        cells = {key: check_length(cell_of(value, line), line) for key, value in record.items()}
        if wrong := damaged(list(cells.values())):
            cells = {key: storable_text(cell) for key, cell in cells.items()}
        rows.append((len(rows) + 1, cells, wrong))
        headers.update(dict.fromkeys(record))
        if len(rows) > ROWS[kind]:
            raise Unreadable(f"The list has more than {ROWS[kind]:,} records. Bring it as CSV, which may have more.")
        if len(headers) > COLUMNS:
            raise Unreadable(f"The records have more than {COLUMNS} different keys: this is not a table.")
    if not rows:
        raise Unreadable("The list is empty.")
    names = check_headers(list(headers))
    sheet = Sheet(kind, names, _lines(rows, list(headers)), facts={"encoding": guessed.encoding, "rows": len(rows)})
    sheet.notes += [guessed.note] if guessed.note else []
    return sheet


def _lines(rows: list[tuple[int, dict[str, str], str]], keys: list[str]) -> Iterator[Line]:
    for line, record, wrong in rows:
        yield line, [record.get(key, "") for key in keys], wrong


def cell_of(value: Value, line: int) -> str:
    """Return a value as one cell: a list of plain values with commas between them, anything deeper as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(not isinstance(each, (list, dict)) for each in value):
        return ", ".join(str(each) for each in value if each is not None)
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > CELL:
        raise Unreadable(f"Line {line:,}: a value has {len(text):,} characters; mops takes up to {CELL:,} in one cell.")
    return text
