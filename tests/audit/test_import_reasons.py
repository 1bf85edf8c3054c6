"""A rule that wants a reason is asked by an import, too, and the reason stands with every change it makes."""

import pytest

from apps.accounts.enums import Role
from apps.audit.models import AuditEvent, ReasonRule
from apps.core.errors import InvalidInput
from apps.core.exchange.domain.matching import map_columns
from apps.core.exchange.domain.running import preview_batch, run_batch
from apps.core.jobs.testing import run_queued_jobs
from apps.leads.models import Lead
from tests.admin_pages import button_of
from tests.factories.accounts import person_with
from tests.factories.exchange import receive

pytestmark = pytest.mark.django_db


def previewed(ops):
    batch = receive("Number,Name\nR-1,Ann Reason\n", by=ops, importer="leads.leads")
    batch = map_columns(batch, batch.mapping, by=ops)
    preview_batch(batch, by=ops)
    run_queued_jobs()
    batch.refresh_from_db()
    return batch


def test_an_import_asks_for_the_reason_that_a_rule_wants(client, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    ReasonRule.objects.create(table_name="leads_lead", operations=["insert"], what="Creating a lead")
    ops = person_with(Role.OPS)
    client.force_login(ops)
    batch = previewed(ops)
    with pytest.raises(InvalidInput, match="Creating a lead needs a reason"):
        run_batch(batch, by=ops)
    page = client.post(button_of(batch, "run")).content.decode()
    assert "Reason for this change" in page
    client.post(button_of(batch, "run"), {"change_reason": "the fair in Ulm"})
    run_queued_jobs()
    event = AuditEvent.objects.of_object(Lead.objects.get(external_id="R-1")).get()
    assert (event.reason, event.channel) == ("the fair in Ulm", "import")


def test_an_import_without_such_a_rule_asks_nothing(client, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    ops = person_with(Role.OPS)
    client.force_login(ops)
    client.post(button_of(previewed(ops), "run"))
    run_queued_jobs()
    event = AuditEvent.objects.of_object(Lead.objects.get(external_id="R-1")).get()
    assert event.reason.startswith("Import file.csv") or event.reason.startswith("Import teams.csv")
