"""Our own script in a real browser, on a page of another site: nothing before a yes, visits after, none after a no."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.http import HttpResponse

from apps.core.middleware import SecurityHeadersMiddleware
from apps.leads.enums import Stage
from apps.leads.models import Consent, IntakeSource, Lead, Touchpoint

OURS = "leads/tracker.js"
PERSON = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


class Shop(BaseHTTPRequestHandler):
    """Every page of the other site: a heading and our script."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f"<!doctype html><link rel=icon href=data:,><h1>Shop</h1>{self.server.script}".encode())

    def log_message(self, *_said):
        """Say nothing."""


@pytest.fixture
def site():
    """Another site than mops: the same machine by another name, which browsers trust without TLS."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_our_script_may_be_loaded_by_other_sites_and_nothing_else(rf):
    answer = SecurityHeadersMiddleware(lambda request: HttpResponse())
    paths = (f"/static/{OURS}", "/static/leads/tracker.0a1b2c.js", "/static/mops/mops.js", "/admin/")
    assert [answer(rf.get(path))["Cross-Origin-Resource-Policy"] for path in paths] == [
        "cross-origin",
        "cross-origin",
        "same-origin",
        "same-origin",
    ]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_page_of_another_site_tells_visits_once_somebody_agreed(page, live_server, site):
    mops = live_server.url.replace("127.0.0.1", "localhost")
    shops = f"http://shop.localhost:{site.server_port}"
    IntakeSource.objects.create(key="website", title="Website", takes_visits=True, origins=[shops], per_minute=1000)
    site.script = f'<script src="{mops}/static/{OURS}" data-to="{mops}/visits/website/" defer></script>'
    theirs = page.context.browser.new_context(user_agent=PERSON)
    shop, complaints = theirs.new_page(), []
    shop.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    told = []
    shop.on("response", lambda answer: told.append(answer.url) if "/visits/" in answer.url else None)
    shop.goto(f"{shops}/pricing?utm_source=news&utm_campaign=spring")
    assert complaints == []
    assert (shop.evaluate("mopsVisits.visitor()"), told, Lead.objects.exists()) == (None, [], False)
    with shop.expect_response("**/visits/website/") as first:
        shop.evaluate("mopsVisits.agree('Yes, you may know me.')")
    assert (first.value.status, Touchpoint.objects.count()) == (200, 1)
    with shop.expect_response("**/visits/website/"):
        shop.goto(f"{shops}/terms")
    lead = Lead.objects.get()
    visits = Touchpoint.objects.filter(lead=lead).order_by("occurred_at")
    assert [(each.value, each.utm, each.is_machine) for each in visits] == [
        ("/pricing", {"source": "news", "campaign": "spring"}, False),
        ("/terms", {}, False),
    ]
    assert (lead.stage, Consent.objects.get().evidence) == (
        Stage.ANONYMOUS_VISITOR,
        "“Yes, you may know me.” on Website",
    )
    with shop.expect_response("**/visits/website/"):
        shop.evaluate("mopsVisits.refuse('No longer.')")
    assert shop.evaluate("mopsVisits.visitor()") is None
    assert Consent.objects.first().is_given is False
    shop.goto(f"{shops}/terms")
    assert (Touchpoint.objects.count(), complaints) == (2, [])
    theirs.close()
