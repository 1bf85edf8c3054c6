"""Handoff to sales: offered, taken, given back with a reason, or expired, and offered again."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as, system_principal
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.notifications.domain.audiences import people_of
from apps.core.notifications.domain.notifying import notify
from apps.core.transitions import transition
from apps.core.words import reason_given
from apps.leads.domain.lifecycle import is_offered, step
from apps.leads.domain.routing.reassigning import give
from apps.leads.domain.scoring.explaining import explain
from apps.leads.enums import HandoffKind, HandoffState, RejectReason, Stage
from apps.leads.models import Handoff, Lead, LeadScore

if TYPE_CHECKING:
    from apps.accounts.models import User

ANSWER_WITHIN = dt.timedelta(days=2)
CUSTOMERS = (Stage.CUSTOMER, Stage.ADVOCATE)
# From which stages each kind is offered, and what a lead must be in words.
OFFERED_AT: dict[HandoffKind, tuple[tuple[Stage, ...], str]] = {
    HandoffKind.SALES: ((Stage.MQL,), "only an MQL is offered to sales"),
    HandoffKind.SUCCESS: (CUSTOMERS, "only customers are handed to customer success"),
    HandoffKind.EXPANSION: (CUSTOMERS, "only customers are offered for expansion"),
    HandoffKind.REFERENCE: ((Stage.CUSTOMER,), "only customers are asked for a reference"),
}
OFFERED, ANSWERED = "lead.offered", "lead.handoff_answered"


def refuse_offer(user: "User", lead: Lead, *, kind: HandoffKind = HandoffKind.SALES) -> str | None:
    """Return why `user` cannot hand `lead` over now, None when it works."""
    if not access.may(user, "change", lead):
        return f"You may not change {lead}."
    if lead.is_archived:
        return f"{lead} is archived; restore it first."
    stages, words = OFFERED_AT[kind]
    if lead.stage not in stages:
        return f"{lead} is at the stage “{Stage(lead.stage).label}”; {words}."
    if kind == HandoffKind.SALES and lead.owner_person_id is None and lead.owner_team_id is None:
        return f"Nobody would get {lead}: give it an owner first."
    if is_offered(lead, kind):
        return f"{lead} is offered to {HandoffKind(kind).label.lower()} already."
    return None


def offer(
    lead: Lead,
    *,
    by: "User",
    note: str = "",
    at: dt.datetime | None = None,
    kind: HandoffKind = HandoffKind.SALES,
    to: "User | None" = None,
) -> Handoff:
    """Offer `lead` to sales (its owner) or to the person `to`, with what is known; announces `lead.offered`.

    Raises:
        NotAllowed, WrongState: as `refuse_offer` says.
        InvalidInput: `to` has left, or works in other territories.
    """
    now = at or clock.now()
    with transaction.atomic(), acting_as(by, reason=note or None):
        row: Lead = Lead.objects.select_for_update(of=("self",)).get(pk=lead.pk)
        if refused := refuse_offer(by, row, kind=kind):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        if to is not None and (refused := _cannot_take(to, row)):
            raise InvalidInput(refused, fields={"to": refused})
        made = Handoff.objects.create(
            lead=row,
            kind=kind,
            number=Handoff.objects.filter(lead=row).count() + 1,
            to_person=to or row.owner_person,
            to_team=None if to is not None else row.owner_team,
            offered_by=by,
            offered_at=now,
            due_at=now + ANSWER_WITHIN,
            note=note,
            snapshot=_snapshot(row),
        )
        people = [made.to_person] if made.to_person is not None else people_of(row.owner_team)
        title = f"{row} is offered to you; answer by {made.due_at:%-d %B, %H:%M} UTC."
        notify(people, OFFERED, title=title, body=note, subject=made, by=by)
        publish("lead.offered", handoff_id=made.pk)
    return made


def _cannot_take(person: "User", lead: Lead) -> str | None:
    """Return why somebody cannot be handed a lead, None when they can."""
    if not person.is_active or person.is_system:
        return f"{person} cannot look after leads; choose somebody who is active."
    if not access.has_model_permission(person, "change", Lead):
        return f"{person} has no role that works with leads; choose somebody of sales or operations."
    limit = access.limit_of(person, "view", Lead)
    if limit is not None and not Lead.objects.filter(access.within(Lead, limit), pk=lead.pk).exists():
        return f"{person} works in {limit.words} alone, and {lead} is in {lead.territory or 'no territory'}."
    return None


def offer_by_button(lead: Lead, *, by: "User", note: str = "") -> str:
    """Offer a lead and say to whom."""
    made = offer(lead, by=by, note=note)
    return f"Offered to {made.to}; the answer is due on {made.due_at:%-d %B %Y, %H:%M} UTC."


def hand_on(lead: Lead, *, to: "User", by: "User", kind: HandoffKind, note: str = "") -> str:
    """Hand a customer to customer success, for expansion or for a reference, and say to whom."""
    made = offer(lead, by=by, note=note, kind=kind, to=to)
    return f"Handed to {made.to}; the answer is due on {made.due_at:%-d %B %Y, %H:%M} UTC."


def _snapshot(lead: Lead) -> dict[str, Any]:
    """Return what is known about a lead now, without what names the person."""
    known: dict[str, Any] = {"stage": lead.stage, "source": lead.source, "territory": lead.territory}
    score = LeadScore.objects.select_related("version__document").filter(lead=lead).first()
    if score is not None:
        found = explain(score)
        known |= {
            "score": score.final,
            "rules": str(score.version),
            "standing": found.standing,
            "coverage": found.coverage,
            "criteria": {each.name: each.sentence for each in found.criteria if each.counted},
            "rules_that_gave": [part.name for each in found.criteria for part in each.parts if part.points > 0],
        }
    return known


def refuse_answer(user: "User", handoff: Handoff) -> str | None:
    """Return why `user` cannot answer `handoff` now, None when it works."""
    if not access.may(user, "change", handoff.lead) and not _asks(handoff, user):
        return f"You may not change {handoff.lead}."
    if handoff.state != HandoffState.OFFERED:
        return f"{handoff} is {handoff.get_state_display().lower()}."
    if handoff.offered_by_id == user.pk:
        return "Who offered a lead does not answer for sales as well."
    return None


def _asks(handoff: Handoff, user: "User") -> bool:
    """Whether a handoff asks `user`: by name, or the team they are in where it names nobody."""
    if not access.has_model_permission(user, "change", Lead):
        return False
    if handoff.to_person_id is not None:
        return handoff.to_person_id == user.pk
    return user.memberships.filter(archived_at__isnull=True, team=handoff.to_team_id).exists()


def accept(handoff: Handoff, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Take the lead: an MQL becomes an SQL; announces `lead.handoff_answered`.

    Raises:
        NotAllowed, WrongState: as `refuse_answer` and the lifecycle say.
        InvalidInput: no reason is given.
    """
    reason = reason_given(reason, "Say what you found; it stays with the lead.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row = _answered(handoff, HandoffState.ACCEPTED, by=by, answer=reason, at=at)
        return _taken(row, by=by, reason=reason)


def reject(handoff: Handoff, *, by: "User", rejection: str, reason: str, at: dt.datetime | None = None) -> str:
    """Give the lead back: it is recycled and can qualify again; announces `lead.handoff_answered`.

    Raises:
        NotAllowed, WrongState: as `refuse_answer` and the lifecycle say.
        InvalidInput: no reason is given.
    """
    reason = reason_given(reason, "Say what you found; it stays with the lead.")
    if rejection not in RejectReason.values:
        raise InvalidInput("Choose why the lead goes back.", fields={"rejection": "Choose a reason."})
    with transaction.atomic(), acting_as(by, reason=f"{RejectReason(rejection).label}: {reason}"):
        row = _answered(handoff, HandoffState.REJECTED, by=by, answer=reason, at=at, rejection=rejection)
        if row.kind != HandoffKind.SALES:
            return f"{row.lead} stays with {row.lead.owner or 'nobody'}."
        return step(_lead_of(row), to=Stage.RECYCLED, by=by)


def _taken(row: Handoff, *, by: "User", reason: str) -> str:
    """Do what taking a lead over means: SQL, a new owner at customer success, an advocate; expansion opens deals.

    Who was asked may do that to this lead, whether or not they could change it before.
    """
    lead = _lead_of(row)
    if row.kind == HandoffKind.SALES:
        return step(lead, to=Stage.SQL, by=by)
    if row.kind == HandoffKind.REFERENCE and lead.stage == Stage.CUSTOMER:
        return step(lead, to=Stage.ADVOCATE, by=by)
    needs = row.kind == HandoffKind.SUCCESS or not access.may(by, "change", lead)
    if row.kind != HandoffKind.REFERENCE and needs and lead.owner_person_id != by.pk:
        return give(lead, by, reason=f"{HandoffKind(row.kind).label}: {reason}", by=by)
    if row.kind == HandoffKind.EXPANSION:
        return f"{lead} is taken on; open an opportunity for what it may buy."
    return f"{lead} is taken on."


def _lead_of(row: Handoff) -> Lead:
    lead: Lead = Lead.objects.select_for_update(of=("self",)).get(pk=row.lead_id)
    return lead


def expire_due(*, at: dt.datetime | None = None) -> int:
    """End the offers nobody answered in time; their leads stay MQL and can be offered again."""
    now, ended = at or clock.now(), 0
    due = Handoff.objects.filter(state=HandoffState.OFFERED, due_at__lte=now).values_list("pk", flat=True)
    for key in list(due.order_by("due_at")):
        with transaction.atomic(), acting_as(system_principal(), reason="Nobody answered in time"):
            rows = Handoff.objects.select_for_update(of=("self",), skip_locked=True).select_related("lead")
            row = rows.filter(pk=key, state=HandoffState.OFFERED).first()
            if row is not None:
                _close(row, HandoffState.EXPIRED, by=system_principal(), answer="Nobody answered in time.", now=now)
                ended += 1
    return ended


def withdraw(lead: Lead, *, by: "User", answer: str) -> int:
    """End the open offers of a lead inside an operation that takes it away; who was asked is told. Returns how many."""
    rows = Handoff.objects.select_for_update(of=("self",)).filter(lead=lead, state=HandoffState.OFFERED)
    found = list(rows.select_related("lead", "offered_by", "to_person", "to_team"))
    for row in found:
        _close(row, HandoffState.WITHDRAWN, by=by, answer=answer, now=clock.now())
        people = [row.to_person] if row.to_person is not None else people_of(row.to_team)
        title = f"{lead} is not offered to you any more."
        notify([each for each in people if each != by], OFFERED, title=title, body=answer, subject=row, by=by)
    return len(found)


def _answered(handoff: Handoff, state: HandoffState, *, by: "User", at: dt.datetime | None, **more: str) -> Handoff:
    row: Handoff = Handoff.objects.select_for_update(of=("self",)).select_related("lead").get(pk=handoff.pk)
    if refused := refuse_answer(by, row):
        may = access.may(by, "change", row.lead) or _asks(row, by)
        raise (WrongState if may else NotAllowed)(refused)
    _close(row, state, by=by, now=at or clock.now(), **more)
    return row


def _close(
    row: Handoff, state: HandoffState, *, by: "User", now: dt.datetime, answer: str, rejection: str = ""
) -> None:
    row.state, row.decided_by, row.decided_at = state, by, now
    row.answer, row.rejection = answer[:500], rejection
    with transition(Handoff):
        row.save(update_fields=["state", "decided_by", "decided_at", "answer", "rejection"])
    notify(
        [row.offered_by],
        ANSWERED,
        title=f"{row.lead}: {HandoffState(state).label.lower()}.",
        body=answer,
        subject=row,
        by=by,
    )
    publish("lead.handoff_answered", handoff_id=row.pk)
