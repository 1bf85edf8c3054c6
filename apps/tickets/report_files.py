"""The monthly report of the desk as a document and as a workbook, from the same figures as its page."""

from collections.abc import Iterator, Sequence

from apps.core.clocks.domain.wording import in_words
from apps.core.exchange.writing.tables import write_xlsx
from apps.core.packs import Document
from apps.core.words import NOTHING
from apps.tickets.domain.analytics import Figures, Times
from apps.tickets.domain.service import TITLES

Table = tuple[str, Sequence[str], list[Sequence[str]]]
UP_TO = ("Half within", "75 % within", "90 % within", "95 % within")


def tables_of(found: Figures) -> list[Table]:
    """Return every figure as tables: title, head and rows of words."""
    rates = [
        ("Opened", f"{found.opened:,}"),
        ("Solved", f"{found.solved:,}"),
        ("Still to be done", f"{found.active:,}"),
        ("Solved ones that were reopened", _share(found.reopened)),
        ("Solved ones that changed hands", _share(found.reassigned)),
        ("Changes of hands per solved ticket", f"{found.moves:.2f}"),
    ]
    kept = [
        (
            f"{each.agreement}: {TITLES.get(each.metric, each.metric).lower()}",
            f"{each.met:,}",
            f"{each.late:,}",
            _share(each.share),
        )
        for each in found.kept
    ]
    load = [
        (
            each.person,
            f"{each.active:,}",
            f"{each.solved:,}",
            f"{each.minutes / 60:.1f} h",
            in_words(each.capacity),
            _share(each.used),
        )
        for each in found.load
    ]
    return [
        ("In short", ("Figure", "Value"), [*rates]),
        ("Still to be done, by age", ("Age", "Tickets"), [(label, f"{count:,}") for label, count, *_ in found.ages]),
        ("First answer, in working time", ("Priority", "Tickets", *UP_TO), _rows(found.first)),
        ("Solution, in working time", ("Priority", "Tickets", *UP_TO), _rows(found.solution)),
        ("Promises", ("Agreement", "Kept", "Late", "Share"), [*kept]),
        ("What it was about", ("Type", "Opened"), [(name, f"{count:,}") for name, _, count in found.types]),
        ("Workload", ("Person", "Active", "Solved", "Time written down", "Working time", "Used"), [*load]),
    ]


def document(found: Figures, title: str, told: str) -> bytes:
    """Return the report as a PDF."""
    printed = Document(title)
    printed.text(told)
    for name, head, rows in tables_of(found):
        if rows:
            printed.heading(name)
            printed.table(head, rows, (3, *(1,) * (len(head) - 1)))
    return bytes(printed.pdf.output())


def workbook(found: Figures) -> Iterator[bytes]:
    """Yield the report as an Excel workbook: a row for every figure."""
    rows = [
        (name, row[0], column, value)
        for name, head, lines in tables_of(found)
        for row in lines
        for column, value in zip(head[1:], row[1:], strict=True)
    ]
    return write_xlsx(["part", "about", "figure", "value"], ["Part", "About", "Figure", "Value"], rows)


def _rows(found: Sequence[Times]) -> list[Sequence[str]]:
    return [(each.label, f"{each.count:,}", *(in_words(amount) for amount in each.at)) for each in found]


def _share(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.0%}"
