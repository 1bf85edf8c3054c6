"""Single sign-on against a small identity provider of our own: it opens accounts, makes none and grants nothing."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ImproperlyConfigured

from apps.accounts.domain.invitations import invite_person
from apps.accounts.domain.roles import roles_of
from apps.accounts.enums import Role
from apps.accounts.models import User
from mops.settings.single_sign_on import read_single_sign_on
from tests.factories.accounts import TeamFactory, UserFactory, administrator

pytestmark = pytest.mark.django_db
TOLD = {
    "MOPS_OIDC_NAME": "Company ID",
    "MOPS_OIDC_CLIENT_ID": "mops",
    "MOPS_OIDC_SECRET": "s3cret",
    "MOPS_OIDC_SERVER_URL": "https://login.example.com/realms/company/",
}


@pytest.fixture
def provider(settings):
    """An identity provider on this machine; `provider.claims` is what it says about whoever signs in."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            base = f"http://127.0.0.1:{self.server.server_port}"
            if self.path.startswith("/.well-known/"):
                names = ("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
                self._say({name: f"{base}/{name}" for name in names})
            else:
                self._say(self.server.claims)

        def do_POST(self):
            self._say({"access_token": "t", "token_type": "Bearer"})

        def _say(self, told):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        told = {**TOLD, "MOPS_OIDC_SERVER_URL": f"http://127.0.0.1:{server.server_port}"}
        settings.SINGLE_SIGN_ON = read_single_sign_on(told, debug=True)
        settings.SOCIALACCOUNT_PROVIDERS = settings.SINGLE_SIGN_ON.as_provider()
        server.claims = {"sub": "1", "email": "ada@example.com", "email_verified": True, "roles": ["administrator"]}
        yield server
        server.shutdown()


def come_in(client, query=""):
    answer = client.post(f"/accounts/oidc/company-id/login/{query}")
    asked = parse_qs(urlsplit(answer["Location"]).query)
    assert {"code_challenge", "state"} <= set(asked)
    return client.get("/accounts/oidc/company-id/login/callback/", {"code": "c", "state": asked["state"][0]})


def said(client, answer):
    assert answer["Location"] == "/accounts/login/"
    return client.get(answer["Location"]).content.decode()


def test_the_sign_in_page_offers_the_provider(client, provider):
    assert "Sign in with Company ID" in client.get("/accounts/login/").content.decode()


def test_a_known_address_comes_in(client, provider):
    ada = UserFactory(email="ada@example.com")
    assert come_in(client)["Location"] == "/admin/"
    assert client.get("/admin/").wsgi_request.user == ada
    assert roles_of(ada) == set()  # what the provider says about roles grants nothing


def test_the_account_stays_connected_when_the_address_changes_there(client, provider):
    ada = UserFactory(email="ada@example.com")
    come_in(client)
    client.post("/accounts/logout/")
    provider.claims["email"] = "other@example.com"
    come_in(client)
    assert client.get("/admin/").wsgi_request.user == ada


def test_an_invited_address_accepts_by_coming_in(client, provider):
    invite_person("ada@example.com", by=administrator(), full_name="Ada", team=TeamFactory(), role=Role.OPS)
    assert come_in(client)["Location"] == "/admin/"
    ada = User.objects.get(email="ada@example.com")
    assert (roles_of(ada), ada.has_usable_password()) == ({Role.OPS}, False)


def test_an_unknown_address_is_refused(client, provider):
    page = said(client, come_in(client))
    assert "ada@example.com is not known here. Ask an administrator for an invitation." in page
    assert not User.objects.filter(email="ada@example.com").exists()


@pytest.mark.parametrize("verified", [False, None])
def test_an_address_the_provider_did_not_confirm_opens_nothing(client, provider, verified):
    UserFactory(email="ada@example.com")
    provider.claims["email_verified"] = verified
    assert "did not confirm your e-mail address" in said(client, come_in(client))
    assert not SocialAccount.objects.exists()


def test_a_deactivated_person_stays_outside(client, provider):
    UserFactory(email="ada@example.com", is_active=False)
    assert "is not known here" in said(client, come_in(client))


def test_a_person_deactivated_later_stays_outside(client, provider):
    ada = UserFactory(email="ada@example.com")
    come_in(client)
    client.post("/accounts/logout/")
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert come_in(client)["Location"] == "/accounts/inactive/"


def test_the_second_factor_is_asked_here_too(client, provider):
    ada = UserFactory(email="ada@example.com")
    Authenticator.objects.create(user=ada, type=Authenticator.Type.TOTP, data={"secret": "x"})
    assert come_in(client)["Location"].startswith("/accounts/2fa/authenticate/")


def test_accounts_are_not_connected_from_inside(client, provider):
    eve = UserFactory(email="eve@example.com")
    client.force_login(eve)
    answer = come_in(client, "?process=connect")
    assert answer["Location"] == "/accounts/login/"
    assert not SocialAccount.objects.exists()


def test_a_callback_without_its_beginning_is_refused(client, provider):
    UserFactory(email="ada@example.com")
    answer = client.get("/accounts/oidc/company-id/login/callback/", {"code": "c", "state": "forged"})
    assert "Company ID did not sign you in. Try again, or use your password." in said(client, answer)


def test_nothing_begins_by_get(client, provider):
    answer = client.get("/accounts/oidc/company-id/login/")
    assert answer.status_code == 200  # asks first; only the form leads away


def test_what_the_environment_says():
    found = read_single_sign_on(TOLD, debug=False)
    assert (found.provider_id, found.origin) == ("company-id", "https://login.example.com")
    assert found.server_url == "https://login.example.com/realms/company"
    assert read_single_sign_on({}, debug=False) is None


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"MOPS_OIDC_SECRET": ""}, "half configured: MOPS_OIDC_SECRET is empty"),
        ({"MOPS_OIDC_SERVER_URL": "http://login.example.com"}, "must be the https address of the issuer"),
        ({"MOPS_OIDC_SERVER_URL": "http://127.0.0.1"}, "must be the https address of the issuer"),
        ({"MOPS_OIDC_TRUST_EMAIL": "maybe"}, "MOPS_OIDC_TRUST_EMAIL is 'maybe': it must be 1 or 0"),
        ({"MOPS_OIDC_NAME": "—"}, "it needs a letter or digit"),
    ],
)
def test_a_wrong_environment_is_refused_in_words(changed, sentence):
    with pytest.raises(ImproperlyConfigured, match=sentence):
        read_single_sign_on({**TOLD, **changed}, debug=False)
