"""Whatever the database refuses comes as a sentence; names of tables and values of others never do."""

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, connection, models, transaction

from apps.accounts.enums import Role
from apps.accounts.models import Membership, Team
from apps.audit.models import AuditEvent
from apps.core.admin_kit.refusals import LOST_RACE, sentence_of
from apps.core.errors import WrongState
from tests.admin_pages import list_of, page_of
from tests.factories.accounts import TeamFactory, administrator, person_with, sign_in
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db


def told_by(statement, *values):
    with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
    return sentence_of(refused.value)


def test_a_constraint_speaks_in_the_words_of_its_model():
    team, person = TeamFactory(), person_with()
    Membership.objects.create(team=team, person=person, role=Role.OPS)
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        Membership.objects.create(team=team, person=person, role=Role.OPS)
    assert sentence_of(refused.value) == "This person already has this role in this team."


def test_a_trigger_speaks_for_itself():
    TeamFactory()
    said = told_by("UPDATE audit_auditevent SET reason = 'x' WHERE id = (SELECT max(id) FROM audit_auditevent)")
    assert said in (
        "The ledger is append-only: entries are never changed, deleted or truncated.",
        "The database does not let anybody change this.",
    )


def test_a_statement_that_takes_too_long():
    said = told_by("SET LOCAL statement_timeout = '20ms'; SELECT pg_sleep(5)")
    assert said == "This took too long and was stopped; choose less at once, then try again."


def test_a_missing_value_a_wrong_range_and_a_dangling_key():
    assert told_by("INSERT INTO accounts_team (name) VALUES (NULL)") == "Something that is required is missing."
    team = TeamFactory()
    said = told_by("UPDATE accounts_team SET row_version = -1 WHERE id = %s", team.pk)
    assert said == "These values do not fit together; look at the dates, amounts and states."


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (psycopg.errors.DeadlockDetected, LOST_RACE),
        (psycopg.errors.SerializationFailure, LOST_RACE),
        (psycopg.errors.LockNotAvailable, "Somebody else is changing the same record; try again in a moment."),
    ],
)
def test_losing_a_race_says_to_try_again(error, sentence):
    outer = OperationalError("secret table names")
    outer.__cause__ = error("DETAIL: Process 4711 waits for accounts_team")
    assert sentence_of(outer) == sentence


def test_what_others_still_need_stays():
    team = TeamFactory()
    Membership.objects.create(team=team, person=person_with(), role=Role.OPS)
    with pytest.raises(models.ProtectedError) as refused:
        team.delete()
    assert sentence_of(refused.value) == "Other records still need this one; archive it instead."


def test_domain_refusals_speak_and_mistakes_do_not():
    assert sentence_of(WrongState("It is done.")) == "It is done."
    assert sentence_of(ValueError("a bug")) is None


# bad input


def test_unknown_fields_of_a_post_set_nothing(client):
    boss, team = administrator(), TeamFactory(purpose="before")
    sign_in(client, boss)
    forged = {"name": team.name, "purpose": "after", "opened_version": team.row_version}
    forged |= {"uuid": "00000000-0000-0000-0000-000000000000", "archived_at": "2020-01-01", "row_version": "99"}
    assert client.post(page_of(team), forged).status_code == 302
    fresh = Team.objects.get(pk=team.pk)
    assert (fresh.purpose, fresh.uuid, fresh.archived_at) == ("after", team.uuid, None)
    assert fresh.row_version == team.row_version + 1


def test_a_forged_foreign_key_is_refused_in_the_form(client):
    ops = person_with(Role.OPS)
    tool = ToolFactory(owner_person=ops)
    sign_in(client, ops)
    before = AuditEvent.objects.of_object(tool).count()
    for forged in ("999999999", "1 OR 1=1", "-1"):
        answer = client.post(page_of(tool), {"name": "Forged", "owner_person": forged})
        assert answer.status_code in (200, 302, 403)
    assert AuditEvent.objects.of_object(tool).count() == before


@pytest.mark.parametrize(
    "lookup", ["owner_person__password__startswith", "owner_person__groups__name", "owner_team__memberships__role"]
)
def test_a_filter_through_a_forbidden_relation_tells_nothing(client, lookup):
    ops = person_with(Role.OPS)
    ToolFactory(owner_person=ops)
    sign_in(client, ops)
    page = list_of(type(ToolFactory()))
    refused, unknown = (client.get(page, {name: "p"}) for name in (lookup, "owner_person__shoe_size"))
    assert refused.status_code == unknown.status_code == 302
    assert refused.url.split("?") == [page, "e=1"]
    assert unknown.url == refused.url  # whoever asks learns nothing
    said = client.get(refused.url).content.decode()
    assert "A filter in that address could not be read, so this list is not filtered." in said


def test_history_of_another_object_is_not_found(client):
    boss, mine, other = administrator(), TeamFactory(), TeamFactory()
    sign_in(client, boss)
    foreign = other.history.first().history_id
    url = page_of(mine).replace("/change/", f"/history/{foreign}/restore/")
    assert client.get(url).status_code == 404
    assert client.post(page_of(mine, "history")).status_code == 405


def test_a_declared_filter_still_compares_in_every_usual_way():
    from apps.core.admin_kit.given import is_declared

    declared = ["owner_person", "filled_at", "owner_team__name"]
    for lookup in ("owner_person__id__exact", "owner_person__isnull", "filled_at__isempty", "filled_at__date__gte"):
        assert is_declared(lookup, declared)
    assert is_declared("owner_team__name__icontains", declared)
    for lookup in ("owner_person__email", "owner_person__password__startswith", "owner_team__memberships__role"):
        assert not is_declared(lookup, declared)
