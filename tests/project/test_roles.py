"""Two roles: the one that serves owns nothing, and what the owner takes from it stays taken."""

import psycopg
import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.utils import NotSupportedError, ProgrammingError

from apps.audit.models import AuditEvent
from mops.db import checks
from mops.db.postgresql.base import DatabaseWrapper
from mops.db.roles import as_owner, owner_role, serving_role
from mops.settings.database import database_settings

TRAPS = [
    "create table mine (n int)",
    "create schema mine",
    "create extension hstore",
    "create function f() returns int language sql as 'select 1'",
    "create role another",
    "create database another",
    "alter table audit_auditevent disable trigger all",
    "alter table audit_auditevent owner to mops",
    "drop table audit_auditevent",
    "truncate audit_auditevent",
    "insert into django_migrations (app, name, applied) values ('a', 'b', now())",
    "delete from django_migrations",
    "set session_replication_role = replica",
    "set role mops_owner",
    "set session authorization mops_owner",
    "alter role mops superuser",
    "alter role mops_owner password 'known'",
    "alter system set fsync = off",
    "select rolpassword from pg_authid",
    "select pg_read_file('PG_VERSION')",
    "select pg_ls_dir('.')",
    "copy (select 1) to '/tmp/mops-trap'",
    "copy django_migrations from program 'true'",
    "load 'auto_explain'",
]


def query(statement, alias="default"):
    with connections[alias].cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


@pytest.mark.django_db
def test_tests_connect_as_the_serving_role():
    assert query("select current_user") == "mops"
    assert query("select pg_get_userbyid(datdba) from pg_database where datname = current_database()") == "mops_owner"
    assert query("select count(*) from pg_class where relowner = 'mops'::regrole") == 0


@pytest.mark.django_db
@pytest.mark.parametrize("statement", TRAPS)
def test_serving_role_is_refused(statement):
    with connection.get_new_connection(connection.get_connection_params()) as session:
        session.autocommit = True  # some of these are refused within any transaction, and that is not the point
        with pytest.raises(psycopg.Error, match=r"permission denied|must be|is not allowed"):
            session.execute(statement)


@pytest.mark.django_db
def test_serving_role_cannot_pass_its_rights_on():
    rights = "select relacl::text from pg_class where relname = 'audit_auditevent'"
    before = query(rights)
    with connection.cursor() as cursor:
        cursor.execute("grant all on audit_auditevent to public")  # a warning, by the SQL standard
    assert query(rights) == before


@pytest.mark.django_db
def test_serving_role_may_use_what_migrations_made():
    person = get_user_model().objects.create_person("ada@example.com", full_name="Ada")
    person.full_name = "Ada L."
    person.save()
    with connection.cursor() as cursor:
        cursor.execute("create temporary table staging (n int)")
        with cursor.copy("copy staging from stdin") as copy:
            copy.write_row([1])
        cursor.execute("select setval(pg_get_serial_sequence('auth_group', 'id'), 100)")


@pytest.mark.django_db(transaction=True)
def test_flush_empties_append_only_tables_and_wakes_their_triggers():
    get_user_model().objects.create_person("ada@example.com", full_name="Ada")
    assert AuditEvent.objects.exists()
    call_command("flush", verbosity=0, interactive=False)
    assert not AuditEvent.objects.exists()
    assert not get_user_model().objects.filter(email="ada@example.com").exists()
    asleep = "select count(*) from pg_trigger where tgenabled <> 'O' and not tgisinternal"
    assert query(asleep) == 0
    with as_owner(), pytest.raises(ProgrammingError, match="append-only"):
        query("truncate audit_auditevent cascade")


@pytest.mark.django_db
def test_flush_is_no_part_of_a_transaction():
    with pytest.raises(transaction.TransactionManagementError, match="runs as another role"):
        connection.ops.execute_sql_flush(["truncate auth_group"])


@pytest.mark.django_db
def test_nobody_becomes_owner_within_a_transaction():
    with pytest.raises(transaction.TransactionManagementError), as_owner():
        pass


@pytest.mark.django_db(transaction=True)
def test_migrating_again_gives_no_revoked_right_back():
    may = "select has_table_privilege('mops', 'auth_group', 'update')::text"
    try:
        with as_owner(), connection.cursor() as cursor:
            cursor.execute(f"revoke update on auth_group from {serving_role()}")
        call_command("migrate", verbosity=0)
        assert query(may) == "false"
        assert query("select current_user") == "mops"
    finally:
        with as_owner(), connection.cursor() as cursor:
            cursor.execute("grant update on auth_group to mops")
    assert query(may) == "true"


@pytest.mark.django_db(transaction=True)
def test_tables_older_than_the_roles_get_their_rights_and_closed_ones_stay_closed():
    may = "select string_agg(relname, ' ' order by relname) from pg_class where relkind = 'r' and relname like 'try_%' "
    may += "and has_table_privilege('mops', oid, 'insert')"
    try:
        with as_owner(), connection.cursor() as cursor:
            cursor.execute("create table try_newer (id int generated always as identity)")
            cursor.execute("create table try_closed (id int); revoke all on try_closed from mops")
            cursor.execute("alter default privileges in schema public revoke all on tables from mops")
            cursor.execute("create table try_older (id int)")
        assert query(may) == "try_newer"
        call_command("migrate", verbosity=0)
        assert query(may) == "try_newer try_older"
        with connection.cursor() as cursor:
            cursor.execute("insert into try_newer default values")
    finally:
        with as_owner(), connection.cursor() as cursor:
            cursor.execute("drop table if exists try_newer, try_older, try_closed")


@pytest.mark.django_db(databases=["default", "owner"])
def test_owner_alias_reaches_the_same_database():
    assert query("select current_database()", "owner") == query("select current_database()")
    assert query("select current_user", "owner") == "mops_owner"


@pytest.mark.django_db(transaction=True)
def test_migrate_accepts_the_owner_alias():
    call_command("migrate", database="owner", verbosity=0)


def test_role_names_need_no_server():
    assert (serving_role(), owner_role()) == ("mops", "mops_owner")


def test_one_role_for_both_is_warned_of(settings, monkeypatch):
    assert checks.serving_role_is_another(None) == []
    monkeypatch.setitem(connections.settings["owner"], "ROLE", "mops")
    assert [warning.id for warning in checks.serving_role_is_another(None)] == ["mops.W001"]


@pytest.mark.django_db(transaction=True)
def test_serving_role_that_owns_tables_is_warned_of():
    assert checks.serving_role_owns_nothing(None, databases=["default"]) == []
    with as_owner():
        found = checks.serving_role_owns_nothing(None, databases=["default"])
    assert [warning.id for warning in found] == ["mops.W002"]


@pytest.mark.django_db
def test_server_older_than_the_floor_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(DatabaseWrapper.features_class, "minimum_database_version", (99,))
    connection.__dict__.pop("features", None)
    monkeypatch.setattr("mops.db.postgresql.base.FLOOR", 99)
    with pytest.raises(NotSupportedError, match=r"mops needs PostgreSQL 99 or newer, and the server .* is \d+\.\d+"):
        connection.check_database_version_supported()


def test_environment_without_a_server_means_the_private_one(tmp_path):
    found = database_settings({}, tmp_path)
    assert {alias: (entry["ENGINE"], entry["ROLE"]) for alias, entry in found.items()} == {
        "default": ("mops.db.embedded", "mops"),
        "owner": ("mops.db.embedded", "mops_owner"),
    }
    assert {entry["FOLDER"] for entry in found.values()} == {tmp_path / "postgres"}
    assert {entry["DURABLE"] for entry in found.values()} == {True}


def test_private_server_waits_for_the_disk_unless_told_otherwise_in_so_many_words(tmp_path):
    found = database_settings({"MOPS_DURABLE": "0"}, tmp_path)
    assert {entry["DURABLE"] for entry in found.values()} == {False}
    with pytest.raises(ImproperlyConfigured, match="MOPS_DURABLE is 'no'"):
        database_settings({"MOPS_DURABLE": "no"}, tmp_path)


def test_environment_may_name_a_server_and_its_owner(tmp_path):
    env = {"DATABASE_URL": "postgres://a:p%40ss@db:5433/m?sslmode=require", "MIGRATE_DATABASE_URL": "postgres://o@db/m"}
    found = database_settings(env, tmp_path)
    assert found["default"]["PASSWORD"] == "p@ss"
    assert found["default"]["OPTIONS"] == {"connect_timeout": 5, "sslmode": "require"}
    assert found["owner"]["USER"] == "o"
    assert {entry["ENGINE"] for entry in found.values()} == {"mops.db.postgresql"}
    assert {(entry["CONN_MAX_AGE"], entry["CONN_HEALTH_CHECKS"]) for entry in found.values()} == {(600, True)}
    assert database_settings({"DATABASE_URL": env["DATABASE_URL"]}, tmp_path)["owner"]["USER"] == "a"


@pytest.mark.parametrize(
    "url", ["sqlite:///db", "mysql://a:b@h/n", "postgres://host/name", "postgres://u@h/", "nonsense"]
)
def test_environment_that_names_no_postgresql_is_refused_in_words(tmp_path, url):
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL must look like postgres://"):
        database_settings({"DATABASE_URL": url}, tmp_path)


def test_two_urls_must_name_one_database(tmp_path):
    env = {"DATABASE_URL": "postgres://a@h/one", "MIGRATE_DATABASE_URL": "postgres://b@h/two"}
    with pytest.raises(ImproperlyConfigured, match="make the names the same"):
        database_settings(env, tmp_path)
