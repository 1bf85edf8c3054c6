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
from apps.leads.domain.lifecycle import move_lead
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
        return f"{lead} is at {Stage(lead.stage).label}; {words}."
    if kind == HandoffKind.SALES and lead.owner_person_id is None and lead.owner_team_id is None:
        return f"Nobody would get {lead}: give it an owner first."
    if Handoff.objects.filter(lead=lead, kind=kind, state=HandoffState.OFFERED).exists():
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
    """
    now = at or clock.now()
    with transaction.atomic(), acting_as(by, reason=note or None):
        row: Lead = Lead.objects.select_for_update(of=("self",)).get(pk=lead.pk)
        if refused := refuse_offer(by, row, kind=kind):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
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
        }
    return known


def refuse_answer(user: "User", handoff: Handoff) -> str | None:
    """Return why `user` cannot answer `handoff` now, None when it works."""
    if not access.may(user, "change", handoff.lead) and handoff.to_person_id != user.pk:
        return f"You may not change {handoff.lead}."
    if handoff.state != HandoffState.OFFERED:
        return f"{handoff} is {handoff.get_state_display().lower()}."
    if handoff.offered_by_id == user.pk:
        return "Who offered a lead does not answer for sales as well."
    return None


def accept(handoff: Handoff, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Take the lead: an MQL becomes an SQL; announces `lead.handoff_answered`.

    Raises:
        NotAllowed, WrongState, InvalidInput: as `refuse_answer` and `move_lead` say.
    """
    with transaction.atomic(), acting_as(by, reason=reason):
        row = _answered(handoff, HandoffState.ACCEPTED, by=by, answer=reason, at=at)
        return _taken(row, by=by, reason=reason)


def reject(handoff: Handoff, *, by: "User", rejection: str, reason: str, at: dt.datetime | None = None) -> str:
    """Give the lead back: it is recycled and can qualify again; announces `lead.handoff_answered`.

    Raises:
        NotAllowed, WrongState, InvalidInput: as `refuse_answer` and `move_lead` say.
    """
    if rejection not in RejectReason.values:
        raise InvalidInput("Choose why the lead goes back.", fields={"rejection": "Choose a reason."})
    with transaction.atomic(), acting_as(by, reason=reason):
        row = _answered(handoff, HandoffState.REJECTED, by=by, answer=reason, at=at, rejection=rejection)
        if row.kind != HandoffKind.SALES:
            return f"{row.lead} stays with {row.lead.owner or 'nobody'}."
        return move_lead(row.lead, to=Stage.RECYCLED, by=by, reason=f"{RejectReason(rejection).label}: {reason}")


def _taken(row: Handoff, *, by: "User", reason: str) -> str:
    """Do what taking a lead over means: SQL, a new owner at customer success, an advocate; expansion opens deals."""
    if row.kind == HandoffKind.SALES:
        return move_lead(row.lead, to=Stage.SQL, by=by, reason=reason)
    lead = row.lead
    if row.kind == HandoffKind.REFERENCE and lead.stage == Stage.CUSTOMER:
        return move_lead(lead, to=Stage.ADVOCATE, by=by, reason=reason)
    if row.kind == HandoffKind.SUCCESS and lead.owner_person_id != by.pk:
        lead.owner_person = by
        lead.save(update_fields=["owner_person"])
        return f"{by} looks after {lead} now."
    return f"{lead} is taken on; open an opportunity for what it may buy."


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


def _answered(handoff: Handoff, state: HandoffState, *, by: "User", at: dt.datetime | None, **more: str) -> Handoff:
    row: Handoff = Handoff.objects.select_for_update(of=("self",)).select_related("lead").get(pk=handoff.pk)
    if refused := refuse_answer(by, row):
        raise (WrongState if access.may(by, "change", row.lead) else NotAllowed)(refused)
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
