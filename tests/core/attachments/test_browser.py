"""Choosing a file in a real browser: the theme's own scripts leave our form alone, big files do not travel."""

from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders
from playwright.sync_api import sync_playwright

from apps.accounts.enums import Role
from apps.core.attachments.domain import files
from tests.factories.accounts import TeamFactory, person_with

pytestmark = [pytest.mark.browser, pytest.mark.django_db]


@pytest.fixture
def page(chromium, client):
    """A browser showing a record's page; asked before it starts, since beside it there is another connection."""
    client.force_login(person_with(Role.ADMINISTRATOR))
    address = f"/admin/accounts/team/{TeamFactory().pk}/change/"
    shown = client.get(address)
    headers = {name: shown[name] for name in ("Content-Type", "Content-Security-Policy")}

    def answer(route):
        path = urlsplit(route.request.url).path
        if path == address:
            route.fulfill(status=200, headers=headers, body=shown.content)
        elif path.startswith("/static/"):
            route.fulfill(path=finders.find(path.removeprefix("/static/")))
        else:
            route.fulfill(status=200, body="")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page()
        tab.complaints = []
        tab.on("console", lambda message: tab.complaints.append(message.text) if message.type == "error" else None)
        tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.route("**/*", answer)
        tab.goto(f"http://testserver{address}", wait_until="domcontentloaded")
        yield tab
        browser.close()


def test_choosing_a_file_touches_no_other_field(page, tmp_path):
    proof = tmp_path / "proof.txt"
    proof.write_text("as it was")
    page.set_input_files("#kit-attachments-files", proof)
    assert page.input_value("#kit-attachments-description") == ""
    assert page.complaints == []


def test_a_file_too_big_does_not_travel(page, tmp_path):
    big = tmp_path / "big.txt"
    big.write_bytes(b"x" * (files.MOST_BYTES + 1))
    page.set_input_files("#kit-attachments-files", big)
    said = page.eval_on_selector("#kit-attachments-files", "field => field.validationMessage")
    assert said == "big.txt has 25.0 MB; the limit is 25 MB."
