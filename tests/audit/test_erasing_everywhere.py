"""A person who is erased is found nowhere: reports of imports, sources, previews, uploaded and attached files."""

import pytest
from django.db import connection, transaction, utils

from apps.accounts.enums import Role
from apps.audit.domain import personal
from apps.audit.domain.replay import replay
from apps.core.attachments.domain.files import attach
from apps.core.attachments.models import Attachment
from apps.core.exchange.models import ImportBatch, RowOutcome, SourceRecord
from apps.leads.models import Lead
from tests.factories.accounts import person_with
from tests.factories.exchange import import_text, source_of
from tests.factories.files import upload

pytestmark = pytest.mark.django_db
WORDS = ("zofia", "nowak", "zn-4711")
FILE = "Number,Name,E-mail\nZN-4711,Zofia Nowak,zofia@nowak.example\nOT-1,Other Person,other@example.com\n"


def places_of(words):
    """The tables in which one of the words stands."""
    with connection.cursor() as cursor:
        found = set()
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        )
        for (table,) in cursor.fetchall():  # without the temporary table of an import, which goes with its transaction
            cursor.execute(f'SELECT lower(string_agg(t::text, chr(10))) FROM "{table}" t')
            text = cursor.fetchone()[0] or ""
            if any(word in text for word in words):
                found.add(table)
    return found


@pytest.fixture
def ops():
    return person_with(Role.OPS)


@pytest.fixture
def brought_in(ops, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "files"
    batch = import_text("leads.leads", FILE, by=ops)
    lead = Lead.objects.get(email="zofia@nowak.example")
    attach(lead, upload("CV Zofia Nowak.pdf"), by=ops, description="Of Zofia Nowak")
    source = source_of(tmp_path, FILE, by=ops, importer="leads.leads", path="leads.csv")
    SourceRecord.objects.create(source=source, key="ZN-4711")
    return lead, batch


def test_nothing_of_an_erased_person_is_left_anywhere(brought_in, django_capture_on_commit_callbacks):
    lead, batch = brought_in
    file, import_file = Attachment.objects.get(), ImportBatch.objects.get(pk=batch.pk).file
    assert places_of(WORDS) > {"exchange_rowoutcome", "exchange_sourcerecord", "attachments_attachment"}
    with django_capture_on_commit_callbacks(execute=True):
        personal.erase_subject(lead, by=person_with(Role.ADMINISTRATOR), reason="asked for it")
    assert places_of(WORDS) == set()
    assert not file.file.storage.exists(file.file.name)
    assert not import_file.storage.exists(import_file.name)
    assert Attachment.objects.get().name == f"erased file {file.pk}"
    assert list(replay(Lead)) == list(replay(Attachment)) == []
    keys = set(RowOutcome.objects.values_list("key", flat=True))
    assert "(erased)" in keys
    assert any("OT-1" in key for key in keys)


def test_reports_are_emptied_by_an_erasure_alone(brought_in):
    number = RowOutcome.objects.first().pk
    with pytest.raises(utils.DatabaseError, match="only the erasure of a person empties it"), transaction.atomic():
        connection.cursor().execute("SELECT mops_erase_row_outcomes(%s)", [[number]])
    assert RowOutcome.objects.filter(key="(erased)").count() == 0


def test_an_attached_file_keeps_its_name_otherwise(brought_in):
    with pytest.raises(utils.DatabaseError, match="never changes: attach a new version"), transaction.atomic():
        Attachment.objects.update(name="other.pdf")
