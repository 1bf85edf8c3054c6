"""Real files through the kit: 219 tools and 9,240 leads come in; brought again, they change nothing and say so."""

import shutil

import pytest

from apps.accounts.enums import Role
from apps.audit.models import AuditEvent
from apps.core.exchange.domain import syncing
from apps.core.exchange.domain.running import said
from apps.core.exchange.models import FileSource
from apps.core.jobs.testing import run_queued_jobs
from apps.leads.imports import LeadImporter
from apps.leads.models import Lead
from apps.technology.imports import ToolImporter
from apps.technology.models import Tool
from tests.factories.accounts import person_with
from tests.factories.exchange import import_text, importers

pytestmark = [pytest.mark.django_db, pytest.mark.shared_data]


def test_the_inventory_comes_in_and_comes_in_again_in_vain(shared_data):
    ops, content = person_with(Role.OPS), (shared_data / "tech_stack.yml").read_bytes()
    with importers(ToolImporter):
        first = import_text("technology.tools", content, by=ops, name="tech_stack.yml")
        assert (first.preview_counts, said(first)) == ({"created": 219}, "219 created.")
        entries = AuditEvent.objects.filter(table_name=Tool._meta.db_table)
        assert {(entry.actor_id, entry.channel) for entry in entries} == {(ops.pk, "import")}
        before = entries.count()
        second = import_text("technology.tools", content, by=ops, name="tech_stack.yml")
        assert said(second) == "219 unchanged, nothing was written."
        assert (entries.count(), Tool.objects.count()) == (before, 219)


def test_the_second_sync_of_the_leads_changes_nothing_and_says_so(shared_data, folder):
    ops = person_with(Role.OPS)
    shutil.copy(shared_data / "leads.csv", folder / "leads.csv")
    with importers(LeadImporter):
        source = FileSource.objects.create(
            name="Leads", importer="leads.leads", folder=str(folder), path="leads.csv", owner=ops
        )
        for expected in ("9,240 created.", "Nothing changed: 9,240 unchanged, nothing was written."):
            before = AuditEvent.objects.filter(table_name=Lead._meta.db_table).count()
            syncing.sync_now(source, by=ops)
            run_queued_jobs()
            run = source.runs.first()
            assert run.said == expected
        assert AuditEvent.objects.filter(table_name=Lead._meta.db_table).count() == before == 9240
        assert run.outcomes.count() == 0
