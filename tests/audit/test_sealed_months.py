"""A month is purged once it is sealed; its seals remain and verify, and nothing else can hide behind the purge."""

import datetime as dt

import pytest
from django.db import connection

from apps.accounts.enums import Role
from apps.audit.domain.retention import prepare_partitions, purge_month
from apps.audit.domain.sealing import seal_ledger
from apps.audit.domain.verifying import verify_seals
from apps.audit.models import AuditSeal, LedgerMonth, RetentionPolicy
from apps.core.actors import acting_as, system_principal
from mops.db.roles import as_owner
from tests.audit.seals import problem, sealing, tampering, write  # noqa: F401  # a fixture
from tests.factories.accounts import person_with

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sealing")]
MONTH = dt.date(2024, 5, 1)


@pytest.fixture
def purged():
    """Two entries of May 2024, sealed with later ones, and purged."""
    administrator = person_with(Role.ADMINISTRATOR)
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_auditevent (at, txid, actor_label, on_behalf_of_label, channel, request_id, job_id,"
            " reason, db_role, action, table_name, object_id, object_label, changes)"
            " SELECT '2024-05-07 12:00+00', 1, 'ada', '', 'admin', '', '', '', 'mops', 'update', 'accounts_team', '7',"
            " '', '{}' FROM generate_series(1, 2)"
        )
    prepare_partitions(by=system_principal())
    write()
    seal_ledger()
    with acting_as(administrator, reason="policy"):
        RetentionPolicy.objects.create(kind="*", months=3, basis="contract")
    month = LedgerMonth.objects.get(month=MONTH)
    assert month.seal_digest == AuditSeal.objects.first().digest
    purge_month(month, by=administrator, reason="past its retention")
    yield LedgerMonth.objects.get(month=MONTH)
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS audit_auditevent_2024_05")
        cursor.execute("SELECT mops_prepare_ledger_partitions()")


def test_seals_over_a_purged_month_verify(purged):
    verdict = verify_seals()
    assert (verdict.problem, verdict.purged, purged.rows) == ("", 2, 2)
    seal_ledger()
    assert problem() == ""


def test_an_entry_deleted_under_cover_of_a_purge_is_named(purged):
    with tampering() as cursor:
        cursor.execute("SELECT min(id) FROM audit_auditevent WHERE id > %s", [purged.last_id])
        (number,) = cursor.fetchone()
        cursor.execute("UPDATE audit_ledgermonth SET last_id = %s WHERE id = %s", [number, purged.pk])
        cursor.execute("DELETE FROM audit_auditevent WHERE id = %s", [number])
    assert problem() == "3 sealed entries of purged months are gone, but 2 were purged."
