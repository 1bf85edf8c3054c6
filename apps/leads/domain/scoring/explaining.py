"""Why a score is what it is: every criterion with what its rules gave and what of it counted."""

from dataclasses import dataclass
from typing import Any

from apps.core.asking import once
from apps.leads.domain.scoring.model import Model, Points, read_model
from apps.leads.models import LeadScore
from apps.leads.scoring_rules import DIMENSIONS


@dataclass(frozen=True)
class Part:
    """One rule that gave something."""

    name: str
    points: float
    reason: str


@dataclass(frozen=True)
class Counted:
    """One criterion: what its rules gave together, what of it counted, and the most it can count."""

    name: str
    dimension: str
    raw: float
    counted: float
    cap: float
    parts: tuple[Part, ...]

    @property
    def share(self) -> int:
        """How much of its cap counted, in per cent."""
        return round(100 * self.counted / self.cap)

    @property
    def sentence(self) -> str:
        """The figures in words."""
        if abs(self.raw - self.counted) > 1e-9:
            return f"raw {_figure(self.raw)}, counted {_figure(self.counted)}"
        return f"{_figure(self.counted)} of {_figure(self.cap)}"


@dataclass(frozen=True)
class Explanation:
    """A stored score with everything it is made of."""

    score: LeadScore
    model: Model
    criteria: tuple[Counted, ...]

    @property
    def coverage(self) -> str:
        """How much of what fit asks is known."""
        return f"known {self.score.known} of {len(self.model.fit_criteria)}"

    @property
    def total(self) -> float:
        """What counted, added up; the raw score, rounded as it is stored."""
        return round(sum(each.counted for each in self.criteria), 6)

    @property
    def standing(self) -> str:
        """Whether sales should look at it, and why."""
        if self.score.is_hand_raised:
            return "Ready for sales: raised a hand"
        if self.score.is_ready:
            return f"Ready for sales: {_figure(self.score.final)} of {_figure(self.model.threshold)} points"
        if self.score.final >= self.model.threshold:
            return f"Not ready: fit {_figure(self.score.fit)} of {_figure(self.model.minimum_fit)} needed"
        return f"Not ready: {_figure(self.score.final)} of {_figure(self.model.threshold)} points"

    @property
    def lacks(self) -> str:
        """What keeps the lead from being ready for sales, with the way out; "" where it is."""
        score = self.score
        if score.is_ready:
            return ""
        if score.fit < self.model.minimum_fit:
            asked = ", ".join(name.lower() for name in self.model.fit_criteria) or "nothing"
            return (
                f"its fit is {_figure(score.fit)} of {_figure(self.model.minimum_fit)} needed. Fit asks about {asked}: "
                "fill in what is missing."
            )
        return (
            f"it has {_figure(score.final)} of {_figure(self.model.threshold)} points. Where the rules are wrong about "
            "it, set its score by hand, with a reason."
        )


def _figure(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def explain(score: LeadScore) -> Explanation:
    """Return what a stored score is made of, by the version that scored it."""
    model = once(("scoring model", score.version_id), lambda: read_model(score.version, conditions=False))
    criteria = tuple(_criterion(name, rules, score.factors) for name, rules in model.criteria.items())
    return Explanation(score, model, criteria)


def _criterion(name: str, rules: list[Points], factors: list[Any]) -> Counted:
    given = [(each, factors[each.place - 1]) for each in rules]
    raw, cap = sum(points for _, points in given), rules[0].cap
    return Counted(
        name=name,
        dimension=dict(DIMENSIONS)[rules[0].dimension],
        raw=raw,
        counted=min(raw, cap) if cap > 0 else max(raw, cap),
        cap=cap,
        parts=tuple(Part(each.rule.name, points, each.rule.reason) for each, points in given if points),
    )
