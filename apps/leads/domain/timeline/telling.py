"""The sentences of a lead's story, made from the facts that stand in its tables."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.core.clocks.registry import known_metric
from apps.core.money import money
from apps.leads.enums import (
    ConsentPurpose,
    ContactKind,
    HandoffKind,
    HandoffState,
    IntakeState,
    OpportunityStage,
    PairState,
    RejectReason,
    RoutedBy,
    Stage,
    TouchType,
)

WHOLE = 100  # per cent of the time of a clock


@dataclass(frozen=True)
class Said:
    """What is said of one event.

    Attributes:
        said: what happened, in a few words.
        why: the reason, or more about it.
        who: who did it, "" where it was the lead or mops itself.
        tone: good, warn, bad or "".
    """

    said: str
    why: str = ""
    who: str = ""
    tone: str = ""


Facts = Sequence[Any]


@dataclass(frozen=True)
class Names:
    """What the reader sees of what events name: leads, campaigns and versions of content, by their keys."""

    leads: Mapping[int, str]
    campaigns: Mapping[int, str]
    content: Mapping[int, str]


def _touch(facts: Facts, names: Names) -> Said:
    kind, value, campaign, machine, content = facts
    what = f"{TouchType(kind).label}: {value}" if value else TouchType(kind).label
    if machine:
        return Said(what, f"by a machine, counts nothing: {machine}", tone="warn")
    by = (("Campaign", names.campaigns.get(campaign)), ("Content", names.content.get(content)))
    told = " · ".join(f"{title}: {name}" for title, name in by if name)
    return Said(what, told, tone="bad" if kind == TouchType.UNSUBSCRIBE else "")


def _intake(facts: Facts, names: Names) -> Said:
    state, source = facts
    return Said(f"Came in: {source}", "was known already" if state == IntakeState.DUPLICATE else "")


def _rescored(facts: Facts, names: Names) -> Said:
    before, after, was_ready, is_ready, version, _ = facts
    moved = f"Score {_figure(before)} → {_figure(after)}" if before is not None else f"Score {_figure(after)}"
    why = f"version {version} of the rules came into force"
    if was_ready == is_ready:
        return Said(moved, why)
    return Said(f"{moved}, {'ready for sales' if is_ready else 'no longer ready'}", why, tone=_tone(is_ready))


def _override(facts: Facts, names: Names) -> Said:
    value, reason, who, until = facts
    return Said(f"Score set to {_figure(value)} by hand until {_day(until)}", reason, who or "")


def _stage(facts: Facts, names: Names) -> Said:
    stage, reason, actor = facts
    good = (Stage.MQL, Stage.SQL, Stage.CUSTOMER, Stage.ADVOCATE)
    bad = (Stage.DISQUALIFIED, Stage.FORMER_CUSTOMER)
    tone = "good" if stage in good else "bad" if stage in bad else ""
    return Said(f"Stage: {Stage(stage).label}", reason, actor, tone)


def _routed(facts: Facts, names: Names) -> Said:
    by, reason, to, rule, pool, before = facts
    if by in (RoutedBy.HAND, RoutedBy.SLA):
        why = reason if by == RoutedBy.HAND else f"nobody answered in time: {reason}"
    elif by == RoutedBy.FALLBACK:
        why = "no rule takes it, so it waits in the fallback queue"
    elif by == RoutedBy.WAITING:
        why = f"rule {rule}, but nobody of {pool} is free; it waits"
    else:
        why = f"rule {rule}, their turn in {pool}" if pool else f"rule {rule}"
    return Said(f"{to} looks after it", f"{why} · before: {before}" if before and before != to else why)


def _offered(facts: Facts, names: Names) -> Said:
    kind, number, note, to, who = facts
    again = f", offer {number}" if number > 1 else ""
    return Said(f"Offered to {to} ({HandoffKind(kind).label.lower()}{again})", note, who or "")


def _answered(facts: Facts, names: Names) -> Said:
    kind, _, state, rejection, answer, who = facts
    words = {HandoffState.ACCEPTED: "Taken", HandoffState.REJECTED: "Given back", HandoffState.EXPIRED: "Not answered"}
    why = " · ".join(part for part in (RejectReason(rejection).label if rejection else "", answer) if part)
    said = f"{words.get(HandoffState(state), HandoffState(state).label)} ({HandoffKind(kind).label.lower()})"
    return Said(said, why, who or "", "good" if state == HandoffState.ACCEPTED else "bad")


def _contact(facts: Facts, names: Names) -> Said:
    kind, note, who = facts
    return Said(f"Contact: {ContactKind(kind).label.lower()}", note, who or "", "good")


def _deal(facts: Facts, names: Names) -> Said:
    name, amount, currency = facts
    return Said(f"Opportunity opened: {name}", money(float(amount), currency))


def _closed(facts: Facts, names: Names) -> Said:
    name, stage, outcome = facts
    won = stage == OpportunityStage.WON
    return Said(f"Opportunity {OpportunityStage(stage).label.lower()}: {name}", outcome, tone="good" if won else "bad")


def _late(facts: Facts, names: Names) -> Said:
    metric, rung = facts
    late = rung >= WHOLE
    said = f"{_metric(metric)}: {'late' if late else 'at risk'}"
    return Said(said, f"{rung} % of its time", tone="bad" if late else "warn")


def _stopped(facts: Facts, names: Names) -> Said:
    metric, state, who = facts
    met = state == "met"
    return Said(f"{_metric(metric)}: {'answered in time' if met else 'answered late'}", "", who, _tone(met))


def _consent(facts: Facts, names: Names) -> Said:
    purpose, given, evidence, source = facts
    words = "agreed" if given else "took it back"
    return Said(f"{ConsentPurpose(purpose).label}: {words}", f"{evidence} · {source}", tone=_tone(given))


def _apart(names: Names, lead: int, besides: int) -> str:
    """Return a lead's name, with its number where the other one is called alike."""
    name, other = names.leads[lead], names.leads[besides]
    return f"{name} (no. {lead})" if name.casefold() == other.casefold() else name


def _merged(facts: Facts, names: Names) -> Said:
    survivor, loser, reason, who = facts
    return Said(f"{_apart(names, loser, survivor)} was merged into {_apart(names, survivor, loser)}", reason, who or "")


def _undone(facts: Facts, names: Names) -> Said:
    survivor, loser, reason, who = facts
    return Said(
        f"Parted again: {_apart(names, loser, survivor)} from {_apart(names, survivor, loser)}", reason, who or ""
    )


def _pair(facts: Facts, names: Names) -> Said:
    one, two, state, answer = facts
    return Said(
        f"{_apart(names, one, two)} and {_apart(names, two, one)} look alike",
        answer or PairState(state).label.lower(),
        tone="warn" if state == PairState.OPEN else "",
    )


TOLD: Mapping[str, Callable[[Facts, Names], Said]] = {
    "touch": _touch,
    "intake": _intake,
    "rescored": _rescored,
    "override": _override,
    "stage": _stage,
    "routed": _routed,
    "offered": _offered,
    "answered": _answered,
    "contact": _contact,
    "deal": _deal,
    "closed": _closed,
    "late": _late,
    "stopped": _stopped,
    "consent": _consent,
    "merged": _merged,
    "undone": _undone,
    "pair": _pair,
}


def leads_named(what: str, facts: Facts) -> tuple[int, ...]:
    """Return the leads that an event names."""
    return (int(facts[0]), int(facts[1])) if what in ("merged", "undone", "pair") else ()


def campaign_named(what: str, facts: Facts) -> tuple[int, ...]:
    """Return the campaign that an event names."""
    return (int(facts[2]),) if what == "touch" and facts[2] else ()


def content_named(what: str, facts: Facts) -> tuple[int, ...]:
    """Return the version of content that an event names."""
    return (int(facts[4]),) if what == "touch" and facts[4] else ()


def _figure(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _day(text: str) -> str:
    return f"{dt.date.fromisoformat(text):%-d %b %Y}"


def _tone(good: bool) -> str:
    return "good" if good else "bad"


def _metric(key: str) -> str:
    return known_metric(key).title
