"""Many rows are edited at once: shown first, each judged by itself, what was overtaken stays."""

import re

import pytest

from apps.accounts.enums import Role
from apps.core.admin_kit import bulk_edit
from apps.core.workspace.domain.tagging import tags_of
from apps.technology.models import Tool
from tests.admin_pages import list_of
from tests.factories.accounts import person_with, sign_in
from tests.factories.technology import ToolFactory, VendorFactory

pytestmark = pytest.mark.django_db
LIST = list_of(Tool)


def chosen(*tools, **given):
    return {"action": "bulk_edit", "_selected_action": [each.pk for each in tools], **given}


def sent(page):
    """What the preview's form sends back."""
    return {"bulk_seen": re.findall(r'name="bulk_seen" value="([^"]+)"', page), "bulk_step": "apply"}


def test_values_are_shown_row_by_row_and_then_written_with_their_reason(client):
    ops, vendor = person_with(Role.OPS), VendorFactory(name="Acme")
    one, two, same = (ToolFactory(name=f"Tool {each}", department="Sales") for each in "ABC")
    Tool.objects.filter(pk=same.pk).update(vendor=vendor, department="")
    gone = ToolFactory(name="Gone", archived_at="2026-01-01T00:00Z")
    sign_in(client, ops)
    page = client.post(LIST, chosen(one, two)).content.decode()
    assert "What you leave alone stays as it is" in page
    assert 'aria-label="Empty Department"' in page
    values = {"bulk-vendor": vendor.pk, "bulk_empty": ["department"], "bulk-change_reason": "One vendor"}
    asked = chosen(one, two, same, gone, **values)
    page = client.post(f"{LIST}?archived=all", {**asked, "bulk_step": "preview"}).content.decode()
    assert "2 of 4 change, 1 holds these values already, 1 is left out. Nothing is written yet." in page
    assert "<del>Sales</del></td><td><ins>—</ins>" in page
    assert "Gone is archived and read-only; restore it first." in page
    assert Tool.objects.filter(vendor=vendor).count() == 1
    two.notes = "Somebody else was here"
    two.save()
    page = client.post(f"{LIST}?archived=all", {**asked, **sent(page)}, follow=True).content.decode()
    assert "1 row is changed." in page
    assert "Tool B was changed since you looked; it stays as it is." in page
    one.refresh_from_db()
    assert (one.vendor, one.department) == (vendor, "")
    newest = one.history.first()
    assert (newest.history_change_reason, newest.actor_label) == ("One vendor", ops.email)
    assert set(Tool.objects.filter(vendor=vendor).values_list("name", flat=True)) == {"Tool A", "Tool C"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "Give at least one field a value, or empty one."),
        ({"bulk-department": "Web", "bulk_empty": "department"}, "Give a value or empty it, not both."),
        ({"bulk-criticality": "galactic"}, "Select a valid choice"),
        ({"bulk_empty": "lifecycle"}, "Give at least one field a value"),
    ],
)
def test_what_says_nothing_or_too_much_is_refused(client, given, sentence):
    tool = ToolFactory(department="Sales")
    sign_in(client, person_with(Role.OPS))
    for step in ("preview", "apply"):
        page = client.post(LIST, chosen(tool, **given, bulk_step=step)).content.decode()
        assert sentence in page
    assert Tool.objects.get().department == "Sales"


def test_who_may_only_look_is_offered_nothing_and_too_many_are_refused(client, monkeypatch):
    tools = [ToolFactory(), ToolFactory()]
    sign_in(client, person_with(Role.AUDITOR))
    assert "Edit the chosen rows" not in client.get(LIST).content.decode()
    client.post(LIST, chosen(*tools, **{"bulk-department": "Web", "bulk_step": "apply"}))
    assert not Tool.objects.filter(department="Web").exists()
    sign_in(client, person_with(Role.OPS))
    assert "Edit the chosen rows" in client.get(LIST).content.decode()
    monkeypatch.setattr(bulk_edit, "MOST", 1)
    page = client.post(LIST, chosen(*tools), follow=True).content.decode()
    assert "2 rows are chosen; at most 1 are edited at once. Narrow the list." in page


def test_chosen_rows_are_tagged_and_untagged(client):
    tools = [ToolFactory(), ToolFactory()]
    sign_in(client, person_with(Role.OPS))
    keys = [each.pk for each in tools]
    page = client.post(LIST, {"action": "many_tag", "_selected_action": keys}).content.decode()
    assert "All 2 can be done." in page
    given = {"_selected_action": keys, "bulk_apply": "1"}
    client.post(LIST, {**given, "action": "many_tag", "tags": "core, EU"})
    assert [str(tag) for tag in tags_of(tools[1])] == ["core", "EU"]
    client.post(LIST, {**given, "action": "many_untag", "tags": "Core, unheard of"})
    assert [[str(tag) for tag in tags_of(each)] for each in tools] == [["EU"], ["EU"]]
