"""The demo's use of its tools: seats and who still signs in, measurements, renewals to decide, the last review."""

import datetime as dt
from decimal import Decimal

from apps.accounts.models import User
from apps.core import clock
from apps.core.actors import acting_as
from apps.technology.domain.feeds import open_feed
from apps.technology.domain.renewals import submit_decision
from apps.technology.domain.reviews import complete_action, make_pack
from apps.technology.domain.seats import assign_seat, keep, propose_reclaims, reclaim
from apps.technology.enums import Lifecycle, Metric, Renewal, UseMetric, Verdict
from apps.technology.models import (
    Contract,
    Licence,
    ReclaimTask,
    RenewalDecision,
    ReviewAction,
    Tool,
    UtilisationSample,
)

People = dict[str, User]
USE = (88, 61, 34, 79, 22, 93, 55, 8, 71, 47)  # per cent, tool after tool
IDLE_DAYS = (1, 3, 12, 95, 2, 140, 30, 5)


def fill_use(people: People, today: dt.date) -> None:
    """Say who sits on which seats, how much everything is used, what is to be renewed, and what was agreed."""
    tools = list(Tool.objects.filter(lifecycle__in=("active", "sunsetting")).order_by("pk"))
    administrator = people["technology_administrator"]
    with acting_as(administrator):
        for number, tool in enumerate(tools):
            _samples(tool, USE[number % len(USE)], administrator, today)
    _licences(tools[:8], people, today)
    propose_reclaims(today, by=administrator)
    first, second = list(ReclaimTask.objects.order_by("pk")[:2])
    reclaim(first, by=administrator, note="Left the company in summer.")
    keep(second, by=administrator, reason="On parental leave; back in spring.")
    _renewals(people, today)
    _review(people, today)
    open_feed(by=administrator, label="Calendar on the phone")


def _samples(tool: Tool, share: int, by: User, today: dt.date) -> None:
    rows = []
    for months_ago in range(6):
        end = today - dt.timedelta(days=30 * months_ago)
        used = max(1, min(100, share + (months_ago * 5) % 9 - 4))
        rows.append(
            UtilisationSample(
                tool=tool,
                metric=UseMetric.ACTIVE_USERS,
                numerator=Decimal(used * 40 // 100),
                denominator=Decimal(40),
                period_from=end - dt.timedelta(days=29),
                period_to=end,
                source="Admin console",
                method="Signed in at least once in the period",
                recorded_by=by.get_username(),
            )
        )
    UtilisationSample.objects.bulk_create(rows)


def _licences(tools: list[Tool], people: People, today: dt.date) -> None:
    by = people["technology_administrator"]
    holders = sorted((person for person in people.values() if person.is_active), key=lambda person: person.email)
    for number, tool in enumerate(tools):
        metric = (Metric.SEAT, Metric.SEAT, Metric.SEAT, Metric.UNLIMITED, Metric.SITE)[number % 5]
        with acting_as(by):
            licence = Licence.objects.create(
                tool=tool,
                contract=Contract.objects.filter(tool=tool).first(),
                name=("Professional", "Enterprise", "Team")[number % 3],
                metric=metric,
                quantity=12 if metric == Metric.SEAT else None,
                place="Berlin office" if metric == Metric.SITE else "",
            )
        if metric != Metric.SEAT:
            continue
        for place, person in enumerate(holders[number : number + 8]):
            idle = IDLE_DAYS[(place + number) % len(IDLE_DAYS)]
            assign_seat(
                licence,
                holder=person.email,
                person=person,
                by=by,
                assigned_on=today - dt.timedelta(days=400),
                last_active_on=today - dt.timedelta(days=idle),
            )


def _renewals(people: People, today: dt.date) -> None:
    by = people["technology_administrator"]
    soon = Contract.objects.filter(ends_on__gt=today, tool__lifecycle=Lifecycle.ACTIVE).exclude(
        tool__owner_person=None, tool__owner_team=None
    )
    words = (
        (Renewal.RENEW, "Used every day by three teams; the price is in line with the market."),
        (Renewal.RENEGOTIATE, "Only a third of the seats is used: fewer seats, or another tier."),
    )
    for contract, (verdict, reason) in zip(soon.order_by("ends_on")[2:4], words, strict=False):
        with acting_as(by):
            decision = RenewalDecision.objects.create(
                contract=contract, verdict=verdict, reason=reason, currency="EUR", requester=by
            )
        if verdict == Renewal.RENEW and contract.ends_on >= clock.today():
            submit_decision(decision, by=by, note="Before the notice period ends, please.")


def _review(people: People, today: dt.date) -> None:
    director = people["technology_administrator"]
    pack = make_pack(by=director, on=today)
    items = list(pack.items.exclude(verdict=Verdict.KEEP).order_by("-saving")[:3])
    words = (
        "Move the last campaigns over and end the contract",
        "Return the unused seats at renewal",
        "Ask the teams which of the two tools they need",
    )
    for number, (item, action) in enumerate(zip(items, words, strict=False)):
        with acting_as(director):
            made = ReviewAction.objects.create(
                pack=pack,
                tool_id=item.tool_id,
                verdict=item.verdict,
                action=action,
                owner=people["technology_administrator"] if number else people["specialist"],
                due_on=today + dt.timedelta(days=40 * number - 12),
                saving=item.saving,
            )
        if number == 1:
            complete_action(made, by=director, reason="Eleven seats went back with the October invoice.")
