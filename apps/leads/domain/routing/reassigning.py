"""A lead is given to somebody else by hand, with a reason; and why it is where it is, in words."""

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.accounts.models import User
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.asking import once
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.notifications.domain.notifying import notify
from apps.core.rules.catalog import Catalog, catalog_of
from apps.core.rules.domain.queries import active_version
from apps.core.rules.domain.wording import in_words
from apps.core.words import reason_given
from apps.leads.domain import answer_clocks
from apps.leads.domain.routing.routing import GIVEN, route_leads
from apps.leads.enums import RoutedBy
from apps.leads.models import Lead, RoutingDecision, WaitingLead
from apps.leads.routing_rules import DOCUMENT

if TYPE_CHECKING:
    from apps.core.rules.models import RuleVersion

IN_FORCE = "routing rules in force"  # the question, for `asking_once`


@dataclass(frozen=True)
class Tried:
    """One rule that was asked about a lead."""

    number: int
    name: str
    words: str
    outcome: str
    matched: bool


@dataclass(frozen=True)
class Why:
    """Why a lead is with its owner: the decision, the rules tried and everybody considered."""

    decision: RoutingDecision
    sentence: str
    tried: list[Tried] = field(default_factory=list)
    candidates: list[dict[str, Any]] = field(default_factory=list)


def refuse_reassign(user: User, lead: Lead) -> str | None:
    """Return why `user` cannot give `lead` to somebody else, None when they can."""
    if not access.may(user, "change", lead):
        return f"You may not change {lead}."
    return f"{lead} is archived; restore it first." if lead.is_archived else None


def reassign(
    lead: Lead,
    *,
    person: User,
    reason: str,
    by: User,
) -> str:
    """Give a lead to `person`, who is told; the decision keeps why.

    Raises:
        NotAllowed, WrongState: as `refuse_reassign` says.
        InvalidInput: no reason, somebody who has left, or who has it already.
    """
    reason = reason_given(reason, "Say why somebody else takes the lead over.")
    if not person.is_active or person.is_system:
        raise InvalidInput(f"{person} cannot look after leads; choose somebody who is active.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row: Lead = Lead.objects.select_for_update(of=("self",)).get(pk=lead.pk)
        if refused := refuse_reassign(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        if row.owner_person_id == person.pk:
            raise InvalidInput(f"{person} looks after {row} already.")
        return give(row, person, reason=reason, by=by)


def give(
    lead: Lead,
    person: User,
    *,
    reason: str,
    by: User,
    at: dt.datetime | None = None,
    routed_by: RoutedBy = RoutedBy.HAND,
    dealt: tuple[int, int] | None = None,
) -> str:
    """Give a locked lead to `person` inside an operation that has asked who may; they are told, unless it is them.

    Args:
        lead: locked by the caller.
        person: who looks after it from now on.
        reason: stays with the decision.
        by: who acts.
        at: now, where another moment is meant.
        routed_by: what gave it.
        dealt: the pool and its turn, where one dealt it.
    """
    pool, turn = dealt or (None, None)
    before, lead.owner_person = lead.owner_person_id, person
    lead.save(update_fields=["owner_person"])
    WaitingLead.objects.filter(pk=lead.pk).delete()
    RoutingDecision.objects.create(
        lead=lead,
        routed_by=routed_by,
        pool_id=pool,
        turn=turn,
        from_person_id=before,
        to_person=person,
        to_team=lead.owner_team,
        reason=reason[:500],
        at=at or clock.now(),
    )
    answer_clocks.restart([lead.pk], at=at or clock.now(), by=by)
    if person != by:
        notify([person], GIVEN, title=f"{lead} is yours.", body=reason, subject=lead, by=by)
    return f"{person} looks after {lead} now."


def refuse_routing(user: User, lead: Lead) -> str | None:
    """Return why `user` cannot have the rules decide about `lead`, None when they can."""
    if refused := refuse_reassign(user, lead):
        return refused
    in_force = once(IN_FORCE, lambda: active_version(DOCUMENT) is not None)
    return None if in_force else "No rules of routing are in force; give it to somebody."


def route_again(lead: Lead, *, by: User, reason: str) -> str:
    """Let the rules in force decide about a lead anew.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as `refuse_routing` says, or another worker is routing it right now.
    """
    reason = reason_given(reason, "Say why it is routed again.")
    with transaction.atomic(), acting_as(by, reason=reason):
        if refused := refuse_routing(by, lead):
            raise (WrongState if access.may(by, "change", lead) else NotAllowed)(refused)
        if not route_leads([lead.pk], by=by):
            raise WrongState(f"{lead} is being changed by somebody else; try again in a moment.")
        why = why_routed(lead)
    return why.sentence if why is not None else ""


def why_routed(lead: Lead, *, decision: RoutingDecision | None = None) -> Why | None:
    """Return why a lead went to somebody, by the latest decision if none is given: rules tried, who was considered."""
    if decision is None:
        rows = lead.routings.select_related("batch__version__document", "pool", "to_person", "to_team", "from_person")
        decision = rows.first()
    if decision is None:
        return None
    tried = _tried(decision) if decision.batch is not None else []
    pools: dict[str, Any] = decision.batch.facts.get("pools", {}) if decision.batch is not None else {}
    considered = pools.get(str(decision.pool_id), {}).get("candidates", [])
    return Why(decision, sentence_of(decision, tried), tried, considered)


def sentence_of(decision: RoutingDecision, tried: list[Tried]) -> str:
    """Return a decision as a sentence."""
    to = str(decision.to_person or decision.to_team)
    if decision.routed_by in (RoutedBy.HAND, RoutedBy.SLA):
        how = "by hand" if decision.routed_by == RoutedBy.HAND else "because nobody answered in time"
        return f"Given to {to} {how}: {decision.reason}"
    rule = next((each for each in tried if each.matched), None)
    named = f"Rule {rule.number}, {rule.name}" if rule is not None else "A rule"
    if decision.routed_by == RoutedBy.FALLBACK:
        return f"No rule takes it, so it is in the fallback queue of {to}."
    if decision.routed_by == RoutedBy.WAITING:
        return f"{named}, gives it to {decision.pool}, where nobody is free; until then {to} looks after it."
    if decision.pool is not None:
        return f"{named}, gives it to {decision.pool}; it was the turn of {to}."
    return f"{named}, gives it to {to}."


def _tried(decision: RoutingDecision) -> list[Tried]:
    """Return the rules in their order up to the one that took the lead; all of them where none did."""
    batch = decision.batch
    assert batch is not None  # noqa: S101  # for the type checker: asked before
    left_out = batch.facts.get("left_out", {})
    return [
        each
        if (why := left_out.get(str(each.number))) is None
        else Tried(each.number, each.name, each.words, why, False)
        for each in _rules_said(batch.version, decision.rule_number)
    ]


def _rules_said(version: "RuleVersion", matched: int) -> list[Tried]:
    catalog = catalog_of(Lead)
    rows = list(enumerate(version.body["rules"], 1))
    last = matched or len(rows)
    return [
        Tried(
            number,
            str(row["name"]),
            _words(row["predicate"], catalog),
            "takes it" if number == matched else "does not fit",
            number == matched,
        )
        for number, row in rows[:last]
    ]


def _words(predicate: Any, catalog: Catalog) -> str:
    try:
        return in_words(predicate, catalog)
    except InvalidInput as refusal:  # a field it names is gone since then
        return f"cannot be read any more: {refusal.message}"
