"""The job of a technology administrator in a browser: from a need to an active tool, its seats, renewal and review."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.test_governed_process import choose, confirm, press, said

pytestmark = [pytest.mark.browser]
NAME, NEED = "Chorus Studio", "Record and caption webinars"
EVIDENCE = "Seen in the trial of two weeks."
COSTS = {"licence": 9000, "implementation": 1000, "people": 2000, "exit": 100}


def test_a_need_is_compared_blind_and_the_best_becomes_a_request(come_in):
    page = come_in("Technology administrator")
    page.goto("/admin/technology/evaluation/add/")
    page.locator("#id_title").fill(NEED)
    page.locator("#id_need").fill("Captions within an hour, in three languages.")
    choose(page, "lead", "Rui")
    page.get_by_role("button", name="Save and continue editing").click()
    said(page, "added successfully")
    here = page.url
    page.get_by_role("link", name="Add a candidate").click()
    page.locator("#id_name").fill(NAME)
    page.locator("#id_integration_assessment").fill("Reads recordings from the webinar tool through its API.")
    for kind, amount in COSTS.items():
        for year in (1, 2, 3):
            page.locator(f"#id_{kind}_{year}").fill(str(amount))
    page.get_by_role("button", name="Save", exact=True).click()
    said(page, "added successfully")
    page.goto(here)
    press(page, "Name evaluators")
    for name in ("Priya Raghunath", "Jonas Weidenfeld"):
        page.get_by_label(re.compile(name)).check()
    page.get_by_role("button", name="Name evaluators").click()
    confirm(page, "Start scoring")
    said(page, "are asked to score")
    for role in ("Automation specialist", "Manager"):
        _score(come_in(role), here.replace("/change/", "/score/"))
    page.goto(here)
    confirm(page, "Close scoring")
    said(page, f"Best: {NAME}")
    press(page, "Choose a candidate")
    page.locator("select[name=candidate]").select_option(label=NAME)
    page.locator("textarea[name=reason]").fill("It is the only one with captions in three languages.")
    page.get_by_role("button", name="Choose a candidate").click()
    said(page, "is a draft now; read it once more and send it for approval")
    page.locator("section[aria-label=Candidates]").get_by_role("link", name=NEED).click()
    said(page, "36,300.00 EUR")
    confirm(page, "Send for approval")
    said(page, "is in approval")


def _score(page, address):
    page.goto(address)
    for group in page.locator(".technology-score").all():
        group.locator("input[type=radio][value='4']").check()
        group.locator("textarea").fill(EVIDENCE)
    page.get_by_role("button", name="Submit for good").click()
    said(page, "Your scores are submitted")


def test_business_and_it_approve_and_the_tool_becomes_active_by_its_gates_and_its_run(come_in):
    for role in ("Approver", "Administrator"):
        page = come_in(role)
        page.goto("/admin/approvals/approvalrequest/inbox/")
        page.locator(".approvals-waiting", has_text=NEED).get_by_role("link", name=re.compile(NEED)).click()
        confirm(page, "Approve")
        said(page, "[Aa]pproved")
    page = come_in("Technology administrator")
    page.goto(f"/admin/technology/tool/?q={NAME.replace(' ', '+')}")
    page.locator("#result_list").get_by_role("link", name=NAME).click()
    tool = page.url
    confirm(page, "Implement", reason="The contract is signed.")
    said(page, f"{NAME} was started: 6 steps")
    for gate in ("Phased", "Tested", "Trained"):
        _pass(page, tool, gate)
    page.goto(tool)
    page.locator("section[aria-label=Implementation]").get_by_role("link", name=re.compile(NAME)).click()
    run = page.url
    for step in ("Plan the phases", "Set it up"):
        _do(page, step)
    tester = come_in("Automation specialist")  # who set it up does not test it
    tester.goto(run)
    _do(tester, "Test functions")
    page.goto(run)
    for step in ("Run the first phase", "Train who", "Watch it"):
        _do(page, step)
    said(page, "6 of 6 steps closed")
    _pass(page, tool, "Monitored")
    page.goto(tool)
    expect(page.locator("section[aria-label=Implementation] .mops-chip-good")).to_have_count(4)
    confirm(page, "Activate", reason="All gates are passed.")
    said(page, f"{NAME} is active now")


def _pass(page, tool, gate):
    page.goto(tool)
    page.locator("section[aria-label=Implementation]").get_by_role("link", name=gate, exact=True).click()
    confirm(page, "Pass the gate", reason=EVIDENCE)
    said(page, "is passed")


def _do(page, step):
    press(page.locator(".run-step", has_text=step), "Done")
    page.locator("#id_evidence").fill(EVIDENCE)
    if (way := page.get_by_label("Run the first phase")).count():
        way.check()
    page.get_by_role("button", name="Done", exact=True).last.click()
    expect(page.locator(".run-step", has_text=step).locator(".mops-chip").first).to_have_text("Done")


def test_a_seat_is_reclaimed_a_renewal_decided_and_the_review_made(come_in):
    page = come_in("Technology administrator")
    page.goto("/admin/technology/reclaimtask/?state__exact=open")
    page.locator("#result_list tbody a").first.click()
    confirm(page, "Reclaim the seat")
    said(page, "no longer has a seat on")
    page.goto("/admin/technology/renewals/")
    page.get_by_role("link", name="Decide").nth(3).click()
    page.locator("#id_verdict").select_option("renegotiate")
    page.locator("#id_reason").fill("A third of the seats is used; we ask for the smaller tier.")
    page.get_by_role("button", name="Save and continue editing").click()
    said(page, "added successfully")
    confirm(page, "Send for approval")
    said(page, "is in approval")
    page.goto("/admin/technology/reviewpack/add/")
    page.get_by_role("button", name="Make the review").click()
    said(page, "its figures are frozen")
    for kind, name in (("PDF", ".pdf"), ("Excel", ".xlsx")):
        with page.expect_download() as given:
            page.get_by_role("link", name=kind, exact=True).click()
        assert given.value.suggested_filename.endswith(name)


def test_the_map_is_moved_narrowed_and_taken_along(come_in):
    page = come_in("Auditor", width=390)
    page.goto("/admin/technology/map/")
    picture = page.locator("[data-map-frame] svg")
    before = picture.get_attribute("viewBox")
    page.locator("[data-map-frame]").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    assert picture.get_attribute("viewBox") != before
    page.locator("select[name=health]").select_option("failing")
    expect(page.locator("[data-map-said]")).to_have_text("2 tools, 1 integration")
    expect(page.locator("[data-edge].technology-map-off").first).to_be_attached()
    page.locator("[data-map-table] summary").click()
    expect(page.locator("[data-map-table] tbody tr", has_text="Webinar attendance")).to_contain_text("failing")
    with page.expect_download() as given:
        page.get_by_role("link", name="PNG").click()
    assert given.value.path().read_bytes().startswith(b"\x89PNG")
