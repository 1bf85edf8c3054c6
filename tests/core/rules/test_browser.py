"""In a real browser at 390 px: conditions and lists of rules are built by keyboard and counted live."""

import json

import pytest
from playwright.sync_api import expect

from apps.accounts.enums import Role
from apps.core.rules.domain.versions import start_draft
from tests.accounts.test_browser import sign_in
from tests.admin_pages import page_of
from tests.core.rules.test_admin import LIST, listed_rules, routing  # noqa: F401  # a fixture
from tests.factories.accounts import person_with
from tests.factories.leads import LeadFactory
from tests.factories.rules import segment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def save(page):
    page.locator("[name=_continue]").click()
    page.wait_for_load_state()


def test_a_condition_is_built_counted_and_saved(page, live_server):
    host = live_server.url.replace("127.0.0.1", "localhost")
    ops = person_with(Role.OPS)
    LeadFactory(country="Spain"), LeadFactory(country="Italy")
    version = start_draft(segment(owner=ops), by=ops)
    sign_in(page, host, ops)
    page.goto(host + page_of(version))
    expect(page.locator("textarea.rules-source")).to_be_hidden()
    page.get_by_role("button", name="Add a condition").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("Country")  # the new field has the focus
    expect(page.get_by_label("How to compare")).to_be_visible()
    page.get_by_label("Country, value").fill("spain")
    expect(page.locator(".rules-live")).to_have_text("1 of 2 leads that you see.")
    expect(page.locator(".rules-words")).to_have_text("Country is “spain”")
    page.get_by_role("button", name="Add a group").click()
    page.get_by_label("Field").nth(1).select_option("total_visits")
    page.get_by_label("How to compare").nth(1).select_option("gte")
    save(page)  # the second question has no value yet
    wrong = page.locator(".rules-wrong")
    expect(wrong).to_contain_text("Say what Visits is compared with.")
    wrong.get_by_label("Visits, value").fill("5")
    expect(page.locator(".rules-words")).to_have_text("Country is “spain” and Visits is at least 5")
    save(page)
    version.refresh_from_db()
    assert version.body == {
        "predicate": {
            "all": [
                {"field": "country", "op": "eq", "value": "spain"},
                {"any": [{"field": "total_visits", "op": "gte", "value": 5}]},
            ]
        }
    }
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.complaints == []


def test_a_list_is_put_in_order_by_keyboard(page, live_server, routing):  # noqa: F811
    host = live_server.url.replace("127.0.0.1", "localhost")
    ops = person_with(Role.OPS)
    LeadFactory(country="Spain")
    version = listed_rules(ops, {"rules": LIST["rules"][:3]})
    sign_in(page, host, ops)
    page.goto(host + page_of(version))
    expect(page.locator(".rules-findings")).to_contain_text("Rule 2, Spain, never gets its turn")
    page.get_by_role("button", name="Move rule 2 up").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name of rule 1")).to_have_value("Spain")
    expect(page.get_by_role("button", name="Move rule 1 down")).to_be_focused()
    expect(page.locator(".rules-findings")).to_be_empty()
    page.get_by_role("button", name="Duplicate rule 1").click()
    expect(page.get_by_label("Name of rule 2")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("France")
    page.get_by_label("Country, value").nth(1).fill("France")
    page.get_by_role("button", name="Remove rule 4").click()
    save(page)
    version.refresh_from_db()
    rules = version.body["rules"]
    assert [(each["key"], each["name"]) for each in rules] == [
        ("rule-2", "Spain"),
        ("rule-3", "France"),
        ("rule-1", "Iberia"),
    ]
    assert json.dumps(rules[1]["predicate"]).count("France") == 1
    assert page.complaints == []


def test_a_long_list_is_folded_and_opened_by_keyboard(page, live_server, routing):  # noqa: F811
    host = live_server.url.replace("127.0.0.1", "localhost")
    ops = person_with(Role.OPS)
    first = LIST["rules"][0]
    long = [{**first, "key": f"rule-{number}", "name": f"Rule {number}"} for number in range(1, 6)]
    version = listed_rules(ops, {"rules": long})
    sign_in(page, host, ops)
    page.goto(host + page_of(version))
    details = page.locator(".rules-details")
    expect(details).to_have_count(5)
    expect(details.nth(1)).to_be_hidden()
    page.get_by_role("button", name="Open rule 2").focus()
    page.keyboard.press("Enter")
    expect(details.nth(1)).to_be_visible()
    expect(details.nth(0)).to_be_hidden()
    expect(page.get_by_role("button", name="Fold rule 2")).to_be_focused()
    page.get_by_role("button", name="Open all rules").click()
    expect(details.nth(4)).to_be_visible()
    page.get_by_role("button", name="Fold all rules").click()
    expect(details.nth(4)).to_be_hidden()
    page.get_by_label("Name of rule 3").fill("")
    save(page)  # what is wrong stands open
    expect(page.locator(".rules-details").nth(2)).to_be_visible()
    expect(page.locator(".rules-details").nth(3)).to_be_hidden()
    assert page.complaints == []
