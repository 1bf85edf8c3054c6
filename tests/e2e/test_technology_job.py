"""The job of a technology administrator in a browser: from a need to an active tool, its seats, renewal and review."""

import datetime as dt
import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser]
NAME = "Chorus Studio"
EVIDENCE = "Seen in the trial of two weeks."


def press(page, label):
    """Press a button of a record's page, and its confirmation where it asks first."""
    page.get_by_role("link", name=label, exact=True).or_(
        page.get_by_role("button", name=label, exact=True)
    ).first.click()


def confirm(page, label):
    page.locator("form button[type=submit]", has_text=label).first.click()


def choose(page, field, text):
    """Choose a record in a box to choose from by typing."""
    page.locator(f"#id_{field} + .select2 .select2-selection").first.click()
    page.locator(".select2-search__field").last.fill(text)
    page.locator(".select2-results__option", has_text=text).first.click()


def test_from_a_need_to_an_active_tool(come_in, installation):
    page = come_in("Technology administrator")
    page.goto("/admin/technology/evaluation/add/")
    page.locator("#id_title").fill("Record and caption webinars")
    page.locator("#id_need").fill("Captions within an hour, in three languages.")
    choose(page, "lead", "Rui")
    page.get_by_role("button", name="Save and continue editing").click()
    here = page.url
    page.get_by_role("link", name="Add a candidate").click()
    page.locator("#id_name").fill(NAME)
    page.locator("#id_integration_assessment").fill("Reads recordings from the webinar tool through its API.")
    for kind, amount in (("licence", 9000), ("implementation", 1000), ("people", 2000), ("exit", 100)):
        for year in (1, 2, 3):
            page.locator(f"#id_{kind}_{year}").fill(str(amount))
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(here)
    press(page, "Name evaluators")
    for name in ("Priya Raghunath", "Jonas Weidenfeld"):
        page.get_by_label(re.compile(name)).check()
    confirm(page, "Name evaluators")
    press(page, "Start scoring")
    confirm(page, "Start scoring")
    expect(page.get_by_text("are asked to score")).to_be_visible()
    score_page = here.replace("/change/", "/score/")
    for role in ("Automation specialist", "Manager"):
        _score(come_in(role), score_page)
    page.goto(here)
    press(page, "Close scoring")
    confirm(page, "Close scoring")
    expect(page.get_by_text(f"Best: {NAME}")).to_be_visible()
    press(page, "Choose a candidate")
    page.locator("select[name=candidate]").select_option(label=NAME)
    page.locator("textarea[name=reason]").fill("It is the only one with captions in three languages.")
    confirm(page, "Choose a candidate")
    page.get_by_role("link", name="Record and caption webinars").first.click()
    press(page, "Send for approval")
    confirm(page, "Send for approval")
    for role in ("Approver", "Administrator"):
        _approve(come_in(role))
    page.goto(f"/admin/technology/tool/?q={NAME.replace(' ', '+')}")
    page.locator("#result_list").get_by_role("link", name=NAME).click()
    press(page, "Implement")
    page.locator("textarea[name=reason]").fill("The contract is signed.")
    confirm(page, "Implement")
    tool = page.url
    for gate in ("Phased", "Tested", "Trained", "Monitored"):
        page.get_by_role("link", name=gate, exact=True).click()
        press(page, "Pass the gate")
        page.locator("textarea[name=reason]").fill(EVIDENCE)
        confirm(page, "Pass the gate")
        page.goto(tool)
    press(page, "Activate")
    page.locator("textarea[name=reason]").fill("All gates are passed.")
    confirm(page, "Activate")
    expect(page.get_by_text("is active now")).to_be_visible()


def _score(page, address):
    page.goto(address)
    for group in page.locator(".technology-score").all():
        group.locator("input[type=radio][value='4']").check()
        group.locator("textarea").fill(EVIDENCE)
    page.get_by_role("button", name="Submit for good").click()
    expect(page.get_by_text("Your scores are submitted")).to_be_visible()


def _approve(page):
    page.goto("/admin/approvals/approvalrequest/?q=caption")
    page.locator("#result_list").get_by_role("link", name=re.compile("Record and caption")).first.click()
    press(page, "Approve")
    confirm(page, "Approve")
    expect(page.get_by_text(re.compile("approved", re.IGNORECASE)).first).to_be_visible()


def test_a_seat_is_reclaimed(come_in, installation):
    page = come_in("Technology administrator")
    page.goto("/admin/technology/reclaimtask/?state__exact=open")
    page.locator("#result_list tbody a").first.click()
    press(page, "Reclaim the seat")
    confirm(page, "Reclaim the seat")
    expect(page.get_by_text("no longer has a seat on")).to_be_visible()


def test_a_renewal_is_decided_and_a_review_made(come_in, installation):
    page = come_in("Technology administrator")
    page.goto("/admin/technology/renewals/")
    expect(page.get_by_role("heading", name="What comes next")).to_be_visible()
    year = dt.date.today().year  # the calendar of the page
    assert str(year) in page.locator(".mops-title").first.inner_text()
    page.goto("/admin/technology/renewaldecision/add/")
    choose(page, "contract", "Subscription")
    page.locator("#id_verdict").select_option("renegotiate")
    page.locator("#id_reason").fill("A third of the seats is used; we ask for the smaller tier.")
    page.get_by_role("button", name="Save and continue editing").click()
    press(page, "Send for approval")
    confirm(page, "Send for approval")
    expect(page.get_by_text("is in approval")).to_be_visible()
    page.goto("/admin/technology/reviewpack/add/")
    page.get_by_role("button", name="Make the pack").click()
    expect(page.get_by_text("its figures are frozen")).to_be_visible()
    expect(page.get_by_role("heading", name="Largest savings")).to_be_visible()
    with page.expect_download() as given:
        page.get_by_role("link", name="Excel").click()
    assert given.value.suggested_filename.endswith(".xlsx")


def test_the_map_is_moved_narrowed_and_taken_along(come_in, installation):
    page = come_in("Auditor", width=390)
    page.goto("/admin/technology/map/")
    frame = page.locator("[data-map-frame]")
    before = frame.locator("svg").get_attribute("viewBox")
    frame.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    assert frame.locator("svg").get_attribute("viewBox") != before
    page.locator("select[name=health]").select_option("failing")
    expect(page.locator("[data-map-said]")).to_have_text("2 tools, 1 integration")
    expect(page.locator(".technology-map-off").first).to_be_attached()
    with page.expect_download() as given:
        page.get_by_role("link", name="PNG").click()
    assert given.value.path().read_bytes().startswith(b"\x89PNG")
