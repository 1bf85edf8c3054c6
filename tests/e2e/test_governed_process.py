"""A process from its first draft to a finished run, in a browser: who decided what, and what the ledger says of it."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser]
TITLE = "Brief a creative agency"
SOON = 20_000
# What the ledger tells of the process and all that belongs to it, newest first.
FOUND = (
    "Jonas Weidenfeld changed Run Brief for the spring film",
    "ask-legal was waived",
    "No personal data in this film.",
    "Jonas Weidenfeld created Acknowledgement",
    "Rui Tavares Pinto for Helena Voss",
    "Ingrid Solheim Dahl created Decision",
    "Clear now.",
    "Said who pays.",
    "Say who pays for a second brief.",
    "The agency starts in May.",
    "Priya Raghunath created Process",
)


def press(page, name):
    """Press a button of a record's page, whether it acts at once or asks first."""
    page.get_by_role("link", name=name, exact=True).or_(page.get_by_role("button", name=name, exact=True)).first.click()


def confirm(page, name, **fields):
    """Press a button that asks first, fill in what it asks, and press it there."""
    press(page, name)
    for field, value in fields.items():
        page.locator(f"#id_{field}").fill(value)
    page.locator("#content, main").get_by_role("button", name=name, exact=True).last.click()


def said(page, sentence):
    expect(page.locator("body")).to_contain_text(re.compile(sentence), timeout=SOON)


def choose(page, field, text):
    """Choose in a box that searches."""
    page.locator(f"#id_{field} + .select2 .select2-selection").click()
    page.locator(".select2-search__field").last.fill(text)
    page.locator(".select2-results__option", has_text=text).first.click()


def save(page):
    page.get_by_role("button", name="Save and continue editing").click()
    said(page, "changed successfully|added successfully")


def add_row(page, kind, place):
    """Add a row to a list inside a form."""
    page.get_by_text(f"Add another {kind}").click()
    return lambda field: page.locator(f"#id_{place}-{field}")


def open_request(page):
    page.goto("/admin/approvals/approvalrequest/?o=-1")
    page.goto(f"/admin/approvals/approvalrequest/?q={TITLE.replace(' ', '+')}")
    page.get_by_role("link", name=re.compile(TITLE)).first.click()


def test_critical_processes_get_a_second_stage_by_an_approved_policy(come_in):
    admin = come_in("Administrator")
    admin.goto("/admin/approvals/policyversion/?q=SOP+versions&state__exact=draft")
    admin.locator("#result_list tbody a").first.click()
    address = admin.url
    admin.locator("#id_change_log").fill("Critical processes are decided by an executive too.")
    stage = add_row(admin, "Stage", "stages-1")
    stage("number").fill("2")
    stage("name").fill("Leadership")
    approver = add_row(admin, "Approver", "approvers-1")
    approver("stage_number").fill("2")
    approver("role").select_option(label="Executive")
    admin.locator("#id_rules-0-position").fill("2")
    row = add_row(admin, "Row of the decision table", "rules-1")
    row("position").fill("1")
    row("name").fill("Critical processes")
    row("stage_numbers").fill("1, 2")
    builder = admin.locator("[data-rules-editor]").filter(has=admin.locator("#id_rules-1-when"))
    builder.get_by_role("button", name="Add a condition").click()
    builder.get_by_label("Field", exact=True).select_option(label="Criticality")
    builder.get_by_label("Criticality, value").select_option(label="High")
    expect(builder.locator(".rules-live")).to_contain_text("requests of this kind", timeout=SOON)
    save(admin)
    said(admin, "Criticality is High")
    confirm(admin, "Send for approval")
    said(admin, "is in review; 1 approval must come in")
    approver = come_in("Approver")
    approver.goto("/admin/approvals/approvalrequest/inbox/")
    approver.get_by_role("link", name=re.compile("SOP versions · version")).first.click()
    confirm(approver, "Approve")
    admin.goto(address)
    said(admin, "Active")


def test_who_is_away_names_who_decides_for_them(come_in):
    executive = come_in("Executive")
    executive.goto("/admin/approvals/delegation/add/")
    choose(executive, "to_person", "Rui Tavares")
    executive.locator("#id_reason").fill("Board week")
    executive.get_by_role("button", name="Save", exact=True).click()
    said(executive, "Rui Tavares Pinto for Helena Voss")


def test_the_author_writes_a_critical_process_with_steps_and_required_reading(come_in):
    author = come_in("Automation specialist")
    author.goto("/admin/processes/process/add/")
    author.locator("#id_title").fill(TITLE)
    author.locator("#id_family").select_option(label="Content")
    author.locator("#id_criticality").select_option(label="High")
    author.locator("#id_summary").fill("How an agency learns what we want from it.")
    author.get_by_text("Add another Required reading").click()
    choose(author, "requirements-0-role", "Marketing operations manager")
    author.locator("#id_requirements-0-quota").fill("100")
    save(author)
    press(author, "Write a new version")
    author.get_by_role("link", name="Version 1", exact=True).click()
    author.locator("#id_change_log").fill("First version.")
    author.locator("#id_body").fill("## Purpose\n\nAn agency works to a brief, never to a call.")
    save(author)
    author.get_by_role("link", name="Write the steps").click()
    for place, step in enumerate(("Write the brief", "Ask legal", "Send the brief")):
        if place:
            author.get_by_role("button", name="Add a step").click()
        card = author.locator("[data-step-card]").nth(place)
        card.locator("[name$=-title]").fill(step)
        card.locator("[name$=-role]").fill("Marketing operations manager")
        card.locator("[name$=-minutes]").fill("30")
        if step == "Ask legal":
            card.get_by_text("Instructions, links, RACI").click()
            card.locator("[name$=-blocking]").uncheck()
    expect(author.locator("[data-map-preview] svg")).to_be_visible(timeout=SOON)
    author.get_by_role("button", name="Save the steps").click()
    said(author, "Write the brief")
    confirm(author, "Send for approval", note="The agency starts in May.")
    said(author, "in review")
    open_request(author)
    said(author, "Leadership")
    expect(author.get_by_role("link", name="Approve", exact=True)).to_have_count(0)
    said(author, "You sent this")


def test_the_reviewer_wants_changes_and_the_second_round_goes_through_both_stages(come_in):
    approver = come_in("Approver")
    open_request(approver)
    confirm(approver, "Request changes", reason="Say who pays for a second brief.")
    said(approver, "Changes requested")
    author = come_in("Automation specialist")
    author.goto(f"/admin/processes/sopversion/?q={TITLE.replace(' ', '+')}")
    author.locator("#result_list tbody a").first.click()
    said(author, "Say who pays for a second brief")
    text = (
        "## Purpose\n\nAn agency works to a brief, never to a call.\n\nA second brief is paid by who changed the first."
    )
    author.locator("#id_body").fill(text)
    save(author)
    confirm(author, "Send for approval", note="Said who pays.")
    said(author, "in review")
    approver.goto("/admin/approvals/approvalrequest/inbox/")
    waiting = approver.locator(".approvals-waiting", has_text=TITLE)
    expect(waiting).to_contain_text("round 2")
    expect(waiting).to_contain_text("stage 1 of 2")
    waiting.get_by_role("link", name=re.compile(TITLE)).click()
    said(approver, "A second brief is paid")
    confirm(approver, "Approve", note="Clear now.")
    said(approver, "stage 2, Leadership, decides next")
    expect(approver.get_by_role("link", name="Approve", exact=True)).to_have_count(0)
    stand_in = come_in("Technology administrator")
    stand_in.goto("/admin/approvals/approvalrequest/inbox/")
    waiting = stand_in.locator(".approvals-waiting", has_text=TITLE)
    expect(waiting).to_contain_text("for Helena Voss")
    waiting.get_by_role("link", name=re.compile(TITLE)).click()
    confirm(stand_in, "Approve")
    said(stand_in, "Rui Tavares Pinto for Helena Voss")


def test_it_comes_into_force_once_it_was_read_and_is_carried_out(come_in):
    manager = come_in("Manager")
    manager.goto(f"/admin/processes/sopversion/?q={TITLE.replace(' ', '+')}")
    manager.locator("#result_list tbody a").first.click()
    said(manager, "Marketing operations manager: 0 of 1 have read it, 1 must")
    manager.get_by_role("link", name=re.compile("Read it")).first.click()
    manager.locator("#id_understood").check()
    manager.get_by_role("button", name="Read and understood").click()
    said(manager, "It is in force now")
    manager.goto(f"/admin/processes/process/?q={TITLE.replace(' ', '+')}")
    manager.get_by_role("link", name=TITLE).first.click()
    confirm(manager, "Start a run", title="Brief for the spring film")
    manager.get_by_role("link", name="Brief for the spring film").first.click()
    step = manager.locator(".run-step", has_text="Write the brief")
    press(step, "Start")
    confirm_step(manager, "Write the brief", "Done", evidence="Brief v1 is in the shared folder.")
    confirm_step(manager, "Ask legal", "Leave out", reason="No personal data in this film.")
    confirm_step(manager, "Send the brief", "Done")
    said(manager, "3 of 3 steps closed")
    expect(manager.locator(".run-step", has_text="Ask legal")).to_contain_text("Waived")


def confirm_step(page, step, name, **fields):
    press(page.locator(".run-step", has_text=step), name)
    for field, value in fields.items():
        page.locator(f"#id_{field}").fill(value)
    page.get_by_role("button", name=name, exact=True).last.click()
    expect(page.locator(".run-steps")).to_be_visible(timeout=SOON)


def test_the_auditor_finds_who_did_what_and_when_in_the_ledger(come_in):
    auditor = come_in("Auditor")
    auditor.goto(f"/admin/processes/process/?q={TITLE.replace(' ', '+')}")
    auditor.get_by_role("link", name=TITLE).first.click()
    auditor.get_by_role("link", name="Everything that happened to this record").first.click()
    auditor.get_by_role("link", name="With all that belongs to it").click()
    story = []
    while True:
        auditor.wait_for_load_state()  # the list is there before the whole of it has come
        story.append(auditor.locator(".audit-timeline").inner_text())
        older = auditor.get_by_role("link", name="Older", exact=True)
        if not older.count():
            break
        older.click()
    told = re.sub(r"\s+", " ", " ".join(story))
    for what in FOUND:
        assert what in told, told
    assert told.index(FOUND[-1]) > told.index(FOUND[0])
    expect(auditor.locator("main form[method=post] button[type=submit]")).to_have_count(0)
