"""Partitions are there before they are needed, none is lost, and a month leaves only when everything lets it."""

import datetime as dt

import pytest
from django.db import connection, transaction, utils

from apps.accounts.enums import Role
from apps.accounts.models import Team
from apps.audit.domain import retention
from apps.audit.models import AuditEvent, LedgerMonth, LegalHold, RetentionPolicy
from apps.core.actors import acting_as, system_principal
from apps.core.alerts.models import Alert
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from mops.db.roles import as_owner
from tests.factories.accounts import TeamFactory, UserFactory, person_with

OLD = dt.date(2024, 5, 1)


def partitions():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_auditevent'::regclass"
        )
        return {name for (name,) in cursor.fetchall()}


@pytest.fixture
def old_month():
    """A month of 2024 with one sealed entry about teams; gone again afterwards."""
    administrator = person_with(Role.ADMINISTRATOR)
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_auditevent (at, txid, actor_label, on_behalf_of_label, channel, request_id, job_id,"
            " reason, db_role, action, table_name, object_id, object_label, changes)"
            " VALUES ('2024-05-07 12:00+00', 1, 'ada', '', 'admin', '', '', '', 'mops', 'update', 'accounts_team', '7',"
            ' \'\', \'{"purpose": ["a", "b"]}\')'
        )
    retention.prepare_partitions(by=system_principal())
    yield administrator
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS audit_auditevent_2024_05")
        cursor.execute("SELECT mops_prepare_ledger_partitions()")


def sealed(month=OLD):
    with connection.cursor() as cursor:
        cursor.execute("SELECT mops_mark_month_sealed(%s, 'abc')", [month])


@pytest.mark.django_db
def test_entries_stand_in_the_partition_of_their_month():
    TeamFactory()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tableoid::regclass::text, 'audit_auditevent_' || to_char(at AT TIME ZONE 'UTC',"
            " 'YYYY_MM') FROM audit_auditevent"
        )
        assert all(name == wanted for name, wanted in cursor.fetchall())
    assert len(partitions()) >= retention.MONTHS_AHEAD + 2


@pytest.mark.django_db
def test_preparing_again_makes_nothing():
    assert retention.prepare_partitions(by=system_principal()) == {"partitions": 0, "stranded": 0}


@pytest.mark.django_db(transaction=True)
def test_missing_partition_loses_nothing_and_is_an_alert(old_month):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_auditevent_2024_05")
        assert cursor.fetchone() == (1,)
        cursor.execute("SELECT count(*) FROM audit_auditevent_rest")
        assert cursor.fetchone() == (0,)
    assert Alert.objects.get(fingerprint="audit.partition_missing").title == (
        "1 ledger entries found no partition of their month."
    )
    assert LedgerMonth.objects.get(month=OLD).partition == "audit_auditevent_2024_05"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO {} SELECT * FROM {}",
        "UPDATE {} SET reason = 'x'",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "DROP TABLE {}",
    ],
)
def test_serving_role_changes_no_partition(statement):
    TeamFactory()
    for name in partitions():
        with pytest.raises(utils.ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement.replace("{}", name))


@pytest.mark.django_db(transaction=True)
def test_even_the_owner_is_refused_truncating_a_partition():
    with as_owner(), connection.cursor() as cursor, pytest.raises(utils.DatabaseError, match="append-only"):
        cursor.execute("TRUNCATE audit_auditevent_rest")


@pytest.mark.django_db(transaction=True)
def test_month_is_purged_when_sealed_past_its_policy_and_held_by_nobody(old_month):
    month, everyone = LedgerMonth.objects.get(month=OLD), {"by": old_month, "reason": "Policy 7."}
    with pytest.raises(WrongState, match="This month is not sealed"):
        retention.purge_month(month, **everyone)
    sealed()
    with pytest.raises(WrongState, match="It holds changes of accounts_team, which are kept longer than that"):
        retention.purge_month(month, **everyone)
    RetentionPolicy.objects.create(kind="*", months=600, basis="habit")
    with pytest.raises(WrongState, match="kept longer"):
        retention.purge_month(month, **everyone)
    RetentionPolicy.objects.create(kind="accounts_team", months=12, basis="policy 7")
    hold = retention.place_hold(LegalHold(matter="Case 1", kind="accounts_team", reason="suit"), by=old_month)
    with pytest.raises(WrongState, match="The legal hold “Case 1” covers changes of this month"):
        retention.purge_month(month, **everyone)
    retention.release_hold(hold, by=old_month, reason="settled")
    with pytest.raises(InvalidInput, match="A purge needs a reason"):
        retention.purge_month(month, by=old_month, reason=" ")
    with pytest.raises(NotAllowed, match="You may not purge the ledger"):
        retention.purge_month(month, by=person_with(Role.AUDITOR), reason="x")
    assert retention.purge_month(month, **everyone) == "May 2024 is purged: 1 entries."
    month.refresh_from_db()
    assert (month.rows, month.purged_by_label, month.purge_reason) == (1, old_month.email, "Policy 7.")
    assert "audit_auditevent_2024_05" not in partitions()
    event = AuditEvent.objects.filter(table_name="audit_ledgermonth", action="update").latest("id")
    assert (event.actor, event.reason, event.changes["rows"]) == (old_month, "Policy 7.", [0, 1])
    with pytest.raises(WrongState, match="has been purged already"):
        retention.purge_month(month, **everyone)


@pytest.fixture
def this_month(db):
    retention.prepare_partitions(by=system_principal())
    return LedgerMonth.objects.order_by("-month")[retention.MONTHS_AHEAD]


@pytest.mark.django_db
def test_running_month_is_neither_sealed_whole_nor_purged(this_month):
    with pytest.raises(WrongState, match="This month is not over yet"):
        retention.purge_month(this_month, by=person_with(Role.ADMINISTRATOR), reason="x")
    with pytest.raises(utils.DatabaseError, match="once it is over"), transaction.atomic():
        sealed(this_month.month)


@pytest.mark.django_db
def test_database_itself_refuses_a_purge(this_month):
    with pytest.raises(utils.DatabaseError, match="not over yet"), connection.cursor() as cursor:
        cursor.execute("SELECT mops_purge_ledger_month(%s, 'because')", [this_month.month])


@pytest.mark.django_db
def test_hold_covers_one_record_a_kind_or_everything():
    administrator, team = person_with(Role.ADMINISTRATOR), TeamFactory()
    assert retention.hold_on("accounts_team", team.pk) is None
    one = LegalHold(matter="One", kind="accounts_team", object_id=str(team.pk), reason="r")
    retention.place_hold(one, by=administrator)
    assert retention.hold_on("accounts_team", team.pk) == one
    assert retention.hold_on("accounts_team", team.pk + 1) is None
    retention.place_hold(everything := LegalHold(matter="All", reason="r"), by=administrator)
    assert retention.hold_on("technology_tool", 1) == everything
    with pytest.raises(NotAllowed, match="You may not place legal holds"):
        retention.place_hold(LegalHold(matter="x", reason="r"), by=UserFactory())
    retention.release_hold(one, by=administrator, reason="over")
    with pytest.raises(WrongState, match="It was released on"):
        retention.release_hold(one, by=administrator, reason="again")
    with pytest.raises(NotAllowed, match="You may not release legal holds"):
        retention.release_hold(everything, by=UserFactory(), reason="x")


@pytest.mark.django_db
def test_ledger_numbers_grow_with_time():
    with acting_as(UserFactory()):
        TeamFactory.create_batch(3)
        Team.objects.update(purpose="x")
    events = list(AuditEvent.objects.order_by("id").values_list("id", "at"))
    assert events == sorted(events, key=lambda each: each[1])
