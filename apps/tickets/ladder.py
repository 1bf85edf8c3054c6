"""Escalation as staff write it, line by line: at which share of the promised time who is told and what is done."""

import re
from dataclasses import dataclass
from itertools import pairwise

from apps.core.clocks.enums import RungKind
from apps.core.clocks.registry import Rung
from apps.core.errors import InvalidInput

TOLD = ("assignee", "team", "manager", "owner")
RAISE, TELL, GIVE = "raise priority", "tell", "give to"
MOST_LINES, MOST_PERCENT = 12, 1000
EXAMPLE = "90 % | tell team, manager | raise priority"
_PERCENT = re.compile(r"(\d{1,4})\s*%?")
_SPLIT = re.compile(r"\s*,\s*|\s+and\s+")


@dataclass(frozen=True)
class Step:
    """One step: at `percent` of the promised time these are told, and this is done; each once.

    Attributes:
        percent: of the promised time.
        told: of "assignee", "team", "manager" (the assignee's) and "owner" (of the agreement).
        raises: the priority becomes one higher.
        gives_to: the queue or the e-mail of the person who takes it over; empty: it stays where it is.
    """

    percent: int
    told: tuple[str, ...]
    raises: bool = False
    gives_to: str = ""

    @property
    def rung(self) -> Rung:
        """The step as a clock knows it."""
        alone = self.told == ("assignee",) and not self.raises and not self.gives_to
        return Rung(self.percent, RungKind.NOTIFY if alone else RungKind.ESCALATE)

    @property
    def words(self) -> str:
        """What happens, for people."""
        parts = [f"tells {', '.join(_NAMED[each] for each in self.told)}"] if self.told else []
        parts += ["raises the priority"] if self.raises else []
        parts += [f"gives it to {self.gives_to}"] if self.gives_to else []
        return "; ".join(parts)


_NAMED = {
    "assignee": "its assignee",
    "team": "the whole team",
    "manager": "the assignee's manager",
    "owner": "the agreement's owner",
}
USUAL = (
    Step(50, ("assignee",)),
    Step(75, ("assignee",)),
    Step(90, TOLD),
    Step(100, TOLD),
)


def read_ladder(text: str) -> tuple[Step, ...]:
    """Read "90 % | tell team, manager | raise priority | give to Systems" line by line; nothing is the usual ladder.

    Raises:
        InvalidInput: names the line and what is wrong with it.
    """
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if len(lines) > MOST_LINES:
        raise InvalidInput(f"{len(lines)} steps are more than anybody heeds; write at most {MOST_LINES}.")
    steps = [(number, _read_line(line, number)) for number, line in lines]
    for (_, above), (number, below) in pairwise(steps):
        if below.percent <= above.percent:
            raise InvalidInput(
                f"Line {number} stands at {below.percent} %, after {above.percent} %; write the steps in order."
            )
    return tuple(step for _, step in steps) or USUAL


def _read_line(line: str, number: int) -> Step:
    head, *deeds = (part.strip() for part in line.split("|"))
    found = _PERCENT.fullmatch(head)
    percent = int(found[1]) if found else 0
    if not 1 <= percent <= MOST_PERCENT:
        raise InvalidInput(f"Line {number} begins with a share of the time, from 1 % to 1000 %, like “{EXAMPLE}”.")
    told: tuple[str, ...] = ()
    raises, gives_to = False, ""
    for deed in deeds:
        words = " ".join(deed.lower().split())
        if words == RAISE:
            raises = True
        elif words.startswith(f"{GIVE} "):
            gives_to = " ".join(deed.split())[len(GIVE) + 1 :]
        elif words.startswith(f"{TELL} "):
            told = _told(words[len(TELL) + 1 :], number)
        else:
            raise InvalidInput(
                f"Line {number}: “{deed}” is nothing a step does; write “tell …”, “raise priority” or “give to …”."
            )
    if not (told or raises or gives_to):
        raise InvalidInput(f"Line {number} does nothing; write for instance “{EXAMPLE}”.")
    return Step(percent, told, raises, gives_to)


def _told(words: str, number: int) -> tuple[str, ...]:
    names = [each.removeprefix("the ") for each in _SPLIT.split(words)]
    unknown = [each for each in names if each not in TOLD]
    if unknown:
        raise InvalidInput(f"Line {number}: nobody is called “{unknown[0]}”; told can be: {', '.join(TOLD)}.")
    return tuple(each for each in TOLD if each in names)
