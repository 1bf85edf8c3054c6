"""A rule that wants a reason is enforced by forms in words and by the database on every path people use."""

import pytest
from django.db import transaction, utils
from django.urls import reverse

from apps.accounts.enums import Role
from apps.accounts.models import Team
from apps.audit.models import AuditEvent, ReasonRule
from apps.core.actors import Channel, acting_as
from apps.core.admin_kit.refusals import sentence_of
from tests.factories.accounts import TeamFactory, UserFactory, person_with

pytestmark = pytest.mark.django_db
SENTENCE = "Changing the purpose of a team needs a reason: say why, then try again."
PEOPLE = (Channel.ADMIN, Channel.API, Channel.GRAPHQL, Channel.IMPORT)


@pytest.fixture
def rule():
    return ReasonRule.objects.create(
        table_name="accounts_team",
        field="purpose",
        operations=["update"],
        what="Changing the purpose of a team",
    )


@pytest.mark.parametrize("channel", PEOPLE)
@pytest.mark.parametrize("path", ["save", "update", "bulk_update"])
def test_database_refuses_people_without_a_reason(rule, channel, path):
    team, person = TeamFactory(purpose="old"), UserFactory()
    with pytest.raises(utils.DatabaseError) as caught, transaction.atomic(), acting_as(person, channel=channel):
        write(team, path)
    assert sentence_of(caught.value) == SENTENCE
    with acting_as(person, channel=channel, reason="agreed"):
        write(team, path)
    assert AuditEvent.objects.latest("id").reason == "agreed"


def write(team, path):
    team.purpose = "new"
    if path == "save":
        team.save()
    elif path == "update":
        Team.objects.filter(pk=team.pk).update(purpose="new")
    else:
        Team.objects.bulk_update([team], ["purpose"])


def test_other_fields_jobs_and_creation_go_through(rule):
    person = UserFactory()
    with acting_as(person, channel=Channel.ADMIN):
        team = TeamFactory(purpose="born with one")
        Team.objects.filter(pk=team.pk).update(name="Other")
    with acting_as(person, channel=Channel.JOB):
        Team.objects.filter(pk=team.pk).update(purpose="by a job")


def test_rule_can_bind_jobs_and_deletion(rule):
    ReasonRule.objects.filter(pk=rule.pk).update(binds_jobs=True, field="", operations=["delete", "insert"])
    with (
        pytest.raises(utils.DatabaseError, match="needs a reason"),
        transaction.atomic(),
        acting_as(UserFactory(), channel=Channel.SYNC),
    ):
        TeamFactory()
    team = TeamFactory()
    with pytest.raises(utils.DatabaseError, match="needs a reason"), acting_as(UserFactory(), channel=Channel.JOB):
        team.delete()


def test_inactive_and_archived_rules_ask_nothing(rule):
    ReasonRule.objects.update(is_active=False)
    with acting_as(UserFactory(), channel=Channel.ADMIN):
        write(TeamFactory(purpose="old"), "update")


def test_admin_form_asks_for_the_reason_and_keeps_it(client, rule):
    administrator, team = person_with(Role.ADMINISTRATOR), TeamFactory(purpose="old")
    client.force_login(administrator)
    url = reverse("admin:accounts_team_change", args=(team.pk,))
    page = client.get(url).content.decode()
    assert "Reason for this change" in page
    data = {
        "name": team.name,
        "purpose": "new",
        "opened_version": team.row_version,
        "memberships-TOTAL_FORMS": 0,
        "memberships-INITIAL_FORMS": 0,
    }
    refused = client.post(url, data)
    assert refused.status_code == 200
    assert SENTENCE in refused.content.decode()
    assert client.post(url, {**data, "change_reason": "agreed on Monday"}).status_code == 302
    event = AuditEvent.objects.filter(table_name="accounts_team").latest("id")
    assert (event.reason, event.actor, event.changes["purpose"]) == ("agreed on Monday", administrator, ["old", "new"])
    assert team.history.latest("history_id").history_change_reason == "agreed on Monday"
    assert client.post(url, {**data, "name": "Renamed", "purpose": "new", "opened_version": 2}).status_code == 302


def test_button_asks_for_the_reason_where_a_rule_wants_one(client, rule):
    ReasonRule.objects.filter(pk=rule.pk).update(field="", what="Changing a team")
    administrator, team = person_with(Role.ADMINISTRATOR), TeamFactory()
    client.force_login(administrator)
    url = reverse("admin:accounts_team_button", kwargs={"object_id": team.pk, "name": "archive"})
    assert "Reason for this change" in client.get(url).content.decode()
    assert client.post(url, {}).status_code == 200
    assert client.post(url, {"change_reason": "merged"}).status_code == 302
    assert AuditEvent.objects.filter(table_name="accounts_team").latest("id").reason == "merged"
