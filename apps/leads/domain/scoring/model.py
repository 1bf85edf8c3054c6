"""A version of the rules of scoring, read once and ready to be compiled."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from apps.core.errors import InvalidInput
from apps.core.rules.bodies import Rule
from apps.core.rules.catalog import Catalog, catalog_of
from apps.core.rules.domain.queries import active_version
from apps.core.rules.domain.tree import Group, Has, Leaf, Node, Not
from apps.core.rules.operators import IN_DAYS
from apps.leads.domain.scoring.measures import Kept, needed
from apps.leads.models import Lead
from apps.leads.scoring_rules import BODY, DAILY, DOCUMENT, EVERY, FIT, LINEAR, NONE, ONCE, WINDOW

if TYPE_CHECKING:
    from apps.core.rules.models import RuleVersion


@dataclass(frozen=True)
class Points:
    """One rule that is on, with its place among the factors (from 1)."""

    place: int
    rule: Rule
    criterion: str
    dimension: str
    points: float
    cap: float
    touch: str | None
    repeat: str
    decay: str
    days: int
    hand_raise: bool

    @property
    def kept(self) -> Kept | None:
        """The sum it reads; None where it reads days of touches, or the facts of the lead alone."""
        return needed(self.touch, self.repeat, self.decay, self.days) if self.touch else None

    @property
    def by_days(self) -> bool:
        """Whether it reads the days of touches."""
        return self.decay in (LINEAR, WINDOW)

    @property
    def is_asked(self) -> bool:
        """Whether it has a condition on the lead."""
        return not (isinstance(self.rule.tree, Group) and not self.rule.tree.parts)

    @property
    def is_steady(self) -> bool:
        """Whether its points change only when the lead or its company is written, which the queue then knows."""
        return self.touch is None and _steady(self.rule.tree)

    def weight(self, age: str) -> str:
        """Return the SQL of what one day counts that lies `age` days back."""
        if self.decay == WINDOW:
            return f"(CASE WHEN {age} < {self.days} THEN 1.0 ELSE 0.0 END)"
        return f"greatest(0.0, 1.0 - {age}::float8 / {self.days})"

    def days_counted(self, age: str) -> str:
        """Return the SQL that adds up the days `d` of one lead."""
        mine, weight = f"d.type = '{self.touch}'", self.weight(age)
        if self.repeat == ONCE:
            return f"coalesce(max({weight}) FILTER (WHERE {mine}), 0)"
        each = weight if self.repeat == DAILY else f"d.n * {weight}"
        return f"coalesce(sum({each}) FILTER (WHERE {mine}), 0)"


def _steady(tree: Node) -> bool:
    if isinstance(tree, Leaf):
        return tree.op not in IN_DAYS and tree.field.path is not None and not tree.field.key.startswith("custom.")
    if isinstance(tree, Has):
        return False
    parts: Sequence[Node] = tree.parts if isinstance(tree, Group) else (tree.part,)
    return all(_steady(part) for part in parts)


def leaves(tree: Node) -> list[Leaf]:
    """Return the questions about the lead itself."""
    if isinstance(tree, Leaf):
        return [tree]
    if isinstance(tree, Has):
        return []
    parts: Sequence[Node] = tree.parts if isinstance(tree, Group) else (tree.part,) if isinstance(tree, Not) else ()
    return [leaf for part in parts for leaf in leaves(part)]


@dataclass(frozen=True)
class Model:
    """The rules of one version."""

    version: "RuleVersion"
    rules: tuple[Points, ...]
    threshold: float
    hysteresis: float
    minimum_fit: float
    lowest: float
    highest: float
    catalog: Catalog

    @cached_property
    def criteria(self) -> dict[str, list[Points]]:
        """The rules by criterion, in their order."""
        found: dict[str, list[Points]] = {}
        for each in self.rules:
            found.setdefault(each.criterion, []).append(each)
        return found

    @cached_property
    def fit_criteria(self) -> list[str]:
        """The criteria of fit: what has to be known about a lead."""
        return [name for name, rules in self.criteria.items() if rules[0].dimension == FIT]

    @cached_property
    def kept(self) -> set[Kept]:
        """The sums it reads."""
        return {each.kept for each in self.rules if each.kept is not None}


def read_model(version: "RuleVersion", *, conditions: bool = True) -> Model:
    """Return the rules of a version.

    Args:
        version: of rules of scoring.
        conditions: whether leads are to be scored by it; without them it tells what stored scores are made of.

    Raises:
        InvalidInput: they can no longer be read.
    """
    catalog = catalog_of(Lead)
    settings = BODY.settings_of(version.body)
    on = [each for each in BODY.rules(version.body, catalog, conditions=conditions) if each.enabled]
    return Model(
        version=version,
        rules=tuple(_points(place, rule) for place, rule in enumerate(on, 1)),
        catalog=catalog,
        **{name: float(settings[name]) for name in ("threshold", "hysteresis", "minimum_fit", "lowest", "highest")},
    )


def _points(place: int, rule: Rule) -> Points:
    said: dict[str, Any] = rule.outcome
    return Points(
        place=place,
        rule=rule,
        criterion=said["criterion"],
        dimension=str(said["dimension"]),
        points=float(said["points"]),
        cap=float(said["cap"]),
        touch=said["touch"] or None,
        repeat=said["repeat"] or EVERY,
        decay=said["decay"] or NONE,
        days=int(said["days"] or 0),
        hand_raise=bool(said["hand_raise"]),
    )


def readable_model(version: "RuleVersion | None") -> Model | None:
    """Return the rules of a version, None where there is none or it can no longer be read."""
    try:
        return read_model(version) if version is not None else None
    except InvalidInput:
        return None


def model_in_force() -> Model | None:
    """Return the rules that score now, None where there are none.

    Rules that broke under them (they ask about a field that is gone) score nobody: what comes in is not lost for them,
    the scores stay as they are, and `keeping.score_due` says so.
    """
    return readable_model(active_version(DOCUMENT))
