"""SLAs of leads: written by one side, signed by marketing and sales through approval, replaced by the next version."""

import datetime as dt
from typing import Any

from django.db import models, transaction

from apps.accounts.models import User
from apps.approvals.domain import signing
from apps.approvals.domain.asking import request_approval
from apps.approvals.domain.definition import Definition
from apps.core import access
from apps.core.actors import acting_as
from apps.core.clocks.enums import ClockState
from apps.core.clocks.models import Clock
from apps.core.records import kind_of
from apps.core.rules.domain.applying import problem_of
from apps.leads.domain.answer_clocks import TITLES
from apps.leads.enums import SlaState
from apps.leads.models import Lead, LeadSla
from apps.leads.models.sla import SLA_MATERIAL

SIGNATORIES = ("marketing_signatory", "sales_signatory")


def both_sides() -> Definition:
    """Return the policy that SLAs of leads start with: both signatories, in either order."""
    return signing.both_sides(SIGNATORIES)


def refuse_submission(user: User, sla: LeadSla) -> str | None:
    """Return why `user` cannot send `sla` to both sides, None when they can."""
    if refused := signing.refuse_sending(user, sla):
        return refused
    for side, person in (("marketing", sla.marketing_signatory), ("sales", sla.sales_signatory)):
        if person is None:
            return f"Say who signs for {side}."
        if not access.can(person, "view", sla):
            return f"{person} may not read SLAs of leads, so they could not sign; ask an administrator for the role."
    if sla.marketing_signatory_id == sla.sales_signatory_id:
        return "One person cannot sign for both sides."
    if wrong := problem_of(sla.applies_to, Lead):
        return f"Say anew which leads it applies to. {wrong}"
    return None


def submit_sla(sla: LeadSla, *, by: User, note: str = "", at: dt.datetime | None = None) -> str:
    """Send an SLA to both sides; it is fixed until both have signed or one has refused.

    Raises:
        NotAllowed, WrongState: as `refuse_submission` says, or nobody could sign.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = signing.locked(sla, *SIGNATORIES)
        signing.ensure(by, row, refuse_submission(by, row))
        signing.write_state(row, state=SlaState.IN_REVIEW)
        request_approval(row, by=by, note=note, at=at)
    return f"{row} waits for the signatures of {row.marketing_signatory} and {row.sales_signatory}."


def sign(sla: LeadSla, request: Any, *, by: User, at: dt.datetime | None = None) -> None:
    """Bring an SLA into force in the place of the one before it: the effect of both signatures.

    Raises:
        WrongState: it no longer waits for signatures.
    """
    same = models.Q(territory=sla.territory, applies_to=sla.applies_to) | models.Q(pk=sla.follows_id)
    before = LeadSla.objects.filter(same, state=SlaState.SIGNED)
    signing.sign(sla, before, waits=SlaState.IN_REVIEW, at=at)


def write_next(sla: LeadSla, *, by: User) -> str:
    """Start the next version as a draft that says the same; the one in force holds until it is signed.

    Raises:
        NotAllowed, WrongState: as `signing.refuse_next` says.
    """
    return signing.write_next(sla, by=by, copied=SLA_MATERIAL)


def kept(user: User, *, since: dt.datetime) -> list[tuple[str, int, int, int]]:
    """Return for each clock of the leads that `user` sees how many were met, were late, and run still."""
    done = (ClockState.CANCELLED, ClockState.REPLACED)
    leads = access.visible(user, Lead).values("pk")
    clocks = Clock.objects.filter(content_type=kind_of(Lead), started_at__gte=since, object_id__in=leads)
    counted = clocks.exclude(state__in=done).order_by().values("metric")
    rows = counted.annotate(
        met=models.Count("pk", filter=models.Q(state=ClockState.MET)),
        late=models.Count("pk", filter=models.Q(state__in=(ClockState.LATE, ClockState.BREACHED))),
        runs=models.Count("pk", filter=models.Q(state=ClockState.RUNNING)),
    )
    found = {each["metric"]: (each["met"], each["late"], each["runs"]) for each in rows}
    return [(title, *found.get(key, (0, 0, 0))) for key, title in TITLES.items()]
