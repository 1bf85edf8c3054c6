"""What the tests of admin pages share: addresses, and how many questions a page asks the database."""

import difflib
from contextlib import contextmanager

from django.conf import settings
from django.db import connection
from django.template.base import Template
from django.test.utils import CaptureQueriesContext, _TestState, override_settings
from django.urls import reverse


def list_of(model):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page_of(thing, name="change"):
    return reverse(f"admin:{thing._meta.app_label}_{thing._meta.model_name}_{name}", args=(thing.pk,))


def whole_page_of(thing):
    """The address of a page that draws at once what it usually fetches later."""
    return f"{page_of(thing)}?boxes=all"


def button_of(thing, name):
    address = f"admin:{thing._meta.app_label}_{thing._meta.model_name}_button"
    return reverse(address, kwargs={"object_id": thing.pk, "name": name})


@contextmanager
def short_menu():
    """The menu has one entry: it is the same on every page, and test_navigation draws it whole for each role.

    For the modules that open thousands of pages, of which it is a third of the work.
    """
    first = {"title": "", "items": [{"title": "Home", "icon": "home", "link": reverse("admin:index")}]}
    sidebar = {**settings.UNFOLD["SIDEBAR"], "navigation": [first]}
    with override_settings(UNFOLD={**settings.UNFOLD, "SIDEBAR": sidebar}), _without_notes_of_templates():
        yield


@contextmanager
def _without_notes_of_templates():
    """Templates are drawn as in the product: Django's test client copies the context of each that is included.

    An admin page includes seventy, and nothing in those modules asks an answer for its context.
    """
    noting, Template._render = Template._render, _TestState.saved_data.template_render
    try:
        yield
    finally:
        Template._render = noting


def asked_by(client, address):
    """The questions that a page puts to the database once it is warm."""
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(address)
    assert answer.status_code == 200
    return [each["sql"] for each in asked.captured_queries]


def queries_of(client, address):
    return len(asked_by(client, address))


def assert_same_queries(client, address, more):
    """The page asks as much with the rows that `more()` adds as without them."""
    before = asked_by(client, address)
    more()
    after = asked_by(client, address)
    assert len(after) == len(before), "\n".join(difflib.ndiff(before, after))
    return len(before)
