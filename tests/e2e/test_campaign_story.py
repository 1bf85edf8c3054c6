"""A campaign in a browser: asked for, accepted, set up, written, approved, launched by the clock, closed, audited."""

import datetime as dt
import re

import pytest
from playwright.sync_api import expect

from tests.e2e.test_governed_process import confirm, press

pytestmark = [pytest.mark.browser]
NAME, TEXT = "Letter on the new reports", "Letter on the new reports: Letter"
TAG, LANDING = "letter-new-reports", "https://www.example.com/reports"
SOON, LONG = 60_000, 180_000  # milliseconds that an answer, and a background job, may take on a busy machine
LINK = f"{LANDING}?utm_source=newsletter&amp;utm_medium=email&amp;utm_campaign={TAG}&amp;utm_content=top"
BODY = (
    '<!DOCTYPE html>\n<html lang="en">\n<body>\n<h1>Reports by region</h1>\n'
    f'<p>They are there. <a href="{LINK}">See how they read</a></p>\n'
    '<p><a href="{{ unsubscribe_link }}">Unsubscribe</a></p>\n</body>\n</html>\n'
)
SUPERLATIVE = BODY.replace("They are there.", "They are there, and revolutionary.")
EVIDENCE = "Looked at on the proof of today."


def said(page, sentence):
    expect(page.locator("body")).to_contain_text(re.compile(sentence), timeout=SOON)


def save(page):
    page.get_by_role("button", name="Save and continue editing").click()
    said(page, "changed successfully|added successfully")


def today():
    """The day of the installation, which counts in UTC."""
    return dt.datetime.now(dt.UTC).date()


def found(page, kind, name):
    """Open the record of this name from its list."""
    page.goto(f"/admin/{kind}/?q={name.replace(' ', '+')}")
    page.locator("#result_list").get_by_role("link", name=name, exact=True).first.click()
    page.wait_for_url("**/change/**")


def campaign(page):
    """Open the campaign, and by the keyboard every box that is not drawn with the page; wait until all are there."""
    found(page, "campaigns/campaign", NAME)
    folded = page.locator("details.mops-folded")
    for place in range(folded.count()):
        if folded.nth(place).get_attribute("open") is None:
            folded.nth(place).locator("summary").press("Enter")
    expect(page.locator("[data-later]")).to_have_count(0)
    expect(page.locator(".mops-folded-body[aria-busy]")).to_have_count(0)


def test_a_colleague_asks_and_a_specialist_accepts_after_a_question(come_in):
    asker = come_in("Sales", width=390)
    asker.goto("/admin/campaigns/ask/")
    asker.locator("#id_title").fill(NAME)
    asker.get_by_role("button", name="Ask", exact=True).click()
    said(asker, "Objective is missing; work cannot begin without it")
    asker.locator("#id_objective").fill("Customers know that reports are split by region.")
    asker.locator("#id_audience").fill("Customers with consent, all regions.")
    asker.locator("#id_main_channel").select_option(label="E-mail")
    asker.locator("#id_starts_on").fill(str(today() + dt.timedelta(days=20)))
    asker.locator("#id_ends_on").fill(str(today() + dt.timedelta(days=50)))
    asker.locator("#id_budget").fill("900")
    asker.locator("#id_success_metrics").fill("At least 100 clicks.")
    asker.get_by_role("button", name="Ask", exact=True).click()
    said(asker, f"“{NAME}” is asked for")
    specialist = come_in("Automation specialist")
    found(specialist, "campaigns/campaignrequest", NAME)
    confirm(specialist, "Ask for information", reason="Which landing page?")
    said(specialist, "waits for Diego Fuentealba")
    asker.reload()
    said(asker, "Which landing page?")
    asker.locator("#id_objective").fill(f"Customers know that reports are split by region: {LANDING}")
    asker.get_by_role("button", name="Send again").click()
    said(asker, "is asked again")
    confirm(specialist, "Accept", note="Gladly.")
    said(specialist, "became the campaign")
    asker.reload()
    said(asker, f"It became {NAME}")


def test_the_specialist_sets_it_up_and_brings_content_through_the_checks(come_in):
    page = come_in("Automation specialist")
    campaign(page)
    press(page, "Set up from a template")
    page.locator("#id_version").select_option(label="Newsletter, version 1")
    page.locator("#id_landing_url").fill(LANDING)
    page.locator("#id_campaign_tag").fill(TAG)
    page.get_by_role("button", name="Set up from a template").last.click()
    said(page, "Newsletter")
    found(page, "content/contentasset", TEXT)
    confirm(page, "Write a version")
    page.get_by_role("link", name="Version 1", exact=True).click()
    page.locator("#id_body").fill(SUPERLATIVE)
    page.locator("#id_expires_on").fill(str(today() + dt.timedelta(days=90)))
    save(page)
    confirm(page, "Send into the checks")
    said(page, "that block")
    checker = come_in("Manager")
    checker.goto(page.url)
    confirm(checker, "Sign the next level off", note="Links and markup are fine.")
    said(checker, "brand checks are next")
    said(checker, "1 holds it back")
    said(checker, "“revolutionary” must not be said")
    confirm(checker, "Send back", reason="Say what they do.")
    page.reload()
    page.locator("#id_body").fill(BODY)
    save(page)
    confirm(page, "Send into the checks")
    said(page, "rules found nothing")
    checker.reload()
    for told in ("brand checks are next", "legal checks are next", "All levels are signed off: .* is in review"):
        confirm(checker, "Sign the next level off")
        said(checker, told)


def test_the_plan_is_completed_and_legal_and_the_director_approve(come_in):
    manager = come_in("Manager")  # so that the day of this test is free, whichever it is
    found(manager, "campaigns/blackout", "Between the years")
    manager.locator("#id_only_channel").select_option(label="Event")
    save(manager)
    legal = come_in("Approver (legal)")
    decide(legal, TEXT, note="The links and the way out are there.")
    page = come_in("Automation specialist")
    campaign(page)
    page.locator("#id_starts_on").fill(str(today() - dt.timedelta(days=1)))
    save(page)
    page.get_by_role("link", name="Select an audience").click()
    page.locator("#id_name").fill("Known leads")
    page.locator("#id_provider").select_option(label="Leads")
    page.locator("#id_selected").fill("territory = DACH, Nordics, Benelux\nstage = known_lead, mql")
    save(page)
    confirm(page, "Freeze")
    said(page, "frozen with")
    campaign(page)
    page.get_by_role("link", name="Agree on a threshold").click()
    page.locator("#id_metric").fill("clicks")
    page.locator("#id_low").fill("5")
    page.locator("#id_runbook").fill("Look at the first link of the letter.")
    page.get_by_role("button", name="Save", exact=True).click()
    said(page, "added successfully")
    campaign(page)
    confirm(page, "Send for approval", note="All parts are in.")
    said(page, "is in approval")
    director = come_in("Director")
    decide(director, NAME, note="Good value.")
    campaign(page)
    page.get_by_role("button", name="Check now").click()
    gate = page.locator("section[aria-label='Before it goes live']")
    expect(gate).to_contain_text(re.compile(r"1 of \d+ conditions are open"))
    expect(gate.locator("li", has_text="open").first).to_contain_text("Can be met by whoever checks each line")


def decide(page, thing, **note):
    """Approve what waits for the decision of this person."""
    page.goto("/admin/approvals/approvalrequest/inbox/")
    page.locator(".approvals-waiting", has_text=thing).get_by_role("link", name=re.compile(thing)).first.click()
    confirm(page, "Approve", **note)
    said(page, "[Aa]pproved")


def test_it_is_scheduled_once_its_checklist_is_settled(come_in):
    page = come_in("Automation specialist")
    campaign(page)
    lines = page.locator("section[aria-label='Launch checklist'] li", has_text="open").get_by_role("link")
    for address in [each.get_attribute("href") for each in lines.all()]:
        page.goto(address)
        confirm(page, "Done", evidence=EVIDENCE)
        said(page, "is done")
    said(page, r"All \d+ conditions are met")
    press(page, "Schedule the launch")
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    page.locator("#id_launch_at_0").fill(f"{soon:%Y-%m-%d}")
    page.locator("#id_launch_at_1").fill(f"{soon:%H:%M:%S}")
    page.get_by_role("button", name="Schedule the launch").last.click()
    said(page, "if the gate holds then")


def test_a_bar_of_the_calendar_is_dragged_by_a_mouse_and_moved_by_keys(come_in):
    page = come_in("Manager")
    name = "Webinar: planning the year"
    found(page, "campaigns/campaign", name)
    here = page.url
    field = page.locator("#id_starts_on")
    first = dt.datetime.strptime(field.input_value(), "%d/%m/%Y").date()
    month = f"/admin/campaigns/calendar/?from={first:%Y-%m}"
    page.goto(month)
    bar = page.locator("a[data-campaigns-move]", has_text=name)
    box = bar.locator("rect").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=4)
    page.mouse.move(x + 96, y, steps=4)  # three days of 32 pixels
    page.mouse.up()
    said(page, f"from {first + dt.timedelta(days=3):%-d %B %Y}")
    page.goto(here)
    expect(field).to_have_value(f"{first + dt.timedelta(days=3):%d/%m/%Y}")
    page.goto(f"/admin/campaigns/calendar/?from={first + dt.timedelta(days=3):%Y-%m}")
    bar.focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowLeft")
    said(page, "3 days earlier: Enter moves it")
    page.keyboard.press("Enter")
    said(page, f"from {first:%-d %B %Y}")
    page.goto(here)
    expect(field).to_have_value(f"{first:%d/%m/%Y}")


def test_the_worker_launches_it_and_it_is_closed_with_its_figures(come_in, tmp_path):
    page = come_in("Automation specialist")
    campaign(page)
    until(page, "Launched on .* by the schedule")
    figures = tmp_path / "figures.csv"
    rows = [f"{NAME},clicks,{today() - dt.timedelta(days=ago)},{40 + ago},Web analytics" for ago in (0, 1)]
    rows += [f"{NAME},clicks,{today()},-3,Web analytics", f"No such letter,clicks,{today()},3,Web analytics"]
    figures.write_text("\n".join(("campaign,metric,day,value,source", *rows)))
    page.goto("/admin/exchange/importbatch/add/")
    page.get_by_label("What does the file hold?").select_option(label="Figures of campaigns")
    page.locator("input[type=file]").set_input_files(str(figures))
    page.get_by_role("button", name="Upload and look").click()
    said(page, "4 rows")
    page.get_by_role("button", name="Show what would happen").click()
    expect(page.locator(".mops-said").first).to_contain_text("If you import now", timeout=LONG)
    press(page, "Import now")
    expect(page.locator(".mops-said").first).to_contain_text(re.compile(r"2 (created|new)"), timeout=LONG)
    said(page, "There is no campaign called")
    campaign(page)
    expect(page.locator("section[aria-label='How it does']")).to_contain_text("81")
    confirm(page, "Complete", note="The letter is out.")
    said(page, "close it with its results")
    confirm(page, "Close with results", results="81 clicks of 100.", lessons="Send it on a Tuesday.")
    said(page, "its figures are frozen")
    expect(page.locator("section[aria-label='What stood at the closure']")).to_contain_text("81")


def until(page, sentence):
    """Look again until the boxes of a page say so, as somebody does who waits."""
    deadline = dt.datetime.now(dt.UTC) + dt.timedelta(milliseconds=LONG)
    while not re.search(sentence, page.locator("main, #content").first.inner_text()):
        assert dt.datetime.now(dt.UTC) < deadline, page.locator("body").inner_text()[:3000]
        page.wait_for_timeout(2000)
        campaign(page)


def test_the_auditor_reads_all_of_it_and_changes_nothing(come_in):
    page = come_in("Auditor")
    campaign(page)
    for told in ("Launched on", "All parts are in.", "Good value.", EVIDENCE, "Send it on a Tuesday."):
        said(page, told)
    here = page.url.partition("?")[0]
    expect(page.locator("[name=_save], [name=_continue], .mops-button-primary, .mops-button-danger")).to_have_count(0)
    token = next(each["value"] for each in page.context.cookies() if "csrf" in each["name"])
    answer = page.request.post(here, form={"name": "Mine", "csrfmiddlewaretoken": token})
    assert answer.status == 403
    page.get_by_role("link", name="Everything that happened to this record").first.click()
    said(page, "Priya Raghunath")
    page.goto("/admin/campaigns/campaignrequest/?q=" + NAME.replace(" ", "+"))
    expect(page.locator("#result_list")).to_contain_text("Accepted")
