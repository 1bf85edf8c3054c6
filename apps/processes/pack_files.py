"""A governance pack as a document and as a workbook, from its frozen figures alone."""

from collections.abc import Iterator

from apps.core.exchange.writing.tables import write_xlsx
from apps.core.packs import Document
from apps.processes.domain.packs import lines_of
from apps.processes.models import GovernancePack


def workbook(pack: GovernancePack) -> Iterator[bytes]:
    """Yield the pack as an Excel workbook: a row for every line."""
    return write_xlsx(("part", "what", "value", "note"), ("Part", "What", "Value", "Remark"), iter(lines_of(pack)))


def document(pack: GovernancePack) -> bytes:
    """Return the pack as a PDF: a table for every part."""
    printed = Document(str(pack))
    printed.text(
        f"From {pack.quarter:%-d %B %Y} to {pack.ends_on:%-d %B %Y}, as known on {pack.known_at:%-d %B %Y %H:%M} UTC. "
        f"Made by {pack.made_by}."
    )
    for part in pack.parts:
        printed.heading(part["title"])
        rows = [(line["what"], line["value"], line["note"]) for line in part["lines"]]
        printed.table(part["head"], rows or [("Nothing to tell.", "", "")], (3, 2, 5))
    return printed.output(digest=pack.digest)
