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
from apps.leads.enums import HandoffState, RejectReason, Stage
from apps.leads.models import Handoff, Lead, LeadScore

if TYPE_CHECKING:
    from apps.accounts.models import User

ANSWER_WITHIN = dt.timedelta(days=2)
OFFERED, ANSWERED = "lead.offered", "lead.handoff_answered"


def refuse_offer(user: "User", lead: Lead) -> str | None:
    """Return why `user` cannot offer `lead` to sales now, None when it works."""
    if not access.may(user, "change", lead):
        return f"You may not change {lead}."
    if lead.is_archived:
        return f"{lead} is archived; restore it first."
    if lead.stage != Stage.MQL:
        return f"{lead} is at {Stage(lead.stage).label}; only an MQL is offered to sales."
    if lead.owner_person_id is None and lead.owner_team_id is None:
        return f"Nobody would get {lead}: give it an owner first."
    if Handoff.objects.filter(lead=lead, state=HandoffState.OFFERED).exists():
        return f"{lead} is offered to sales already."
    return None


def offer(lead: Lead, *, by: "User", note: str = "", at: dt.datetime | None = None) -> Handoff:
    """Offer `lead` to its owner, with a snapshot of what is known; announces `lead.offered`.

    Raises:
        NotAllowed, WrongState: as `refuse_offer` says.
    """
    now = at or clock.now()
    with transaction.atomic(), acting_as(by, reason=note or None):
        row: Lead = Lead.objects.select_for_update(of=("self",)).get(pk=lead.pk)
        if refused := refuse_offer(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        made = Handoff.objects.create(
            lead=row,
            number=Handoff.objects.filter(lead=row).count() + 1,
            to_person=row.owner_person,
            to_team=row.owner_team,
            offered_by=by,
            offered_at=now,
            due_at=now + ANSWER_WITHIN,
            note=note,
            snapshot=_snapshot(row),
        )
        people = [row.owner_person] if row.owner_person is not None else people_of(row.owner_team)
        title = f"{row} is offered to you; answer by {made.due_at:%-d %B, %H:%M} UTC."
        notify(people, OFFERED, title=title, body=note, subject=made, by=by)
        publish("lead.offered", handoff_id=made.pk)
    return made


def offer_by_button(lead: Lead, *, by: "User", note: str = "") -> str:
    """Offer a lead and say to whom."""
    made = offer(lead, by=by, note=note)
    return f"Offered to {made.to}; the answer is due on {made.due_at:%-d %B %Y, %H:%M} UTC."


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
    if not access.may(user, "change", handoff.lead):
        return f"You may not change {handoff.lead}."
    if handoff.state != HandoffState.OFFERED:
        return f"{handoff} is {handoff.get_state_display().lower()}."
    if handoff.offered_by_id == user.pk:
        return "Who offered a lead does not answer for sales as well."
    return None


def accept(handoff: Handoff, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Take the lead: it becomes an SQL; announces `lead.handoff_answered`.

    Raises:
        NotAllowed, WrongState, InvalidInput: as `refuse_answer` and `move_lead` say.
    """
    with transaction.atomic(), acting_as(by, reason=reason):
        row = _answered(handoff, HandoffState.ACCEPTED, by=by, answer=reason, at=at)
        return move_lead(row.lead, to=Stage.SQL, by=by, reason=reason)


def reject(handoff: Handoff, *, by: "User", rejection: str, reason: str, at: dt.datetime | None = None) -> str:
    """Give the lead back: it is recycled and can qualify again; announces `lead.handoff_answered`.

    Raises:
        NotAllowed, WrongState, InvalidInput: as `refuse_answer` and `move_lead` say.
    """
    if rejection not in RejectReason.values:
        raise InvalidInput("Choose why the lead goes back.", fields={"rejection": "Choose a reason."})
    with transaction.atomic(), acting_as(by, reason=reason):
        row = _answered(handoff, HandoffState.REJECTED, by=by, answer=reason, at=at, rejection=rejection)
        return move_lead(row.lead, to=Stage.RECYCLED, by=by, reason=f"{RejectReason(rejection).label}: {reason}")


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
