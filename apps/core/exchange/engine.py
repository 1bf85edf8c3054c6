"""Carries the rows of a table through an importer: parse, refuse, apply in batches, tell.

The preview and the run are the same walk; the preview rolls back what `apply` wrote.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import DomainError, InvalidInput
from apps.core.exchange.enums import OutcomeKind
from apps.core.exchange.reading.table import Line
from apps.core.exchange.registry import Column, Importer, Outcome, Row

KEY_LENGTH = 200
Sink = Callable[[Sequence[Outcome]], None]


@dataclass
class Walk:
    """One walk through a table.

    Attributes:
        importer: what carries rows out.
        mapping: column of the importer → column of the file.
        by: in whose name and with whose rights.
        dry: take everything back after it has been told.
        unit: what the number of a row counts: lines of a table, records of a list.
        keys: filled with the natural key of every usable row when a set is given.
    """

    importer: Importer
    mapping: Mapping[str, str]
    by: Any
    dry: bool = False
    unit: str = "Line"
    keys: set[str] | None = None
    counts: Counter[str] = field(default_factory=Counter)
    _lines: dict[int, int] = field(default_factory=dict)
    _columns: list[tuple[Column, str]] = field(init=False)

    def __post_init__(self) -> None:
        """Look the columns up once, not for every cell.

        Raises:
            InvalidInput: a column that every row needs is not matched, so that no row could be told from another.
        """
        if refused := self.importer.refuse_mapping(self.mapping):
            raise InvalidInput(refused)
        self.importer = self.importer.for_walk(dry=self.dry)
        self._columns = [(self.importer.column(name), header) for name, header in self.mapping.items()]

    def carry(
        self,
        lines: Iterable[Line],
        sink: Sink,
        *,
        skip: Collection[int] = (),
        only: Collection[int] | None = None,
        after: Callable[[int], None] | None = None,
    ) -> None:
        """Carry all rows out.

        Args:
            lines: the rows of the table.
            sink: stores outcomes, in the transaction of the rows they tell of.
            skip: lines that an earlier attempt has carried out.
            only: carry these lines alone out; the others are read, because one may name the same record.
            after: called after each batch with the number of rows done.
        """
        done = 0
        for batch in _batches(lines, self.importer.batch_size):
            told = self._parse(batch)
            open_rows = [each for each in told if each.line not in skip and (only is None or each.line in only)]
            self._carry_batch(open_rows, sink)
            done += len(batch)
            if after is not None:
                after(done)

    def _carry_batch(self, told: list[Row | Outcome], sink: Sink) -> None:
        rows = [each for each in told if isinstance(each, Row)]
        with transaction.atomic():
            with transaction.atomic():
                applied = dict(zip((row.line for row in rows), _apply(self.importer, rows, self.by), strict=True))
                if self.dry:
                    transaction.set_rollback(True)
            outcomes = [applied[each.line] if isinstance(each, Row) else each for each in told]
            sink(outcomes)
        self.counts.update(str(outcome.kind) for outcome in outcomes)

    def _parse(self, lines: Sequence[Line]) -> list[Row | Outcome]:
        """Return the typed rows; in place of one its refusal, with everything that is wrong with it."""
        wrong: dict[int, list[str]] = defaultdict(list)
        for place, line in enumerate(lines):
            if line.problem:
                wrong[place].append(line.problem)
        broken = set(wrong)
        read = [
            _read(column, [line.cells.get(header, "") for line in lines], wrong, broken)
            for column, header in self._columns
        ]
        names = [column.name for column, _ in self._columns]
        return [
            self._judge(line, Row(line.number, dict(zip(names, found, strict=True))), wrong.get(place))
            for place, (line, found) in enumerate(zip(lines, zip(*read, strict=True), strict=True))
        ]

    def _judge(self, line: Line, row: Row, problems: list[str] | None) -> Row | Outcome:
        """Return the row, or its refusal: something is wrong with it, or a row before it names the same record."""
        if not problems:
            key = self.importer.key_of(row)
            before = self._lines.setdefault(hash(key), line.number)
            if before == line.number:
                if self.keys is not None:
                    self.keys.add(key)
                return row
            problems = [f"{self.unit} {before:,} already names this record; keep one of the two."]
        return Outcome.refused(row, " ".join(problems))._replace(key=self._called(line))

    def _called(self, line: Line) -> str:
        cells = (line.cells.get(self.mapping.get(name, ""), "").strip() for name in self.importer.natural_key)
        return " · ".join(cells)[:KEY_LENGTH]


def _read(column: Column, cells: Sequence[str], wrong: dict[int, list[str]], broken: Collection[int]) -> list[Any]:
    """Read the cells of one column; what stands in many of them is read once.

    Args:
        column: reads them.
        cells: of a batch of rows.
        wrong: by the place of a row, what is wrong with it; what cannot be read is added.
        broken: places of rows that are not to be read.
    """
    known: dict[str, Any] = {}
    refused: dict[str, str] = {}
    for cell in dict.fromkeys(cells if not broken else (cell for n, cell in enumerate(cells) if n not in broken)):
        try:
            known[cell] = column.read(cell)
        except DomainError as refusal:
            refused[cell] = refusal.message
    if not broken and not refused and not any(map(_is_changeable, known.values())):
        return [known[cell] for cell in cells]
    for place, cell in enumerate(cells):
        if place not in broken and cell in refused:
            wrong[place].append(refused[cell])
    return [
        None if place in broken or cell in refused else _own(column, cell, known[cell])
        for place, cell in enumerate(cells)
    ]


def _is_changeable(value: Any) -> bool:
    return isinstance(value, (list, dict, set))


def _own(column: Column, cell: str, value: Any) -> Any:
    """Return the value; what can be changed belongs to one row, and is read again for each."""
    return column.read(cell) if _is_changeable(value) else value


def _batches(lines: Iterable[Line], size: int) -> Iterator[list[Line]]:
    remaining = iter(lines)
    while batch := list(islice(remaining, size)):
        yield batch


def _apply(importer: Importer, rows: list[Row], by: Any) -> list[Outcome]:
    """Apply the rows; where the whole call is refused, halve it until the guilty row stands alone."""
    if not rows:
        return []
    try:
        with transaction.atomic():
            outcomes = list(importer.apply(rows, by=by))
    except (DomainError, DatabaseError, ValidationError) as error:
        if (sentence := sentence_of(error)) is None:
            raise
        if len(rows) == 1:
            outcomes = [Outcome.refused(rows[0], sentence)]
        else:
            middle = len(rows) // 2
            return _apply(importer, rows[:middle], by) + _apply(importer, rows[middle:], by)
    if [outcome.line for outcome in outcomes] != [row.line for row in rows]:
        raise RuntimeError(f"{importer.key}: apply() must return one outcome for each row, in order.")
    return [
        outcome if outcome.key else _named(outcome, importer.name_of(row)[:KEY_LENGTH])
        for outcome, row in zip(outcomes, rows, strict=True)
    ]


def _named(outcome: Outcome, key: str) -> Outcome:
    """Return the outcome with its key; `_replace` takes several times as long, a million times over."""
    return Outcome(outcome.line, outcome.kind, key, outcome.object_id, outcome.reason, outcome.changes)


def summary(counts: Mapping[str, int], *, would: bool = False) -> str:
    """Return the counts as a sentence, for instance: 3 created, 2 updated, 214 unchanged."""
    parts = [f"{counts[kind]:,} {word}" for kind, word in WORDS.items() if counts.get(kind)]
    if not parts:
        return "Nothing was in the file."
    written = counts.get(OutcomeKind.CREATED, 0) + counts.get(OutcomeKind.UPDATED, 0)
    nothing = "" if written else (", nothing would be written" if would else ", nothing was written")
    return f"{', '.join(parts)}{nothing}."


WORDS = {
    OutcomeKind.CREATED.value: "created",
    OutcomeKind.UPDATED.value: "updated",
    OutcomeKind.UNCHANGED.value: "unchanged",
    OutcomeKind.REFUSED.value: "refused",
    OutcomeKind.GONE.value: "no longer in the file",
}
