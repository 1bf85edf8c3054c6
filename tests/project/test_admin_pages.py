"""Every admin page opens, or is refused in words, for every role: never a server error, never a page too many."""

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import NoReverseMatch, reverse

from apps.accounts.enums import Role
from apps.core import access
from tests.factories.accounts import person_with

# without it a run of this file alone would reach for the database of the installation
pytestmark = pytest.mark.django_db
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
ROLES = [None, *Role]
REFUSED = (302, 403, 404)


@pytest.fixture(scope="module")
def company(django_db_setup, django_db_blocker):
    """The demo company and one person per role, for the whole module, taken back afterwards."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("load_demo", verbosity=0)
        people = {
            role: person_with(*([role] if role else []), email=f"{role or 'nobody'}@walk.example.com") for role in ROLES
        }
        yield people
        transaction.set_rollback(True)


def signed_in(person):
    client = Client(raise_request_exception=True)
    client.force_login(person)
    return client


def address(model, page, *args):
    try:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)
    except NoReverseMatch:
        return None


@pytest.mark.parametrize("role", ROLES, ids=str)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_pages_open_exactly_for_those_who_may_view(company, model, role):
    person = company[role]
    client, model_admin = signed_in(person), admin.site._registry[model]
    request = client.get("/admin/").wsgi_request
    may_view = model_admin.has_view_permission(request)
    listed = client.get(address(model, "changelist"))
    assert listed.status_code == 200 if may_view else listed.status_code in REFUSED
    added = client.get(address(model, "add"))
    assert added.status_code == 200 if model_admin.has_add_permission(request) else added.status_code in REFUSED
    thing = model_admin.get_queryset(request).first() if may_view else model._default_manager.first()
    if thing is None:
        return
    seen = may_view and model_admin.has_view_permission(request, thing)
    for page in ("change", "history"):
        answer = client.get(address(model, page, thing.pk))
        assert answer.status_code == 200 if seen else answer.status_code in REFUSED, page


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_buttons_shown_are_those_the_operation_grants(company, model):
    model_admin = admin.site._registry[model]
    for person in company.values():
        client = signed_in(person)
        request = client.get("/admin/").wsgi_request
        thing = model_admin.get_queryset(request).first()
        if thing is None or not getattr(model_admin, "buttons", ()):
            continue
        page = client.get(address(model, "change", thing.pk)).content.decode()
        for button in model_admin.buttons:
            url = address(model, "change", thing.pk).replace("/change/", f"/do/{button.name}/")
            refused = button.refused(person, thing)
            if refused:
                assert f'href="{url}"' not in page
                assert f'action="{url}"' not in page
            else:
                assert f'"{url}"' in page


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_list_page_search_and_each_filter_answer(company, model):
    client, model_admin = signed_in(company[Role.AUDITOR]), admin.site._registry[model]
    request = client.get("/admin/").wsgi_request
    if not access.has_model_permission(company[Role.AUDITOR], "view", model):
        return
    assert client.get(address(model, "changelist"), {"q": "a"}).status_code == 200
    changelist = model_admin.get_changelist_instance(request)
    for spec in changelist.filter_specs:
        for choice in list(spec.choices(changelist))[:3]:
            query = choice.get("query_string")
            if query:
                assert client.get(address(model, "changelist") + query).status_code == 200
