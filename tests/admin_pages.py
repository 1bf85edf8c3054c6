"""What the tests of admin pages share: addresses, and how many questions a page asks the database."""

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse


def list_of(model):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page_of(thing, name="change"):
    return reverse(f"admin:{thing._meta.app_label}_{thing._meta.model_name}_{name}", args=(thing.pk,))


def button_of(thing, name):
    address = f"admin:{thing._meta.app_label}_{thing._meta.model_name}_button"
    return reverse(address, kwargs={"object_id": thing.pk, "name": name})


def queries_of(client, address):
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(address)
    assert answer.status_code == 200
    return len(asked)


def assert_same_queries(client, address, more):
    """The page asks as much with the rows that `more()` adds as without them."""
    before = queries_of(client, address)
    more()
    assert queries_of(client, address) == before
    return before
