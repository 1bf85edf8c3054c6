"""A process as one file says it, and the remarks about what could not be read."""

from dataclasses import dataclass, field
from typing import Any

from apps.processes.enums import LONGEST_TEXT
from apps.processes.models.values import Flow

LONGEST, LONGEST_TITLE, LONGEST_PERSONA, LONGEST_NAME = LONGEST_TEXT, 150, 200, 100


@dataclass(frozen=True)
class Remark:
    """Something about one line of a file that its owner should know."""

    line: int
    text: str
    is_refusal: bool = False


@dataclass
class Document:
    """One file, read."""

    title: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    body: str = ""
    flow: Flow = field(default_factory=Flow)
    questions: str = ""
    change_log: str = ""
    is_material: bool = True
    remarks: list[Remark] = field(default_factory=list)

    @property
    def is_refused(self) -> bool:
        """Whether it cannot come in as it is."""
        return any(each.is_refusal for each in self.remarks)

    def say(self, line: int, text: str, *, refuse: bool = False) -> None:
        """Remember a remark."""
        self.remarks.append(Remark(line, text, refuse))

    def fit(self, line: int, text: str, most: int) -> str:
        """Return `text` without blanks around it, shortened to `most` characters with a remark where it is longer."""
        kept = text.strip()
        if len(kept) > most:
            self.say(line, f"“{kept[:40]}…” is longer than the {most} characters that fit; the rest was left out.")
        return kept[:most]
