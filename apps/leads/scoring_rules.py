"""The kind of rules that scores leads: what each rule says, what must be right, and what a first draft starts from.

Rules of one criterion share a cap: what they give together counts up to it ("raw 42, counted 15").
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from apps.accounts.models import User
from apps.core.rules.bodies import OutcomeField, RuleListBody, same_names
from apps.core.rules.catalog import catalog_of
from apps.core.rules.domain.reasoning import always_holds, can_hold
from apps.core.rules.domain.tree import Problem
from apps.core.rules.field_types import Boolean, Choice, Reference, Text
from apps.core.rules.ordered_types import Number
from apps.leads.enums import TouchType
from apps.leads.models import Lead

KIND, DOCUMENT = "leads.scoring", "lead-scoring"
EVERY, DAILY, ONCE = "every", "daily", "once"
NONE, HALF_LIFE, LINEAR, WINDOW = "none", "half_life", "linear", "window"
FIT, BEHAVIOUR, ENGAGEMENT, NEGATIVE = "fit", "behaviour", "engagement", "negative"
DIMENSIONS = (
    (FIT, "Fit"),
    (BEHAVIOUR, "Behaviour"),
    (ENGAGEMENT, "Engagement"),
    (NEGATIVE, "Negative"),
)
REPEATS = ((EVERY, "every time"), (DAILY, "once a day"), (ONCE, "once, the last time"))
DECAYS = (
    (NONE, "never"),
    (HALF_LIFE, "halves every … days"),
    (LINEAR, "linearly over … days"),
    (WINDOW, "counts for … days, then not at all"),
)
MOST_DAYS, MOST_CAP = 3650, 1_000_000


def check(body: Any) -> list[Problem]:
    """Return what is wrong with rules whose parts are right."""
    found: list[Problem] = []
    catalog = catalog_of(Lead)
    criteria: dict[str, tuple[Any, Any]] = {}
    for place, (row, rule) in enumerate(zip(body["rules"], BODY.rules(body, catalog), strict=True)):
        at = ("rules", place)
        found += [Problem((*at, "outcome", name), sentence) for name, sentence in _wrong(rule.outcome)]
        if rule.outcome["touch"] is None and (row.get("predicate") in ({"all": []}, {}) or always_holds(rule.tree)):
            found.append(
                Problem(
                    (*at, "predicate"), f"“{rule.name}” fits every lead; give it a condition, or say what it counts."
                )
            )
        if not can_hold(rule.tree):
            found.append(Problem((*at, "predicate"), f"“{rule.name}” can never match: it contradicts itself."))
        known = criteria.setdefault(rule.outcome["criterion"], (rule.outcome["cap"], rule.outcome["dimension"]))
        if known != (rule.outcome["cap"], rule.outcome["dimension"]):
            found.append(
                Problem(
                    (*at, "outcome", "cap"),
                    f"Rules of the criterion {rule.outcome['criterion']} share one cap and one dimension; another rule "
                    f"of it says {known[0]:g}.",
                )
            )
    return found + _wrong_settings(BODY.settings_of(body))


def _wrong(outcome: Mapping[str, Any]) -> list[tuple[str, str]]:
    points, cap, days = outcome["points"], outcome["cap"], outcome["days"]
    fades, negative = outcome["decay"] not in (None, NONE), outcome["dimension"] == NEGATIVE
    tests = (
        (points == 0, "points", "A rule that gives no points decides nothing."),
        ((points < 0) != negative, "points", "Negative rules take points away, all others give them."),
        (cap == 0 or (cap < 0) != (points < 0), "cap", "The cap has the sign of the points: 15, or -50."),
        (fades and outcome["touch"] is None, "decay", "Only what a lead did can fade; say what is counted."),
        (fades and not (days and 0 < days <= MOST_DAYS), "days", f"Say over how many days, 1 to {MOST_DAYS:,}."),
        (bool(days) and days != int(days), "days", "Days are whole days."),
        (not fades and bool(days), "days", "Days belong to points that fade; choose how, or leave the days empty."),
        (
            outcome["touch"] is None and outcome["repeat"] not in (None, EVERY),
            "repeat",
            "Only what a lead did can repeat; say what is counted.",
        ),
    )
    return [(name, sentence) for wrong, name, sentence in tests if wrong]


def _wrong_settings(given: Mapping[str, Any]) -> list[Problem]:
    tests = (
        (given["lowest"] >= given["highest"], "highest", "The range ends above where it begins."),
        (
            not given["lowest"] < given["threshold"] <= given["highest"],
            "threshold",
            "The threshold lies within the range; otherwise every lead is ready, or none ever.",
        ),
        (given["hysteresis"] < 0, "hysteresis", "How far the score may fall back is 0 or more."),
    )
    return [Problem(("settings", name), sentence) for wrong, name, sentence in tests if wrong]


def objects(body: Any) -> list[Problem]:
    """Return what no new version may have: rules of one name, points beyond the range, a fit that nobody reaches."""
    given, found = BODY.settings_of(body), same_names(body)
    lowest, highest = given["lowest"], given["highest"]
    reached: dict[str, float] = {}
    for place, rule in enumerate(BODY.rules(body, catalog_of(Lead))):
        said = rule.outcome
        if rule.enabled and said["dimension"] == FIT:
            reached[said["criterion"]] = said["cap"]
        if not lowest <= said["points"] <= highest:
            sentence = f"“{rule.name}”: {said['points']:,f} points lie outside the range, {lowest:g} to {highest:g}."
            found.append(Problem(("rules", place, "outcome", "points"), sentence))
        if abs(said["cap"]) > MOST_CAP:
            sentence = f"“{rule.name}”: a cap has {MOST_CAP:,} points at most."
            found.append(Problem(("rules", place, "outcome", "cap"), sentence))
    if given["minimum_fit"] > (most := sum(reached.values())):
        sentence = f"The rules of fit give {most:g} points at most, so nobody would ever have the fit needed; ask less."
        found.append(Problem(("settings", "minimum_fit"), sentence))
    return found


class ScoringBody(RuleListBody):
    """Rules of points with their threshold; a first draft starts from the point model below."""

    def start(self) -> dict[str, Any]:
        """Return the point model that everything starts with."""
        body: dict[str, Any] = self.tidy(deepcopy({"rules": list(FIRST_RULES), "settings": FIRST_SETTINGS}))
        return body


BODY = ScoringBody(
    Lead,
    outcomes=(
        OutcomeField("criterion", "Criterion", Text(), help="Rules of one criterion share a cap."),
        OutcomeField("dimension", "Dimension", Choice(list(DIMENSIONS))),
        OutcomeField("points", "Points", Number(), help="Each time; below zero for negative rules."),
        OutcomeField("cap", "Cap of the criterion", Number(), help="The most that its rules give together."),
        OutcomeField(
            "touch", "Counts", Choice(list(TouchType.choices)), required=False, help="Empty: the condition alone."
        ),
        OutcomeField("repeat", "Counts it", Choice(list(REPEATS)), required=False, help="Empty: every time."),
        OutcomeField("decay", "Fades", Choice(list(DECAYS)), required=False, help="Empty: never."),
        OutcomeField("days", "Days", Number(whole=True), required=False, completes="decay"),
        OutcomeField("hand_raise", "Ready at once", Boolean(), required=False, help="Whatever the score is."),
        OutcomeField(
            "owner", "Owner", Reference(User, rows=User.objects.working), required=False, help="Answers for this rule."
        ),
    ),
    settings=(
        OutcomeField("threshold", "Ready for sales from", Number(), help="Points."),
        OutcomeField("hysteresis", "Stays ready until it falls by", Number(), help="Points below the threshold."),
        OutcomeField("minimum_fit", "Fit needed", Number(), help="Points of fit, however much a lead did."),
        OutcomeField("lowest", "Lowest score", Number()),
        OutcomeField("highest", "Highest score", Number()),
    ),
    first_wins=False,
    check=check,
    objects=objects,
    group_by="dimension",
)


def _rule(name: str, criterion: str, dimension: str, points: int, cap: int, predicate: Any, **more: Any) -> Any:
    outcome = {"criterion": criterion, "dimension": dimension, "points": points, "cap": cap, **more}
    return {"name": name, "predicate": predicate, "outcome": outcome, "enabled": True, "reason": ""}


def _field(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


def _any(field: str, *words: str) -> dict[str, Any]:
    return {"any": [_field(field, "contains", word) for word in words]}


_CHIEF = _any("job_title", "chief", "ceo", "cmo", "cto", "cfo", "vice president", "vp ", "president", "founder")
_HEAD = _any("job_title", "director", "head of")
_MANAGER = _any("job_title", "manager", "lead ")
_TITLE, _SIZE, _TRADE = "Job title", "Company size", "Industry"
_TRADES = ["Software", "Insurance", "Pharma", "Energy", "Logistics"]
_EMPLOYEES = "employees"
_ALL: dict[str, Any] = {"all": []}
FIRST_SETTINGS = {"threshold": 60, "hysteresis": 10, "minimum_fit": 20, "lowest": -85, "highest": 170}
FIRST_RULES = (
    _rule("Top management", _TITLE, FIT, 25, 25, _CHIEF),
    _rule("Head of something", _TITLE, FIT, 20, 25, {"all": [_HEAD, {"not": _CHIEF}]}),
    _rule("Manager", _TITLE, FIT, 12, 25, {"all": [_MANAGER, {"not": _CHIEF}, {"not": _HEAD}]}),
    _rule("1,000 people and more", _SIZE, FIT, 20, 20, _field(_EMPLOYEES, "gte", 1000)),
    _rule("200 to 999 people", _SIZE, FIT, 15, 20, _field(_EMPLOYEES, "between", [200, 999])),
    _rule("50 to 199 people", _SIZE, FIT, 10, 20, _field(_EMPLOYEES, "between", [50, 199])),
    _rule("Industries we serve best", _TRADE, FIT, 15, 15, _field("industry", "in", _TRADES)),
    _rule("Website visits", "Website visits", BEHAVIOUR, 1, 10, _ALL, touch="visit"),
    _rule("Downloads", "Content downloads", BEHAVIOUR, 5, 15, _ALL, touch="download"),
    _rule("E-mails", "E-mail engagement", BEHAVIOUR, 2, 10, _ALL, touch="email"),
    _rule("Webinars", "Webinar attendance", ENGAGEMENT, 10, 20, _ALL, touch="webinar"),
    _rule("Demo", "Demo requests", ENGAGEMENT, 30, 30, _ALL, touch="demo", repeat=ONCE, hand_raise=True),
    _rule("Trial", "Trial usage", ENGAGEMENT, 25, 25, _ALL, touch="trial", repeat=ONCE),
    _rule("Competitor", "Competitor", NEGATIVE, -50, -50, _field("competitor", "eq", True)),
    _rule(
        "Student address",
        "Student e-mail",
        NEGATIVE,
        -25,
        -25,
        {"any": [_field("email", "ends_with", ".edu"), _any("email", ".ac.", "student")]},
    ),
    _rule("Unsubscribed", "Unsubscribed", NEGATIVE, -10, -10, _ALL, touch="unsubscribe", repeat=ONCE),
)
