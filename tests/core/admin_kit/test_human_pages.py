"""Where the demo runs with DEBUG on, people still see pages of the product, not the inside of Django."""

import logging

import pytest
from django.core.exceptions import SuspiciousOperation
from django.http import Http404

from apps.core.admin_kit import human_pages
from tests.factories.accounts import administrator

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _debug(settings):
    settings.DEBUG = True


def raising(error):
    def view(request):
        raise error

    return view


@pytest.mark.parametrize("path", ["/nowhere/", "/admin/nowhere/at/all/", "/accounts/nowhere/"])
def test_a_wrong_address_is_told_in_words(client, path):
    client.force_login(administrator())
    page = client.get(path)
    assert page.status_code == 404
    assert "There is nothing here" in page.content.decode()
    assert "DEBUG" not in page.content.decode()


def test_who_is_not_signed_in_reads_the_same(client):
    page = client.get("/nowhere/")
    assert (page.status_code, "There is nothing here" in page.content.decode()) == (404, True)


def test_an_address_without_its_slash_still_gets_it(client):
    client.force_login(administrator())
    page = client.get("/admin/campaigns/campaign")
    assert (page.status_code, page.url) == (301, "/admin/campaigns/campaign/")


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (Http404("Gone"), 404, "There is nothing here"),
        (SuspiciousOperation("Odd"), 400, "This request could not be read"),
        (ZeroDivisionError("Oh"), 500, "Something broke in mops"),
    ],
)
def test_what_a_page_raises_is_told_in_words(rf, error, status, words):
    request = rf.get("/admin/")
    middleware = human_pages.HumanPagesMiddleware(raising(error))
    answer = middleware.process_exception(request, error)
    assert (answer.status_code, words in answer.content.decode()) == (status, True)


def test_an_error_goes_to_the_logs_with_its_traceback(rf, caplog):
    error = ZeroDivisionError("Oh")
    with caplog.at_level(logging.ERROR):
        human_pages.HumanPagesMiddleware(raising(error)).process_exception(rf.get("/admin/"), error)
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [error]


def test_developers_may_have_the_technical_pages(client, settings):
    settings.TECHNICAL_PAGES = True
    client.raise_request_exception = False
    page = client.get("/nowhere/")
    assert (page.status_code, "DEBUG = True" in page.content.decode()) == (404, True)
