"""Random writes over every path; then the ledger replayed equals the tables, the history its newest versions."""

import random

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from apps.accounts.models import Membership, Team, User
from apps.audit.domain.replay import replay, replay_everything
from apps.audit.models import AuditEvent
from apps.core.actors import Channel, acting_as
from apps.core.context_sql import stamp_transaction
from mops.db.roles import as_owner
from tests.factories.accounts import TeamFactory, UserFactory

PLAIN, PROOF = 300, 10_000
WORDS = ("", "a", "100 % of it", "naïve ‘quotes’", 'two "kinds"', "line\nbreak", "\\back", "null", "{}", "😀")


def save(rng):
    team = rng.choice(Team.objects.all()[:50])
    team.purpose = rng.choice(WORDS)
    team.save()


def save_some_fields(rng):
    person = rng.choice(User.objects.all()[:50])
    person.title, person.time_zone = rng.choice(WORDS)[:50], "UTC"
    person.save(update_fields=["title"])


def create(rng):
    Team.objects.create(name=f"T{rng.random()}", purpose=rng.choice(WORDS))


def update(rng):
    Team.objects.filter(pk__in=sample(rng, Team)).update(purpose=rng.choice(WORDS))


def update_nothing(rng):
    Team.objects.filter(pk=0).update(purpose="x")


def bulk_create(rng):
    Team.objects.bulk_create([Team(name=f"B{rng.random()}") for _ in range(rng.randint(1, 4))])


def bulk_update(rng):
    teams = list(Team.objects.filter(pk__in=sample(rng, Team)))
    for team in teams:
        team.purpose = rng.choice(WORDS)
    Team.objects.bulk_update(teams, ["purpose"])


def upsert(rng):
    names = [Team.objects.order_by("?").first().name, f"U{rng.random()}"]
    Team.objects.bulk_create(
        [Team(name=name, purpose=rng.choice(WORDS)) for name in names],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["purpose"],
    )


def delete(rng):
    Membership.objects.filter(pk__in=sample(rng, Membership, 1)).delete()


def join(rng):
    team, person = Team.objects.order_by("?").first(), User.objects.order_by("?").first()
    Membership.objects.get_or_create(team=team, person=person, role="ops_staff")


def links(rng):
    person = User.objects.order_by("?").first()
    groups = list(Group.objects.order_by("?")[: rng.randint(1, 3)])
    getattr(person.groups, rng.choice(("add", "remove")))(*groups)


def links_set(rng):
    User.objects.order_by("?").first().groups.set(Group.objects.order_by("?")[: rng.randint(0, 3)])


def links_clear(rng):
    User.objects.order_by("?").first().groups.clear()


def rights(rng):
    group, _ = Group.objects.get_or_create(name=f"G{rng.randint(0, 5)}")
    group.permissions.set(Permission.objects.order_by("?")[: rng.randint(0, 4)])


def cascade(rng):
    Group.objects.filter(name__startswith="G").order_by("?").first().delete()
    rights(rng)


def raw(rng):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_team SET purpose = %s WHERE id % 3 = 0".replace("% 3", "%% 3"), ["raw"])
        cursor.execute("INSERT INTO auth_group (name) VALUES (%s)", [f"R{rng.random()}"])


def executemany(rng):
    keys = sample(rng, Team)
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE accounts_team SET purpose = %s WHERE id = %s", [(rng.choice(WORDS), key) for key in keys]
        )


def copy(rng):
    with transaction.atomic(), connection.cursor() as cursor:
        stamp_transaction(connection)
        with cursor.copy("COPY auth_group (name) FROM STDIN") as lines:
            for _ in range(rng.randint(1, 3)):
                lines.write_row((f"C{rng.random()}",))


def merge(rng):
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (DELETE FROM auth_group g WHERE name LIKE 'C%'"
            " AND NOT EXISTS (SELECT FROM accounts_user_groups WHERE group_id = g.id) RETURNING name)"
            " INSERT INTO auth_group (name) SELECT 'M' || name FROM gone"
        )


def rolled_back(rng):
    with transaction.atomic():
        create(rng)
        transaction.set_rollback(True)


def sample(rng, model, most=4):
    keys = list(model.objects.order_by("pk").values_list("pk", flat=True))
    return rng.sample(keys, min(len(keys), rng.randint(1, most)))


PATHS = (
    save,
    save_some_fields,
    create,
    update,
    update_nothing,
    bulk_create,
    bulk_update,
    upsert,
    delete,
    join,
    links,
    links_set,
    links_clear,
    rights,
    cascade,
    raw,
    executemany,
    copy,
    merge,
    rolled_back,
)


@pytest.mark.django_db
def test_ledger_replayed_equals_the_tables(proof):
    rng = random.Random(20261122)
    people = UserFactory.create_batch(4)
    TeamFactory.create_batch(4)
    Group.objects.create(name="G0")
    AuditEvent.objects.count()
    start = AuditEvent.objects.order_by("-id").values_list("id", flat=True).first()
    channels = (Channel.ADMIN, Channel.JOB, Channel.IMPORT, Channel.API, Channel.SYNC)
    for number in range(PROOF if proof else PLAIN):
        with acting_as(rng.choice(people), channel=rng.choice(channels), reason=f"step {number}"):
            PATHS[number % len(PATHS) if number < len(PATHS) else rng.randrange(len(PATHS))](rng)
    written = AuditEvent.objects.filter(id__gt=start)
    assert written.count() > (PROOF if proof else PLAIN) / 2
    assert [str(each) for each in replay_everything()] == []
    assert not written.filter(actor__isnull=True).exists()
    assert not written.unattributed().exists()
    tables = {"accounts_team", "accounts_user", "accounts_membership", "accounts_user_groups", "auth_group"}
    assert tables | {"auth_group_permissions"} <= set(written.values_list("table_name", flat=True))


@pytest.mark.django_db(transaction=True)
def test_what_was_written_with_triggers_off_is_named():
    with acting_as(UserFactory()):
        team, gone = TeamFactory(purpose="agreed"), TeamFactory()
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_team DISABLE TRIGGER USER")
        cursor.execute("UPDATE accounts_team SET purpose = 'forged' WHERE id = %s", [team.pk])
        cursor.execute("DELETE FROM accounts_team WHERE id = %s", [gone.pk])
        cursor.execute(
            "INSERT INTO accounts_team (uuid, created_at, updated_at, row_version, name, purpose)"
            " VALUES (gen_random_uuid(), now(), now(), 1, 'Smuggled', '') RETURNING id"
        )
        smuggled = cursor.fetchone()[0]
        cursor.execute("ALTER TABLE accounts_team ENABLE TRIGGER USER")
    found = {str(each) for each in replay(Team)}
    assert found == {
        f'accounts_team {team.pk}: purpose is not what the ledger says: "forged" instead of "agreed".',
        f'accounts_team {team.pk}: purpose is not what the history says: "forged" instead of "agreed".',
        f"accounts_team {gone.pk}: is gone from the table, but the ledger knows of no deletion.",
        f"accounts_team {smuggled}: is in the table, but the ledger knows nothing of it.",
        f"accounts_team {smuggled}: is in the table, but the history knows nothing of it.",
    }
    with pytest.raises(CommandError, match="5 differences: somebody wrote with recording switched off"):
        call_command("audit", "verify", "--state", "--table", "accounts_team")


@pytest.mark.django_db
def test_verify_of_the_state_says_which_tables_there_are(capsys):
    with pytest.raises(CommandError, match="nowhere is not recorded; these are: account_emailaddress"):
        call_command("audit", "verify", "--state", "--table", "nowhere")
    call_command("audit", "verify", "--state")
    assert "tables hold exactly what the ledger and the history say" in capsys.readouterr().out
