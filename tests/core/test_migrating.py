"""Migrating without rendering models again and again ends in the same schema as Django's own way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.migrations.operations import RunPython
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


def test_a_new_field_is_put_on_the_rendered_model_and_those_it_points_to_learn_of_it():
    state = a_state()
    book, author = state.apps.get_model("tickets", "Book"), state.apps.get_model("tickets", "Author")
    with light_states():
        state.add_field("tickets", "author", "name", models.TextField(default=""), preserve_default=True)
        editor = models.ForeignKey("tickets.Author", models.CASCADE, related_name="edited", null=True)
        state.add_field("tickets", "book", "editor", editor, preserve_default=True)
    assert state.apps.get_model("tickets", "Book") is book
    assert author._meta.get_field("name").column == "name"
    assert book._meta.get_field("editor").related_model is author
    assert author._meta.get_field("edited").related_model is book
    assert not state.is_delayed


def test_a_new_model_is_known_to_those_it_points_to():
    state = a_state()
    author = state.apps.get_model("tickets", "Author")
    owner = models.ForeignKey("tickets.Author", models.CASCADE, related_name="shelves")
    fields = [("id", models.BigAutoField(primary_key=True)), ("owner", owner)]
    with light_states():
        state.add_model(ModelState("tickets", "Shelf", fields))
    assert author._meta.get_field("shelves").related_model is state.apps.get_model("tickets", "Shelf")
    assert not state.is_delayed


def test_in_a_copied_state_all_models_are_rendered_before_one_is_added():
    original = a_state()
    author, state = original.apps.get_model("tickets", "Author"), original.clone()
    with light_states():
        state.add_field("tickets", "author", "name", models.TextField(default=""), preserve_default=True)
    assert state.apps.get_model("tickets", "Author")._meta.get_field("name")
    assert state.apps.get_model("tickets", "Author") is not author
    assert "name" not in {field.name for field in author._meta.get_fields()}


def test_a_changed_field_renders_its_own_model_alone_until_a_data_migration_wants_all():
    state = a_state()
    state.add_field("tickets", "author", "name", models.TextField(default=""), preserve_default=True)
    book, author = state.apps.get_model("tickets", "Book"), state.apps.get_model("tickets", "Author")
    with light_states():
        before = state.clone()
        state.alter_field("tickets", "author", "name", models.CharField(max_length=9), preserve_default=True)
        assert state.apps.get_model("tickets", "Book") is book
        assert before.apps.get_model("tickets", "Author") is author
        assert state.is_delayed
        seen, editor = [], connection.schema_editor()
        for _ in range(2):
            RunPython(lambda handed, _: seen.append(handed)).database_forwards("tickets", editor, state.clone(), state)
    first, second = (handed.get_model("tickets", "Book") for handed in seen)
    assert first is second is not book  # rendered once for both
    assert first._meta.get_field("author").related_model._meta.get_field("name").max_length == 9


def test_a_model_others_inherit_from_is_rendered_with_its_heirs():
    state = a_state()
    state.add_model(ModelState("tickets", "Poet", [], bases=("tickets.author",)))
    poet = state.apps.get_model("tickets", "Poet")
    with light_states():
        state.add_field("tickets", "author", "name", models.TextField(default=""), preserve_default=True)
    assert state.apps.get_model("tickets", "Poet") is not poet
    assert state.apps.get_model("tickets", "Poet")._meta.get_field("name")


def test_everything_is_as_it_was_after_the_block():
    names = ("add_field", "add_model", "alter_field", "remove_field", "alter_model_options", "reload_model")
    kept = [getattr(ProjectState, name) for name in names], ModelState.clone, RunPython.database_forwards
    with light_states():
        assert ProjectState.add_field is not kept[0][0]
    assert ([getattr(ProjectState, name) for name in names], ModelState.clone, RunPython.database_forwards) == kept
    assert "get_swappable_settings_name" not in vars(apps)
