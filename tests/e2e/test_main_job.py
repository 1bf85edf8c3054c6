"""The main job of mops, tried as a new user would: in a browser, on real data, with the real worker."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.shared_data]
LONG = 120_000  # milliseconds that a background job may take on a busy machine


def wait_for_the_job(page, sentence):
    """Wait, on the page with the progress bar, until it says so."""
    expect(page.locator(".mops-said").first).to_contain_text(re.compile(sentence), timeout=LONG)


def test_ops_person_imports_the_real_tools_and_corrects_one(come_in, shared_data):
    page = come_in("Technology administrator")
    page.goto("/admin/exchange/importbatch/add/")
    page.get_by_label("What does the file hold?").select_option(label="Tools")
    page.locator("input[type=file]").set_input_files(str(shared_data / "tech_stack.yml"))
    page.get_by_role("button", name="Upload and look").click()
    expect(page.get_by_text("219 rows")).to_be_visible()
    page.get_by_role("button", name="Show what would happen").click()
    wait_for_the_job(page, "If you import now")
    expect(page.get_by_text("Nothing has been written yet")).to_be_visible()
    page.get_by_role("link", name="Import now").or_(page.get_by_role("button", name="Import now")).first.click()
    if page.locator("form button[type=submit]", has_text="Import now").count():
        page.locator("form button[type=submit]", has_text="Import now").first.click()
    wait_for_the_job(page, r"\d+ (created|new)")
    page.goto("/admin/technology/tool/?q=Allocadia")
    page.get_by_role("link", name="Allocadia").first.click()
    page.locator("#id_function").fill("Budgets of marketing")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    page.locator("a[href*='/history/']").first.click()
    expect(page.locator(".mops-timeline > li").first).to_contain_text("Budgets of marketing")


def test_author_writes_an_sop_and_only_another_person_approves_it(come_in, installation):
    author = come_in("Automation specialist")
    author.goto("/admin/processes/process/add/")
    author.locator("#id_title").fill("Hand over a qualified trial")
    author.locator("#id_family").select_option(label="Lead")
    author.locator("#id_summary").fill("How marketing hands a qualified lead to sales.")
    author.get_by_role("button", name="Save and continue editing").click()
    author.get_by_role("button", name="Write a new version").click()
    author.get_by_role("link", name="Version 1", exact=True).click()
    author.locator("#id_change_log").fill("First version.")
    author.locator("#id_body").fill("# Hand over\n\n1. Check the score.\n2. Offer the lead to sales within two hours.")
    author.get_by_role("button", name="Save and continue editing").click()
    author.get_by_role("link", name="Send for approval").click()
    author.get_by_role("button", name="Send for approval").click()
    expect(author.get_by_text(re.compile("sent for approval|in review", re.IGNORECASE)).first).to_be_visible()
    author.goto("/admin/approvals/approvalrequest/")
    author.get_by_role("link", name=re.compile("Hand over a qualified trial")).first.click()
    expect(author.get_by_role("link", name="Approve", exact=True)).to_have_count(0)
    request_url = author.url
    approver = come_in("Approver")
    approver.goto(request_url)
    approver.get_by_role("link", name="Approve", exact=True).click()
    approver.get_by_role("button", name="Approve", exact=True).click()
    expect(approver.get_by_text(re.compile("approved", re.IGNORECASE)).first).to_be_visible()
    author.goto("/admin/processes/process/?q=Hand+over+a+qualified+trial")
    expect(author.locator("#result_list")).to_contain_text("Version 1")


def test_scheduled_sync_brings_real_leads_and_the_second_run_changes_nothing(come_in, shared_data):
    page = come_in("Manager")
    page.goto("/admin/exchange/filesource/add/")
    page.locator("#id_name").fill("Leads of the course shop")
    page.locator("#id_importer").select_option(label="Leads")
    page.locator("#id_path").fill("leads.csv")
    page.locator("#id_schedule").select_option(value="minutes")
    page.locator("#id_every").fill("1440")
    page.get_by_role("button", name="Save and continue editing").click()
    for sentence in (r"9,?240 (created|new)", r"[Nn]othing changed"):
        page.get_by_role("button", name="Sync now").click()
        reload_until(page, sentence)


def reload_until(page, sentence):
    """Open the newest run of the source until it says so."""
    for _ in range(120):
        if re.search(sentence, page.locator("body").inner_text()):
            return
        page.wait_for_timeout(1000)
        page.reload()
    raise AssertionError(f"no {sentence!r} in:\n{page.locator('body').inner_text()[:3000]}")


def test_auditor_sees_who_did_what_and_can_change_nothing(come_in, installation):
    page = come_in("Auditor")
    page.goto("/admin/audit/auditevent/?q=Allocadia")
    expect(page.locator("#result_list")).to_contain_text("Allocadia")
    page.locator("#result_list tbody a").first.click()
    expect(page.locator("body")).to_contain_text("Budgets of marketing")
    for url in (
        "/admin/technology/tool/",
        "/admin/processes/process/",
        "/admin/leads/lead/",
        "/admin/approvals/approvalrequest/",
    ):
        page.goto(url)
        expect(page.locator(".addlink, a[href$='/add/']")).to_have_count(0)
        page.locator("#result_list tbody a").first.click()
        expect(page.locator("[name=_save], [name=_continue], .mops-button-primary, .mops-button-danger")).to_have_count(
            0
        )
