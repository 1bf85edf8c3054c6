import pytest
from django.db import DatabaseError, transaction

from apps.accounts.enums import Role
from apps.accounts.models import User
from apps.core.exchange.domain.exporting import start_export
from apps.leads.models import Lead
from apps.rights.models import AccessLog
from apps.technology.models import Tool
from tests.admin_pages import assert_same_queries, list_of, page_of
from tests.factories.accounts import person_with
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db


def entries():
    return list(AccessLog.objects.order_by("pk").values_list("kind", "model", "object_id", "detail"))


def test_exports_are_written_down():
    ops = person_with(Role.OPS)
    asked = {"title": "Tools", "fmt": "csv", "filters": "q=a", "selection": [], "background": False}
    run = start_export(Tool, by=ops, columns=["name"], **asked)
    detail = {"list": "technology.tool", "columns": ["name"], "filter": "q=a"}
    assert entries() == [("export", "exchange.exportrun", str(run.pk), detail)]


def test_auditors_reading_of_personal_data_is_written_down(client):
    auditor = person_with(Role.AUDITOR)
    lead, tool = Lead.objects.create(name="Harry Hidden"), ToolFactory()
    client.force_login(auditor)
    for address in (list_of(Lead) + "?q=harry", page_of(lead), page_of(lead, "history"), page_of(auditor)):
        assert client.get(address).status_code == 200
    for address in (list_of(Tool), page_of(tool)):
        assert client.get(address).status_code == 200
    assert entries() == [
        ("personal_data", "leads.lead", "", {"list": "q=harry"}),
        ("personal_data", "leads.lead", str(lead.pk), {"read": "page"}),
        ("personal_data", "leads.lead", str(lead.pk), {"read": "history"}),
    ]
    assert not AccessLog.objects.filter(object_label__icontains="harry").exists()
    assert {each.person for each in AccessLog.objects.all()} == {auditor}


def test_everybody_elses_reading_is_their_work(client):
    client.force_login(person_with(Role.OPS))
    lead = Lead.objects.create(name="Harry")
    for address in (list_of(Lead), page_of(lead), list_of(User)):
        assert client.get(address).status_code == 200
    assert entries() == []


def test_refused_pages_leave_no_entry(client):
    client.force_login(person_with(Role.APPROVER))
    lead = Lead.objects.create(name="Harry")
    assert client.get(page_of(lead)).status_code in (302, 403)
    assert entries() == []


def test_entries_stay():
    entry = AccessLog.objects.create(at="2026-01-01T00:00Z", person=person_with(), kind="export")
    for change in (
        lambda: AccessLog.objects.update(model="x"),
        lambda: AccessLog.objects.all().delete(),
        entry.delete,
    ):
        with pytest.raises(DatabaseError, match=r"permission denied|stays on record"), transaction.atomic():
            change()


def test_page_is_for_auditors_and_administrators_and_read_only(client):
    entry = AccessLog.objects.create(at="2026-01-01T00:00Z", person=person_with(), kind="export", object_label="Tools")
    for role, status in ((Role.AUDITOR, 200), (Role.ADMINISTRATOR, 200), (Role.OPS, 403), (Role.SALES, 403)):
        client.force_login(person_with(role))
        assert client.get(list_of(AccessLog)).status_code == status
    client.force_login(person_with(Role.ADMINISTRATOR))
    assert "Tools" in client.get(page_of(entry)).content.decode()
    assert client.post(page_of(entry), {"kind": "view_as"}).status_code == 403
    assert client.get(list_of(AccessLog) + "add/").status_code == 403

    def more():
        for _ in range(2):
            AccessLog.objects.create(at="2026-01-01T00:00Z", person=person_with(), kind="export")

    assert_same_queries(client, list_of(AccessLog), more)
