"""The test database is dropped at the end, whoever is still connected."""

import os
import threading

import psycopg
import pytest
from django.db import connection

pytestmark = pytest.mark.django_db
NAME = f"mops_try_teardown_{os.getpid()}"  # two processes share the tests of this module out


def exists():
    with connection.cursor() as cursor:
        cursor.execute("select 1 from pg_database where datname = %s", [NAME])
        return cursor.fetchone() is not None


@pytest.fixture
def spare():
    """A connection to a bare database of its own, and its owner's parameters."""
    with connection.owner_session() as owner:
        owner.autocommit = True
        owner.execute(f"drop database if exists {NAME}")
        owner.execute(f"create database {NAME}")
    wrapper = connection.copy()
    wrapper.settings_dict["NAME"] = NAME
    yield wrapper
    wrapper.close()
    with connection.owner_session() as owner:
        owner.autocommit = True
        owner.execute(f"drop database if exists {NAME}")


def plain(parameters):
    return {name: value for name, value in parameters.items() if name not in ("cursor_factory", "context")}


def test_sessions_of_both_roles_are_ended(spare):
    left = [psycopg.connect(**plain(each)) for each in (spare.get_connection_params(), spare.owner_parameters())]
    assert exists()
    spare.creation.destroy_test_db(verbosity=0)
    assert not exists()
    for session in left:
        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")
        session.close()


def test_a_thread_that_comes_back_again_and_again_does_not_keep_it(spare):
    parameters, stop, came = plain(spare.get_connection_params()), threading.Event(), threading.Event()

    def insist():
        while not stop.is_set():
            try:
                with psycopg.connect(**parameters) as session:
                    came.set()
                    session.execute("select pg_sleep(1)")
            except psycopg.OperationalError:
                pass

    threads = [threading.Thread(target=insist) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert came.wait(10)
    spare.creation.destroy_test_db(verbosity=0)
    gone = not exists()
    stop.set()
    for thread in threads:
        thread.join()
    assert gone
