"""The traps of the packages mops stands on, each with the test that keeps it shut.

Each was reproduced on the versions in use before mops was built: simple-history 3.13, guardian 3.5, django-q2 1.11,
import-export 4.4, Django 5.2. The table is checked: a test that is renamed or dropped fails here.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TRAPS = {
    "simple-history's history form lets a person write who may only view": (
        "core/admin_kit/test_history.py::test_history_refuses_post",
        "accounts/test_security.py::test_a_view_only_person_writes_nothing_through_history",
    ),
    "the same page shows and writes rows outside one's scope": (
        "core/admin_kit/test_history.py::test_history_hides_rows_outside_the_scope",
        "project/test_surfaces.py::test_each_surface_shows_what_the_oracle_says",
    ),
    "with permissions on history models an auditor can write": (
        "project/test_auditor_writes_nothing.py::test_no_request_of_an_auditor_changes_a_row",
    ),
    "update(), bulk_update(), bulk_create(), links, raw SQL leave no history": (
        "core/test_actors.py::test_ledger_records_paths_that_signals_miss",
        "core/test_actors.py::test_history_has_the_version_whatever_the_path",
        "audit/test_completeness.py::test_ledger_replayed_equals_the_tables",
    ),
    "history is deleted by the ORM, and who did it goes with the person": (
        "core/test_actors.py::test_serving_role_can_forge_no_evidence",
        "core/test_governed.py::test_people_are_never_deleted",
    ),
    "guardian: who may change a record grants anybody anything on it": (
        "rights/test_granting.py::test_nobody_but_owner_and_administrator_grants_by_any_address",
        "rights/test_granting.py::test_who_has_a_grant_cannot_pass_it_on",
        "rights/test_granting.py::test_guardian_gives_nothing_past_the_operation",
        "core/admin_kit/test_base.py::test_pages_of_packages_are_not_served",
    ),
    "guardian: rights outlive their record, and global rights are not seen on a row": (
        "rights/test_granting.py::test_no_right_survives_its_record",
        "rights/test_granting.py::test_sweep_ends_what_is_over",
        "rights/test_granting.py::test_guardian_gives_the_same_rows",
    ),
    "guardian: the usual question takes seconds at 100,000 rows": (
        "rights/test_sharing_at_scale.py::test_the_plan_reads_the_persons_grants_by_index",
    ),
    "import-export: people without any right export and import": (
        "core/exchange/test_exports.py::test_people_without_the_right_are_refused_everywhere",
        "core/exchange/test_exports.py::test_no_page_of_import_export_answers_a_person_without_rights",
    ),
    "formulas leave unescaped": (
        "core/exchange/test_exports.py::test_no_formula_survives",
        "project/test_files_are_escaped.py::test_one_module_writes_tables",
    ),
    "a workbook of a megabyte takes two minutes and 700 MB": (
        "core/exchange/test_reading.py::test_hostile_files_are_refused_in_words_and_at_once",
        "core/exchange/test_reading.py::test_hostile_files_take_little_memory",
    ),
    "the admin's lookups tell secrets letter by letter": (
        "accounts/test_security.py::test_prying_lookups_are_refused",
        "core/admin_kit/test_refusals.py::test_a_filter_through_a_forbidden_relation_tells_nothing",
    ),
    "the admin's palette walks every row and keeps its answer past a loss of rights": (
        "core/admin_kit/test_base.py::test_palette_shows_only_what_the_person_sees",
    ),
    "a refusal by the database is a server error in the stock admin": (
        "core/admin_kit/test_base.py::test_database_refusal_is_a_sentence_not_a_server_error",
        "core/admin_kit/test_lost_races.py::test_a_form_in_a_deadlock_saves_nothing_and_says_so",
        "core/admin_kit/test_lost_races.py::test_a_page_of_its_own_says_it_too",
    ),
    "a state changes past its operation": (
        "core/test_transitions.py::test_every_other_way_is_refused_in_words",
        "core/test_transitions.py::test_the_door_closes_with_the_block",
    ),
    "the ledger is changed, deleted, truncated, or its trigger disabled": (
        "core/test_governed.py::test_ledger_refuses_change_in_words",
        "core/test_governed.py::test_ledger_survives_the_serving_role_trying_to_disable_its_trigger",
    ),
    "a chain inside each write makes writers wait for each other": (
        "audit/test_sealing.py::test_recording_does_not_wait_for_other_writers",
        "audit/test_sealing.py::test_a_transaction_that_commits_late_is_waited_for_and_never_skipped",
    ),
    "django-q2: its queue wedges when a worker dies, and tasks run for ever": (
        "core/jobs/test_kills.py::test_workers_killed_poisoned_and_overdue_lose_nothing",
        "core/jobs/test_kills.py::test_cluster_survives_the_death_of",
        "core/jobs/test_claims.py::test_worker_that_dies_again_and_again_is_given_up_with_an_alert",
    ),
    "django-q2: a schedule names any function, a changed key loses what waits": (
        "core/jobs/test_runner.py::test_package_names_one_function_and_one_id",
        "core/jobs/test_runner.py::test_queue_library_keeps_no_queue_schedule_or_result_of_its_own",
        "core/jobs/test_claims.py::test_broker_refuses_anything_that_is_no_run",
    ),
    "django-q2: its pages let people without rights run tasks again": (
        "core/jobs/test_admin.py::test_pages_of_the_queue_library_are_gone",
    ),
    "django-q2: missed runs are all made up for": (
        "core/jobs/test_scheduling.py::test_missed_runs_are_made_up_for_once",
    ),
    "a job is asked for in a transaction that is rolled back": (
        "core/jobs/test_runs.py::test_rollback_takes_the_run_back",
    ),
    "slow clients shut everybody out": ("core/probes/test_logs.py::test_gunicorn_logs_json_alone",),
    "the theme wants inline scripts, and evaluates": (
        "accounts/test_security.py::test_headers_inside",
        "accounts/test_security.py::test_our_templates_hold_nothing_inline",
    ),
    "a scanner says all is well where it looked at nothing": (
        "project/test_locks.py::test_no_package_is_below_its_security_floor",
    ),
    # what forged and broken input does, asked for beside the traps
    "a form with fields it does not have, or keys of other records": (
        "core/admin_kit/test_refusals.py::test_unknown_fields_of_a_post_set_nothing",
        "core/admin_kit/test_refusals.py::test_a_forged_foreign_key_is_refused_in_the_form",
        "accounts/test_security.py::test_forged_fields_change_nothing",
    ),
    "a version of another record": (
        "core/admin_kit/test_refusals.py::test_history_of_another_object_is_not_found",
        "core/admin_kit/test_restore.py::test_versions_of_other_rows_and_rows_out_of_scope_are_not_found",
    ),
    "a broken seals file, a key that is missing": (
        "audit/test_tampering.py::test_a_broken_file_is_refused_in_words",
        "audit/test_sealing.py::test_a_key_that_is_not_the_right_one_is_refused_and_alarmed",
        "audit/test_sealing.py::test_the_seals_file_gone_is_refused_until_somebody_says_why",
    ),
}


@cache
def names_in(path):
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("trap", TRAPS)
def test_every_trap_has_its_tests(trap):
    missing = [each for each in TRAPS[trap] if each.split("::")[1] not in names_in(each.split("::")[0])]
    assert missing == []
