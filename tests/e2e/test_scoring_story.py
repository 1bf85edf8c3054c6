"""New scoring rules in a browser: simulated, approved by another person, in force; a lead taken by sales; audited."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
RUNS = "/admin/leads/scorerun/?kind__exact=activation"
VERSIONS = "/admin/rules/ruleversion/?q=halve"
WAITS = 60


def confirm(page, name, **answers):
    """Open a button's page, answer what it asks, and confirm it there."""
    page.get_by_role("link", name=name, exact=True).first.click()
    page.wait_for_url("**/do/**")
    for field, value in answers.items():
        page.locator(f"[name={field}]").fill(value)
    page.get_by_role("button", name=name, exact=True).click()


def test_new_rules_are_simulated_approved_and_score_and_sales_takes_a_lead_that_the_auditor_reads(come_in):
    specialist = come_in("Automation specialist")
    specialist.goto(VERSIONS)
    specialist.locator("#result_list tbody a").first.click()
    version = specialist.url
    simulated = re.compile(r"Scores that change, compared with version 1\s+[1-9]")
    expect(specialist.locator("body")).to_contain_text(simulated, use_inner_text=True)
    confirm(specialist, "Send for approval")
    expect(specialist.get_by_text("In review").first).to_be_visible()
    expect(specialist.get_by_role("link", name="Activate", exact=True)).to_have_count(0)

    approver = come_in("Approver")
    approver.goto("/admin/approvals/approvalrequest/?q=Lead+scoring&turn=mine")
    approver.locator("#result_list tbody a").first.click()
    confirm(approver, "Approve", note="The simulation convinces me.")
    expect(approver.get_by_text(re.compile("approved", re.IGNORECASE)).first).to_be_visible()

    specialist.goto(version)
    confirm(specialist, "Activate", reason="Agreed with sales for this quarter.")
    expect(specialist.get_by_text("Active").first).to_be_visible()
    run = run_of_the_new_version(specialist)
    assert int(run.locator(".field-changed").inner_text().replace(",", "")) > 0

    sales = come_in("Sales", width=390)
    sales.goto("/admin/leads/handoff/?state__exact=offered")
    sales.locator("#result_list tbody a").first.click()
    handoff = sales.url
    sales.locator("a[href*='/leads/lead/'][href$='/change/']").first.click()
    sales.wait_for_url("**/leads/lead/*/change/")
    lead, story = sales.url, sales.locator("#story")
    expect(story).to_contain_text("Offered to Diego Fuentealba (sales)")
    assert sales.evaluate("document.documentElement.scrollWidth") <= 390
    sales.goto(f"{lead}?show=score")
    expect(story).to_contain_text("of the rules came into force")
    sales.goto(handoff)
    confirm(sales, "Take it", reason="We speak on Thursday.")
    expect(sales.get_by_text("Accepted").first).to_be_visible()

    auditor = come_in("Auditor")
    auditor.goto(f"{lead}?show=sales")
    expect(auditor.locator("#story")).to_contain_text("We speak on Thursday.")
    expect(auditor.locator("a[href*='/do/']")).to_have_count(0)
    auditor.goto(VERSIONS)
    expect(auditor.locator("#result_list")).to_contain_text(re.compile("active", re.IGNORECASE))


def run_of_the_new_version(page):
    """Wait until the worker has scored every lead by the new rules; return the run's row."""
    for _ in range(WAITS):
        page.goto(RUNS)
        row = page.locator("#result_list tbody tr", has_text="version 2")
        if row.count():
            return row.first
        page.wait_for_timeout(1000)
    raise AssertionError("The new rules scored nobody.")
