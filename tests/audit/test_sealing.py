"""Every entry is sealed once, none is skipped, and what is in the way is said and alarmed."""

import threading
from contextlib import contextmanager

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction

from apps.accounts.models import Team
from apps.audit.domain import sealing as sealing_module
from apps.audit.domain.seal_files import seal_files
from apps.audit.domain.seal_keys import sealing_key
from apps.audit.domain.sealing import seal_ledger
from apps.audit.domain.verifying import verify_seals
from apps.audit.domain.watching_seals import seal_lag, watch_lag
from apps.audit.models import AuditEvent, AuditSeal, LedgerMonth
from apps.core.actors import acting_as, system_principal
from apps.core.alerts.models import Alert
from apps.core.errors import WrongState
from apps.core.jobs.api import enqueue
from apps.core.jobs.testing import run_queued_jobs
from mops.db.roles import as_owner
from tests.audit.seals import entries, problem, sealed, sealing, tampering, write  # noqa: F401  # a fixture
from tests.factories.accounts import UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sealing")]


def covered():
    """How many entries the seals hold, and that their ranges leave nothing out."""
    seals = list(AuditSeal.objects.order_by("n"))
    assert [seal.from_id for seal in seals] == [1, *(seal.to_id + 1 for seal in seals[:-1])][: len(seals)]
    return sum(seal.count for seal in seals)


def test_everything_written_is_sealed_once_and_verifies():
    write()
    done = seal_ledger()
    assert (done.seals, done.entries) == (1, AuditEvent.objects.count())
    assert seal_ledger().seals == 0
    write()
    assert seal_ledger().seals == 1
    verdict = verify_seals()
    assert (verdict.problem, verdict.seals, verdict.entries) == ("", 2, AuditEvent.objects.count())
    assert covered() == AuditEvent.objects.count()
    assert (watch_lag().unsealed, seal_lag().seconds) == (0, 0.0)


def test_a_transaction_that_commits_late_is_waited_for_and_never_skipped():
    """A low number appears after higher ones have been committed: it must still be sealed."""
    person, begun, go_on = UserFactory(), threading.Event(), threading.Event()

    def late():
        with acting_as(person), transaction.atomic():
            Team.objects.create(name="Late")
            begun.set()
            go_on.wait(10)
        connections["default"].close()

    thread = threading.Thread(target=late)
    thread.start()
    begun.wait(10)
    early = write()
    assert seal_ledger(patience=0.2).entries == 0
    assert AuditSeal.objects.count() == 0
    before = set(entries())
    go_on.set()
    thread.join(10)
    (late_number,) = set(entries()) - before
    assert late_number < min(early)
    seal_ledger()
    assert covered() == AuditEvent.objects.count()
    assert AuditSeal.objects.first().to_id >= max(early)
    assert problem() == ""


def test_no_entry_is_skipped_while_many_write_and_one_seals(proof):
    """Writers with short and long transactions, some given up, beside a sealer that looks all the time."""
    person, over = UserFactory(), threading.Event()
    rounds = 60 if proof else 12

    def writer(mine):
        with acting_as(person):
            for number in range(rounds):
                try:
                    with transaction.atomic():
                        Team.objects.create(name=f"W{mine} {number}")
                        threading.Event().wait(0.03 * (mine % 3))
                        if number % 5 == 4:
                            raise InterruptedError
                except InterruptedError:
                    continue
        connections["default"].close()

    def sealer():
        while not over.is_set():
            seal_ledger(patience=0.3)
        connections["default"].close()

    threads = [threading.Thread(target=writer, args=(mine,)) for mine in range(5)]
    looking = threading.Thread(target=sealer)
    for thread in (*threads, looking):
        thread.start()
    for thread in threads:
        thread.join(60)
    over.set()
    looking.join(30)
    seal_ledger()
    assert covered() == AuditEvent.objects.count()
    assert problem() == ""


def test_a_large_backlog_becomes_seals_of_bounded_size(monkeypatch):
    monkeypatch.setattr(sealing_module, "MOST", 4)
    write(9)
    done = seal_ledger()
    assert done.seals == -(-AuditEvent.objects.count() // 4)
    assert max(AuditSeal.objects.values_list("count", flat=True)) == 4
    assert problem() == ""


def test_files_rotate_and_verify_together(monkeypatch):
    monkeypatch.setattr("apps.audit.domain.seal_files.FILE_BYTES", 400)
    sealed(2, 2, 2)
    assert [path.name for path in seal_files()] == [f"seals-{number:06}.log" for number in (1, 2, 3)]
    assert problem() == ""
    assert problem(place=seal_files()[1]) == ""


def test_key_is_made_once_and_readable_by_mops_alone(settings):
    sealed(1)
    assert settings.SEAL_KEY_FILE.stat().st_mode & 0o777 == 0o600
    assert sealing_key().private_bytes_raw() == sealing_key().private_bytes_raw()


def test_key_may_come_from_the_environment(settings):
    settings.SEAL_KEY = "17" * 32
    sealed(1)
    assert not settings.SEAL_KEY_FILE.exists()
    assert problem() == ""


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (lambda path: path.unlink(), "is missing, but there are seals signed with it"),
        (lambda path: path.write_text("no key"), "is no sealing key: it must be 64 hexadecimal digits."),
        (lambda path: path.write_bytes(b"\xff\xfe"), "cannot be read"),
        (lambda path: path.write_text("ab" * 32), "The sealing key was swapped"),
    ],
)
def test_a_key_that_is_not_the_right_one_is_refused_and_alarmed(settings, how, said):
    sealed(1)
    how(settings.SEAL_KEY_FILE)
    write()
    with pytest.raises(WrongState, match=said):
        seal_ledger()
    enqueue("audit.seal", by=system_principal())
    run_queued_jobs()
    alert = Alert.objects.get(fingerprint="audit.sealing")
    assert said in alert.detail
    assert "ab" * 32 not in alert.detail
    assert AuditSeal.objects.count() == 1


def test_a_new_key_goes_on_and_the_old_seals_still_verify(settings, capsys):
    sealed(1)
    settings.SEAL_KEY_FILE.unlink()
    call_command("audit", "new-key", reason="the disk died")
    write()
    seal_ledger()
    verdict = verify_seals()
    assert (verdict.problem, list(verdict.keys.values())) == ("", [[1, 1], [2, 2]])
    assert "the disk died" in verdict.notes[0]
    assert Alert.objects.get(fingerprint="audit.seals_changed").severity == "warning"


def test_the_seals_file_gone_is_refused_until_somebody_says_why(sealing):  # noqa: F811
    sealed(2)
    seal_files()[0].unlink()
    write()
    with pytest.raises(WrongState, match="The seals file is missing"):
        seal_ledger()
    assert "The seals file is missing" in problem()
    call_command("audit", "restart-seals", reason="the volume was lost")
    seal_ledger()
    verdict = verify_seals()
    assert (verdict.problem, verdict.seals) == ("", 2)
    assert "the volume was lost" in verdict.notes[0]
    with pytest.raises(CommandError, match="nothing to begin anew"):
        call_command("audit", "restart-seals", reason="again")


def test_what_an_interrupted_run_left_in_the_file_is_taken_over():
    sealed(2)
    write()
    seal_ledger()
    with tampering() as cursor:
        cursor.execute("DELETE FROM audit_auditseal WHERE n = 2")
    seal_ledger()
    assert AuditSeal.objects.count() == 2
    assert problem() == ""


def test_half_a_line_is_cut_away():
    sealed(2)
    with seal_files()[0].open("ab") as file:
        file.write(b"99 abc\n100 12")
    write()
    seal_ledger()
    assert problem() == ""


def test_seals_after_a_restore_go_on_when_somebody_says_so():
    sealed(2, 2)
    with tampering() as cursor:  # as the database was before the second seal
        cursor.execute("DELETE FROM audit_auditseal WHERE n = 2 RETURNING from_id")
        cursor.execute("DELETE FROM audit_auditevent WHERE id >= %s", [cursor.fetchone()[0]])
    write()
    with pytest.raises(WrongState, match="After a restore say so"):
        seal_ledger()
    call_command("audit", "restart-seals", reason="restored from the backup of yesterday")
    seal_ledger()
    assert problem() == ""
    assert AuditSeal.objects.first().n == 2


def test_a_month_that_is_over_and_sealed_is_marked():
    with tampering() as cursor:
        cursor.execute("SELECT mops_prepare_ledger_partitions()")
        cursor.execute(
            "INSERT INTO audit_ledgermonth (month, partition, made_at, purge_reason, purged_by_label, rows,"
            " seal_digest) VALUES ('2024-05-01', 'none', now(), '', '', 0, '') ON CONFLICT DO NOTHING"
        )
    sealed(1)
    month = LedgerMonth.objects.get(month="2024-05-01")
    assert month.seal_digest == AuditSeal.objects.get().digest
    assert not LedgerMonth.objects.filter(month__gt="2024-06-01", sealed_at__isnull=False).exists()
    with tampering() as cursor:
        cursor.execute("DELETE FROM audit_ledgermonth WHERE month = '2024-05-01'")


@contextmanager
def busy(database):
    """A transaction of somebody else that holds a number, in one of the databases of this server."""
    with as_owner() as connection:  # nobody else may enter every database
        given = connection.get_connection_params() | {"dbname": database}
    given = {name: value for name, value in given.items() if name in ("dbname", "user", "password", "host", "port")}
    with psycopg.connect(**given) as other:
        other.execute("SELECT pg_current_xact_id()")
        yield
        other.rollback()


def test_a_transaction_in_another_database_of_the_server_holds_nothing_up():
    """One server often keeps several databases: what happens in another can write nothing into this ledger."""
    write()
    with busy("postgres"):
        assert seal_ledger(patience=0.2).entries == AuditEvent.objects.count()
    write()
    with busy(connections["default"].settings_dict["NAME"]):
        assert seal_ledger(patience=0.2).entries == 0
    seal_ledger()
    assert covered() == AuditEvent.objects.count()
    assert problem() == ""


def test_recording_does_not_wait_for_other_writers():
    """A chain inside each write would make everybody wait for whoever has a transaction open."""
    person, begun, go_on = UserFactory(), threading.Event(), threading.Event()

    def slow():
        with acting_as(person), transaction.atomic():
            Team.objects.create(name="Slow")
            begun.set()
            go_on.wait(30)
        connections["default"].close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert begun.wait(30)
    try:
        with transaction.atomic(), connections["default"].cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '50ms'")
            write()
    finally:
        go_on.set()
        thread.join(30)
    assert AuditEvent.objects.filter(table_name="accounts_team").count() == 4
