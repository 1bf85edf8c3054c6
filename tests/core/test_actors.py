"""Who acts reaches history, ledger and every statement, and leaks into none."""

import pytest
from django.db import connection, transaction, utils

from apps.accounts.models import Membership, Team
from apps.audit.models import AuditEvent
from apps.core.actors import Channel, acting_as, current_actor
from apps.core.context_sql import stamp_transaction
from tests.factories.accounts import TeamFactory, UserFactory

pytestmark = pytest.mark.django_db


def last_event():
    return AuditEvent.objects.order_by("-id").first()


def test_acting_as_inherits_what_is_not_given():
    ada, bob = UserFactory(), UserFactory()
    with acting_as(ada, channel=Channel.JOB, job_id="7", reason="nightly"), acting_as(bob):
        actor = current_actor()
        assert (actor.user, actor.channel, actor.job_id, actor.reason) == (bob, Channel.JOB, "7", "nightly")
    assert current_actor().user is None


def test_acting_as_is_undone_by_an_exception():
    with pytest.raises(ValueError), acting_as(UserFactory()):
        raise ValueError
    assert current_actor().user is None


def test_save_carries_author_channel_and_reason_into_history_and_ledger():
    ada = UserFactory()
    with acting_as(ada, channel=Channel.IMPORT, reason="100% sure"):
        team = TeamFactory(name="Content")
    version = team.history.get()
    assert (version.actor_label, version.channel, version.history_change_reason) == (ada.email, "import", "100% sure")
    assert version.history_user == ada
    event = last_event()
    assert (event.actor, event.channel, event.reason, event.action) == (ada, "import", "100% sure", "insert")
    assert event.object_label == "Content"


@pytest.mark.parametrize("path", ["update", "bulk_update", "bulk_create", "raw", "executemany", "stamped"])
def test_ledger_records_paths_that_signals_miss(path):
    ada, team = UserFactory(), TeamFactory(purpose="old")
    before = AuditEvent.objects.count()
    with acting_as(ada):
        if path == "update":
            Team.objects.filter(pk=team.pk).update(purpose="new % value")
        elif path == "bulk_update":
            team.purpose = "new % value"
            Team.objects.bulk_update([team], ["purpose"])
        elif path == "bulk_create":
            Team.objects.bulk_create([Team(name="A", purpose="new % value"), Team(name="B")])
        else:
            with transaction.atomic(), connection.cursor() as cursor:
                sql = "UPDATE accounts_team SET purpose = %s WHERE id = %s"
                if path == "raw":
                    cursor.execute("UPDATE accounts_team SET purpose = 'new % value'")
                elif path == "executemany":
                    cursor.executemany(sql, [("new % value", team.pk)])
                else:
                    stamp_transaction(connection)
                    cursor.connection.execute(sql, ("new % value", team.pk))
    new = AuditEvent.objects.filter(id__gt=0).order_by("id")[before:]
    assert {event.actor_label for event in new} == {ada.email}
    assert "new % value" in [event.changes.get("purpose", [None, None])[1] for event in new]


def test_unsigned_change_is_unattributed():
    TeamFactory()
    assert last_event().actor_label == "unattributed"


@pytest.mark.django_db(transaction=True)
def test_context_does_not_outlive_its_transaction():
    with acting_as(UserFactory()):
        TeamFactory()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('mops.ctx', true)")
        assert cursor.fetchone()[0] in (None, "")


def test_update_returning_rows_still_counts_them():
    TeamFactory.create_batch(3)
    assert Team.objects.update(purpose="x") == 3


def test_no_op_update_leaves_no_entry():
    TeamFactory(purpose="same")
    before = AuditEvent.objects.count()
    Team.objects.update(purpose="same")
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize("path", ["save", "update", "bulk_create", "raw"])
def test_history_has_the_version_whatever_the_path(path):
    ada, team = UserFactory(), TeamFactory(purpose="old")
    versions = team.history.count()
    with acting_as(ada, reason="why not"):
        if path == "save":
            team.purpose = "new"
            team.save()
        elif path == "update":
            Team.objects.filter(pk=team.pk).update(purpose="new")
        elif path == "raw":
            with connection.cursor() as cursor:
                cursor.execute("UPDATE accounts_team SET purpose = 'new' WHERE id = %s", [team.pk])
        else:
            [team] = Team.objects.bulk_create([Team(name="A", purpose="new")])
            versions = 0
    newest = team.history.order_by("-history_id").first()
    assert team.history.count() == versions + 1
    assert (newest.purpose, newest.actor_label, newest.history_user) == ("new", ada.email, ada)
    assert newest.history_change_reason == "why not"


def test_deletion_leaves_a_last_version():
    member = Membership.objects.create(team=TeamFactory(), person=UserFactory(), role="ops_staff")
    pk = member.pk
    Membership.objects.filter(pk=pk).delete()
    assert list(Membership.history.filter(id=pk).values_list("history_type", flat=True).order_by("history_id")) == [
        "+",
        "-",
    ]


@pytest.mark.parametrize("table", ["audit_auditevent", "accounts_historicalteam"])
def test_serving_role_can_forge_no_evidence(table):
    TeamFactory()
    with pytest.raises(utils.ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} SELECT * FROM {table}")


def test_raw_sql_with_named_parameters_carries_the_actor_too():
    person = UserFactory()
    with acting_as(person), connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET title = %(title)s WHERE id = %(id)s", {"title": "X", "id": person.pk})
    assert AuditEvent.objects.filter(changes__has_key="title").latest("id").actor_label == person.email


@pytest.mark.django_db(transaction=True)
def test_executemany_outside_a_transaction_is_signed_too():
    person, team = UserFactory(), TeamFactory()
    with acting_as(person), connection.cursor() as cursor:
        cursor.executemany("UPDATE accounts_team SET purpose = %s WHERE id = %s", [("one", team.pk), ("two", team.pk)])
    signed = AuditEvent.objects.filter(table_name="accounts_team", action="update")
    assert list(signed.values_list("actor_label", flat=True)) == [person.email] * 2
