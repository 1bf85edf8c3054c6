"""What every reader yields: a header, then rows as wide as the header."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from apps.core.exchange.reading.limits import CELL, COLUMNS
from apps.core.exchange.reading.refusal import Unreadable, mark
from apps.core.storable import HALF_SHOWN, NULL_SHOWN, is_storable

DAMAGED = (
    f"This row holds a NUL character or half a character (shown as {NULL_SHOWN} and {HALF_SHOWN}): it was damaged on "
    "its way. Write it anew."
)
Line = tuple[int, list[str], str]  # line number, cells, why the row cannot be used ("" when it can)


@dataclass
class Sheet:
    """A table while it is being read.

    Attributes:
        kind: csv, xlsx, yaml or json.
        headers: the names of the columns.
        lines: the rows.
        notes: sentences on how it was read; some are only known after the last row.
        facts: how it was read (encoding, delimiter, sheet, sheets).
    """

    kind: str
    headers: list[str]
    lines: Iterator[Line]
    notes: list[str] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)


def check_headers(cells: Sequence[str]) -> list[str]:
    """Return clean column names.

    Raises:
        Unreadable: too many, or two alike.
    """
    names = [" ".join(check_cell(cell, 1).split()) for cell in cells]
    while names and not names[-1]:
        names.pop()
    if len(names) > COLUMNS:
        raise Unreadable(
            f"The file has {len(names):,} columns; mops reads up to {COLUMNS}. Leave out what is not needed."
        )
    if not names:
        raise Unreadable("The file has no header: its first line must name the columns.")
    seen: dict[str, int] = {}
    for place, name in enumerate(names, 1):
        if name and (before := seen.setdefault(name.casefold(), place)) != place:
            raise Unreadable(f"Two columns are called {mark(name)} (columns {before} and {place}). Rename one of them.")
    return [name or f"Column {place}" for place, name in enumerate(names, 1)]


def check_cells(cells: Sequence[str], whole: str, line: int) -> None:
    """Look at the cells of a row: at once where `whole`, all of them in one, already shows that nothing is wrong.

    Raises:
        Unreadable: as `check_cell` says.
    """
    if len(whole) > CELL or "\x00" in whole or not whole.isascii():
        for cell in cells:
            check_cell(cell, line)


def check_length(cell: str, line: int) -> str:
    """Return the cell as it is.

    Raises:
        Unreadable: it is too long.
    """
    if len(cell) > CELL:
        raise Unreadable(
            f"Line {line:,}: a value has {len(cell):,} characters; mops takes up to {CELL:,} in one cell. "
            "Is a quotation mark missing, so that several rows run together?"
        )
    return cell


def damaged(cells: Sequence[str]) -> str:
    """Return why a row cannot be used whose cells hold what no text has, "" where they hold none of it."""
    return "" if all(map(is_storable, cells)) else DAMAGED


def check_cell(cell: str, line: int) -> str:
    """Return the cell as it is.

    Raises:
        Unreadable: too long, or with characters no text has.
    """
    check_length(cell, line)
    if "\x00" in cell:
        raise Unreadable(f"Line {line:,} contains a NUL character: the file is damaged, or it is not text.")
    if not is_storable(cell):
        raise Unreadable(f"Line {line:,} contains half a character (a lone surrogate): the file is damaged.")
    return cell
