"""Fifty thousand campaigns, two million figures: pages ask little, and by index. 4,000 campaigns in the plain run."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.urls import reverse

from apps.accounts.enums import Role
from apps.campaigns.models import Campaign, MetricDay
from apps.core.actors import acting_as
from apps.core.transitions import transition
from tests.admin_pages import asked_by, list_of
from tests.campaigns.test_speed import GOAL, parts_of
from tests.content.test_size import copies
from tests.factories.accounts import person_with
from tests.factories.campaigns import in_state

pytestmark = pytest.mark.django_db
BOUNDED = "LIMIT 10001"  # counted up to a bound
LARGE = re.compile(r"Seq Scan on campaigns_(campaign|metricday)\b")
FIRST, YEARS = dt.date(2024, 1, 1), 1000  # days over which the campaigns begin


def scanned(asked):
    """The questions among these that read a large table from its beginning to its end."""
    found = []
    for statement in asked:
        if BOUNDED in statement:
            continue
        if "campaigns_campaign" in statement or "campaigns_metricday" in statement:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {statement}")
                plan = "\n".join(line for (line,) in cursor.fetchall())
            found += [f"{statement[:400]}\n{plan}"] if LARGE.search(plan) else []
    return found


def test_list_calendar_and_page_ask_little_and_by_index(client, proof):
    ops, campaigns = person_with(Role.OPS), 50_000 if proof else 4_000
    one = in_state("live", owner_team=None, owner_person=ops)
    day = f"date '{FIRST}' + (n %% {YEARS})::int"
    with acting_as(ops, reason="Very many"), transition(Campaign):
        own = {"name": "'One of many ' || n", "starts_on": day, "ends_on": f"{day} + 60"}
        copies(Campaign, one, campaigns, **own)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO campaigns_metricday (campaign_id, metric, day, value, source) SELECT c.id, 'clicks', "
            "date '2026-01-01' - n, n, '' FROM campaigns_campaign c, generate_series(1, %s) n",
            [40 if proof else 4],
        )
        cursor.execute("ANALYZE campaigns_campaign, campaigns_metricday")
    assert (Campaign.objects.count(), MetricDay.objects.count() > campaigns) == (campaigns + 1, True)
    client.force_login(ops)
    month = f"{reverse('campaign-calendar')}?from={FIRST + dt.timedelta(days=YEARS - 20):%Y-%m}"
    for address in (list_of(Campaign), f"{list_of(Campaign)}?state__exact=live", month, *parts_of(one)):
        asked = asked_by(client, address)
        assert len(asked) < GOAL, address
        assert scanned(asked) == [], address
