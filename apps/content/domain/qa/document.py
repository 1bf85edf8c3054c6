"""A text as the checks see it: what people read, in one string whose every character knows where it was written."""

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property

EXCERPT = 60


@dataclass(frozen=True)
class Place:
    """Where something stands in what was written: line and column count from 1."""

    line: int
    column: int


@dataclass
class Run:
    """A stretch of read text: where it begins in it, and where its characters were written.

    `origins` holds the offset of every character where that is no plain sequence (entities, removed characters);
    otherwise the text runs on from `source` character by character.
    """

    start: int
    source: int
    hidden: bool = False
    origins: list[int] | None = None


@dataclass(frozen=True)
class Element:
    """One start tag that checks look at: its name, its attributes, where it stands, and the text inside it."""

    name: str
    attributes: dict[str, str]
    offset: int
    text: str = ""


@dataclass
class Document:
    """One text, read once.

    Attributes:
        source: as it was written.
        text: as people read it; blocks end in a line break, tags are gone, entities are characters.
        runs: its stretches, in order.
        elements: links and pictures in order.
        painted: colours read on each other: (foreground, background, offset).
        faults: what is wrong with the markup: (offset, sentence, blocks).
    """

    source: str
    text: str = ""
    runs: list[Run] = field(default_factory=list)
    elements: list[Element] = field(default_factory=list)
    painted: list[tuple[str, str, int]] = field(default_factory=list)
    faults: list[tuple[int, str, bool]] = field(default_factory=list)

    def origin(self, position: int) -> int:
        """Return where the character at `position` of the read text was written."""
        run = self._run(position)
        if run is None:
            return 0
        inside = position - run.start
        if run.origins is not None:
            return run.origins[min(inside, len(run.origins) - 1)] if run.origins else run.source
        return run.source + inside

    def is_hidden(self, position: int) -> bool:
        """Whether readers do not see the character at `position`: an alternative text, a hidden element."""
        run = self._run(position)
        return run is not None and run.hidden

    def place(self, offset: int) -> Place:
        """Return line and column of an offset of the source."""
        line = bisect_right(self._lines, offset)
        return Place(line, offset - self._lines[line - 1] + 1)

    def excerpt(self, start: int, end: int) -> str:
        """Return what stands at a place of the read text, with a little around it."""
        before, after = max(0, start - EXCERPT // 2), min(len(self.text), end + EXCERPT // 2)
        cut = " ".join(self.text[before:after].split())
        return f"{'…' if before else ''}{cut}{'…' if after < len(self.text) else ''}"[: EXCERPT * 4]

    def written(self, offset: int) -> str:
        """Return what was written from an offset of the source on, in one line."""
        cut = " ".join(self.source[offset : offset + 2 * EXCERPT].split())
        return cut + ("…" if offset + 2 * EXCERPT < len(self.source) else "")

    def _run(self, position: int) -> Run | None:
        index = bisect_right(self._starts, position) - 1
        return self.runs[index] if index >= 0 else None

    @cached_property
    def _starts(self) -> list[int]:
        return [run.start for run in self.runs]

    @cached_property
    def _lines(self) -> list[int]:
        starts, at = [0], self.source.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.source.find("\n", at + 1)
        return starts
