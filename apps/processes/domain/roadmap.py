"""The roadmap: phases whose exit criteria are bound to measures, so that nobody declares a phase done."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.measures import Measure, Reading, find_measure, read_measure
from apps.processes.domain.calendar import next_review
from apps.processes.models import ExitCriterion, RoadmapPhase

if TYPE_CHECKING:
    from apps.accounts.models import User

# title, first month, last month, focus, criteria: title, measure, at least
STANDARD = (
    (
        "Foundation",
        (0, 3),
        "Integrate the stack\nStandardise and document the core processes\nAutomate what is basic\nBegin to measure",
        (
            ("25 % improvement in efficiency", "processes.efficiency", 25),
            ("50 % of core processes standardised", "processes.documented", 50),
            ("Basic automation for key workflows", "processes.key_workflows", 50),
            ("Performance is monitored", "processes.measured", 50),
        ),
    ),
    (
        "Automation",
        (3, 9),
        "Automate comprehensively\nOptimise processes\nOptimise and integrate platforms\nAutomate quality assurance",
        (
            ("40 % improvement in efficiency", "processes.efficiency", 40),
            ("75 % of processes automated", "processes.automated", 75),
            ("Technology integration 90 % complete", "technology.integrated", 90),
            ("Quality assurance 80 % automated", "processes.quality", 80),
        ),
    ),
    (
        "Excellence",
        (9, 18),
        "Advanced automation\nImprove continuously, with method\nOperate by the framework\nOptimise and innovate",
        (
            ("50 % improvement in efficiency", "processes.efficiency", 50),
            ("90 % of processes automated", "processes.automated", 90),
            ("The framework is operational", "processes.managed", 90),
            ("Improvement is systematic", "processes.improving", 90),
        ),
    ),
)


@dataclass(frozen=True)
class Standing:
    """One exit criterion and where it stands."""

    criterion: ExitCriterion
    measure: Measure | None
    reading: Reading

    @property
    def met(self) -> bool:
        """Whether the measure has reached what is needed."""
        return self.reading.value is not None and self.reading.value >= self.criterion.at_least

    @property
    def percent(self) -> int:
        """How far the measure has come on the way to what is needed, 0 to 100."""
        if self.reading.value is None or self.reading.value <= 0:
            return 0
        needed = self.criterion.at_least or Decimal(1)
        return min(100, int(100 * self.reading.value / needed))


@dataclass(frozen=True)
class PhaseStanding:
    """One phase with its criteria."""

    phase: RoadmapPhase
    criteria: tuple[Standing, ...]
    today: dt.date

    @property
    def met(self) -> int:
        """How many criteria are met."""
        return sum(each.met for each in self.criteria)

    @property
    def is_left(self) -> bool:
        """Whether every criterion is met."""
        return bool(self.criteria) and self.met == len(self.criteria)

    @property
    def words(self) -> str:
        """Where the phase stands, in words."""
        if self.is_left:
            return "Reached"
        if self.today > self.phase.ends_on:
            return "Late"
        return "Under way" if self.today >= self.phase.starts_on else "Ahead"


def roadmap(today: dt.date | None = None) -> list[PhaseStanding]:
    """Return every phase with its criteria; each measure is read once."""
    day, known = today or clock.today(), dict[str, tuple[Measure | None, Reading]]()
    found = []
    for phase in RoadmapPhase.objects.live().prefetch_related("criteria"):
        lines = []
        for each in phase.criteria.all():
            if each.archived_at is not None:
                continue
            if each.measure not in known:
                known[each.measure] = find_measure(each.measure), read_measure(each.measure)
            lines.append(Standing(each, *known[each.measure]))
        found.append(PhaseStanding(phase, tuple(lines), day))
    return found


def refuse_standard(user: "User") -> str | None:
    """Return why `user` cannot bring in the standard phases now, None when they can."""
    if not access.has_model_permission(user, "add", RoadmapPhase):
        return "You may read the roadmap, not change it."
    taken = RoadmapPhase.objects.filter(title__in=[title for title, *_ in STANDARD]).exists()
    return "The roadmap has phases of these names already; change those." if taken else None


def bring_in_standard(*, by: "User", starts_on: dt.date | None = None) -> list[RoadmapPhase]:
    """Bring in the three standard phases over eighteen months, with their exit criteria.

    Args:
        by: who plans.
        starts_on: the first day of the first phase; today when not given.

    Raises:
        NotAllowed, WrongState: `refuse_standard`.
    """
    first, phases = starts_on or clock.today(), []
    with transaction.atomic(), acting_as(by):
        if refused := refuse_standard(by):
            may = access.has_model_permission(by, "add", RoadmapPhase)
            raise (WrongState if may else NotAllowed)(refused)
        for position, (title, (begins, ends), focus, criteria) in enumerate(STANDARD, start=1):
            phase = RoadmapPhase.objects.create(
                title=title,
                position=position,
                starts_on=next_review(first, begins),
                ends_on=next_review(first, ends) - dt.timedelta(days=1),
                focus=focus,
            )
            for said, measure, needed in criteria:
                ExitCriterion.objects.create(phase=phase, title=said, measure=measure, at_least=Decimal(needed))
            phases.append(phase)
    return phases
