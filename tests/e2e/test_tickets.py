"""A ticket in the browser: asked, routed with its reason, answered, waiting, raised, resolved, scored, looked at."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
TITLE = "Trial form drops the country"


def press(page, name):
    """Open a button's page and confirm it there."""
    page.get_by_role("link", name=name, exact=True).first.click()
    return page.get_by_role("button", name=name, exact=True)


def test_a_colleague_asks_and_the_desk_answers_until_the_auditor_reads_it(come_in, installation):
    asker = come_in("Sales")
    asker.goto("/admin/help/")
    asker.get_by_role("link", name="Something does not work").click()
    asker.locator("[name=title]").fill(TITLE)
    asker.locator("[name=body]").fill("Every lead of this morning came without a country.")
    asker.locator("[name=answer_where]").fill("Trial form")
    asker.locator("[name=answer_does_it_stop_your_work]").select_option("Yes")
    asker.get_by_role("button", name="Ask", exact=True).click()
    expect(asker.get_by_text(re.compile(r"is with Systems and access"))).to_be_visible()
    number = re.search(r"/tickets/(\d+)/", asker.url)[1]

    agent = come_in("Automation specialist")
    agent.goto("/admin/tickets/ticket/?q=trial+form+drops")
    agent.get_by_role("link", name=TITLE).first.click()
    expect(agent.get_by_text(re.compile("Something does not work, decided: Systems and access"))).to_be_visible()
    agent.get_by_text("Rules asked and people considered").click()
    expect(agent.get_by_text(re.compile("has the skill|does not have the skill Integrations")).first).to_be_visible()
    agent.locator("#tickets-template").select_option(label="We are looking into it")
    expect(agent.locator("#tickets-body")).to_have_value(re.compile(f"thank you for T-{number}"))
    agent.get_by_role("button", name="Send answer", exact=True).click()
    expect(agent.get_by_text(f"T-{number} is answered.")).to_be_visible()

    confirm = press(agent, "Let it wait")
    agent.locator("[name=reason]").fill("Three examples, please.")
    confirm.click()
    expect(agent.get_by_text("is waiting for requester")).to_be_visible()
    confirm = press(agent, "Change priority")
    agent.locator("[name=impact]").select_option("3")
    agent.locator("[name=urgency]").select_option("3")
    confirm.click()
    expect(agent.get_by_text(f"T-{number} is P1 critical now.")).to_be_visible()

    asker.goto(f"/admin/help/tickets/{number}/")
    asker.locator("[name=body]").fill("Leads 12, 14 and 19.")
    asker.get_by_role("button", name=re.compile("Send|Answer|Write")).first.click()
    expect(asker.get_by_text(re.compile("is kept"))).to_be_visible()

    agent.goto(f"/admin/tickets/ticket/{number}/change/")
    confirm = press(agent, "Resolve")
    agent.locator("[name=note]").fill("The field is mapped again.")
    confirm.click()
    expect(agent.get_by_text(f"T-{number} is resolved")).to_be_visible()

    link = _survey_link(asker, number)
    asker.goto(link)
    asker.locator("[name=score]").select_option("5")
    asker.locator("[name=comment]").fill("Fast and clear.")
    asker.get_by_role("button", name="Send", exact=True).click()
    expect(asker.get_by_text("Thank you.")).to_be_visible()
    asker.goto(link)
    expect(asker.get_by_text("The link works once.")).to_be_visible()

    auditor = come_in("Auditor")
    auditor.goto(f"/admin/tickets/ticket/{number}/change/")
    expect(auditor.get_by_text("Fast and clear.")).to_be_visible()
    expect(auditor.locator("#tickets-body")).to_have_count(0)
    auditor.goto("/admin/tickets/satisfaction/")
    expect(auditor.get_by_text("Fast and clear.")).to_be_visible()
    auditor.goto(f"/admin/tickets/ticket/{number}/history/")
    expect(auditor.locator(".mops-timeline > li").first).to_be_visible()


def _survey_link(asker, number):
    """Wait for the mail that the worker sends, and return the link in it."""
    for _ in range(60):
        asker.goto(f"/admin/notifications/storedmail/?q=How+did+we+do+with+T-{number}")
        found = asker.get_by_role("link", name=re.compile(f"How did we do with T-{number}"))
        if found.count():
            found.first.click()
            return re.search(r"/survey/[\w-]+/", asker.content())[0]
        asker.wait_for_timeout(1000)
    raise AssertionError("no mail came")
