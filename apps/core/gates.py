"""Gates: everything that must hold before a deed, told by whoever knows about it.

An app that stands below the one with the deed registers its conditions here, so that nobody imports upward:
`register_condition("campaigns.launch", Condition(…))` from `AppConfig.ready`.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """What a condition says about one thing: whether it is met, and what is so or what to do, in a few words."""

    is_met: bool
    says: str


@dataclass(frozen=True)
class Condition:
    """One condition of a gate.

    Attributes:
        key: "content.approved"; unique within its gate.
        title: the condition as a statement: "Every content is approved and unexpired".
        check: `check(thing, today)` looks; None where it does not apply to this thing.
        who: who can meet it, in words.
        place: where it stands among the others, small numbers first.
        heavy: whether looking asks more than a page may: counts people, or asks every rule. Pages then show what was
            found last (`check_gate(…, found=…)`); the deed itself always looks.
        applies: `applies(thing)` says of a heavy one, whose `check` is not run for a page, whether it is asked at all.
    """

    key: str
    title: str
    check: Callable[[Any, dt.date], Finding | None]
    who: str = "its owner"
    place: int = 50
    heavy: bool = False
    applies: Callable[[Any], bool] | None = None


@dataclass(frozen=True)
class Checked:
    """A condition as it was found for one thing."""

    key: str
    title: str
    is_met: bool
    says: str
    who: str
    is_heavy: bool = False

    @property
    def way_out(self) -> str:
        """What to do where it is not met."""
        return "" if self.is_met else self.says


_gates: dict[str, dict[str, Condition]] = {}


def register_condition(gate: str, condition: Condition) -> None:
    """Add a condition to a gate, for instance to "campaigns.launch"; the same key again replaces it."""
    _gates.setdefault(gate, {})[condition.key] = condition


NOT_LOOKED_AT = Finding(False, "nobody has looked yet")


def check_gate(gate: str, thing: Any, today: dt.date, *, found: Mapping[str, Finding] | None = None) -> list[Checked]:
    """Return what every condition of a gate says about `thing`, in their order; those that do not apply are left out.

    Args:
        gate: its name.
        thing: what the gate is about to let through.
        today: the day for which is asked.
        found: what heavy conditions said last, by key; they are not asked then. None asks every condition.
    """
    answers = []
    for each in conditions_of(gate):
        if each.applies is not None and not each.applies(thing):
            continue
        if found is not None and each.heavy:
            finding: Finding | None = found.get(each.key, NOT_LOOKED_AT)
        else:
            finding = each.check(thing, today)
        if finding is not None:
            who = "" if finding.is_met else each.who
            answers.append(Checked(each.key, each.title, finding.is_met, finding.says, who, each.heavy))
    return answers


def conditions_of(gate: str) -> list[Condition]:
    """Return the conditions of a gate in their order."""
    return sorted(_gates.get(gate, {}).values(), key=lambda one: (one.place, one.key))
