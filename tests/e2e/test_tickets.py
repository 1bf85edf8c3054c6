"""A ticket in the browser: asked, routed with its reason, answered, waiting, escalated, resolved, scored, audited."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
TITLE = "Trial form drops the country"
PROBLEM = "Forms lose fields that were renamed"


def press(page, name, **answers):
    """Open a button's page, answer what it asks, and confirm it there."""
    page.get_by_role("link", name=name, exact=True).first.click()
    for field, value in answers.items():
        page.locator(f"[name={field}]").fill(value)
    page.get_by_role("button", name=name, exact=True).click()


def test_a_colleague_asks_and_the_desk_answers_until_the_auditor_reads_it(come_in, installation):
    asker = come_in("Sales", width=390)
    asker.goto("/admin/help/")
    asker.get_by_role("link", name="Something does not work").click()
    asker.locator("[name=title]").fill(TITLE)
    asker.locator("[name=body]").fill("Every lead of this morning came without a country.")
    asker.locator("[name=answer_where]").fill("Trial form")
    asker.locator("[name=answer_does_it_stop_your_work]").select_option("Yes")
    asker.get_by_role("button", name="Ask", exact=True).click()
    expect(asker.get_by_text(re.compile("is with Systems and access"))).to_be_visible()
    number = re.search(r"/tickets/(\d+)/", asker.url)[1]

    agent = come_in("Automation specialist")
    agent.goto("/admin/tickets/ticket/?q=trial+form+drops")
    agent.get_by_role("link", name=TITLE).first.click()
    expect(agent.get_by_text(re.compile("Something does not work, decided: Systems and access")).first).to_be_visible()
    agent.get_by_text("Rules asked and people considered").click()
    expect(agent.get_by_text(re.compile("does not have the skill Integrations")).first).to_be_visible()
    agent.locator("#tickets-template").select_option(label="We are looking into it")
    expect(agent.locator("#tickets-body")).to_have_value(re.compile(f"thank you for T-{number}"))
    agent.get_by_role("button", name="Send answer", exact=True).click()
    expect(agent.get_by_text(f"T-{number} is answered.")).to_be_visible()
    press(agent, "Let it wait", reason="Three examples, please.")
    expect(agent.get_by_text(f"T-{number} is waiting for requester.")).to_be_visible()
    expect(agent.get_by_text(re.compile("standing still since")).first).to_be_visible()
    press(agent, "Escalate", reason="The campaign goes out tomorrow.")
    expect(agent.get_by_text(re.compile(f"T-{number} is P2 high; .* been told"))).to_be_visible()

    asker.goto(f"/admin/help/tickets/{number}/")
    asker.locator("[name=body]").fill("Leads 12, 14 and 19.")
    asker.get_by_role("button", name="Send", exact=True).click()
    expect(asker.get_by_text(f"Your word on T-{number} is kept.")).to_be_visible()

    agent.goto(f"/admin/tickets/ticket/{number}/change/")
    press(agent, "Name its problem", title=PROBLEM)
    expect(agent.get_by_text(re.compile(f"T-{number} belongs to P-"))).to_be_visible()
    press(agent, "Resolve", note="The field is mapped again.")
    expect(agent.get_by_text(f"T-{number} is resolved: solved.")).to_be_visible()

    link = survey_link(asker, number)
    stranger = asker.context.browser.new_page(base_url=installation.url)
    stranger.goto(link)
    stranger.locator("[name=score]").select_option("5")
    stranger.locator("[name=comment]").fill("Fast and clear.")
    stranger.get_by_role("button", name="Send", exact=True).click()
    expect(stranger.get_by_text("Thank you.")).to_be_visible()
    assert stranger.goto(link).status == 410
    expect(stranger.get_by_text(re.compile("The link works once"))).to_be_visible()
    stranger.close()

    auditor = come_in("Auditor")
    auditor.goto(f"/admin/tickets/ticket/{number}/change/")
    for said in ("Fast and clear.", "The field is mapped again.", "The campaign goes out tomorrow."):
        expect(auditor.get_by_text(said).first).to_be_visible()
    expect(auditor.get_by_role("link", name=re.compile(PROBLEM)).first).to_be_visible()
    expect(auditor.locator("#tickets-body, .mops-button-primary")).to_have_count(0)
    auditor.goto(f"/admin/tickets/ticket/{number}/history/")
    expect(auditor.locator(".mops-timeline > li").first).to_be_visible()


def survey_link(page, number):
    """Wait for the mail that the worker sends to the requester, and return the link in it."""
    for _ in range(60):
        page.goto(f"/admin/notifications/storedmail/?q=T-{number}")
        found = page.get_by_role("link", name=re.compile(f"How did we do with T-{number}"))
        if found.count():
            found.first.click()
            page.wait_for_url(re.compile(r"/storedmail/\d+/"))
            return re.search(r"/survey/[\w-]+/", page.content())[0]
        page.wait_for_timeout(1000)
    raise AssertionError("no mail came")
