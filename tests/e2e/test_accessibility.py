"""The kinds of pages there are break no rule of WCAG 2.1 A or AA that a machine can find (axe-core)."""

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
PAGES = (
    "/admin/",
    "/admin/technology/tool/",
    "/admin/technology/tool/add/",
    "/admin/technology/map/",
    "/admin/technology/renewals/",
    "/admin/approvals/approvalrequest/",
    "/admin/notifications/notification/preferences/",
    "/admin/rights/explain/",
    "/admin/tickets/figures/",
)


def broken(page):
    found = Axe().run(page, options=RULES).response["violations"]
    return [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found]


def test_pages_break_no_rule_and_have_one_main_part(come_in):
    page = come_in("Technology administrator")
    page.goto("/admin/technology/tool/")
    record = page.locator("#result_list tbody a[href*='/change/']").first.get_attribute("href")
    record = record.split("?")[0]
    for address in (*PAGES, record, record.replace("/change/", "/history/")):
        assert page.goto(address).status == 200, address
        assert broken(page) == [], address
        assert page.locator("main, [role=main]").count() == 1, address
        assert page.locator("a.mops-skip").get_attribute("href") == "#content"


def test_sign_in_breaks_no_rule(installation, browser):
    page = browser.new_page(base_url=installation.url)
    page.goto("/accounts/login/")
    assert broken(page) == []
    page.close()
