"""In a real browser, by keyboard alone: what opens takes the focus, keeps Tab inside, and gives it back on Escape."""

import pytest
from playwright.sync_api import expect

from apps.accounts.enums import Role
from apps.campaigns.models import Campaign
from apps.rights.models import RecordRequest
from apps.technology.models import Tool
from tests.accounts.test_browser import sign_in
from tests.admin_pages import list_of, page_of
from tests.factories.accounts import person_with
from tests.factories.technology import ToolFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def host(live_server):
    return live_server.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def desk(page, host):
    """Somebody who changes tools, at a desk."""
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in(page, host, person_with(Role.OPS))
    return page


def in_focus(page):
    """What has the focus: its name, id or text."""
    return page.evaluate(
        "(() => { const at = document.activeElement; "
        "return at.name || at.id || at.getAttribute('aria-label') || at.innerText.trim().slice(0, 40); })()"
    )


def inside(page, box):
    return page.evaluate(f"document.querySelector({box!r}).contains(document.activeElement)")


def tab_round(page, box, times):
    """Whether the focus is still in `box` after so many Tabs, and so many back."""
    stayed = []
    for key in ["Tab"] * times + ["Shift+Tab"] * times:
        page.keyboard.press(key)
        stayed.append(inside(page, box))
    return all(stayed)


def test_the_filters_of_a_list(desk, host):
    ToolFactory()
    desk.goto(host + list_of(Tool))
    opener = desk.get_by_role("button", name="Filters")
    opener.focus()
    desk.keyboard.press("Enter")
    expect(desk.locator("#changelist-filter")).to_be_visible()
    desk.wait_for_timeout(150)
    assert inside(desk, "#changelist-filter")
    assert tab_round(desk, "#changelist-filter", 40)
    desk.keyboard.press("Escape")
    expect(desk.locator("#changelist-filter")).to_be_hidden()
    expect(opener).to_be_focused()
    assert desk.complaints == []


def test_the_palette(desk, host):
    ToolFactory(name="Lighthouse")
    desk.goto(host + list_of(Tool))
    opener = desk.get_by_role("button", name="Filters")
    opener.focus()
    desk.keyboard.press("Control+k")
    box = "#search-input-command"
    expect(desk.locator(box)).to_be_focused()
    desk.keyboard.press("Enter")  # nothing is found yet, nothing happens
    desk.keyboard.type("lighth")
    expect(desk.locator("#command-results-list a").first).to_be_visible()
    assert tab_round(desk, "[x-data^='searchCommand']", 6)
    desk.keyboard.press("Escape")
    expect(desk.locator(box)).to_be_hidden()
    expect(opener).to_be_focused()
    desk.keyboard.press("Control+k")
    expect(desk.locator(box)).to_be_focused()
    desk.keyboard.type("lighth")
    expect(desk.locator("#command-results-list a").first).to_be_visible()
    desk.keyboard.press("Enter")  # the first answer
    desk.wait_for_url(f"**{page_of(Tool.objects.get())}**")
    assert desk.complaints == []


def test_a_small_menu(desk, host):
    desk.goto(host + "/admin/")
    opener = desk.locator("div.cursor-pointer[role=button]").last
    opener.focus()
    desk.keyboard.press(" ")
    menu = desk.locator("nav[x-show=openUserLinks]")
    expect(menu).to_be_visible()
    desk.wait_for_timeout(250)
    assert inside(desk, "nav[x-show=openUserLinks]")
    assert tab_round(desk, "nav[x-show=openUserLinks]", 8)
    desk.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(opener).to_be_focused()
    assert desk.complaints == []


def test_a_page_that_asks_takes_the_focus_and_gives_it_back(desk, host):
    tool = ToolFactory()
    desk.goto(host + page_of(tool))
    archive = desk.locator("a[href*='/do/archive/']").first
    archive.focus()
    desk.keyboard.press("Enter")
    expect(desk.locator("[data-cancel]")).to_be_focused()  # a stray Enter or space does not archive
    desk.keyboard.press("Escape")
    desk.wait_for_url(f"**{page_of(tool)}")
    expect(archive).to_be_focused()
    desk.goto(f"{host}{list_of(RecordRequest)}add/?kind=technology.tool&record=3&verb=view")
    desk.locator("[name=reason]").focus()
    desk.keyboard.type("Needed")
    desk.keyboard.press("Escape")  # what is typed is not thrown away
    expect(desk.locator("[name=reason]")).to_have_value("Needed")
    assert desk.complaints == []


def test_many_rows_at_once(desk, host):
    ToolFactory(), ToolFactory()
    desk.goto(host + list_of(Tool))
    desk.locator("input.action-select").first.focus()
    desk.keyboard.press(" ")
    choice = desk.locator("#changelist-form [name=action]")
    choice.focus()
    choice.select_option("bulk_edit")
    expect(desk.locator("#changelist-form button[name=index]")).to_be_visible()
    desk.keyboard.press("Tab")
    desk.keyboard.press("Enter")
    expect(desk.locator("[data-cancel]")).to_be_visible()
    assert desk.evaluate("document.activeElement.form === document.querySelector('[data-cancel]').closest('form')")
    desk.keyboard.press("Escape")
    expect(desk.locator("#changelist-form")).to_be_visible()
    expect(desk.locator("input.action-select").first).to_be_focused()
    assert desk.complaints == []


def test_a_choice_found_by_typing(desk, host):
    tool = ToolFactory()
    desk.goto(host + page_of(tool))
    box = desk.locator(".select2-selection").first
    box.focus()
    desk.keyboard.press("Enter")
    expect(desk.locator(".select2-search__field").first).to_be_focused()
    desk.keyboard.press("Escape")
    expect(desk.locator(".select2-container--open")).to_have_count(0)
    expect(box).to_be_focused()
    assert desk.complaints == []


def test_the_calendar_of_a_day(desk, host):
    desk.goto(f"{host}{list_of(Campaign)}add/")
    opener = desk.locator("#calendarlink0")
    opener.focus()
    desk.keyboard.press("Enter")
    expect(desk.locator("#calendarbox0")).to_be_visible()
    desk.wait_for_timeout(150)
    assert inside(desk, "#calendarbox0")
    assert tab_round(desk, "#calendarbox0", 45)
    desk.keyboard.press("Escape")
    expect(desk.locator("#calendarbox0")).to_be_hidden()
    expect(opener).to_be_focused()
    desk.keyboard.press("Enter")
    desk.locator("#calendarbox0 td a", has_text="15").first.focus()
    desk.keyboard.press("Enter")
    expect(desk.locator("#calendarbox0")).to_be_hidden()
    assert desk.locator(".vDateField").first.input_value().startswith("15/")
    assert desk.complaints == []


def test_the_menu_of_a_phone(desk, host):
    desk.set_viewport_size({"width": 390, "height": 844})
    desk.goto(host + "/admin/")
    account = desk.locator("div.cursor-pointer[role=button]").last
    expect(account).to_be_hidden()
    desk.get_by_role("button", name="Show or hide the menu").focus()
    desk.keyboard.press("Enter")
    expect(account).to_be_visible()
    assert desk.complaints == []
