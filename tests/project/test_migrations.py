"""Migrations are complete, named for what they do, and safe to run beside the version before."""

import re
from copy import copy
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django_migration_linter import MigrationLinter
from pgtrigger.migrations import AddTrigger, RemoveTrigger

from apps.core.migrating import light_states

ROOT = Path(__file__).resolve().parent.parent.parent
# nothing was released before these: no version that serves could miss what they take away
BEFORE_THE_FIRST_RELEASE = [
    "0002_states_checklist_and_attempts",
    "0004_intake",
    "0004_stages_and_policy_versions",
    "0005_ledger_and_scores",
    "0006_what_every_request_has",
    "0007_conditions_are_predicates",
    "0008_seats_pass_on",
    "0010_escalation_and_intake",
    "0009_duplicates_and_phones",
    "0010_web_forms_and_visitors",
    "0012_integration_health_and_runs",
    "0013_items_without_lookups",
    "0012_routing",
    "0013_answers_deals_and_reviews",
    "0017_lighter_writes",
    "0012_agreements_apply_to",
    "0018_slas_apply_to",
]
OWN = sorted(ROOT.glob("apps/**/migrations/[0-9]*.py"))


@pytest.mark.django_db
def test_models_and_migrations_agree():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize("migration", OWN, ids=lambda path: f"{path.parent.parent.name}/{path.stem}")
def test_migration_is_named_for_what_it_does(migration):
    assert not re.search(r"auto_\d|_and_more$", migration.stem)


class Linter(MigrationLinter):
    """The linter, in a tenth of its time: all migrations in one go instead of a state made from nothing for each."""

    def get_sql(self, app_label, migration_name):
        return _statements()[app_label, migration_name]


@cache
def _statements():
    """The statements of each of our migrations, in the order they run.

    Triggers, which the linter does not judge and for which every related model would be built anew, are left out.
    """
    executor, found = MigrationExecutor(connection), {}
    state = executor._create_project_state()
    with light_states():
        for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True):
            if not migration.__module__.startswith("apps."):
                state = migration.mutate_state(state, preserve=False)
                continue
            bare = copy(migration)
            bare.operations = [step for step in migration.operations if not isinstance(step, TRIGGERS)]
            with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
                state = bare.apply(state, editor, collect_sql=True)
            found[migration.app_label, migration.name] = "\n".join(editor.collected_sql).splitlines()
    return found


TRIGGERS = (AddTrigger, RemoveTrigger)


@pytest.mark.django_db
def test_migrations_do_not_break_the_version_before():
    linter = Linter(
        str(ROOT),
        no_cache=True,
        analyser_string="postgresql",
        quiet=["ok", "ignore", "warning"],
        include_apps=[config.label for config in apps.get_app_configs() if config.name.startswith("apps.")],
        ignore_initial_migrations=True,
        ignore_name=BEFORE_THE_FIRST_RELEASE,
    )
    linter.lint_all_migrations(app_label=None)
    assert linter.nb_erroneous == 0
    assert len(_statements()) == len(OWN)
