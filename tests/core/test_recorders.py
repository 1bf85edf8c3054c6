"""The ready statements of the recording triggers, and the stubs that stand in for them while migrations run."""

import pytest
from django.db import connection, transaction

from apps.accounts.models import Team
from apps.audit.models import AuditEvent
from apps.core import recorders
from apps.core.actors import acting_as
from mops.db.roles import as_owner
from tests.factories.accounts import TeamFactory, UserFactory


def bodies():
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname, prosrc, prosecdef FROM pg_proc WHERE proname LIKE 'pgtrigger\\_ledger\\_%'")
        return cursor.fetchall()


@pytest.mark.django_db
def test_migrated_database_runs_ready_statements_as_the_owner():
    found = bodies()
    assert found
    assert all(runs_as_owner for _, _, runs_as_owner in found)
    assert not [name for name, body, _ in found if "mops_record_sql" in body]


@pytest.mark.django_db(transaction=True)
def test_settling_drops_the_functions_of_tables_that_are_gone():
    with as_owner():
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE FUNCTION pgtrigger_ledger_insert_gone() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RETURN NULL; END $$"
            )
        recorders.settle(connection)
    assert "pgtrigger_ledger_insert_gone" not in [name for name, _, _ in bodies()]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("loose", [True, False])
def test_stub_and_ready_statement_record_the_same(loose):
    with as_owner():
        recorders.loosen(connection) if loose else recorders.settle(connection)
    try:
        assert ("mops_record_sql" in bodies()[0][1]) is loose
        ada = UserFactory()
        with acting_as(ada, reason="why"):
            team = TeamFactory(purpose="old")
            Team.objects.filter(pk=team.pk).update(purpose="new")
            pk = team.pk
            team.delete()
    finally:
        with as_owner():
            recorders.settle(connection)
    events = AuditEvent.objects.filter(table_name="accounts_team", object_id=str(pk)).order_by("id")
    assert [(event.action, event.changes.get("purpose"), event.actor) for event in events] == [
        ("insert", [None, "old"], ada),
        ("update", ["old", "new"], ada),
        ("delete", ["new", None], ada),
    ]
    assert list(Team.history.filter(id=pk).order_by("history_id").values_list("history_type", "purpose")) == [
        ("+", "old"),
        ("~", "new"),
        ("-", "new"),
    ]


@pytest.mark.django_db
def test_changed_key_is_a_deletion_and_a_creation():
    team = TeamFactory(name="Moved")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_team SET id = id + 1000000 WHERE id = %s", [team.pk])
    events = AuditEvent.objects.filter(table_name="accounts_team").order_by("id")
    assert {(event.action, event.object_id) for event in events} == {
        ("insert", str(team.pk)),
        ("delete", str(team.pk)),
        ("insert", str(team.pk + 1_000_000)),
    }
    assert Team.history.get(id=team.pk, history_type="-").name == "Moved"
    assert Team.history.get(id=team.pk + 1_000_000).history_type == "+"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("loose", [True, False])
@pytest.mark.parametrize(
    ("said", "recorded"),
    [
        ("", (None, "unattributed", "", "database", "", "", "")),
        ("{}", (None, "unattributed", "", "database", "", "", "")),
        ('{"actor": "", "actor_id": null, "channel": null}', (None, "unattributed", "", "database", "", "", "")),
        (
            '{"actor":"a, \\"(c)","actor_id":7,"behalf":"d","channel":"job","request":"e","job":"f","reason":"g"}',
            (7, 'a, "(c)', "d", "job", "e", "f", "g"),
        ),
    ],
)
def test_who_acts_is_read_whole_missing_or_null(loose, said, recorded):
    team = TeamFactory()
    with as_owner():
        recorders.loosen(connection) if loose else recorders.settle(connection)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('mops.ctx', %s, true)", [said])
            cursor.cursor.execute("UPDATE accounts_team SET purpose = 'said' WHERE id = %s", [team.pk])  # past wrappers
    finally:
        with as_owner():
            recorders.settle(connection)
    event = AuditEvent.objects.filter(table_name="accounts_team", object_id=str(team.pk)).latest("id")
    assert recorded == (
        event.actor_id,
        event.actor_label,
        event.on_behalf_of_label,
        event.channel,
        event.request_id,
        event.job_id,
        event.reason,
    )
    version = Team.history.filter(id=team.pk).latest("history_id")
    assert (version.actor_label, version.channel) == (event.actor_label, event.channel)
