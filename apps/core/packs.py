"""Quarterly packs: which quarter a day is in, and printed documents from frozen figures."""

import datetime as dt
import tempfile
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def quarter_of(day: dt.date) -> dt.date:
    """Return the first day of the quarter of `day`."""
    return dt.date(day.year, day.month - (day.month - 1) % 3, 1)


def quarter_words(first: dt.date) -> str:
    """Return a quarter as people write it, from its first day: 2026 Q4."""
    return f"{first.year} Q{(first.month + 2) // 3}"


def can_print() -> bool:
    """Whether the library that writes documents is installed."""
    return find_spec("fpdf") is not None


class Document:
    """A document to print: a title, then text, lists and tables one below the other. `pdf` is the library's own."""

    def __init__(self, title: str) -> None:
        from fpdf import FPDF  # noqa: PLC0415  # only who wants a document pays for the library

        self.pdf = FPDF(orientation="landscape", format="A4")
        self.pdf.set_title(title)
        self.pdf.set_auto_page_break(True, margin=15)
        self.family = _font(self.pdf)
        self.pdf.add_page()
        self.font(18, bold=True)
        self.pdf.cell(0, 10, title, new_x="LMARGIN", new_y="NEXT")

    def font(self, size: int, *, bold: bool = False) -> None:
        """Write on in this size."""
        self.pdf.set_font(self.family, "B" if bold else "", size)

    def text(self, text: str, *, size: int = 10, height: float = 5) -> None:
        """Write a paragraph."""
        self.font(size)
        self.pdf.multi_cell(0, height, text, new_x="LMARGIN", new_y="NEXT")

    def heading(self, text: str) -> None:
        """Write the heading of a part."""
        self.pdf.ln(4)
        self.font(12, bold=True)
        self.pdf.cell(0, 7, text, new_x="LMARGIN", new_y="NEXT")

    def points(self, title: str, lines: Sequence[str]) -> None:
        """Write a heading and a list below it; nothing where the list is empty."""
        if not lines:
            return
        self.heading(title)
        for line in lines:
            self.text(f"– {line}", size=9, height=4.5)

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]], widths: tuple[float, ...]) -> None:
        """Write a table whose columns share the width as `widths` says."""
        self.font(8)
        with self.pdf.table(col_widths=widths, text_align="LEFT", line_height=4.5) as table:
            table.row(tuple(head))
            for row in rows:
                table.row(tuple(row))

    def output(self, *, digest: str) -> bytes:
        """Close the document with the digest of its figures, and return it."""
        self.pdf.ln(3)
        self.text(f"SHA-256 of the frozen figures: {digest}", size=8, height=4)
        return bytes(self.pdf.output())


def _font(pdf: Any) -> str:
    """Use the typeface of the pages, which has the letters of names from everywhere; else one every reader has."""
    regular, bold = _typeface("Inter-Regular"), _typeface("Inter-Bold")
    if regular is None or bold is None:
        return "helvetica"
    pdf.add_font("inter", "", regular)
    pdf.add_font("inter", "B", bold)
    return "inter"


@lru_cache(maxsize=4)
def _typeface(name: str) -> str | None:
    """Return a copy of a web font of the pages in the form a document embeds; None where there is no such font."""
    from fontTools.ttLib import TTFont  # noqa: PLC0415  # only who wants a document pays for the library

    source = Path(str(files("unfold") / "static" / "unfold" / "fonts" / "inter" / f"{name}.woff2"))
    if not source.exists():
        return None
    font = TTFont(source)
    font.flavor = None
    with tempfile.NamedTemporaryFile(suffix=".ttf", delete=False) as file:
        font.save(file)
    return file.name
