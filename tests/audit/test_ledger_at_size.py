"""The ledger's list stays fast however long the ledger is: counts have a bound, searches a reach, both said."""

import re

import pytest
from django.contrib.admin import site
from django.db import connection

from apps.accounts.enums import Role
from apps.audit.admin import searching
from apps.audit.admin.period_filter import PARAMETERS
from apps.audit.models import AuditEvent
from apps.core.actors import acting_as
from apps.core.admin_kit.counting import CappedPaginator, MoreThan
from apps.core.exchange.admin.lists import rows_of
from tests.factories.accounts import person_with, sign_in
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db
PAGE = "/admin/audit/auditevent/"


@pytest.fixture
def auditor(client):
    sign_in(client, person_with(Role.AUDITOR))
    return client


def test_a_count_within_the_bound_is_exact():
    ToolFactory.create_batch(2)
    rows = AuditEvent.objects.filter(table_name="technology_tool", action="insert")
    assert CappedPaginator(rows, 50).count == rows.count()
    assert CappedPaginator([1, 2, 3], 50).count == 3


def test_beyond_the_bound_it_says_more_than(auditor, monkeypatch):
    monkeypatch.setattr(CappedPaginator, "most", 3)
    ToolFactory.create_batch(4)
    count = CappedPaginator(AuditEvent.objects.order_by("-id"), 2).count
    assert (int(count), str(count)) == (3, "more than 3")
    assert isinstance(count, MoreThan)
    assert "more than 3" in auditor.get(PAGE).content.decode()


def test_a_search_of_texts_reaches_the_newest_and_says_so(auditor, monkeypatch):
    with acting_as(person_with(), reason="Oldest of all reasons"):
        old = ToolFactory()
    ToolFactory.create_batch(3)
    assert "Oldest of all" in auditor.get(PAGE, {"q": "Oldest of all"}).content.decode()
    monkeypatch.setattr(searching, "SEARCHED", 2)
    for asked in ({"q": "of all reasons"}, {"q": "of all reasons", **dict.fromkeys(PARAMETERS, "")}):
        page = auditor.get(PAGE, asked, follow=True).content.decode()
        assert "The newest 2 entries were searched. Set a period under Filters to look further back." in page
        assert "Oldest of all" not in page
    one = {"q": "of all reasons", "object_id": str(old.pk)}
    assert "Oldest of all" in auditor.get(PAGE, one).content.decode()


def test_the_filter_by_reason_reaches_as_far_and_says_so(auditor, monkeypatch):
    with acting_as(person_with(), reason="Oldest reason"):
        ToolFactory()
    ToolFactory.create_batch(3)
    asked = {"reason__icontains": "Oldest"}
    assert "Oldest reason" in auditor.get(PAGE, asked).content.decode()
    monkeypatch.setattr(searching, "SEARCHED", 2)
    page = auditor.get(PAGE, asked, follow=True).content.decode()
    assert "The newest 2 entries were searched." in page
    assert "Oldest reason" not in page


def test_what_is_exported_holds_all_that_the_search_finds(rf, monkeypatch):
    """A background export has no page on which a bound could be said."""
    priya = person_with(Role.OPS, full_name="Priya Raghunath")
    with acting_as(priya, reason="Oldest reason"):
        tools = ToolFactory.create_batch(3)
    ToolFactory.create_batch(3)
    monkeypatch.setattr(searching, "SEARCHED", 2)
    monkeypatch.setattr(CappedPaginator, "most", 1)
    request = rf.get(PAGE)
    request.user = person_with(Role.AUDITOR)
    made = {str(tool.pk) for tool in tools}
    for asked in ("q=Priya", "q=Oldest+reason", "reason__icontains=Oldest"):
        rows = rows_of(site._registry[AuditEvent], request, filters=asked, chosen=[])
        assert made <= set(rows.filter(table_name="technology_tool").values_list("object_id", flat=True)), asked


SINGLE_LOOKS = {
    "the first page": ({}, "_pkey"),
    "what one person did": ({"actor__id__exact": "7"}, "ledger_by_actor|actor_id_id"),
    "what happened to one record": ({"table_name": "technology_tool", "object_id": "7"}, "table_name_object_id_id"),
    "a search among the newest": ({"q": "Oldest"}, "_pkey"),
    "a reason among the newest": ({"reason__icontains": "Oldest"}, "_pkey"),
}


@pytest.mark.parametrize("what", SINGLE_LOOKS)
def test_the_ledger_is_read_by_an_index(auditor, monkeypatch, what):
    """The plan of the page's own question: no look at the ledger reads the whole of it.

    A short table is read as a whole whatever stands there, so this is forbidden for the question; at a million
    entries PostgreSQL comes to the same plan by itself.
    """
    ToolFactory.create_batch(4)
    monkeypatch.setattr(searching, "SEARCHED", 2)
    asked, index = SINGLE_LOOKS[what]
    rows = auditor.get(PAGE, asked).context["cl"].queryset[:50]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
        sql, values = rows.query.sql_with_params()
        cursor.execute(f"EXPLAIN {sql}", values)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert re.search(index, plan), plan
    assert "Seq Scan on audit_auditevent" not in plan, plan
    if "newest" in what:
        assert re.search(r"Index Cond: \(.*id > ", plan), plan
