"""CSV and its relatives: values separated by commas, semicolons, tabs or bars."""

import csv
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from apps.core.exchange import formulas
from apps.core.exchange.reading import texts
from apps.core.exchange.reading.limits import CELL, ROWS
from apps.core.exchange.reading.refusal import Unreadable
from apps.core.exchange.reading.sheet import Line, Sheet, check_cells, check_headers

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
TRIED_ROWS = 20
NUL_SHOWN = "␀"  # no text that is stored has the character itself
_NUL = f"This row contains a NUL character (shown as {NUL_SHOWN}): it was damaged on its way. Write it anew."
_QUOTES = "a quotation mark inside a quoted value must be doubled, and every opened one closed"


def read(path: Path, options: dict[str, str]) -> Sheet:
    """Open the file and read its header.

    Raises:
        Unreadable: with a sentence.
    """
    guessed = texts.Guess(options["encoding"]) if options.get("encoding") else texts.guess(path, by_rows=True)
    csv.field_size_limit(CELL)
    file = path.open(encoding=guessed.encoding, newline="")
    lines = texts.lines_of(file)
    sample = list(islice(lines, TRIED_ROWS * 2))
    told = sample.pop(0).strip()[4:] if sample and sample[0].lower().startswith("sep=") else ""
    skipped = int(bool(told))
    delimiter = options.get("delimiter") or told or _delimiter(sample)
    rows = _rows(csv.reader(chain(sample, lines), delimiter=delimiter, strict=True), skipped)
    headers = _headers(rows, int(options.get("header_line") or 0))
    sheet = Sheet("csv", headers, iter(()), facts={"encoding": guessed.encoding, "delimiter": delimiter})
    sheet.notes += [guessed.note] if guessed.note else []
    sheet.lines = _lines(rows, len(headers), sheet, file)
    return sheet


def _headers(rows: Iterator[tuple[int, list[str]]], stands_on: int) -> list[str]:
    for line, cells in rows:
        if line >= stands_on:
            return check_headers([formulas.unescape(cell) for cell in cells])
    raise Unreadable("The file has no header: its first line must name the columns.")


def _rows(reader: Iterator[list[str]], skipped: int) -> Iterator[tuple[int, list[str]]]:
    line = skipped
    while True:
        begins = line + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Unreadable(_sentence(str(error), begins)) from error
        line = skipped + reader.line_num  # type: ignore[attr-defined]
        if any(map(str.strip, cells)):
            yield begins, cells


def _sentence(problem: str, line: int) -> str:
    if "field larger" in problem:
        return (
            f"A value that begins on line {line:,} has more than {CELL:,} characters. Is a quotation mark missing, so "
            "that several rows run together?"
        )
    if "expected after" in problem or "unexpected end" in problem:
        return f"Line {line:,}: {_QUOTES}."
    return f"Line {line:,} cannot be read as a table ({problem})."


def _lines(rows: Iterator[tuple[int, list[str]]], width: int, sheet: Sheet, file: TextIO) -> Iterator[Line]:
    count = unescaped = 0
    with file:
        for line, cells in rows:
            count += 1
            if count > ROWS["csv"]:
                raise Unreadable(f"The file has more than {ROWS['csv']:,} rows. Split it.")
            plain = cells
            whole = "".join(cells)
            if "'" in whole:
                plain = [formulas.unescape(cell) for cell in cells]
                unescaped += plain != cells
            while len(plain) > width and not plain[-1].strip():
                plain.pop()
            if "\x00" in whole:
                yield line, [cell.replace("\x00", NUL_SHOWN) for cell in plain], _NUL
                continue
            check_cells(plain, whole, line)
            yield line, plain, _ragged(len(plain), width)
    if unescaped:
        sheet.notes.append(
            f"In {unescaped:,} rows an apostrophe before a formula sign was taken away, as exports put it there."
        )


def _ragged(has: int, width: int) -> str:
    if has == width:
        return ""
    cause = "Quote values that contain the separator" if has > width else "Is a line break inside a value not quoted"
    return f"This row has {has} values, the header names {width} columns. {cause}{'.' if has > width else '?'}"


def _delimiter(sample: list[str]) -> str:
    """Return the separator by which most of the first rows have as many values as the header, and more than one."""

    def score(delimiter: str) -> tuple[float, int]:
        try:
            rows = list(islice(csv.reader(sample, delimiter=delimiter), TRIED_ROWS))
        except csv.Error:
            return (0, 0)
        widths = [len(row) for row in rows if row]
        if not widths or widths[0] == 1:
            return (0, 0)
        return (sum(width == widths[0] for width in widths) / len(widths), widths[0])

    best = max(DELIMITERS, key=score)
    return best if score(best) > (0, 0) else ","
