"""Excel workbooks: the archive's directory is checked before anything is unpacked."""

import datetime as dt
import os
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from apps.core.exchange import formulas
from apps.core.exchange.reading.limits import (
    COLUMNS,
    EMPTY_LINES,
    MEGABYTE,
    ROWS,
    STRING_CHARACTERS,
    STRINGS,
    ZIP_BYTES,
    ZIP_FILES,
    ZIP_RATIO,
)
from apps.core.exchange.reading.refusal import Unreadable, mark
from apps.core.exchange.reading.sheet import Line, Sheet, check_headers, check_length, damaged
from apps.core.storable import storable_text

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_TEXTS = (f"{_MAIN}t", f"{_MAIN}r")
_SAVE_AGAIN = "Open it in your spreadsheet program and save it again as .xlsx, or as CSV."


def check_archive(path: Path) -> None:
    """Look into the directory of the archive without unpacking.

    Raises:
        Unreadable: no workbook, encrypted, damaged, or a bomb.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise Unreadable(f"The Excel workbook is damaged or incomplete. {_SAVE_AGAIN}") from error
    names = {entry.filename for entry in entries}
    if "xl/workbook.xml" not in names:
        what = "an OpenDocument file" if "content.xml" in names else "a ZIP archive"
        raise Unreadable(f"This is {what}, not an Excel workbook. Unpack it, or save the table as .xlsx or CSV.")
    if any(entry.flag_bits & 1 for entry in entries):
        raise Unreadable("The workbook is protected by a password. Save it without one.")
    unpacked, packed = sum(entry.file_size for entry in entries), sum(entry.compress_size for entry in entries)
    if len(entries) > ZIP_FILES or unpacked > ZIP_BYTES or unpacked > ZIP_RATIO * max(packed, 1):
        raise Unreadable(
            f"The workbook unpacks to {unpacked / MEGABYTE:,.0f} MB from {packed / MEGABYTE:,.1f} MB; mops unpacks up "
            f"to {ZIP_BYTES // MEGABYTE} MB, and {ZIP_RATIO} times the size. Save the table alone as CSV."
        )


def read(path: Path, options: dict[str, str]) -> Sheet:
    """Open one sheet and read its header.

    Raises:
        Unreadable: with a sentence.
    """
    check_archive(path)
    os.environ["OPENPYXL_LXML"] = "False"
    sys.modules.setdefault("numpy", None)  # type: ignore[arg-type]  # openpyxl would load it, and its memory, for nothing
    import openpyxl  # noqa: PLC0415  # only the process that reads a workbook pays for it
    from openpyxl.reader import excel  # noqa: PLC0415

    excel.read_string_table = shared_strings  # type: ignore[attr-defined]  # four times as fast as its own, and counted
    file = path.open("rb")  # by its handle: openpyxl goes by the name, and uploads have none; the process ends soon
    book = openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
    sheets = [each.title for each in book.worksheets]
    if not sheets:
        raise Unreadable(f"The workbook has no sheet with cells. {_SAVE_AGAIN}")
    chosen = options.get("sheet") or sheets[0]
    if chosen not in sheets:
        raise Unreadable(f"The workbook has no sheet {mark(chosen)}; it has {', '.join(map(mark, sheets))}.")
    worksheet: Any = book[chosen]
    worksheet.reset_dimensions()
    sheet = Sheet("xlsx", [], iter(()), facts={"sheet": chosen, "sheets": sheets})
    if len(sheets) > 1:
        sheet.notes.append(f"The workbook has {len(sheets)} sheets; {mark(chosen)} was read.")
    counts = {"formula": 0, "error": 0, "apostrophe": 0, "first": ""}
    rows = _rows(worksheet, counts)
    stands_on = int(options.get("header_line") or 0)
    header = next((cells for line, cells in rows if line >= stands_on), None)
    if header is None:
        raise Unreadable(f"The sheet {mark(chosen)} is empty.")
    sheet.headers = check_headers(header)
    sheet.lines = _lines(rows, sheet, counts)
    return sheet


def shared_strings(source: Any) -> list[str]:
    """Return the texts that cells refer to, as they are written.

    Raises:
        Unreadable: more of them than a table has.
    """
    strings: list[str] = []
    size, root = 0, None
    # entities: expat bounds how far they expand, this process bounds the rest
    for event, node in ElementTree.iterparse(source, ("start", "end")):  # noqa: S314
        root = node if root is None else root
        if event == "end" and node.tag == f"{_MAIN}si":
            parts = (part if part.tag == f"{_MAIN}t" else part.find(f"{_MAIN}t") for part in node)
            told = [part for part, whole in zip(parts, node, strict=True) if whole.tag in _TEXTS]
            text = "".join(part.text or "" for part in told if part is not None)
            strings.append(text)
            size += len(text)
            root.clear()  # else every node that was read stays
            if len(strings) > STRINGS or size > STRING_CHARACTERS:
                raise Unreadable("The workbook holds more text than a table of its size should. Save it as CSV.")
    return strings


def _rows(worksheet: Any, counts: dict[str, Any]) -> Iterator[tuple[int, list[str]]]:
    empty = 0
    for line, row in enumerate(worksheet.iter_rows(), 1):
        cells = [_text(cell, counts) for cell in row[: COLUMNS + 1]]
        while cells and not cells[-1]:
            cells.pop()
        blank = not any(cell.strip() for cell in cells)
        empty = empty + 1 if blank else 0
        if empty > EMPTY_LINES:
            raise Unreadable(f"There are more than {EMPTY_LINES:,} empty rows before line {line:,}. Remove them.")
        if not blank:
            yield line, cells


def _lines(rows: Iterator[tuple[int, list[str]]], sheet: Sheet, counts: dict[str, Any]) -> Iterator[Line]:
    width = len(sheet.headers)
    for count, (line, cells) in enumerate(rows, 1):
        if count > ROWS["xlsx"]:
            raise Unreadable(f"The sheet has more than {ROWS['xlsx']:,} rows. Save it as CSV, which may have more.")
        for cell in cells:
            check_length(cell, line)
        if wrong := damaged(cells):
            cells = [storable_text(cell) for cell in cells]
        while len(cells) > width and not cells[-1].strip():
            cells.pop()
        spare = f"This row has {len(cells)} values, the header names {width} columns." if len(cells) > width else ""
        yield line, [*cells, *[""] * (width - len(cells))], wrong or spare
    if counts["formula"]:
        sheet.notes.append(
            f"{counts['formula']:,} cells hold a formula (the first is {counts['first']}). Formulas are taken as the "
            "text they are, nothing is computed; to bring in results, paste them as values first."
        )
    if counts["error"]:
        sheet.notes.append(f"{counts['error']:,} cells show an error such as #N/A; it was taken as text.")
    if counts["apostrophe"]:
        sheet.notes.append(
            f"In {counts['apostrophe']:,} cells an apostrophe before a formula sign was taken away, as exports put it "
            "there."
        )


def _text(cell: Any, counts: dict[str, Any]) -> str:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        counts["formula"] += 1
        counts["first"] = counts["first"] or cell.coordinate
        return str(getattr(value, "text", value))
    counts["error"] += cell.data_type == "e"
    if isinstance(value, str):
        decoded = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value) if "_x" in value else value
        plain = formulas.unescape(decoded)
        counts["apostrophe"] += plain != decoded
        return plain
    return plain_text(value)


def plain_text(value: Any) -> str:
    """Return a typed cell as text: 3.0 is "3", a date without a time is a date."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time.min else value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, (dt.date, dt.time)) else str(value)
