"""SLAs of leads: written by one side, signed by marketing and sales through approval, replaced by the next version."""

import datetime as dt
from typing import Any

from django.db import models, transaction

from apps.accounts.models import User
from apps.approvals.domain.asking import request_approval
from apps.approvals.domain.definition import Definition, Named, Row, Stage
from apps.approvals.enums import Mode, Via
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.clocks.enums import ClockState
from apps.core.clocks.models import Clock
from apps.core.errors import NotAllowed, WrongState
from apps.core.records import kind_of
from apps.core.transitions import transition
from apps.leads.domain.answer_clocks import TITLES
from apps.leads.enums import SlaState
from apps.leads.models import Lead, LeadSla
from apps.leads.models.sla import SLA_MATERIAL

SIGNATORIES = ("marketing_signatory", "sales_signatory")


def both_sides() -> Definition:
    """Return the policy that SLAs of leads start with: both signatories, in either order."""
    names = tuple(Named(Via.OWNER, each) for each in SIGNATORIES)
    return Definition((Stage(1, "Signatures", names, mode=Mode.ALL),), (Row("Everything", {"all": []}, (1,)),))


def refuse_change(user: User, sla: LeadSla) -> str | None:
    """Return why `user` cannot work on `sla`, None when they can."""
    if not access.can(user, "change", sla):
        return f"You may not change {sla}."
    return f"{sla} is archived; restore it first." if sla.is_archived else None


def refuse_submission(user: User, sla: LeadSla) -> str | None:
    """Return why `user` cannot send `sla` to both sides, None when they can."""
    if refused := refuse_change(user, sla):
        return refused
    if not sla.is_draft:
        return f"{sla} is {sla.get_state_display().lower()}; only a draft is sent."
    for side, person in (("marketing", sla.marketing_signatory), ("sales", sla.sales_signatory)):
        if person is None:
            return f"Say who signs for {side}."
        if not access.can(person, "view", sla):
            return f"{person} may not read SLAs of leads, so they could not sign; ask an administrator for the role."
    if sla.marketing_signatory_id == sla.sales_signatory_id:
        return "One person cannot sign for both sides."
    return None


def submit_sla(sla: LeadSla, *, by: User, note: str = "", at: dt.datetime | None = None) -> str:
    """Send an SLA to both sides; it is fixed until both have signed or one has refused.

    Raises:
        NotAllowed, WrongState: as `refuse_submission` says, or nobody could sign.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = _locked(sla)
        _raise(by, row, refuse_submission(by, row))
        _write(row, state=SlaState.IN_REVIEW)
        request_approval(row, by=by, note=note, at=at)
    return f"{row} waits for the signatures of {row.marketing_signatory} and {row.sales_signatory}."


def sign(sla: LeadSla, request: Any, *, by: User, at: dt.datetime | None = None) -> None:
    """Bring an SLA into force in the place of the one before it: the effect of both signatures.

    Raises:
        WrongState: it no longer waits for signatures.
    """
    if sla.state != SlaState.IN_REVIEW:
        raise WrongState(f"{sla} no longer waits for signatures.")
    moment = at or clock.now()
    for each in LeadSla.objects.filter(territory=sla.territory, state=SlaState.SIGNED):
        _write(each, state=SlaState.RETIRED, retired_at=moment)
    _write(sla, state=SlaState.SIGNED, signed_at=moment)


def return_to_draft(sla: LeadSla, request: Any, *, by: User) -> None:
    """Bring a refused or withdrawn SLA back to its draft."""
    _write(sla, state=SlaState.DRAFT)


def refuse_next(user: User, sla: LeadSla) -> str | None:
    """Return why `user` cannot write the next version of `sla`, None when they can."""
    if refused := refuse_change(user, sla):
        return refused
    if sla.state not in (SlaState.SIGNED, SlaState.RETIRED):
        return f"{sla} is not signed yet; change it instead."
    following = LeadSla.objects.filter(follows=sla).first()
    return f"{following} follows it already." if following is not None else None


def write_next(sla: LeadSla, *, by: User) -> str:
    """Start the next version as a draft that says the same; the one in force holds until it is signed.

    Raises:
        NotAllowed, WrongState: as `refuse_next` says.
    """
    with transaction.atomic(), acting_as(by):
        row = _locked(sla)
        _raise(by, row, refuse_next(by, row))
        values = {name: getattr(row, name) for name in (*SLA_MATERIAL, "owner_person", "owner_team")}
        made = LeadSla.objects.create(**values, number=row.number + 1, follows=row)
    return f"{made} is a draft; change it and send it to both sides."


def refuse_retire(user: User, sla: LeadSla) -> str | None:
    """Return why `user` cannot end `sla`, None when they can."""
    if refused := refuse_change(user, sla):
        return refused
    return None if sla.state == SlaState.SIGNED else f"{sla} is not in force."


def retire(sla: LeadSla, *, by: User, reason: str) -> str:
    """End an SLA; clocks that run go on, new leads get none from it.

    Raises:
        NotAllowed, WrongState: as `refuse_retire` says.
    """
    with transaction.atomic(), acting_as(by, reason=reason):
        row = _locked(sla)
        _raise(by, row, refuse_retire(by, row))
        _write(row, state=SlaState.RETIRED, retired_at=clock.now())
    return f"{row} has ended."


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


def _locked(sla: LeadSla) -> LeadSla:
    rows = LeadSla.objects.select_for_update(of=("self",)).select_related("marketing_signatory", "sales_signatory")
    row: LeadSla = rows.get(pk=sla.pk)
    return row


def _write(sla: LeadSla, **changed: Any) -> None:
    for name, value in changed.items():
        setattr(sla, name, value)
    with transition(LeadSla):
        sla.save(update_fields=list(changed))


def _raise(user: User, sla: LeadSla, sentence: str | None) -> None:
    if sentence is not None:
        raise (WrongState if access.can(user, "change", sla) else NotAllowed)(sentence)
