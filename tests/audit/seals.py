"""What the tests of sealing share: a place of its own for key and seals, entries to seal, and a hand that tampers."""

from contextlib import contextmanager

import pytest
from django.db import connection

from apps.accounts.models import Team
from apps.audit.domain.sealing import seal_ledger
from apps.audit.domain.verifying import verify_seals
from apps.core.actors import acting_as
from mops.db.roles import as_owner
from tests.factories.accounts import UserFactory


@pytest.fixture
def sealing(settings, tmp_path):
    """Key and seals in a folder of this test alone; returns the folder of the seals."""
    settings.SEAL_KEY, settings.SEAL_KEY_FILE = "", tmp_path / "seal_key"
    settings.SEAL_KEYS_TRUSTED, settings.SEALS_FOLDER = tmp_path / "seal_keys.pub", tmp_path / "seals"
    return tmp_path / "seals"


def write(number=3, name="T"):
    """Make entries; returns the sequence of each."""
    person = UserFactory()
    with acting_as(person, reason="to be sealed"):
        for each in range(number):
            Team.objects.create(name=f"{name} {each} {person.pk}")
    return entries("table_name = 'accounts_team'")[-number:]


def entries(condition="true"):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM audit_auditevent WHERE {condition} ORDER BY id")
        return [number for (number,) in cursor.fetchall()]


def sealed(*sizes):
    """Write and seal, a seal for each size."""
    numbers = []
    for size in sizes:
        numbers.append(write(size))
        seal_ledger()
    return numbers


@contextmanager
def tampering():
    """The owner's cursor with every trigger asleep: what only somebody who has the server can do."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('ALTER TABLE %I %%s TRIGGER USER', relname) FROM pg_class WHERE relkind IN ('r', 'p')"
            " AND relname ~ '^audit_(auditevent|auditseal|ledgermonth)'"
        )
        tables = [table for (table,) in cursor.fetchall()]
        for table in tables:
            cursor.execute(table % "DISABLE")
        try:
            yield cursor
        finally:
            for table in tables:
                cursor.execute(table % "ENABLE")


def problem(**options):
    return verify_seals(**options).problem
