"""Changes that nobody signed for."""

import threading

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from apps.accounts.enums import Role
from apps.accounts.models import Team
from apps.audit.domain.unattributed import report_unattributed
from apps.audit.models import AuditEvent, LedgerReader
from apps.core.actors import MIGRATION, Channel, acting_as
from apps.core.alerts.models import Alert
from apps.core.jobs.api import enqueue
from apps.core.jobs.testing import run_queued_jobs
from apps.core.notifications.models import Notification
from tests.factories.accounts import UserFactory, person_with

pytestmark = pytest.mark.django_db(transaction=True)  # the ledger's transactions have to be over to be read


@pytest.fixture(autouse=True)
def _from_now_on():
    """What factories write unsigned has been read already."""
    LedgerReader.objects.all().delete()


def test_a_write_past_mops_is_one_alert_for_administrators_and_auditors():
    with acting_as(None, reason=MIGRATION):
        auditor, administrator = person_with(Role.AUDITOR), person_with(Role.ADMINISTRATOR)
    connection.connection.execute("UPDATE accounts_user SET title = 'Boss' WHERE id = %s", [administrator.pk])
    with connection.cursor() as cursor:
        cursor.execute("COMMIT")
    assert report_unattributed() == 1
    alert = Alert.objects.get()
    assert alert.severity == "critical"
    assert "accounts_user 1" in alert.detail
    assert "(database)" in alert.detail
    assert "Boss" not in alert.detail
    told = Notification.objects.order_by("recipient").values_list("recipient", "kind")
    assert list(told) == [(auditor.pk, "audit.unattributed"), (administrator.pk, "alert.critical")]
    assert report_unattributed() == 0


def test_signed_changes_and_migrations_are_no_news():
    with acting_as(None, reason=MIGRATION):
        person = UserFactory()
    with acting_as(person):
        Team.objects.create(name="Signed")
    assert report_unattributed() == 0
    assert Alert.objects.count() == 0


def test_what_an_unsigned_shell_changes_is_a_warning():
    Team.objects.create(name="Unsigned")
    assert report_unattributed() == 1
    assert Alert.objects.get().severity == "warning"
    assert "(shell)" in Alert.objects.get().detail


def test_a_transaction_that_commits_late_is_neither_skipped_nor_waited_for():
    began, may_end = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            Team.objects.create(name="Late")
            began.set()
            may_end.wait(10)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    began.wait(10)
    Team.objects.create(name="Early")
    assert report_unattributed() == 1
    may_end.set()
    thread.join()
    assert report_unattributed() == 1
    assert report_unattributed() == 0


def test_the_job_counts_what_it_found():
    Team.objects.create(name="Unsigned")
    enqueue("audit.report_unattributed", by=None)
    run = next(each for each in run_queued_jobs() if each.key == "audit.report_unattributed")
    assert run.counts == {"unattributed": 1}


def test_migrate_signs_as_migration(monkeypatch):
    from apps.core.actors import current_actor
    from apps.core.management.commands import migrate

    seen = []
    monkeypatch.setattr(migrate.migrate.Command, "handle", lambda self, **options: seen.append(current_actor()))
    call_command("migrate", verbosity=0)
    assert [(actor.label, actor.reason, actor.channel) for actor in seen] == [("migration", MIGRATION, Channel.SHELL)]
    assert AuditEvent.objects.unattributed().filter(reason=MIGRATION).count() == 0
