"""The pages of rules, policies, holds and months."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction, utils
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.enums import Role
from apps.audit.domain import retention
from apps.audit.models import LedgerMonth, LegalHold, ReasonRule, RetentionPolicy
from apps.core.actors import system_principal
from apps.leads.models import Lead
from apps.rights.models import AccessLog
from tests.factories.accounts import person_with, sign_in
from tests.factories.leads import LeadFactory

pytestmark = pytest.mark.django_db
PAGES = ("reasonrule", "retentionpolicy", "legalhold", "ledgermonth")


@pytest.fixture
def administrator(client):
    person = person_with(Role.ADMINISTRATOR)
    client.force_login(person)
    return person


def make(model, number, by):
    if model == "reasonrule":
        ReasonRule.objects.create(table_name="accounts_team", field=f"f{number}", operations=["update"], what="W")
    elif model == "retentionpolicy":
        RetentionPolicy.objects.create(kind=f"kind{number}", months=12, basis="law")
    elif model == "legalhold":
        retention.place_hold(LegalHold(matter=f"Case {number}", reason="suit"), by=by)


@pytest.mark.parametrize("model", PAGES)
def test_list_needs_the_same_queries_for_many_rows(client, administrator, model):
    retention.prepare_partitions(by=system_principal())
    url = reverse(f"admin:audit_{model}_changelist")
    assert client.get(url).status_code == 200
    make(model, 1, administrator)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    make(model, 2, administrator)
    make(model, 3, administrator)
    with CaptureQueriesContext(connection) as many:
        client.get(url)
    assert len(many) == len(few)


@pytest.mark.parametrize("model", PAGES)
def test_auditor_reads_and_writes_nothing(client, model):
    client.force_login(person_with(Role.AUDITOR))
    assert client.get(reverse(f"admin:audit_{model}_changelist")).status_code == 200
    assert client.get(reverse(f"admin:audit_{model}_add")).status_code == 403
    client.force_login(person_with(Role.SALES))
    assert client.get(reverse(f"admin:audit_{model}_changelist")).status_code == 403


def test_rule_is_made_and_names_the_columns_there_are(client, administrator):
    data = {"table_name": "technology_tool", "field": "price", "operations": ["update"], "what": "x", "is_active": "on"}
    refused = client.post(reverse("admin:audit_reasonrule_add"), data)
    assert "There is no such column; these are: id, uuid" in refused.content.decode()
    made = client.post(reverse("admin:audit_reasonrule_add"), {**data, "field": "annual_cost"})
    assert made.status_code == 302, made.content.decode()
    assert ReasonRule.objects.get().operations == ["update"]


def test_hold_is_signed_and_released_with_a_reason(client, administrator):
    made = client.post(reverse("admin:audit_legalhold_add"), {"matter": "Case 1", "kind": "", "reason": "suit"})
    assert made.status_code == 302, made.content.decode()
    hold = LegalHold.objects.get()
    assert hold.placed_by == administrator
    page = reverse("admin:audit_legalhold_change", args=(hold.pk,))
    assert "In force" in client.get(page).content.decode()
    button = reverse("admin:audit_legalhold_button", kwargs={"object_id": hold.pk, "name": "release"})
    assert client.post(button, {}).status_code == 200
    assert client.post(button, {"reason": "settled"}).status_code == 302
    hold.refresh_from_db()
    assert (hold.is_active, hold.released_by, hold.release_reason) == (False, administrator, "settled")
    with pytest.raises(utils.DatabaseError, match="released by the button"), transaction.atomic():
        LegalHold.objects.update(released_at=None, released_by=None, release_reason="")
    with pytest.raises(utils.DatabaseError, match="never changes"), transaction.atomic():
        LegalHold.objects.update(kind="accounts_team")


def test_hold_on_a_record_names_its_kind(client, administrator):
    data = {"matter": "Case 1", "kind": "", "object_id": "7", "reason": "suit"}
    refused = client.post(reverse("admin:audit_legalhold_add"), data)
    assert "To hold one record, say of which kind it is." in refused.content.decode()


def test_policy_keeps_at_least_a_quarter(client, administrator):
    data = {"kind": "*", "months": 1, "basis": "habit"}
    refused = client.post(reverse("admin:audit_retentionpolicy_add"), data)
    assert refused.status_code == 200
    assert client.post(reverse("admin:audit_retentionpolicy_add"), {**data, "months": 24}).status_code == 302


def test_month_says_why_it_stays(client, administrator):
    retention.prepare_partitions(by=system_principal())
    month = LedgerMonth.objects.order_by("-month").first()
    page = client.get(reverse("admin:audit_ledgermonth_change", args=(month.pk,))).content.decode()
    assert "This month is not over yet." in page


def test_lead_is_erased_by_a_button_of_the_administrator(client, administrator):
    lead = LeadFactory(name="Zofia", email="zofia@nowak.example")
    sign_in(client, administrator)
    url = reverse("admin:leads_lead_button", kwargs={"object_id": lead.pk, "name": "erase"})
    assert "deleted for good" in client.get(url, follow=True).content.decode()
    client.post(url, {"reason": "asked"})
    lead.refresh_from_db()
    assert (lead.name, lead.email) == ("", None)
    client.force_login(person_with(Role.OPS))
    other = LeadFactory(name="Olga")
    client.post(reverse("admin:leads_lead_button", kwargs={"object_id": other.pk, "name": "erase"}), {"reason": "x"})
    assert Lead.objects.get(pk=other.pk).name == "Olga"


def test_export_by_command_is_written_down(administrator, tmp_path):
    lead = LeadFactory(name="Zofia")
    file = tmp_path / "zofia.json"
    options = {"kind": "leads.lead", "id": str(lead.pk), "by": administrator.email, "file": str(file)}
    call_command("audit", "export-subject", *(f"--{name}={value}" for name, value in options.items()))
    assert file.stat().st_mode & 0o777 == 0o600
    assert "Zofia" in file.read_text()
    entry = AccessLog.objects.get(kind="export")
    assert (entry.person, entry.detail, entry.object_label) == (
        administrator,
        {"subject": "leads.lead", "id": lead.pk},
        "",
    )
    with pytest.raises(CommandError, match="There is no such record or person"):
        call_command("audit", "export-subject", "--kind=no.such", "--id=1", "--by=x", f"--file={file}")
