"""Health of integrations from syncs, jobs and measurements: recorded once, told once, and the unknown is not good."""

import datetime as dt

import pytest

from apps.accounts.enums import Role
from apps.core.alerts.models import Alert
from apps.core.exchange.models import SyncRun
from apps.core.jobs.models import JobRun
from apps.technology.domain.feeding import feed_transfers
from apps.technology.domain.integrations import health_now, with_health
from apps.technology.models import AvailabilitySample, Integration, Transfer
from tests.factories import exchange
from tests.factories import technology as make
from tests.factories.accounts import person_with

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def ops():
    return person_with(Role.OPS)


def health(row, now=NOW):
    return health_now(with_health(Integration.objects.filter(pk=row.pk)).get(), now)


def synced(source, person, *, hours, state="done", said="3 created.", **fields):
    at = NOW - hours * HOUR
    return SyncRun.objects.create(
        source=source, acted_as=person, started_at=at, finished_at=at, state=state, said=said, rows=3, **fields
    )


def test_a_sync_tells_how_the_transfer_went_and_a_try_tells_nothing(ops, tmp_path):
    source = exchange.source_of(tmp_path, "name", by=ops)
    row = make.IntegrationFactory(live=True, owner_person=ops, file_source=source)
    resting = make.IntegrationFactory(owner_person=ops, file_source=source)
    synced(source, ops, hours=3, state="failed", said="The file is gone; password=hunter2secret")
    synced(source, ops, hours=1, dry_run=True)
    synced(source, ops, hours=24 * 40)
    assert health(row) == "unknown"
    assert feed_transfers(NOW) == {"recorded": 1, "told": 1, "resolved": 0}
    failed = Transfer.objects.get()
    assert (failed.ok, failed.source, failed.recorded_by) == (False, f"Sync of {source}", "mops")
    assert "hunter2secret" not in failed.note
    assert health(row) == "failing"
    assert Alert.objects.get().title == f"The integration “{row.name}” failed."
    synced(source, ops, hours=0)
    assert feed_transfers(NOW) == {"recorded": 1, "told": 0, "resolved": 1}
    assert feed_transfers(NOW) == {"recorded": 0, "told": 0, "resolved": 0}
    assert (health(row), health(resting)) == ("good", "unknown")


def test_runs_of_a_job_count_and_what_stops_coming_is_late(ops):
    row = make.IntegrationFactory(live=True, owner_person=ops, job="tickets.fetch_mail", frequency="hourly")
    for number, (state, error) in enumerate((("succeeded", ""), ("dead", "No route to the mail server."))):
        at = NOW - (2 - number) * HOUR
        JobRun.objects.create(
            key="tickets.fetch_mail",
            state=state,
            error=error,
            queue="mops",
            timeout=60,
            attempt_limit=3,
            queued_at=at,
            available_at=at,
            started_at=at,
            finished_at=at,
        )
    JobRun.objects.create(key="tickets.fetch_mail", state="queued", queue="mops", timeout=60, attempt_limit=3)
    assert feed_transfers(NOW)["recorded"] == 2
    newest = Transfer.objects.first()
    assert (newest.ok, newest.note) == (False, "No route to the mail server.")
    make.TransferFactory(integration=row, at=NOW)
    assert feed_transfers(NOW) == {"recorded": 0, "told": 0, "resolved": 1}
    later = NOW + 3 * HOUR
    assert feed_transfers(later) == {"recorded": 0, "told": 1, "resolved": 0}
    assert health(row, later) == "late"
    told = Alert.objects.exclude(state="resolved").get()
    assert told.title == f"The integration “{row.name}” is late."
    assert told.detail == "The last transfer was on 22 November 2026, 12:00 UTC; it should go over every hour."
    assert feed_transfers(later)["told"] == 0


def test_a_tool_that_was_down_all_the_time_fails_what_goes_over_it_and_one_nobody_measures_does_not(ops):
    row = make.IntegrationFactory(live=True, owner_person=ops)
    other = make.IntegrationFactory(live=True, owner_person=ops)

    def measured(tool, up, down, hours):
        AvailabilitySample.objects.create(
            tool=tool,
            starts_at=NOW - (hours + 1) * HOUR,
            ends_at=NOW - hours * HOUR,
            up_minutes=up,
            down_minutes=down,
            source="Status page",
        )

    measured(row.target, 0, 60, 2)
    measured(row.source, 55, 5, 2)  # some of it
    measured(other.source, 0, 60, 30)  # too long ago to say anything of today
    measured(other.target, 0, 0, 1)  # nobody knows
    assert feed_transfers(NOW) == {"recorded": 1, "told": 1, "resolved": 0}
    found = Transfer.objects.get()
    assert found.note == f"{row.target} was down from 22 November 2026, 09:00 to 10:00 UTC."
    assert found.source == "Availability, Status page"
    assert (health(row), health(other)) == ("failing", "unknown")


def test_it_asks_the_same_however_many_integrations_there_are(django_assert_max_num_queries):
    for _ in range(5):
        make.IntegrationFactory(live=True)
    with django_assert_max_num_queries(10):
        feed_transfers(NOW)
