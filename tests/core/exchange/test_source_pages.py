"""The pages of file sources, syncs and exports."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.enums import Role
from apps.core.exchange.domain import syncing
from apps.core.exchange.models import ExportRun, FileSource
from apps.core.jobs.testing import run_queued_jobs
from tests.factories.accounts import person_with
from tests.factories.exchange import source_of

pytestmark = pytest.mark.django_db
LIST = "/admin/exchange/filesource/"


def _client(person):
    client = Client()
    client.force_login(person)
    return client


def _form(home, **changes):
    given = {
        "name": "Teams of HR",
        "importer": "test.teams",
        "folder": str(home),
        "path": "teams.csv",
        "schedule": "manual",
        "every": "",
        "daily_at": "",
        "enabled": "on",
    }
    return {**given, **changes}


def test_who_saves_a_source_answers_for_it(admin, folder):
    answer = _client(admin).post(f"{LIST}add/", _form(folder, schedule="hours", every="6"))
    source = FileSource.objects.get()
    assert (answer.status_code, source.owner, source.when) == (302, admin, "Every 6 hours")
    other = person_with(Role.ADMINISTRATOR)
    form = _form(folder, schedule="daily", daily_at="06:30", opened_version=source.row_version)
    _client(other).post(f"{LIST}{source.pk}/change/", form)
    source.refresh_from_db()
    assert (source.owner, source.when) == (other, "Daily at 06:30")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"path": "../x.csv"}, "lies outside the folder"),
        ({"path": "/etc/passwd"}, "lies outside the folder"),
        ({"folder": "/etc"}, "Select a valid choice"),
        ({"importer": "leads.leads"}, "Select a valid choice"),
        ({"schedule": "daily"}, "Say how many minutes or hours, or at which time of day."),
        ({"schedule": "minutes"}, "Say how many minutes or hours, or at which time of day."),
        ({"schedule": "minutes", "every": "0"}, "greater than or equal to 1"),
    ],
)
def test_sources_that_cannot_work_are_refused(admin, folder, changes, sentence):
    page = _client(admin).post(f"{LIST}add/", _form(folder, **changes)).content.decode()
    assert sentence in page
    assert FileSource.objects.count() == 0


def test_a_file_that_is_not_there_yet_may_come_later(admin, folder):
    _client(admin).post(f"{LIST}add/", _form(folder, path="later.csv"))
    assert FileSource.objects.get().path == "later.csv"


def test_people_without_the_right_to_the_records_cannot_steer_a_source(admin, folder):
    source = source_of(folder, "name\nDemand\n", by=admin)
    for role in (None, Role.OPS, Role.AUDITOR, Role.SALES):
        client = _client(person_with(*([role] if role else [])))
        client.post(f"{LIST}{source.pk}/change/", _form(folder, path="other.csv"))
        client.post(f"{LIST}add/", _form(folder))
        for button in ("sync", "try", "archive"):
            client.post(f"{LIST}{source.pk}/do/{button}/")
        source.refresh_from_db()
        assert (source.path, source.owner, source.is_archived, source.runs.count()) == ("teams.csv", admin, False, 0)
    assert FileSource.objects.count() == 1


def test_a_source_shows_its_syncs_and_they_show_their_records(admin, folder):
    source = source_of(folder, "name\nDemand\n,x\n", by=admin)
    client = _client(admin)
    client.post(f"{LIST}{source.pk}/do/sync/")
    assert "A sync waits: no worker is running." in client.get(f"{LIST}{source.pk}/change/").content.decode()
    run_queued_jobs()
    page = client.get(f"{LIST}{source.pk}/change/").content.decode()
    run = source.runs.get()
    assert run.said in page
    report = client.get(f"/admin/exchange/syncrun/{run.pk}/change/").content.decode()
    assert "Demand" in report
    assert client.get(f"/admin/exchange/syncrun/{run.pk}/change/?kind=refused").status_code == 200
    auditor = _client(person_with(Role.AUDITOR))
    assert auditor.get(f"/admin/exchange/syncrun/{run.pk}/change/").status_code == 200


@pytest.mark.parametrize("page", ["filesource", "syncrun", "exportrun"])
def test_lists_ask_the_same_number_of_questions(admin, folder, page):
    def make(number):
        source = source_of(folder, "name\nDemand\n", by=admin, path=f"{number}.csv")
        syncing.sync_now(source, by=admin)
        run_queued_jobs()
        ExportRun.objects.create(
            model="accounts.team",
            title="Teams",
            format="csv",
            columns=["name"],
            requested_by=admin,
            started_at="2026-01-01T00:00Z",
        )

    def count():
        client = _client(admin)
        client.get(f"/admin/exchange/{page}/")
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/admin/exchange/{page}/").status_code == 200
        return len(queries)

    make(1)
    one = count()
    make(2)
    make(3)
    assert count() == one
