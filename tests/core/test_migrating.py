"""Migrating without rendering models again and again ends in the same schema as Django's own way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import models
from django.db.migrations.state import ModelState, ProjectState

from apps.core.migrating import light_states
from mops.db.embedded import account, postmaster
from mops.db.embedded.binaries import find_binaries

PROJECT = Path(__file__).resolve().parents[2]
MIGRATE_HEAVILY = """
import contextlib, os, sys
sys.argv = ["manage.py", "migrate"]
os.environ["DJANGO_SETTINGS_MODULE"] = "mops.settings"
import django
django.setup()
from apps.core.management.commands import migrate
migrate.light_states = contextlib.nullcontext
from django.core.management import call_command
call_command("migrate", verbosity=0)
"""


def schema(home: Path, *migrate: str) -> list[str]:
    """The statements that make the schema of a database of its own, sorted."""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("DATABASE_URL")}
    environment |= {"MOPS_HOME": str(home), "MOPS_PG_LINGER": "5"}
    try:
        for command in (migrate, ("manage.py", "db", "dump", str(home / "all.dump"))):
            subprocess.run([sys.executable, *command], cwd=PROJECT, env=environment, check=True, capture_output=True)
        told = subprocess.run(
            [str(find_binaries() / "pg_restore"), "--schema-only", "--file=-", str(home / "all.dump")],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    finally:
        postmaster.stop(account.data_of(home / "postgres"))
    # every dump is closed to psql's own commands by a key of its own
    statements = "\n".join(line for line in told.stdout.splitlines() if "restrict " not in line).split(";\n")
    return sorted(statements)


def test_light_states_make_the_same_schema(tmp_path, proof):
    if not proof:
        pytest.skip("migrates two empty databases, one of them Django's slow way: manage.py test --proof")
    tmp_path.chmod(0o711)
    light = schema(tmp_path / "light", "manage.py", "migrate", "--verbosity=0")
    heavy = schema(tmp_path / "heavy", "-c", MIGRATE_HEAVILY)
    assert len(light) > 1_000
    assert light == heavy


def a_state() -> ProjectState:
    state = ProjectState()
    key = [("id", models.BigAutoField(primary_key=True))]
    state.add_model(ModelState("tickets", "Author", key))
    writer = models.ForeignKey("tickets.Author", models.CASCADE)
    state.add_model(ModelState("tickets", "Book", [("id", models.BigAutoField(primary_key=True)), ("author", writer)]))
    return state


def test_a_new_field_renders_its_own_model_alone_until_all_are_asked_for():
    state = a_state()
    book = state.apps.get_model("tickets", "Book")
    with light_states():
        state.add_field("tickets", "author", "name", models.TextField(default=""), preserve_default=True)
    assert state.apps.get_model("tickets", "Book") is book
    assert state.apps.get_model("tickets", "Author")._meta.get_field("name")
    state.clear_delayed_apps_cache()  # what Django does before a data migration
    assert state.apps.get_model("tickets", "Book") is not book
    found = state.apps.get_model("tickets", "Book")._meta.get_field("author").related_model
    assert found is state.apps.get_model("tickets", "Author")


def test_a_model_others_inherit_from_is_rendered_with_its_heirs():
    state = a_state()
    state.add_model(ModelState("tickets", "Poet", [], bases=("tickets.author",)))
    poet = state.apps.get_model("tickets", "Poet")
    with light_states():
        state.add_field("tickets", "author", "name", models.TextField(default=""), preserve_default=True)
    assert state.apps.get_model("tickets", "Poet") is not poet
    assert state.apps.get_model("tickets", "Poet")._meta.get_field("name")


def test_rendering_is_as_it_was_after_the_block():
    kept = ProjectState.add_field, ProjectState.add_model, ProjectState.reload_model
    with light_states():
        assert ProjectState.add_field is not kept[0]
    assert (ProjectState.add_field, ProjectState.add_model, ProjectState.reload_model) == kept
