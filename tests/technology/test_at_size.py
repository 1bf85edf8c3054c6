"""At size: the pages of the stack ask a bounded number of questions, and the statements use their indexes."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.enums import Role
from apps.core.actors import acting_as
from apps.technology.bench_stack import QUERIES, _fill
from apps.technology.domain.flow_map import MOST_EDGES, flow_map
from apps.technology.domain.review_sql import FREEZE
from apps.technology.domain.reviews import make_pack
from apps.technology.domain.stack import AsOf, stack_cost
from apps.technology.models import ReviewPack, StackPolicy, Tool
from tests.factories.accounts import person_with, sign_in

TOOLS = 20_000
SMALL = 400


@pytest.fixture
def stack(transactional_db, proof):
    """A stack of 400 tools with 4,000 costs and 10,000 samples; the figures of the issue under --proof."""
    StackPolicy.objects.get_or_create(only=True)
    number = TOOLS if proof else SMALL
    _fill(number)
    return number


def plan_of(sql, parameters):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
        return str(cursor.fetchone()[0])


def test_the_stack_at_size(stack, client):
    person = person_with(Role.OPS)
    as_of = AsOf.of()
    with CaptureQueriesContext(connection) as asked:
        cost = stack_cost(as_of)
    assert len(asked) == 1
    assert len(cost.tools) == stack
    with CaptureQueriesContext(connection) as asked, acting_as(person):
        pack = make_pack(by=person)
    assert len(asked) < QUERIES
    assert pack.tools == stack
    assert pack.yearly == cost.total
    with CaptureQueriesContext(connection) as asked:
        drawn = flow_map(person)
    assert len(asked) < QUERIES
    assert len(drawn.edges) == min(stack // 10 - 1, MOST_EDGES)  # the last tool has no next one
    _plans(as_of, pack)
    sign_in(client, person)
    mapped = reverse("technology-map")
    assert len(client.get(mapped).content) < 300_000  # also with the most integrations that are drawn
    for address in ("/admin/technology/tool/", mapped, "/admin/technology/integration/"):
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        assert len(asked) < QUERIES, address
    with CaptureQueriesContext(connection) as asked:
        assert client.get(reverse("admin:technology_reviewpack_change", args=(pack.pk,))).status_code == 200
    assert len(asked) < QUERIES


def _plans(as_of, pack):
    """One tool's newest sample and newest transfer are found by index, never by reading all of them."""
    parameters = {**as_of.parameters, "pack": pack.pk, "low": 40, "inactive": 60}
    plan = plan_of(FREEZE, parameters)
    assert "sample_newest" in plan
    assert "transfer_newest" in plan
    tool = Tool.objects.order_by("pk").first()
    newest = plan_of(
        "SELECT * FROM technology_utilisationsample WHERE tool_id = %(tool)s "
        "ORDER BY headline DESC, period_to DESC, id DESC LIMIT 1",
        {"tool": tool.pk},
    )
    assert "sample_newest" in newest
    assert "Sort" not in newest
    assert ReviewPack.objects.count() == 1
