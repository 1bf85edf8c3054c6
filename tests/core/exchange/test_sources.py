"""File sources: read on time, in the owner's name, out of allowed folders only; a second sync changes nothing."""

import datetime as dt
import os

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from apps.accounts.enums import Role
from apps.accounts.models import Team, User
from apps.audit.models import AuditEvent
from apps.core.errors import DomainError, NotAllowed, WrongState
from apps.core.exchange.domain import syncing
from apps.core.exchange.domain.matching import map_columns
from apps.core.exchange.domain.places import locate
from apps.core.exchange.domain.receiving import receive_from_source
from apps.core.exchange.domain.schedules import due_sources, queue_due_sources
from apps.core.exchange.models import FileSource, SyncRun
from apps.core.jobs.models import JobRun
from apps.core.jobs.testing import run_queued_jobs
from tests.factories.accounts import person_with
from tests.factories.exchange import source_of

pytestmark = pytest.mark.django_db
UTC = dt.UTC
OUTSIDE = "The file “NAME” lies outside the folder {folder}; a source reads files inside its folder only."


def _sync(source, *, by, dry_run=False):
    (syncing.try_out if dry_run else syncing.sync_now)(source, by=by)
    run_queued_jobs()
    return source.runs.first()


def _counts(run):
    return (run.created, run.updated, run.unchanged, run.refused, run.gone)


def test_a_sync_brings_in_what_differs_and_the_next_one_nothing(admin, folder):
    source = source_of(folder, "name,purpose\nDemand,Campaigns\nEvents,Fairs\n,x\n", by=admin)
    run = _sync(source, by=admin)
    assert (run.state, _counts(run), run.said) == ("done", (2, 0, 0, 1, 0), "2 created, 1 refused.")
    entry = AuditEvent.objects.get(table_name="accounts_team", object_label="Demand")
    assert (entry.actor, entry.channel, entry.reason, entry.job_id) == (admin, "sync", f"Sync of {source}", run.job)
    before = AuditEvent.objects.filter(table_name="accounts_team").count()
    run = _sync(source, by=admin)
    assert (_counts(run), run.said) == (
        (0, 0, 2, 1, 0),
        "Nothing changed: 2 unchanged, 1 refused, nothing was written.",
    )
    assert AuditEvent.objects.filter(table_name="accounts_team").count() == before
    assert [row.kind for row in run.outcomes.all()] == ["refused"]


def test_what_the_file_no_longer_names_is_told_once_and_not_touched(admin, folder):
    source = source_of(folder, "name\nDemand\nEvents\n", by=admin)
    _sync(source, by=admin)
    (folder / "teams.csv").write_text("name\nDemand\n")
    tried = _sync(source, by=admin, dry_run=True)
    assert tried.gone == 1
    run = _sync(source, by=admin)
    assert (run.gone, run.said) == (1, "Nothing changed: 1 unchanged, 1 no longer in the file, nothing was written.")
    assert [(row.kind, row.key) for row in run.outcomes.all()] == [("gone", "events")]
    assert Team.objects.get(name="Events").archived_at is None
    assert _sync(source, by=admin).gone == 0
    (folder / "teams.csv").write_text("name\nDemand\nEvents\n")
    assert _counts(_sync(source, by=admin)) == (0, 0, 2, 0, 0)
    (folder / "teams.csv").write_text("name\nDemand\n")
    assert _sync(source, by=admin).gone == 1


def test_trying_writes_nothing(admin, folder):
    source = source_of(folder, "name\nDemand\n", by=admin)
    run = _sync(source, by=admin, dry_run=True)
    assert (run.dry_run, run.created, run.said) == (True, 1, "1 created.")
    assert not Team.objects.filter(name="Demand").exists()


def test_by_the_clock_the_same_file_is_not_read_again(admin, folder):
    source = source_of(folder, "name\nDemand\n", by=admin, schedule="minutes", every=5)
    FileSource.objects.filter(pk=source.pk).update(created_at="2026-01-01T00:00Z")
    assert queue_due_sources(dt.datetime(2026, 1, 1, 0, 5, tzinfo=UTC)) == 1
    run_queued_jobs()
    first = source.runs.get()
    assert (first.scheduled, first.acted_as, first.said) == (True, admin, "1 created.")
    later = first.started_at + dt.timedelta(minutes=10)
    assert queue_due_sources(later) == 1
    assert queue_due_sources(later) == 0  # it is queued
    run_queued_jobs()
    run = source.runs.first()
    assert run.said.startswith("Nothing changed: the file is the same as on ")
    assert run.said.endswith("; nothing was written.")
    assert _counts(run) == (0, 0, 1, 0, 0)
    assert _sync(source, by=admin).said == "Nothing changed: 1 unchanged, nothing was written."


@pytest.mark.parametrize(
    ("schedule", "now", "last", "due"),
    [
        ({"schedule": "manual"}, "2026-03-02T10:00", None, False),
        ({"schedule": "minutes", "every": 15}, "2026-03-02T10:14", "2026-03-02T10:00", False),
        ({"schedule": "minutes", "every": 15}, "2026-03-02T10:15", "2026-03-02T10:00", True),
        ({"schedule": "hours", "every": 6}, "2026-03-02T11:59", "2026-03-02T06:00", False),
        ({"schedule": "hours", "every": 6}, "2026-03-02T12:00", "2026-03-02T06:00", True),
        ({"schedule": "hours", "every": 1}, "2026-03-05T12:00", "2026-03-01T06:00", True),
        ({"schedule": "daily", "daily_at": dt.time(6, 30)}, "2026-03-02T06:29", "2026-03-01T06:30", False),
        ({"schedule": "daily", "daily_at": dt.time(6, 30)}, "2026-03-02T06:30", "2026-03-01T06:30", True),
        ({"schedule": "daily", "daily_at": dt.time(6, 30), "enabled": False}, "2026-03-02T06:30", None, False),
        ({"schedule": "daily", "daily_at": dt.time(6, 30)}, "2026-03-02T06:40", "2026-03-02T06:31", False),
    ],
)
def test_sources_are_due_by_their_schedule(admin, folder, schedule, now, last, due):
    source = source_of(folder, "name\nx\n", by=admin, **schedule)
    FileSource.objects.filter(pk=source.pk).update(created_at="2026-01-01T00:00Z")
    if last:
        began = dt.datetime.fromisoformat(last).replace(tzinfo=UTC)
        SyncRun.objects.create(source=source, scheduled=True, acted_as=admin, started_at=began)
    assert bool(due_sources(dt.datetime.fromisoformat(now).replace(tzinfo=UTC))) == due


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (
            "gone.csv",
            "There is no file “gone.csv” in {folder}. Has the other system delivered it, and under this name?",
        ),
        (
            "../secret.csv",
            OUTSIDE.replace("NAME", "../secret.csv"),
        ),
        (
            "/etc/passwd",
            OUTSIDE.replace("NAME", "/etc/passwd"),
        ),
        (
            "a/../../secret.csv",
            OUTSIDE.replace("NAME", "a/../../secret.csv"),
        ),
        (
            "link.csv",
            OUTSIDE.replace("NAME", "link.csv"),
        ),
        (
            "linked/secret.csv",
            OUTSIDE.replace("NAME", "linked/secret.csv"),
        ),
        ("loop.csv", "“loop.csv” in {folder} cannot be read (its links lead nowhere)."),
        ("sub", "“sub” in {folder} is not a file."),
        ("pipe", "“pipe” in {folder} is not a file."),
    ],
)
def test_files_outside_or_missing_leave_a_failed_sync_in_words(admin, folder, path, sentence):
    (folder.parent / "secret.csv").write_text("name\nSecret\n")
    (folder / "link.csv").symlink_to(folder.parent / "secret.csv")
    (folder / "linked").symlink_to(folder.parent)
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    (folder / "sub").mkdir()
    os.mkfifo(folder / "pipe")
    source = source_of(folder, "name\nx\n", by=admin)
    FileSource.objects.filter(pk=source.pk).update(path=path)
    run = _sync(source, by=admin)
    assert run.state == "failed"
    assert run.said == sentence.format(folder=folder)
    assert JobRun.objects.get(key=syncing.SYNC_JOB).error == run.said
    assert not Team.objects.filter(name="Secret").exists()


def test_links_inside_the_folder_are_followed(folder):
    (folder / "real.csv").write_text("x")
    (folder / "link.csv").symlink_to(folder / "real.csv")
    assert locate(str(folder), "link.csv") == folder / "real.csv"


def test_a_folder_that_is_not_allowed_is_refused(admin, folder, settings):
    source = source_of(folder, "name\nx\n", by=admin)
    settings.IMPORT_FOLDERS = []
    run = _sync(source, by=admin)
    assert run.said == (
        f"The folder “{str(folder)[:60]}{'…' if len(str(folder)) > 60 else ''}” is not among those that may be read. "
        "An administrator adds it to MOPS_IMPORT_FOLDERS."
    )


def test_a_damaged_file_changes_nothing(admin, folder):
    source = source_of(folder, 'name\nDemand\n"open\n', by=admin)
    run = _sync(source, by=admin)
    assert run.said.startswith("Line 3: a quotation mark")
    assert not Team.objects.filter(name="Demand").exists()


def test_a_lost_column_is_a_sentence(admin, folder):
    source = source_of(folder, "who\nDemand\n", by=admin)
    assert _sync(source, by=admin).said.startswith("Required and not matched: Name.")
    batch = receive_from_source(source, by=admin)
    map_columns(batch, {"name": "who"}, by=admin)
    source.refresh_from_db()
    assert (source.mapping, _sync(source, by=admin).created) == ({"name": "who"}, 1)
    (folder / "teams.csv").write_text("whom\nDemand\n")
    assert _sync(source, by=admin).said == "The file has no column “who” (any more); match its columns again."


def test_syncs_run_with_the_rights_of_their_owner(admin, folder):
    source = source_of(folder, "name\nDemand\n", by=admin, schedule="minutes", every=1)
    User.objects.filter(pk=admin.pk).update(is_active=False)
    FileSource.objects.filter(pk=source.pk).update(created_at="2026-01-01T00:00Z")
    queue_due_sources(dt.datetime(2026, 1, 2, tzinfo=UTC))
    run_queued_jobs()
    assert source.runs.get().said == (
        f"{source} runs in the name of Ada Admin, who may not do this. Somebody who may has to save it."
    )


def test_people_without_the_right_cannot_sync(admin, folder):
    source = source_of(folder, "name\nDemand\n", by=admin)
    for role, sentence in (
        (Role.AUDITOR, "Your roles do not let you sync."),
        (Role.OPS, "You may not import teams: that takes the right to add and to change them."),
    ):
        person = person_with(role)
        for operation in (syncing.sync_now, syncing.try_out):
            with pytest.raises(DomainError) as refusal:
                operation(source, by=person)
            assert refusal.value.message == sentence
    with pytest.raises(NotAllowed):
        receive_from_source(source, by=person_with(Role.OPS))


def test_one_sync_at_a_time(admin, folder):
    source = source_of(folder, "name\nDemand\n", by=admin)
    syncing.sync_now(source, by=admin)
    with pytest.raises(WrongState) as refusal:
        syncing.sync_now(source, by=admin)
    assert refusal.value.message == f"{source} is being read at this moment; its result appears below."


def test_a_sync_whose_worker_was_lost_is_closed_by_the_next(admin, folder):
    source = source_of(folder, "name\nDemand\n", by=admin)
    lost = SyncRun.objects.create(source=source, acted_as=admin, started_at="2026-01-01T00:00Z")
    _sync(source, by=admin)
    lost.refresh_from_db()
    assert (lost.state, lost.said) == ("failed", "Its worker was lost; what was finished before stays done.")


def test_finished_syncs_are_evidence(admin, folder):
    _sync(source_of(folder, "name\nDemand\n", by=admin), by=admin)
    for statement in (
        "UPDATE exchange_syncrun SET said = 'x'",
        "DELETE FROM exchange_syncrun",
        "TRUNCATE exchange_syncrun CASCADE",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
