"""What the rules of the house say against a change of state: asked by who changes it, told by the app that keeps rules.

Campaigns ask before a launch, technology before a tool becomes active; neither needs to know who keeps the rules.
"""

from collections.abc import Callable, Iterable

from django.db import models

# Returns what the record does not meet now, each in a sentence.
Judge = Callable[[models.Model], Iterable[str]]

_judges: list[Judge] = []


def register_judge(judge: Judge) -> None:
    """Let `judge` be asked about every record that is about to change its state; from `AppConfig.ready`."""
    if judge not in _judges:
        _judges.append(judge)


def unmet_rules(thing: models.Model) -> list[str]:
    """Return the rules in force that `thing` does not meet at this moment and has no waiver of, as sentences."""
    return [sentence for judge in _judges for sentence in judge(thing)]


def refuse_unmet_rules(thing: models.Model) -> str | None:
    """Return why the rules of the house keep `thing` from going on, and the way out; None when they do not."""
    unmet = unmet_rules(thing)
    if not unmet:
        return None
    return f"Compliance rules are not met. {' '.join(unmet)} Mend it, or ask for a waiver of the rule."
