"""Contracts that end: reminders in time, a decision through approval, and the next term."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.accounts.domain.ownership import owned_by
from apps.core import access, clock
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.alerts.enums import Severity
from apps.core.calendars.domain.business_time import Calendar
from apps.core.errors import WrongState
from apps.core.events import publish
from apps.core.overdue import Overdue
from apps.technology.domain.case_states import move_case, submit_case
from apps.technology.domain.costing import ONE_DAY
from apps.technology.domain.notice import counting_calendar, ladder, last_day_to_cancel, months_before, rungs_between
from apps.technology.enums import CaseState, Lifecycle, Renewal
from apps.technology.models import Contract, RenewalAlert, RenewalDecision

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.approvals.models import ApprovalRequest

MATERIAL = ("verdict", "reason", "expected_yearly", "currency")
SHOWN = 20
_SEVERITY = {180: Severity.INFO, 90: Severity.INFO, 60: Severity.WARNING, 30: Severity.CRITICAL}


@dataclass(frozen=True)
class Due:
    """One contract and a day that matters for it."""

    contract: Contract
    on: dt.date
    days_before: int
    last_day: dt.date


def undecided(rows: Any = None) -> Any:
    """Return the contracts about which nobody has decided yet."""
    contracts = Contract.objects.live() if rows is None else rows
    decided = RenewalDecision.objects.filter(state=CaseState.APPROVED, archived_at__isnull=True).values("contract")
    return contracts.exclude(pk__in=decided).exclude(tool__lifecycle=Lifecycle.RETIRED)


def would_fire(contracts: Sequence[Contract], calendar: Calendar, start: dt.date, end: dt.date) -> list[Due]:
    """Return the alerts that fall between two days, whether or not they were sent: the preview of the ladder."""
    found = [
        Due(contract, rung.on, rung.days_before, last_day_to_cancel(contract, calendar))
        for contract in contracts
        for rung in rungs_between(contract, calendar, start, end)
    ]
    return sorted(found, key=lambda due: (due.on, due.last_day, due.contract.pk))


def watch_renewals(today: dt.date) -> dict[str, int]:
    """Tell the owners of contracts whose last day to cancel draws near; each rung of the ladder once.

    Who comes late to the ladder, because the contract was written down late, is told the most urgent rung alone. A day
    that passed without a decision is told as such. Safe to run twice.
    """
    calendar, counts = counting_calendar(), {"told": 0, "passed": 0}
    horizon = today + dt.timedelta(days=1200)
    rows = undecided().filter(ends_on__gte=today, ends_on__lte=horizon)
    rows = rows.select_related("tool__owner_person", "tool__owner_team", "owner_person", "owner_team")
    fired = {
        (contract, last, step)
        for contract, last, step in RenewalAlert.objects.filter(contract__in=rows).values_list(
            "contract_id", "last_day", "days_before"
        )
    }
    for contract in rows:
        last = last_day_to_cancel(contract, calendar)
        if last < today:
            if (contract.pk, last, 0) not in fired:
                _fire(contract, last, 0, last)
                counts["passed"] += 1
            continue
        due = [rung for rung in ladder(contract, calendar) if rung.on <= today]
        new = [rung for rung in due if (contract.pk, last, rung.days_before) not in fired]
        if not new:
            continue
        for rung in new[:-1]:
            RenewalAlert.objects.create(
                contract=contract, last_day=last, days_before=rung.days_before, due_on=rung.on, told="a later one was"
            )
        _fire(contract, last, new[-1].days_before, new[-1].on)
        counts["told"] += 1
    return counts


def _fire(contract: Contract, last: dt.date, days_before: int, due_on: dt.date) -> None:
    owner = contract.owner or contract.tool.owner
    if days_before:
        title = f"{contract.called}: cancel it by {last:%-d %B %Y}, or decide to renew it."
    else:
        title = f"{contract.called}: the last day to cancel it passed on {last:%-d %B %Y} undecided."
    with transaction.atomic():
        raise_alert(
            f"technology.renewal:{contract.pk}",
            title=title[:200],
            severity=_SEVERITY.get(days_before, Severity.CRITICAL),
            detail=f"The term ends on {contract.ends_on:%-d %B %Y}"
            + (" and renews by itself." if contract.auto_renew else "."),
            subject=contract,
            owner=owner,
        )
        RenewalAlert.objects.create(
            contract=contract,
            last_day=last,
            days_before=days_before,
            due_on=due_on,
            told=str(owner or "Administrators"),
        )


def refuse_submission(user: "User", decision: RenewalDecision) -> str | None:
    """Return why `user` cannot send this decision for approval now, None when it works."""
    if not access.can(user, "change", decision):
        return "You may not change renewal decisions."
    if not decision.is_editable:
        return f"The decision is {decision.get_state_display().lower()}; there is nothing to send."
    contract = decision.contract
    if contract.is_archived:
        return f"{contract} is archived; restore it first."
    if contract.ends_on < clock.today():
        return f"The term ended on {contract.ends_on:%-d %B %Y}; write down the next one instead."
    if decision.verdict == Renewal.DROP:
        return None
    if contract.tool.owner is None:
        return f"Nobody answers for {contract.tool}; name an owner first. What nobody owns is not renewed."
    if contract.tool.lifecycle in (Lifecycle.SUNSETTING, Lifecycle.RETIRED):
        return f"{contract.tool} is {contract.tool.get_lifecycle_display().lower()}; it can only be dropped."
    return None


def submit_decision(decision: RenewalDecision, *, by: "User", note: str = "", at: dt.datetime | None = None) -> str:
    """Send a decision for approval, exactly as it is now.

    Raises:
        NotAllowed, WrongState: as `refuse_submission` says.
    """
    load = ("contract__tool__owner_person", "contract__tool__owner_team")
    return submit_case(decision, by=by, note=note, at=at, refuse=refuse_submission, load=load)


def carry_out(
    decision: RenewalDecision, approval: "ApprovalRequest", *, by: "User", at: dt.datetime | None = None
) -> None:
    """Do what was decided: a renewal opens the next term, a drop ends the renewing; the effect of the approval.

    Raises:
        WrongState: it is not in approval any more.
    """
    if decision.state != CaseState.IN_APPROVAL:
        raise WrongState(f"{decision} is not in approval any more; nothing was approved.")
    contract = Contract.objects.select_for_update(of=("self",)).get(pk=decision.contract_id)
    if decision.verdict == Renewal.RENEW:
        move_case(decision, CaseState.APPROVED, decided_at=at or clock.now(), next_contract=next_term(contract))
    else:
        if decision.verdict == Renewal.DROP and contract.auto_renew:
            contract.auto_renew = False
            contract.save(update_fields=["auto_renew"])
        move_case(decision, CaseState.APPROVED, decided_at=at or clock.now())
    resolve_alert(f"technology.renewal:{contract.pk}", why=f"Decided: {decision.get_verdict_display().lower()}.")
    publish("renewal.decided", contract_id=contract.pk, verdict=decision.verdict)


def next_term(contract: Contract) -> Contract:
    """Write down the term after `contract`: it begins the day after, and lasts as long as the contract renews for."""
    start = contract.ends_on + ONE_DAY
    made: Contract = Contract.objects.create(
        tool_id=contract.tool_id,
        vendor_id=contract.vendor_id,
        name=contract.name,
        reference=contract.reference,
        starts_on=start,
        ends_on=months_before(start, -contract.renewal_months) - ONE_DAY,
        auto_renew=contract.auto_renew,
        renewal_months=contract.renewal_months,
        notice_length=contract.notice_length,
        notice_unit=contract.notice_unit,
        owner_person_id=contract.owner_person_id,
        owner_team_id=contract.owner_team_id,
        backup_person_id=contract.backup_person_id,
        backup_team_id=contract.backup_team_id,
    )
    return made


def overdue_renewals(person: "User", today: dt.date) -> list[Overdue]:
    """Return the contracts of `person` whose last day to cancel is near and undecided."""
    near = today + dt.timedelta(days=400)
    rows = undecided(access.visible(person, Contract).filter(archived_at__isnull=True))
    rows = rows.filter(owned_by(person), ends_on__gte=today, ends_on__lte=near).select_related("tool")
    late = []
    for contract in rows.order_by("ends_on")[:SHOWN]:
        last = last_day_to_cancel(contract, counting_calendar())
        if last - dt.timedelta(days=30) <= today:
            late.append(Overdue(contract, f"decide by {last:%-d %B %Y}: renew, renegotiate or drop", last))
    return late
