"""Journal notes: signed, dated, corrected for a while, and then as they are."""

import datetime as dt

import pytest
import time_machine
from django.db import DatabaseError, transaction

from apps.audit.models import AuditEvent
from apps.core import access, clock
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.workspace.domain import journal
from apps.core.workspace.models import JournalNote
from tests.factories.accounts import TeamFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/workspace/journalnote/"


def page_of(team):
    return f"/admin/accounts/team/{team.pk}/change/"


def address(team, verb, item=""):
    return f"/admin/accounts/team/{team.pk}/kits/notes/{verb}/" + (f"{item}/" if item else "")


def later(minutes):
    return time_machine.travel(clock.now() + dt.timedelta(minutes=minutes), tick=True)


def test_a_note_is_signed_dated_and_in_the_ledger(administrator, team):
    note = journal.add_note(team, "  Agreed. \n", kind="success", by=administrator)
    assert (note.text, note.kind, note.author, note.record) == ("Agreed.", "success", administrator, team)
    assert AuditEvent.objects.of_object(note).get().actor == administrator


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Write something first: an empty note says nothing."),
        (" \x00\n", "Write something first: an empty note says nothing."),
        ("x" * 10_001, "The note has 10,001 characters; 10,000 fit. Attach longer texts as a file."),
    ],
)
def test_a_note_needs_a_text_that_fits(administrator, team, text, sentence):
    with pytest.raises(InvalidInput) as refusal:
        journal.add_note(team, text, by=administrator)
    assert str(refusal.value) == sentence


def test_who_may_not_change_the_record_writes_no_note(team, viewer, auditor):
    with pytest.raises(NotAllowed, match=r"^You may view Contracts, not change it\.$"):
        journal.add_note(team, "x", by=viewer)
    with pytest.raises(NotAllowed, match=r"^Your roles do not let you write journal notes\.$"):
        journal.add_note(team, "x", by=auditor)


def test_the_author_corrects_a_fresh_note(administrator, team):
    note = journal.add_note(team, "wrong", by=administrator)
    journal.correct_note(note, "right", kind="warning", by=administrator)
    assert list(JournalNote.objects.values_list("text", "kind")) == [("right", "warning")]
    assert {row.text for row in JournalNote.history.all()} == {"wrong", "right"}


def test_nobody_else_corrects_it(administrator, team, auditor):
    from apps.accounts.enums import Role
    from tests.factories.accounts import person_with

    note = journal.add_note(team, "mine", by=administrator)
    with pytest.raises(NotAllowed, match=r"^Only its author can correct a note; write another one\.$"):
        journal.correct_note(note, "yours", by=person_with(Role.ADMINISTRATOR))
    with pytest.raises(NotAllowed, match=r"^Your roles do not let you write journal notes\.$"):
        journal.correct_note(note, "yours", by=auditor)


def test_after_a_while_nobody_corrects_it(administrator, team):
    note = journal.add_note(team, "settled", by=administrator)
    with later(16), pytest.raises(NotAllowed) as refusal:
        journal.correct_note(note, "other", by=administrator)
    assert str(refusal.value) == ("A journal note can be corrected for 15 minutes; after that, write another one.")


def test_the_database_settles_notes_too(administrator, team):
    with later(-16):
        journal.add_note(team, "settled", by=administrator)
    with pytest.raises(DatabaseError, match="can be corrected for 15 minutes"), transaction.atomic():
        JournalNote.objects.update(text="other")
    with pytest.raises(DatabaseError, match="never deleted"), transaction.atomic():
        JournalNote.objects.all().delete()


def test_the_database_keeps_who_and_when(administrator, viewer, team):
    journal.add_note(team, "fresh", by=administrator)
    with pytest.raises(DatabaseError, match="can be corrected"), transaction.atomic():
        JournalNote.objects.update(author=viewer)
    with pytest.raises(DatabaseError, match="can be corrected"), transaction.atomic():
        JournalNote.objects.update(created_at=clock.now())


def test_panel_writes_and_shows_markdown_safely(client, administrator, team):
    client.force_login(administrator)
    sent = {"kind": "danger", "text": "**bold** <script>alert(1)</script> [x](javascript:alert(1))"}
    page = client.post(address(team, "write"), sent, follow=True).content.decode()
    assert "The note is written." in page
    assert "<strong>bold</strong>" in page
    assert "mops-journal-danger" in page
    assert "<script>alert(1)" not in page
    assert 'href="javascript:' not in page


def test_a_refused_note_keeps_what_was_typed(client, administrator, team):
    client.force_login(administrator)
    long = "y" * 10_001
    page = client.post(address(team, "write"), {"text": long}).content.decode()
    assert "The note has 10,001 characters" in page
    assert long in page
    assert not JournalNote.objects.exists()
    page = client.post(address(team, "write"), {"text": "kept", "kind": "loud"}).content.decode()
    assert "kept" in page
    assert "Select a valid choice" in page


def test_panel_corrects(client, administrator, team):
    note = journal.add_note(team, "wrong", by=administrator)
    client.force_login(administrator)
    assert "wrong" in client.get(address(team, "correct", note.uuid)).content.decode()
    sent = {"text": "right", "kind": "info"}
    page = client.post(address(team, "correct", note.uuid), sent, follow=True).content.decode()
    assert "The note is corrected." in page
    assert "(corrected)" in page
    assert client.get(address(TeamFactory(), "correct", note.uuid)).status_code == 404
    with later(20):
        page = client.get(address(team, "correct", note.uuid), follow=True).content.decode()
    assert "A journal note can be corrected for 15 minutes" in page


def test_panel_offers_nothing_to_viewers(client, administrator, team, auditor, stranger):
    journal.add_note(team, "for all who see the team", by=administrator)
    client.force_login(auditor)
    page = client.get(page_of(team)).content.decode()
    assert "for all who see the team" in page
    assert "kits/notes/" not in page
    page = client.post(address(team, "write"), {"text": "x"}, follow=True).content.decode()
    assert "Your roles do not let you write journal notes." in page
    client.force_login(stranger)
    assert client.post(address(team, "write"), {"text": "x"}).status_code == 404
    assert JournalNote.objects.count() == 1


def test_list_shows_and_finds_notes_of_visible_records_only(client, administrator, team, auditor, stranger):
    journal.add_note(team, "about the rota", by=administrator)
    client.force_login(auditor)
    assert "about the rota" in client.get(f"{LIST}?q=rota").content.decode()
    assert "about the rota" not in client.get(f"{LIST}?q=nothing").content.decode()
    client.force_login(stranger)
    assert "about the rota" not in client.get(LIST).content.decode()
    assert access.visible(stranger, JournalNote).count() == 0
    note = JournalNote.objects.get()
    assert client.get(f"{LIST}{note.pk}/change/", follow=True).status_code in (200, 403, 404)
    assert "about the rota" not in client.get(f"{LIST}{note.pk}/change/", follow=True).content.decode()
    assert client.get(f"{LIST}{note.pk}/history/").status_code == 404


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# Head\n\ntext", "Head"),
        ("Agreed with **Finance** & _legal_", "Agreed with Finance & legal"),
        ("- first\n- second", "first"),
        ("x" * 200, "x" * 99 + "…"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_list_shows_the_first_line_plainly(text, line):
    from apps.core.workspace.admin.notes import plain_line

    assert plain_line(text) == line


def test_list_shows_a_line_made_to_run(client, administrator, team):
    journal.add_note(team, "<script>alert(1)</script>", by=administrator)
    client.force_login(administrator)
    page = client.get(LIST).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_notes_open_read_only(client, administrator, team):
    note = journal.add_note(team, "**x**", by=administrator)
    client.force_login(administrator)
    page = client.get(f"{LIST}{note.pk}/change/").content.decode()
    assert "<strong>x</strong>" in page
    assert client.post(f"{LIST}{note.pk}/change/", {"text": "other"}).status_code == 403


def test_list_and_page_need_constant_queries(client, administrator, team, queries):
    client.force_login(administrator)
    journal.add_note(team, "one", by=administrator)
    before = (queries(LIST), queries(page_of(team)))
    for number in range(6):
        journal.add_note(team, f"note {number}", by=administrator)
        journal.add_note(TeamFactory(), f"note {number}", by=administrator)
    assert (queries(LIST), queries(page_of(team))) == before
    page = client.get(page_of(team)).content.decode()
    assert "All notes about this record" in page
    link = page.split(f'href="{LIST}')[-1].split('"')[0].replace("&amp;", "&")
    assert client.get(LIST + link).context_data["cl"].result_count == 7
