"""How soon sales answers: told before and after the time is over, with nobody touching the lead; contacts stop it.

Speed to lead counts from capture to the first contact, the other clock from the assignment to a person to their first
contact. Both count working time by the SLA in force that holds for the lead (`sla_choice`).
"""

import datetime as dt

from django.db import transaction

from apps.accounts.models import User
from apps.core import access, clock
from apps.core.actors import acting_as, system_principal
from apps.core.clocks.domain.clocks import end_clock_of
from apps.core.clocks.models import Clock
from apps.core.clocks.registry import Metric, Rung
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.notifications.domain.audiences import people_of
from apps.core.notifications.domain.notifying import notify
from apps.leads.domain import answer_clocks
from apps.leads.domain.answer_clocks import OVER, SPEED, TITLES, TOUCH
from apps.leads.domain.routing import standing_in
from apps.leads.domain.sla_choice import sla_of
from apps.leads.enums import OPEN_STAGES, ContactKind
from apps.leads.models import Lead, SalesContact

LATE, AT_RISK = "lead.sla", 75
LEEWAY = dt.timedelta(minutes=2)


def metrics() -> list[Metric]:
    """Return the two clocks of a lead."""
    return [Metric(key, title, on_rung=warn, ladder=(Rung(AT_RISK), Rung(OVER))) for key, title in TITLES.items()]


def warn(clock_: Clock, rung: Rung, *, at: dt.datetime) -> None:
    """Tell and do what a step asks for: once each, by the scan of clocks, with the lead's row locked."""
    lead = Lead.objects.select_related("owner_person", "owner_team").get(pk=clock_.object_id)
    if lead.is_archived or lead.stage not in OPEN_STAGES:  # nobody has to answer it any more, whatever ended that
        answer_clocks.cancel(lead, by=system_principal())
        return
    sla = sla_of(lead)
    title = TITLES[clock_.metric]
    people = [lead.owner_person] if lead.owner_person is not None else list(people_of(lead.owner_team))
    if rung.percent > OVER:
        standing_in.give_to_next(lead, sla.sales_signatory if sla is not None else None, at=at)
        return
    if rung.percent == OVER:
        words = f"{title} is late: {lead}"
        signs = sla.sales_signatory if sla is not None else None
        people = [*people, *([signs] if signs is not None and signs not in people else [])]
    else:
        words = f"{title}: {rung.percent} % of the time is used: {lead}"
    body = f"Nobody has been in touch since {clock_.started_at:%-d %B, %H:%M} UTC. Record the contact on its page."
    notify(people, LATE, title=words, body=body, subject=lead, by=system_principal())


def refuse_contact(user: User, lead: Lead) -> str | None:
    """Return why `user` cannot record a contact with `lead`, None when they can."""
    if not access.may(user, "change", lead):
        return f"You may not change {lead}."
    return f"{lead} is archived; restore it first." if lead.is_archived else None


def record_contact(lead: Lead, *, kind: str, by: User, note: str = "", at: dt.datetime | None = None) -> str:
    """Keep that `by` was in touch with a lead; its clocks stop.

    Raises:
        NotAllowed, WrongState: as `refuse_contact` says.
        InvalidInput: an unknown kind, or a moment that has not come.
    """
    now = clock.now()
    moment = at or now
    if kind not in ContactKind.values:
        raise InvalidInput("Say how you were in touch.", fields={"kind": "Choose one."})
    if moment > now + LEEWAY:
        raise InvalidInput("A contact is recorded once it has happened.", fields={"at": "It lies in the future."})
    with transaction.atomic(), acting_as(by, reason=note or None):
        row: Lead = Lead.objects.select_for_update(of=("self",)).get(pk=lead.pk)
        if refused := refuse_contact(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        SalesContact.objects.create(lead=row, kind=kind, at=moment, note=note[:500], person=by)
        stopped = [TITLES[key] for key in (SPEED, TOUCH) if _stop(row, key, by=by, at=moment)]
    if not stopped:
        return "The contact is recorded."
    verb = "is" if len(stopped) == 1 else "are"
    return f"The contact is recorded; {' and '.join(stopped)} {verb} stopped."


def _stop(lead: Lead, metric: str, *, by: User, at: dt.datetime) -> bool:
    open_one = Clock.objects.of(lead).filter(metric=metric).open().first()
    if open_one is None:
        return False
    end_clock_of(lead, metric, by=by, at=max(at, open_one.started_at))
    return True
