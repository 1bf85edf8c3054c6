"""How fast the whole stack is told: the review pack against a bare aggregate over the same rows, and its pages."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.core.actors import acting_as
from apps.core.bench.pages import Page, measure, superuser
from apps.core.bench.registry import Result, benchmark, interleaved
from apps.technology.domain.flow_map import flow_map
from apps.technology.domain.reviews import make_pack
from apps.technology.domain.stack import AsOf, stack_cost
from apps.technology.models import StackPolicy, Tool
from mops.db.roles import as_owner

LINES, SAMPLES = 10, 25  # of each tool
TOOLS_PER_FLOW = 10  # every how-manieth tool has an integration
PACK_GOAL, QUERIES = 2.0, 30
_TABLES = (
    *("technology_tool", "technology_waiver", "technology_costline", "technology_utilisationsample"),
    *("technology_integration", "technology_dataentity", "technology_dataflow", "technology_systemofrecord"),
    "technology_transfer",
)
_FILL = (
    """INSERT INTO technology_tool (uuid, created_at, updated_at, row_version, name, function, description, vendor_name,
        lifecycle, business_owner_names, technical_owner_names, department, support_channel, criticality,
        data_classification, collected_data, personal_data, customer_data, sub_processor, compliance_scope,
        integration_method, software_as_a_service, everyone_has_it, audience, access_to, handbook_link, external_link,
        currency, notes)
    SELECT gen_random_uuid(), now(), now(), 1, 'Tool ' || n, 'Measured', '', '', 'active', '{}', '{}', '', '', 'tier_3',
        'yellow', '', 'no', 'no', 'no', '', '', 'yes', 'no', 'employees', '', '', '', '', ''
    FROM generate_series(1, %(tools)s) n""",
    """INSERT INTO technology_costline (uuid, created_at, updated_at, row_version, tool_id, series, label, cost_type,
        basis, amount, quantity, currency, period, valid_from, valid_to, note, recorded_at)
    SELECT gen_random_uuid(), now(), now(), 1, t.id, gen_random_uuid(), 'Plan ' || n, 'licence',
        CASE WHEN n %% 2 = 0 THEN 'flat' ELSE 'seat' END, 10 + n, CASE WHEN n %% 2 = 0 THEN NULL ELSE 25 END,
        (ARRAY['EUR', 'USD', 'GBP'])[1 + (t.id + n) %% 3], (ARRAY['month', 'year', 'quarter'])[1 + n %% 3],
        current_date - 900 + n * 30, CASE WHEN n > 5 THEN NULL ELSE current_date - 600 + n * 30 END, '',
        now() - interval '1 day'
    FROM technology_tool t, generate_series(1, %(lines)s) n""",
    """INSERT INTO technology_utilisationsample (tool_id, metric, numerator, denominator, period_from, period_to,
        source, method, recorded_at, recorded_by)
    SELECT t.id, 'active_users', (t.id * 7 + n) %% 40, 40, current_date - 30 * n - 29, current_date - 30 * n,
        'Measured', '', now() - interval '1 day', ''
    FROM technology_tool t, generate_series(0, %(samples)s - 1) n""",
    """INSERT INTO technology_exchangerate (uuid, created_at, updated_at, row_version, currency, "into", "on", rate,
        source, recorded_at)
    SELECT gen_random_uuid(), now(), now(), 1, code, 'EUR', current_date, 0.9, '', now() - interval '1 day'
    FROM unnest(ARRAY['USD', 'GBP']) code""",
    """INSERT INTO technology_dataentity (uuid, created_at, updated_at, row_version, name, summary, personal_data)
    SELECT gen_random_uuid(), now(), now(), 1, 'Entity ' || n, '', 'no' FROM generate_series(1, 20) n""",
    """INSERT INTO technology_integration (uuid, created_at, updated_at, row_version, name, source_id, target_id,
        direction, method, frequency, auth, secret_kept_in, objects_carried, state, notes)
    SELECT gen_random_uuid(), now(), now(), 1, 'Flow ' || t.id, t.id, other.id, 'one_way', 'api', 'daily', 'oauth', '',
        '', 'live', ''
    FROM (SELECT id, lead(id) OVER (ORDER BY id) AS next, row_number() OVER (ORDER BY id) AS place
          FROM technology_tool) t JOIN technology_tool other ON other.id = t.next
    WHERE t.place %% %(per_flow)s = 0""",
    """INSERT INTO technology_dataflow (uuid, created_at, updated_at, row_version, integration_id, entity_id, note)
    SELECT gen_random_uuid(), now(), now(), 1, i.id, e.id, ''
    FROM technology_integration i JOIN technology_dataentity e ON e.id %% 20 = i.id %% 20""",
    """INSERT INTO technology_systemofrecord (uuid, created_at, updated_at, row_version, entity_id, tool_id, why)
    SELECT gen_random_uuid(), now(), now(), 1, e.id, (SELECT min(id) FROM technology_tool), ''
    FROM technology_dataentity e""",
    """INSERT INTO technology_transfer (integration_id, at, ok, note, source, recorded_by)
    SELECT i.id, now() - n * interval '20 hours', n %% 7 > 0, '', 'Measured', ''
    FROM technology_integration i, generate_series(0, 9) n""",
)
_BARE = """
    SELECT count(*), sum(cost.total), sum(use.share) FROM technology_tool t
    LEFT JOIN (SELECT tool_id, sum(amount * coalesce(quantity, 1)) AS total FROM technology_costline
               GROUP BY tool_id) cost ON cost.tool_id = t.id
    LEFT JOIN (SELECT tool_id, sum(numerator) / sum(denominator) AS share FROM technology_utilisationsample
               GROUP BY tool_id) use ON use.tool_id = t.id
"""


@benchmark("technology", default_rows=20_000)
def technology(rows: int) -> Iterator[Result]:
    """The review pack and the cost of the stack, over `rows` tools with 10 costs and 25 measurements each."""
    _fill(rows)
    person = User.objects.create_superuser("bench@mops.invalid", "bench", full_name="Bench")
    StackPolicy.objects.get_or_create(only=True)
    with acting_as(person):
        with CaptureQueriesContext(connection) as asked:
            make_pack(by=person)
        with CaptureQueriesContext(connection) as drawing:
            flow_map(person)
        [mapped] = interleaved(lambda: flow_map(person), rounds=3)
        pack, whole, bare = interleaved(_packing(person), lambda: stack_cost(AsOf.of()), _bare, rounds=3)
    goal = f"at most {PACK_GOAL:g} times the bare aggregate, under {QUERIES} queries"
    met = pack <= PACK_GOAL * bare and len(asked) < QUERIES
    yield Result("technology.pack", rows, pack, bare, None, goal, met, {"queries": len(asked)})
    yield Result("technology.stack_cost", rows * LINES, whole, bare, None, "one statement", True)
    met = len(drawing) < QUERIES
    yield Result("technology.map", rows // TOOLS_PER_FLOW, mapped, None, None, f"under {QUERIES} queries", met)
    pages = [
        Page("technology.map_page", "/admin/technology/map/"),
        Page("technology.list", "/admin/technology/tool/"),
        Page("technology.costs", "/admin/technology/costline/"),
        Page("technology.renewals", "/admin/technology/renewals/"),
        Page("technology.reviews", "/admin/technology/reviewpack/"),
    ]
    yield from measure(pages, person=superuser(), rows=rows, stock_model=Tool)


def _packing(person: User) -> Callable[[], Any]:
    return lambda: make_pack(by=person)


def _bare() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_BARE)
        cursor.fetchall()


def _fill(tools: int) -> None:
    """Write the rows with the triggers off: what is measured is reading them."""
    with as_owner(), connection.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in _FILL:
            cursor.execute(statement, {"tools": tools, "lines": LINES, "samples": SAMPLES, "per_flow": TOOLS_PER_FLOW})
        for table in _TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("ANALYZE")
    connection.close()
