"""How fast many campaigns are watched and shown: the statement that compares figures, and their pages."""

from collections.abc import Iterator

from django.db import connection

from apps.campaigns.domain.performance import sums_in_window
from apps.campaigns.models import Campaign
from apps.core import clock
from apps.core.bench.pages import Page, measure, superuser
from apps.core.bench.registry import Result, benchmark, interleaved
from mops.db.roles import as_owner

DAYS, GOAL, QUERIES = 40, 2.0, 25
_TABLES = ("campaigns_campaign", "campaigns_threshold", "campaigns_metricday")
_FILL = (
    """INSERT INTO campaigns_campaign (uuid, created_at, updated_at, row_version, name, objective, audience,
        main_channel, product, region, starts_on, ends_on, budget, currency, success_metrics, state, state_since,
        launched_at, results)
    SELECT gen_random_uuid(), now(), now(), 1, 'Campaign ' || n, 'Measured', 'Everybody',
        (ARRAY['email', 'event', 'webinar'])[1 + n %% 3], '', '', current_date - 60 - n %% 900,
        current_date + 60 - n %% 900, 1000, 'EUR', 'Measured', CASE WHEN n %% 10 = 0 THEN 'live' ELSE 'completed' END,
        now(), now() - interval '90 days', ''
    FROM generate_series(1, %(campaigns)s) n""",
    """INSERT INTO campaigns_threshold (uuid, created_at, updated_at, row_version, campaign_id, metric, low, days,
        margin, runbook)
    SELECT gen_random_uuid(), now(), now(), 1, id, 'clicks', 5, 28, 5, '' FROM campaigns_campaign""",
    """INSERT INTO campaigns_metricday (campaign_id, metric, day, value, source)
    SELECT c.id, 'clicks', current_date - n, (c.id + n) %% 17, 'Measured'
    FROM campaigns_campaign c, generate_series(1, %(days)s) n""",
)
_BARE = """
    SELECT m.campaign_id, sum(m.value) FROM campaigns_metricday m
    WHERE m.metric = 'clicks' AND m.day < current_date AND m.day >= current_date - 28
      AND m.campaign_id IN (SELECT id FROM campaigns_campaign WHERE state = 'live')
    GROUP BY m.campaign_id
"""


@benchmark("campaigns", default_rows=50_000)
def campaigns(rows: int) -> Iterator[Result]:
    """Figures of live campaigns against their thresholds, over `rows` campaigns with 40 days each; their pages."""
    _fill(rows)
    today = clock.today()
    watched, bare = interleaved(lambda: sums_in_window(today), _bare, rounds=3)
    met = watched <= GOAL * bare
    yield Result("campaigns.watch", rows * DAYS, watched, bare, None, f"at most {GOAL:g} times the bare aggregate", met)
    one = Campaign.objects.filter(state="live").order_by("pk")[0].pk
    pages = [
        Page("campaigns.list", "/admin/campaigns/campaign/"),
        Page("campaigns.calendar", "/admin/campaigns/calendar/"),
        Page("campaigns.page", f"/admin/campaigns/campaign/{one}/change/"),
    ]
    yield from measure(pages, person=superuser(), rows=rows, stock_model=Campaign)


def _bare() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_BARE)
        cursor.fetchall()


def _fill(number: int) -> None:
    """Write the rows with the triggers off: what is measured is reading them."""
    with as_owner(), connection.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in _FILL:
            cursor.execute(statement, {"campaigns": number, "days": DAYS})
        for table in _TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("ANALYZE")
    connection.close()
