"""An auditor sees everything and changes nothing: every admin address, every button, every way of asking."""

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.urls import NoReverseMatch, reverse

from apps.accounts.enums import Role
from apps.core import access
from tests.admin_pages import short_menu
from tests.factories.accounts import person_with

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
PAGES = ("change", "history", "delete")
# what a person's own session leaves behind, and what is no record
NOT_COUNTED = ("django_session", "usersessions_usersession", "mops_cache", "django_migrations")
FORM = {
    **dict.fromkeys(
        ("name", "title", "body", "note", "reason", "results", "text", "summary"), "changed by the auditor"
    ),
    "action": "delete_selected",
    "post": "yes",
    "state": "approved",
    "email": "auditor@example.com",
    "is_active": "on",
}


@pytest.fixture
def auditor():
    return person_with(Role.AUDITOR)


def fingerprints():
    """One digest of all rows for each table."""
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor)) - set(NOT_COUNTED)
        found = {}
        for table in sorted(tables):
            cursor.execute(f'SELECT md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM "{table}" t')
            found[table] = cursor.fetchone()[0]
    return found


def address(model, page, *args):
    try:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)
    except NoReverseMatch:
        return None


def addresses(model, thing):
    """Every address of a model's admin: its list, its form, its pages of one row, its buttons."""
    yield address(model, "changelist")
    yield address(model, "add")
    if thing is None:
        return
    yield from (address(model, page, thing.pk) for page in PAGES)
    for button in getattr(admin.site._registry[model], "buttons", ()):
        yield address(model, "change", thing.pk).replace("/change/", f"/do/{button.name}/")


@pytest.mark.django_db
@short_menu()
def test_no_request_of_an_auditor_changes_a_row(auditor):
    call_command("load_demo", verbosity=0)
    client, asked = Client(raise_request_exception=True), 0
    client.force_login(auditor)
    before = fingerprints()
    for model in MODELS:
        thing = model._default_manager.first()
        for url in filter(None, addresses(model, thing)):
            methods = ("post", "put", "patch", "delete") if url.endswith("/change/") else ("post",)
            for method in methods:
                data = {**FORM, "_selected_action": thing.pk if thing else 1, "opened_version": 1}
                given = {"data": data} if method == "post" else {"data": "{}", "content_type": "application/json"}
                with transaction.atomic():
                    answer = getattr(client, method)(url, **given)
                assert answer.status_code in (200, 302, 400, 403, 404, 405, 409), (method, url)
                asked += 1
    after = fingerprints()
    assert {table for table in after if after[table] != before.get(table)} == set()
    assert asked > 5 * len(MODELS)


@pytest.mark.django_db
def test_an_auditor_sees_every_kind_of_record(auditor):
    unseen = [model._meta.label for model in MODELS if not access.has_model_permission(auditor, "view", model)]
    assert unseen == []


@pytest.mark.django_db
def test_an_auditor_may_write_nothing(auditor):
    verbs = {name.split(".")[1].split("_")[0] for name in auditor.get_all_permissions()}
    assert verbs & {"add", "change", "delete", "erase", "purge"} == set()
