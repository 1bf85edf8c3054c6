"""In a real browser: signing in, enrolling a second factor and walking the pages breaks no rule of the policy."""

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

from apps.accounts.domain.invitations import invite_person
from apps.accounts.enums import Role
from tests.factories.accounts import PASSWORD, TeamFactory, administrator, person_with

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def host(live_server):
    """The server by name: browsers know passkeys on a name only."""
    return live_server.url.replace("127.0.0.1", "localhost")


def sign_in(page, host, person):
    page.goto(f"{host}/accounts/login/")
    assert page.evaluate("document.activeElement.id") == "id_login"
    page.keyboard.type(person.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login/" not in url)


def code_of(secret):
    _, now, _ = yield_hotp_counters_from_time()  # the first of them ends while a slow machine sends it
    return format_hotp_value(hotp_value(secret, now))


def test_a_walk_breaks_no_rule_of_the_policy(page, host):
    ada = administrator(full_name="Ada Admin")
    other = person_with(Role.OPS)
    team = TeamFactory()
    sign_in(page, host, ada)
    assert page.url == f"{host}/admin/"
    for path in (
        "/admin/",
        "/admin/roles/",
        "/admin/accounts/user/",
        f"/admin/accounts/user/{other.pk}/change/",
        f"/admin/accounts/user/{other.pk}/do/deactivate/",
        f"/admin/accounts/user/{other.pk}/history/",
        f"/admin/accounts/team/{team.pk}/change/",
        "/admin/accounts/team/add/",
        "/admin/accounts/membership/",
        "/admin/accounts/invitation/",
        "/admin/accounts/invitation/add/",
        "/admin/accounts/vacancy/",
        "/accounts/",
        "/accounts/2fa/",
        "/accounts/2fa/totp/activate/",
        "/accounts/2fa/webauthn/",
        "/accounts/2fa/webauthn/add/",
        "/accounts/sessions/",
        "/accounts/password/change/",
        "/accounts/logout/",
        "/accounts/password/reset/",
    ):
        page.goto(f"{host}{path}")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path
    assert page.complaints == []


def test_enrolling_an_app_is_the_only_way_on(page, host, settings):
    settings.REQUIRE_MFA = True
    sign_in(page, host, administrator())
    page.goto(f"{host}/admin/accounts/user/")
    assert page.url == f"{host}/accounts/2fa/"
    assert "needs a second factor" in page.inner_text("main")
    page.click("a:has-text('Set up')")
    page.fill("#id_code", code_of(page.inner_text(".mops-codes")))
    page.click("button:has-text('Activate')")
    page.wait_for_load_state()
    page.goto(f"{host}/admin/")
    assert page.url == f"{host}/admin/"
    assert page.complaints == []


def test_a_passkey_is_added_and_signs_in_alone(page, host):
    person = person_with(Role.OPS)
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    key = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": key})
    sign_in(page, host, person)
    page.goto(f"{host}/accounts/2fa/webauthn/add/")
    page.check("#id_passwordless")
    page.click("#mfa_webauthn_add")
    page.wait_for_url(lambda url: "webauthn/add" not in url)
    page.goto(f"{host}/accounts/2fa/webauthn/")
    assert "signs in alone" in page.inner_text("#content")
    page.goto(f"{host}/accounts/logout/")
    page.click("button:has-text('Sign out')")
    page.wait_for_load_state()
    page.goto(f"{host}/accounts/login/")
    page.click("#passkey_login")
    page.wait_for_url(f"{host}/admin/")
    assert page.complaints == []


def test_what_the_browser_refuses_is_answered_in_words(page, live_server):
    page.goto(live_server.url.replace("localhost", "127.0.0.1") + "/accounts/login/")  # browsers want a name
    page.click("#passkey_login")
    page.wait_for_selector("#passkey_problem:visible")
    assert "Passkeys work on a host name over https" in page.inner_text("#passkey_problem")


def test_an_invited_person_comes_in(page, host):
    _, link = invite_person(
        "nora@example.com", by=administrator(), full_name="Nora Neu", team=TeamFactory(), role=Role.OPS
    )
    page.goto(f"{host}/accounts/{link.split('/accounts/')[1]}")
    assert "/invitation/" in page.url
    assert link.rsplit("/", 2)[1] not in page.url
    page.fill("#id_password", "purple wagon climbs slowly")
    page.fill("#id_again", "purple wagon climbs slowly")
    page.click("button:has-text('Come in')")
    page.wait_for_url(f"{host}/admin/")
    assert page.complaints == []
