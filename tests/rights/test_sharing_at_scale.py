"""Sharing stays an index look-up however much is shared with others, and costs the same queries."""

import json

import pytest
from django.db import connection
from django.test import Client

from apps.core import access
from apps.rights import benchmarks
from apps.rights.models import ToolToPerson
from apps.technology.models import Tool
from tests.admin_pages import assert_same_queries, list_of, page_of, queries_of
from tests.factories.accounts import administrator, person_with, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def guest():
    """Somebody who sees 20 of 2,000 tools by grants, among 4,000 grants to others."""
    boss, guest = administrator(), person_with()
    Tool.objects.bulk_create([Tool(name=f"Tool {number:05}") for number in range(2_000)])
    benchmarks._share([guest], 20, boss)
    benchmarks._share([person_with() for _ in range(8)], 500, boss)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE technology_tool")
    return guest


def nodes(plan):
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def test_the_plan_reads_the_persons_grants_by_index(guest):
    rows = access.visible(guest, Tool).order_by("name")[:50]
    plan = json.loads(rows.explain(format="json"))[0]["Plan"]
    scans = {(each.get("Relation Name"), each["Node Type"]) for each in nodes(plan) if "Scan" in each["Node Type"]}
    on_grants = {kind for table, kind in scans if table == ToolToPerson._meta.db_table}
    assert on_grants
    assert "Seq Scan" not in on_grants, scans
    assert ("rights_accessgrant", "Seq Scan") not in scans, scans


def test_list_and_detail_ask_the_same_whatever_is_shared_with_others(guest):
    client, boss = sign_in(Client(), guest), administrator()
    one = access.visible(guest, Tool).first()
    detail = queries_of(client, page_of(one))
    assert_same_queries(client, list_of(Tool), lambda: benchmarks._share([person_with() for _ in range(4)], 500, boss))
    assert queries_of(client, page_of(one)) == detail
    assert access.visible(guest, Tool).count() == 20
