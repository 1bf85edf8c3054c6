"""The demo's chapter about access: a shared tool, a role, access and a waiver asked for, a review under way."""

import datetime as dt
from typing import Any

from apps.accounts.enums import Role
from apps.accounts.models import User
from apps.approvals.domain.policies import ensure_policy
from apps.core import clock
from apps.rights.domain.asking import ask_role
from apps.rights.domain.asking_records import ask_access
from apps.rights.domain.granting import grant_access
from apps.rights.domain.reviewing import decide, open_review
from apps.rights.domain.waivers import ask_waiver
from apps.rights.enums import ReviewDecision, ReviewScope, Source, Verb
from apps.rights.models import SodRule
from apps.technology.models import Tool

FIRST_DECISIONS = 4


def tell(company: Any) -> None:
    """Share a tool, ask for a waiver, open this quarter's review and decide about its first lines."""
    now = clock.now()
    people: dict[str, User] = company.people
    boss, first, second = people["administrator"], people["manager"], people["director"]
    tool = Tool.objects.filter(owner_person__isnull=False, archived_at=None).order_by("pk").first()
    sales = people["sales_lead"]
    if tool is not None:
        end = now + dt.timedelta(days=60)
        reason = "Sales checks the list of integrations before the renewal."
        grant_access(tool, to=sales, verb=Verb.VIEW, by=boss, reason=reason, expires_at=end)
    ensure_policy("rights.rolerequest", "Roles asked for")
    ensure_policy("rights.recordrequest", "Access asked for")
    ensure_policy("rights.sodwaiver", "Waivers of separation of duties")
    asked = "Reads what the campaigns cost that bring the leads."
    ask_role(sales, sales.memberships.order_by("pk")[0].team, Role.EXECUTIVE, by=sales, reason=asked)
    if tool is not None:
        why = "Marks in the list of integrations which ones sales still needs."
        ask_access(Tool, tool.pk, verb=Verb.CHANGE, by=sales, reason=why, until=now.date() + dt.timedelta(days=21))
    rule = SodRule.objects.live().filter(is_active=True).order_by("pk").first()
    if rule is not None:
        why = "Parental leave in the team; the director looks through the ledger of these weeks."
        ask_waiver(
            rule, person=people["technology_administrator"], expires_at=now + dt.timedelta(days=30), reason=why, by=boss
        )
    today: dt.date = company.today
    review = open_review(
        f"Quarterly access review, Q{(today.month - 1) // 3 + 1} {today.year}",
        by=boss,
        reviewer=first,
        second_reviewer=second,
        due_on=max(today, clock.today()) + dt.timedelta(days=14),
        scope=ReviewScope.ALL,
    )
    lines = review.entries.filter(source=Source.ROLE, reviewer=first).order_by("pk")
    for line in lines[:FIRST_DECISIONS]:
        decide(line, ReviewDecision.KEEP, by=first, note="Still in this post.")
