"""What every governed row promises."""

import pytest
from django.apps import apps
from django.db import connection, transaction, utils

from apps.accounts.models import Team, User
from apps.audit.models import AuditEvent
from apps.core.admin_kit.refusals import sentence_of
from apps.core.governed import GovernedBase
from tests.factories.accounts import PASSWORD, TeamFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_secrets_never_enter_ledger_or_history():
    person = UserFactory()
    person.set_password(PASSWORD)
    person.save()
    entries = [event.changes for event in AuditEvent.objects.filter(changes__has_key="password").order_by("id")]
    assert [entry["password"] for entry in entries] == [[None, "(secret)"], ["(secret)", "(secret)"]]
    assert "password" not in {field.name for field in User.history.model._meta.get_fields()}


@pytest.mark.parametrize("sql", ["UPDATE audit_auditevent SET reason = 'x'", "DELETE FROM audit_auditevent"])
def test_ledger_refuses_change_in_words(sql):
    TeamFactory()
    with pytest.raises(utils.DatabaseError) as caught, connection.cursor() as cursor:
        cursor.execute(sql)
    assert sentence_of(caught.value) in (
        "The ledger is append-only: entries are never changed, deleted or truncated.",
        "The database does not let anybody change this.",
    )


def test_people_are_never_deleted():
    person = UserFactory()
    with pytest.raises(utils.DatabaseError), transaction.atomic():
        User.objects.filter(pk=person.pk).delete()
    with pytest.raises(utils.DatabaseError) as caught, connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_user WHERE id = %s", [person.pk])
    assert sentence_of(caught.value) == ("People are deactivated, never deleted: their name stands in the evidence.")


def test_every_governed_table_has_its_triggers_in_the_database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%ledger_update%'")
        tables = {row[0] for row in cursor.fetchall()}
    governed = {model._meta.db_table for model in apps.get_models() if issubclass(model, GovernedBase)}
    assert governed - tables == set()


def test_history_tables_are_lean():
    indexed = {field.name for field in Team.history.model._meta.get_fields() if getattr(field, "db_index", False)}
    assert indexed <= {"id", "history_date", "history_user"}


def test_row_version_counts_saves():
    team = TeamFactory()
    team.save()
    team.save(update_fields=["purpose"])
    assert Team.objects.get(pk=team.pk).row_version == 3


def test_ledger_survives_the_serving_role_trying_to_disable_its_trigger():
    with pytest.raises(utils.DatabaseError), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_team DISABLE TRIGGER ALL")
