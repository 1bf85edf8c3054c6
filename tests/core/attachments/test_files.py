"""Attaching, removing and reading files, and everything that is refused on the way."""

import errno
import hashlib
import stat

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.accounts.enums import Role
from apps.audit.models import AuditEvent
from apps.core import access, clock
from apps.core.attachments.admin import not_intact
from apps.core.attachments.domain import files
from apps.core.attachments.models import Attachment
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.private_files import NoRoom
from apps.core.uploads import SmallFiles
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.files import PDF, PNG, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator():
    return person_with(Role.ADMINISTRATOR)


@pytest.fixture
def team():
    return TeamFactory(name="Contracts")


def page_of(team):
    return f"/admin/accounts/team/{team.pk}/change/"


def address(team, verb, item=""):
    return f"/admin/accounts/team/{team.pk}/kits/attachments/{verb}/" + (f"{item}/" if item else "")


def stored_in(store):
    return [path for path in store.rglob("*") if path.is_file()]


def test_attach_keeps_the_file_its_fingerprint_and_who(administrator, team, store):
    kept = files.attach(team, upload("Master agreement.PDF"), by=administrator, description="Signed")
    assert (kept.name, kept.version, kept.size) == ("Master agreement.pdf", 1, len(PDF))
    assert kept.sha256 == hashlib.sha256(PDF).hexdigest()
    assert (kept.attached_by, kept.record, kept.media_type) == (administrator, team, "application/pdf")
    (path,) = stored_in(store)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert "agreement" not in str(path)


def test_attach_is_in_the_ledger(administrator, team):
    kept = files.attach(team, upload("a.pdf"), by=administrator)
    entry = AuditEvent.objects.of_object(kept).get()
    assert (entry.actor, entry.action) == (administrator, "insert")
    # the names of files are personal data: the ledger keeps their digest, and the label of an entry cannot be erased
    assert "a.pdf" not in f"{entry.object_label} {entry.changes}"
    assert entry.changes["sha256"] == [None, hashlib.sha256(PDF).hexdigest()]


def test_same_name_becomes_the_next_version(administrator, team):
    files.attach(team, upload("a.pdf"), by=administrator)
    newer = files.attach(team, upload("a.pdf", PDF + b"\n"), by=administrator)
    assert str(newer) == "a.pdf (version 2)"


def test_same_content_is_refused(administrator, team):
    files.attach(team, upload("a.pdf"), by=administrator)
    with pytest.raises(WrongState) as refusal:
        files.attach(team, upload("b.pdf"), by=administrator)
    assert str(refusal.value) == f"This very file is attached already: a.pdf, by {administrator}."


def test_empty_file_is_refused(administrator, team):
    with pytest.raises(InvalidInput, match=r"^a\.pdf is empty; attach the file that has the content\.$"):
        files.attach(team, upload("a.pdf", b""), by=administrator)


def test_too_big_file_is_refused(administrator, team, monkeypatch, store):
    monkeypatch.setattr(files, "MOST_BYTES", files.MEGABYTE)
    with pytest.raises(InvalidInput) as refusal:
        files.attach(team, upload("a.txt", b"x" * (2 * files.MEGABYTE)), by=administrator)
    assert str(refusal.value) == "a.txt has 2.0 MB; the limit is 1 MB. Make it smaller or split it."
    assert stored_in(store) == []


def test_full_disk_leaves_nothing_behind(administrator, team, monkeypatch, store):
    from django.core.files.storage import FileSystemStorage

    def half_written(self, name, content):
        path = store / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FileSystemStorage, "_save", half_written)
    with pytest.raises(NoRoom) as refusal:
        files.attach(team, upload("a.pdf"), by=administrator)
    assert str(refusal.value) == (
        "The server's disk is full, so a.pdf was not kept. Ask an administrator to make room."
    )
    assert stored_in(store) == []
    assert not Attachment.objects.exists()


def test_failing_row_leaves_no_file_behind(administrator, team, monkeypatch, store):
    def fail(self, *args, **kwargs):
        raise DatabaseError("refused")

    monkeypatch.setattr(Attachment, "save", fail)
    with pytest.raises(DatabaseError):
        files.attach(team, upload("a.pdf"), by=administrator)
    assert stored_in(store) == []


def test_viewers_may_not_attach(team):
    with pytest.raises(NotAllowed, match=r"^You may view Contracts, not change it\.$"):
        files.attach(team, upload("a.pdf"), by=person_with(Role.OPS))
    with pytest.raises(NotAllowed, match=r"^Your roles do not let you attach files\.$"):
        files.attach(team, upload("a.pdf"), by=person_with(Role.AUDITOR))


def test_archived_record_takes_no_files(administrator, team):
    team.archived_at = clock.now()
    team.save()
    with pytest.raises(NotAllowed, match=r"^Contracts is archived and read-only; restore it first\.$"):
        files.attach(team, upload("a.pdf"), by=administrator)


def test_removed_file_stays_as_evidence(administrator, team, store):
    kept = files.attach(team, upload("a.pdf"), by=administrator)
    files.remove(kept, by=administrator, reason="Wrong contract")
    assert Attachment.objects.get().is_archived
    assert AuditEvent.objects.of_object(kept).first().reason == "Wrong contract"
    assert len(stored_in(store)) == 1
    with pytest.raises(WrongState, match=r"^a\.pdf is removed already\.$"):
        files.remove(kept, by=administrator)
    with pytest.raises(NotAllowed, match=r"^Your roles do not let you remove files\.$"):
        files.remove(kept, by=person_with(Role.AUDITOR))


def test_database_keeps_evidence_as_it_is(administrator, team):
    files.attach(team, upload("a.pdf"), by=administrator)
    with pytest.raises(DatabaseError, match="is evidence and never changes"), transaction.atomic():
        Attachment.objects.update(sha256="0" * 64)
    with pytest.raises(DatabaseError, match="never deleted: they are evidence"), transaction.atomic():
        Attachment.objects.all().delete()


def test_tampered_and_lost_files_are_found(administrator, team, store):
    tampered = files.attach(team, upload("a.pdf"), by=administrator)
    lost = files.attach(team, upload("b.png", PNG), by=administrator)
    files.attach(team, upload("c.txt", b"fine"), by=administrator)
    (store / tampered.file.name).write_bytes(b"other")
    (store / lost.file.name).unlink()
    assert set(not_intact(Attachment.objects.all())) == {tampered, lost}


def test_panel_attaches_several_files_and_names_the_refused(client, administrator, team):
    client.force_login(administrator)
    sent = {"files": [upload("a.pdf"), upload("b.exe"), upload("c.png", PNG)], "description": "Proofs"}
    page = client.post(address(team, "attach"), sent, follow=True).content.decode()
    assert "Attached a.pdf, c.png." in page
    assert "Files of type .exe are not accepted." in page
    assert page.count("Proofs") == 2


def test_refusals_lead_to_the_top_where_the_message_stands(client, administrator, team):
    client.force_login(administrator)
    assert client.post(address(team, "attach"), {"files": upload("a.pdf")}).url == f"{page_of(team)}#kit-attachments"
    assert client.post(address(team, "attach"), {"files": upload("a.exe")}).url == page_of(team)
    assert client.post(address(team, "attach")).url == page_of(team)


def test_panel_without_a_file_says_so(client, administrator, team):
    client.force_login(administrator)
    page = client.post(address(team, "attach"), follow=True).content.decode()
    assert "Choose a file first, then attach it." in page


def test_panel_refuses_a_description_too_long(client, administrator, team):
    client.force_login(administrator)
    sent = {"files": upload("a.pdf"), "description": "x" * 301}
    page = client.post(address(team, "attach"), sent, follow=True).content.decode()
    assert "The description is too long; 300 characters fit." in page
    assert not Attachment.objects.exists()


def test_panel_offers_nothing_to_viewers(client, administrator, team):
    kept = files.attach(team, upload("a.pdf"), by=administrator)
    client.force_login(person_with(Role.AUDITOR))
    page = client.get(page_of(team)).content.decode()
    assert "a.pdf" in page
    assert "kits/attachments/attach" not in page
    assert "kits/attachments/remove" not in page
    page = client.post(address(team, "attach"), {"files": upload("b.pdf")}, follow=True).content.decode()
    assert "Your roles do not let you attach files." in page
    page = client.post(address(team, "remove", kept.uuid), follow=True).content.decode()
    assert "Your roles do not let you remove files." in page
    assert [row.is_archived for row in Attachment.objects.all()] == [False]


def test_panel_removes_after_asking(client, administrator, team):
    kept = files.attach(team, upload("a.pdf"), by=administrator)
    client.force_login(administrator)
    assert "nothing is deleted" in client.get(address(team, "remove", kept.uuid)).content.decode()
    assert not Attachment.objects.get().is_archived
    page = client.post(address(team, "remove", kept.uuid), {"reason": "Old"}, follow=True).content.decode()
    assert "a.pdf is removed. It stays as evidence" in page
    assert "Earlier versions and removed files" in page


def test_download_is_always_a_download(client, administrator, team):
    kept = files.attach(team, upload("Grüße.txt", b"<script>alert(1)</script>"), by=administrator)
    client.force_login(person_with(Role.AUDITOR))
    answer = client.get(address(team, "download", kept.uuid))
    assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"
    assert answer["Content-Disposition"].startswith("attachment; ")
    assert answer["Content-Type"] == "text/plain"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Cache-Control"] == "no-store, private"


def test_download_follows_the_record_and_nothing_else(client, administrator, team):
    kept = files.attach(team, upload("a.pdf"), by=administrator)
    other = TeamFactory()
    client.force_login(administrator)
    assert client.get(address(other, "download", kept.uuid)).status_code == 404
    assert client.get(address(team, "download", "nonsense")).status_code == 404
    assert client.get(address(team, "download", "0" * 400)).status_code == 404
    assert client.post(address(team, "download", kept.uuid)).status_code == 405
    client.force_login(person_with(Role.SALES))
    assert client.get(address(team, "download", kept.uuid)).status_code in (403, 404)
    client.logout()
    assert client.get(address(team, "download", kept.uuid)).status_code == 302


def test_download_of_a_lost_file_is_a_sentence(client, administrator, team, store):
    kept = files.attach(team, upload("a.pdf"), by=administrator)
    (store / kept.file.name).unlink()
    client.force_login(administrator)
    page = client.get(address(team, "download", kept.uuid), follow=True).content.decode()
    assert "a.pdf is missing from the store of files. Ask an administrator to restore it from a backup." in page


def test_attach_by_get_is_not_possible(client, administrator, team):
    client.force_login(administrator)
    assert client.get(address(team, "attach")).status_code == 405


def test_attach_needs_the_csrf_token(administrator, team):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(administrator)
    assert strict.post(address(team, "attach"), {"files": upload("a.pdf")}).status_code == 403


def test_scope_follows_the_records(administrator, team):
    files.attach(team, upload("a.pdf"), by=administrator)
    assert access.visible(person_with(Role.OPS), Attachment).count() == 1
    assert access.visible(person_with(Role.SALES), Attachment).count() == 0


def test_list_names_the_record_and_needs_constant_queries(client, administrator, team):
    files.attach(team, upload("a.pdf"), by=administrator)
    client.force_login(person_with(Role.AUDITOR))
    url = "/admin/attachments/attachment/"
    assert "Contracts" in client.get(url).content.decode()
    with CaptureQueriesContext(connection) as one:
        client.get(url)
    for number in range(2):
        files.attach(TeamFactory(), upload("b.txt", b"text %d" % number), by=administrator)
    with CaptureQueriesContext(connection) as three:
        client.get(url)
    assert len(one) == len(three)
    kept = Attachment.objects.first()
    assert f"Download {kept.name}" in client.get(f"{url}{kept.pk}/change/").content.decode()


def test_record_page_needs_constant_queries(client, administrator, team):
    client.force_login(administrator)
    files.attach(team, upload("a.pdf"), by=administrator)
    client.get(page_of(team))
    with CaptureQueriesContext(connection) as one:
        client.get(page_of(team))
    files.attach(team, upload("b.png", PNG), by=administrator)
    files.attach(team, upload("b.png", PNG + b"1"), by=administrator)
    with CaptureQueriesContext(connection) as three:
        client.get(page_of(team))
    assert len(one) == len(three)


def test_request_too_big_is_a_sentence(client, administrator, team, settings):
    settings.UPLOAD_MOST_BYTES = 1024 * 1024
    client.force_login(administrator)
    sent = {"files": upload("a.txt", b"x" * 1024 * 1024)}
    page = client.post(address(team, "attach"), sent, follow=True).content.decode()
    assert "More than 1 MB at once cannot be received; send smaller files." in page


def test_full_disk_while_receiving_is_a_sentence(client, administrator, team, monkeypatch):
    from django.core.files.uploadhandler import TemporaryFileUploadHandler

    def full(self, raw_data, start):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", full)
    monkeypatch.setattr(SmallFiles, "new_file", lambda self, *args, **kwargs: None)
    monkeypatch.setattr(SmallFiles, "receive_data_chunk", lambda self, raw_data, start: raw_data)
    monkeypatch.setattr(SmallFiles, "file_complete", lambda self, size: None)
    client.force_login(administrator)
    page = client.post(address(team, "attach"), {"files": upload("a.pdf")}, follow=True).content.decode()
    assert "The server&#x27;s disk is full, so the file was not kept." in page
