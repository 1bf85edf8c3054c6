"""A review pack as a document and as a workbook, from its frozen figures alone."""

import tempfile
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from apps.core.exchange.writing.tables import write_xlsx
from apps.technology.enums import Lifecycle, Verdict
from apps.technology.models import ReviewPack

PRINTED = 200  # tools in the document; the workbook has them all
COLUMNS: tuple[tuple[str, str], ...] = (
    ("name", "Tool"),
    ("lifecycle", "Lifecycle"),
    ("owner", "Owner"),
    ("yearly", "A year costs"),
    ("used", "Used (%)"),
    ("used_on", "Measured until"),
    ("seats", "Seats"),
    ("inactive_seats", "Inactive seats"),
    ("attested_on", "Attested on"),
    ("shares_with", "Others that can do the same"),
    ("verdict", "Proposal"),
    ("saving", "Could be saved"),
    ("why", "Why"),
)


def workbook(pack: ReviewPack) -> Iterator[bytes]:
    """Yield the pack as an Excel workbook: a row for every tool."""
    names = [name for name, _ in COLUMNS]
    rows = pack.items.order_by("-saving", "name").values_list(*names).iterator(2_000)
    return write_xlsx(names, [title for _, title in COLUMNS], rows)


def can_print() -> bool:
    """Whether the library that writes documents is installed."""
    return find_spec("fpdf") is not None


def document(pack: ReviewPack) -> bytes:
    """Return the pack as a PDF: totals, proposals, gaps, overlaps, and the tools with the largest savings."""
    from fpdf import FPDF  # noqa: PLC0415  # only who wants a document pays for the library

    pdf = FPDF(orientation="landscape", format="A4")
    pdf.set_title(str(pack))
    pdf.set_auto_page_break(True, margin=15)
    family = _font(pdf)
    pdf.add_page()
    pdf.set_font(family, "B", 18)
    pdf.cell(0, 10, str(pack), new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(family, "", 10)
    told = (
        f"At the prices of {pack.on:%-d %B %Y}, as known on {pack.known_at:%-d %B %Y %H:%M} UTC, in {pack.currency}. "
        f"{pack.tools:,} tools in use cost {pack.yearly:,.2f} a year; {pack.saving:,.2f} could be saved."
    )
    pdf.multi_cell(0, 5, told, new_x="LMARGIN", new_y="NEXT")
    _proposals(pdf, pack)
    _list(pdf, family, "Needed and served by no tool", pack.totals["gaps"])
    overlaps = [f"{each['capability']}: {', '.join(each['tools'])}" for each in pack.totals["overlaps"][:15]]
    _list(pdf, family, "Several tools can do the same", overlaps)
    _tools(pdf, family, pack)
    pdf.set_font(family, "", 8)
    pdf.ln(3)
    pdf.multi_cell(0, 4, f"SHA-256 of the frozen figures: {pack.digest}", new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


def _proposals(pdf: Any, pack: ReviewPack) -> None:
    pdf.ln(3)
    with pdf.table(
        width=170, col_widths=(3, 1, 2, 2), align="LEFT", text_align=("LEFT", "RIGHT", "RIGHT", "RIGHT")
    ) as table:
        table.row(("Proposal", "Tools", f"A year costs ({pack.currency})", f"Could be saved ({pack.currency})"))
        for verdict in Verdict:
            figures = pack.totals["verdicts"].get(verdict.value, {"tools": 0, "yearly": "0", "saving": "0"})
            table.row((verdict.label, str(figures["tools"]), *(_money(figures[name]) for name in ("yearly", "saving"))))


def _list(pdf: Any, family: str, title: str, lines: list[str]) -> None:
    if not lines:
        return
    pdf.ln(4)
    pdf.set_font(family, "B", 12)
    pdf.cell(0, 7, title, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(family, "", 9)
    for line in lines:
        pdf.multi_cell(0, 4.5, f"– {line}", new_x="LMARGIN", new_y="NEXT")


def _tools(pdf: Any, family: str, pack: ReviewPack) -> None:
    items = list(pack.items.order_by("-saving", "name")[:PRINTED])
    pdf.add_page()
    pdf.set_font(family, "B", 12)
    more = f", the {PRINTED} with the largest savings of {pack.tools:,}" if pack.tools > PRINTED else ""
    pdf.cell(0, 7, f"Tools{more}", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(family, "", 8)
    with pdf.table(col_widths=(5, 2, 3, 2, 1.3, 2, 2, 2, 5), text_align="LEFT", line_height=4.5) as table:
        table.row(("Tool", "Lifecycle", "Owner", "A year", "Used", "Attested", "Proposal", "Saving", "Why"))
        for item in items:
            table.row(
                (
                    item.name,
                    Lifecycle(item.lifecycle).label,
                    item.owner or "nobody",
                    _money(item.yearly),
                    "–" if item.used is None else f"{item.used} %",
                    f"{item.attested_on:%Y-%m-%d}" if item.attested_on else "never",
                    Verdict(item.verdict).label,
                    _money(item.saving),
                    item.why,
                )
            )


def _money(value: Any) -> str:
    return "–" if value is None else f"{Decimal(value):,.2f}"


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
