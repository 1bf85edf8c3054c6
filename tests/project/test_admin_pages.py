"""Every admin page opens, or is refused in words, for every role: never a server error, never a page too many."""

from io import StringIO

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, reverse

from apps.accounts.enums import Role
from apps.core import access
from tests.admin_pages import short_menu
from tests.factories.accounts import person_with

# without it a run of this file alone would reach for the database of the installation
pytestmark = pytest.mark.django_db
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
ROLES = [None, *Role]
REFUSED = (302, 403, 404)


class Visitor:
    """A person of one role, signed in once, and the request that an admin is asked with."""

    def __init__(self, role):
        self.person = person_with(*([role] if role else []), email=f"{role or 'nobody'}@walk.example.com")
        self.client = Client(raise_request_exception=True)
        self.client.force_login(self.person)
        self.get = self.client.get

    def request(self):
        """A request of this person; its answers are worked out anew, as at each look."""
        request = RequestFactory().get("/admin/")
        request.user, request.session = type(self.person).objects.get(pk=self.person.pk), self.client.session
        return request


@pytest.fixture(scope="module")
def demo(django_db_setup, django_db_blocker):
    """The demo company for the whole module, taken back afterwards; and what loading it said."""
    said = StringIO()
    with django_db_blocker.unblock(), transaction.atomic(), short_menu():
        call_command("load_demo", stdout=said)
        connection.check_constraints()  # once: a savepoint that is taken back would leave it to each test anew
        yield said.getvalue()
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def visitors(demo):
    """One visitor per role, signed in once."""
    visitors = {role: Visitor(role) for role in ROLES}
    connection.check_constraints()
    return visitors


def test_the_demo_says_what_it_made_and_how_to_come_in(demo):
    assert "The demo is loaded: 43 tools, 28 processes" in demo
    assert "Sign in for instance as helena.voss@example.com (Executive)." in demo


def address(model, page, *args):
    try:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)
    except NoReverseMatch:
        return None


@pytest.mark.parametrize("role", ROLES, ids=str)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_pages_open_exactly_for_those_who_may_view_with_the_buttons_that_they_may_press(visitors, model, role):
    visitor, model_admin = visitors[role], admin.site._registry[model]
    request = visitor.request()
    may_view = model_admin.has_view_permission(request)
    listed = visitor.get(address(model, "changelist"))
    assert listed.status_code == 200 if may_view else listed.status_code in REFUSED
    added = visitor.get(address(model, "add"))
    assert added.status_code == 200 if model_admin.has_add_permission(request) else added.status_code in REFUSED
    thing = model_admin.get_queryset(request).first() if may_view else model._default_manager.first()
    if thing is None:
        return
    seen = may_view and model_admin.has_view_permission(request, thing)
    for page in ("history", "change"):
        answer = visitor.get(address(model, page, thing.pk))
        assert answer.status_code == 200 if seen else answer.status_code in REFUSED, page
    if seen:
        check_buttons(model_admin, request.user, thing, answer.content.decode())


def check_buttons(model_admin, person, thing, page):
    for button in getattr(model_admin, "buttons", ()):
        url = address(type(thing), "change", thing.pk).replace("/change/", f"/do/{button.name}/")
        if button.refused(person, thing):
            assert f'href="{url}"' not in page
            assert f'action="{url}"' not in page
        else:
            assert f'"{url}"' in page


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_list_page_search_and_each_filter_answer(visitors, model):
    visitor, model_admin = visitors[Role.AUDITOR], admin.site._registry[model]
    request = visitor.request()
    if not access.has_model_permission(request.user, "view", model):
        return
    assert visitor.get(address(model, "changelist"), {"q": "a"}).status_code == 200
    changelist = model_admin.get_changelist_instance(request)
    for spec in changelist.filter_specs:
        for choice in list(spec.choices(changelist))[:3]:
            query = choice.get("query_string")
            if query:
                assert visitor.get(address(model, "changelist") + query).status_code == 200
