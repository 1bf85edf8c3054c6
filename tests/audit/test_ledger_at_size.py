"""The ledger's list stays fast however long the ledger is: counts have a bound, searches a reach, both said."""

import pytest

from apps.accounts.enums import Role
from apps.audit.admin import ledger
from apps.audit.models import AuditEvent
from apps.core.admin_kit.counting import CappedPaginator, MoreThan
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


def test_a_search_reaches_the_newest_and_says_so(auditor, monkeypatch):
    old = ToolFactory(name="Oldest of all")
    ToolFactory.create_batch(3)
    assert "Oldest of all" in auditor.get(PAGE, {"q": "Oldest"}).content.decode()
    monkeypatch.setattr(ledger, "SEARCHED", 2)
    page = auditor.get(PAGE, {"q": "Oldest"}, follow=True).content.decode()
    assert "The newest 2 entries were searched. Set a period under Filters to look further back." in page
    assert "Oldest of all" not in page
    one = {"q": "Oldest", "object_id": str(old.pk)}
    assert "Oldest of all" in auditor.get(PAGE, one).content.decode()
