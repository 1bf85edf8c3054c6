"""Figures laid over a process map: how long steps wait and how often they are done again, from real runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.processes.models import Process


@dataclass(frozen=True)
class StepFigures:
    """What runs say about one step.

    Attributes:
        runs: in how many runs it was reached.
        waiting: median minutes between being ready and being begun; None where nothing was begun.
        working: median minutes between being begun and being done; None where nothing was done.
        rework: the share (0 to 1) of the runs in which it was done more than once.
    """

    runs: int
    waiting: float | None = None
    working: float | None = None
    rework: float = 0.0


Overlay = Callable[["Process", "User"], Mapping[str, StepFigures]]
_overlay: list[Overlay] = []


def register_overlay(figures: Overlay) -> None:
    """Say where the figures of the steps of a process come from, by step key; what a person may not see stays out."""
    _overlay[:] = [figures]


def overlay_of(process: "Process", user: "User") -> Mapping[str, StepFigures]:
    """Return what is known about the steps of `process`; nothing where nobody counts."""
    return _overlay[0](process, user) if _overlay else {}


def in_words(minutes: float) -> str:
    """Return a duration as people say it: 40 min, 5 h, 3 d."""
    if minutes < 90:
        return f"{round(minutes)} min"
    return f"{minutes / 60:.0f} h" if minutes < 48 * 60 else f"{minutes / 1440:.0f} d"
