"""A review pack as a document and as a workbook, from its frozen figures alone."""

from collections.abc import Iterator
from typing import Any

from apps.core.exchange.writing.tables import write_xlsx
from apps.core.money import money
from apps.core.packs import Document
from apps.core.words import NOTHING
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
    ("integrations", "Live integrations"),
    ("unhealthy", "of them not well"),
    ("verdict", "Proposal"),
    ("saving", "Could be saved"),
    ("why", "Why"),
)


def workbook(pack: ReviewPack) -> Iterator[bytes]:
    """Yield the pack as an Excel workbook: a row for every tool."""
    names = [name for name, _ in COLUMNS]
    rows = pack.items.order_by("-saving", "name").values_list(*names).iterator(2_000)
    return write_xlsx(names, [title for _, title in COLUMNS], rows)


def document(pack: ReviewPack) -> bytes:
    """Return the pack as a PDF: totals, proposals, gaps, overlaps, and the tools with the largest savings."""
    printed = Document(str(pack))
    printed.text(
        f"At the prices of {pack.on:%-d %B %Y}, as known on {pack.known_at:%-d %B %Y %H:%M} UTC, in {pack.currency}. "
        f"{pack.tools:,} tools in use cost {money(pack.yearly, pack.currency)} a year; "
        f"{money(pack.saving, pack.currency)} could be saved."
    )
    _proposals(printed.pdf, pack)
    printed.points("Needed and served by no tool", pack.totals["gaps"])
    overlaps = [f"{each['capability']}: {', '.join(each['tools'])}" for each in pack.totals["overlaps"][:15]]
    printed.points("Several tools can do the same", overlaps)
    _tools(printed.pdf, printed.family, pack)
    return printed.output(digest=pack.digest)


def _proposals(pdf: Any, pack: ReviewPack) -> None:
    pdf.ln(3)
    with pdf.table(
        width=170, col_widths=(3, 1, 2, 2), align="LEFT", text_align=("LEFT", "RIGHT", "RIGHT", "RIGHT")
    ) as table:
        table.row(("Proposal", "Tools", "A year costs", "Could be saved"))
        for verdict in Verdict:
            figures = pack.totals["verdicts"].get(verdict.value, {"tools": 0, "yearly": "0", "saving": "0"})
            table.row(
                (
                    verdict.label,
                    str(figures["tools"]),
                    *(money(figures[name], pack.currency) for name in ("yearly", "saving")),
                )
            )


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
                    money(item.yearly, pack.currency),
                    NOTHING if item.used is None else f"{item.used} %",
                    f"{item.attested_on:%Y-%m-%d}" if item.attested_on else "never",
                    Verdict(item.verdict).label,
                    money(item.saving, pack.currency),
                    item.why,
                )
            )
