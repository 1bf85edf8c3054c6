"""Subscriptions and usage of customers of the demo company: half a year of month ends, as billing knows them."""

import datetime as dt
import random
from decimal import Decimal
from typing import Any

from apps.core.actors import Channel, acting_as
from apps.leads.enums import Stage, SubscriptionStatus
from apps.leads.models import Company, CompanySnapshot

MONTHS, CUSTOMERS = 6, 12
PLANS = (("Team", 20, 18), ("Business", 60, 15), ("Enterprise", 250, 12))


def tell_usage(company: Any) -> None:
    """Give the companies of customers their months; some use less and less of it."""
    dice = random.Random(11)  # noqa: S311  # the same every time
    rows = Company.objects.filter(leads__stage__in=(Stage.CUSTOMER, Stage.ADVOCATE)).distinct().order_by("name")
    made = []
    for number, customer in enumerate(rows[:CUSTOMERS]):
        plan, seats, price = dice.choice(PLANS)
        trend = (1.06, 1.0, 0.82)[number % 3]
        users = dice.uniform(0.4, 0.7) * seats
        for ago in range(MONTHS, 0, -1):
            day = company.today.replace(day=1) - dt.timedelta(days=30 * (ago - 1) + 1)
            users = min(float(seats), users * trend)
            late = number % 3 == 2 and ago == 1
            made.append(
                CompanySnapshot(
                    company=customer,
                    taken_on=day,
                    source="billing",
                    plan=plan,
                    status=SubscriptionStatus.PAST_DUE if late else SubscriptionStatus.ACTIVE,
                    seats=seats,
                    active_users=int(users),
                    actions=int(users * dice.randint(30, 60)),
                    monthly_value=Decimal(seats * price),
                    renews_on=company.today + dt.timedelta(days=40 + 25 * number),
                )
            )
    with acting_as(company.people["specialist"], channel=Channel.SYNC, reason="Month ends, as billing knows them"):
        CompanySnapshot.objects.bulk_create(made)
