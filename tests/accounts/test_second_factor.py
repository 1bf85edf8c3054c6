"""The second factor: enrolled before anything opens where the role needs it, stored encrypted, asked at sign-in."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.urls import reverse

from apps.accounts.domain.rights import needs_mfa
from apps.accounts.enums import Role
from tests.factories.accounts import PASSWORD, UserFactory, person_with, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _required(settings):
    cache.clear()
    settings.REQUIRE_MFA = True


def code_of(secret):
    _, now, _ = yield_hotp_counters_from_time()  # the first of them ends while a slow machine sends it
    return format_hotp_value(hotp_value(secret, now))


def enrol(client):
    client.get("/accounts/2fa/totp/activate/")
    secret = client.session["mfa.totp.secret"]
    answer = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assert answer.status_code == 302
    return secret


@pytest.mark.parametrize(
    ("role", "needed"),
    [(Role.ADMINISTRATOR, True), (Role.AUDITOR, True), (Role.OPS, False), (Role.APPROVER, False), (Role.SALES, False)],
)
def test_which_roles_need_it(role, needed):
    assert needs_mfa(person_with(role)) is needed


def test_a_superuser_needs_it_and_a_demo_needs_none(settings):
    assert needs_mfa(UserFactory(is_superuser=True))
    settings.REQUIRE_MFA = False
    assert not needs_mfa(UserFactory(is_superuser=True))


def test_nothing_else_is_reachable_before_enrolment(client):
    sign_in(client, person_with(Role.ADMINISTRATOR))
    for path in (
        "/admin/",
        "/admin/accounts/user/",
        "/admin/roles/",
        "/accounts/",
        "/accounts/sessions/",
        "/admin/search/",
    ):
        assert client.get(path)["Location"] == "/accounts/2fa/", path
    assert client.post("/admin/accounts/team/add/", {"name": "X"})["Location"] == "/accounts/2fa/"
    page = client.get("/accounts/2fa/").content.decode()
    assert "Your role opens a great deal, so it needs a second factor" in page
    assert client.get("/admin/", headers={"X-Requested-With": "fetch"}).status_code == 403


def test_after_enrolment_everything_opens(client):
    sign_in(client, person_with(Role.ADMINISTRATOR))
    enrol(client)
    assert client.get("/admin/").status_code == 200


def test_the_code_is_asked_at_the_next_sign_in(client):
    person = person_with(Role.ADMINISTRATOR)
    sign_in(client, person)
    secret = enrol(client)
    client.post("/accounts/logout/")
    cache.clear()
    answer = client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    assert answer["Location"].startswith(reverse("mfa_authenticate"))
    assert client.get("/admin/").status_code == 302
    assert "This code does not fit" in client.post("/accounts/2fa/authenticate/", {"code": "000000"}).content.decode()
    cache.clear()  # the code was used for enrolling in this half minute
    assert client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})["Location"] == "/admin/"


def test_codes_cannot_be_guessed(client):
    person = person_with(Role.OPS)
    sign_in(client, person)
    enrol(client)
    client.post("/accounts/logout/")
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    pages = [client.post("/accounts/2fa/authenticate/", {"code": f"{n:06}"}).content.decode() for n in range(11)]
    assert "Too many attempts" in pages[10]


def test_recovery_codes_come_with_the_first_factor(client):
    sign_in(client, person_with(Role.OPS))
    enrol(client)
    assert Authenticator.objects.filter(type="recovery_codes").count() == 1


def test_the_last_factor_stays_where_the_role_needs_it(client):
    sign_in(client, person_with(Role.AUDITOR))
    enrol(client)
    client.post("/accounts/2fa/totp/deactivate/")
    assert Authenticator.objects.filter(type="totp").exists()


def test_who_needs_none_may_remove_it(client):
    sign_in(client, person_with(Role.OPS))
    enrol(client)
    client.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.exists()


def test_secrets_are_encrypted_and_survive_a_new_key(client, settings):
    sign_in(client, person_with(Role.OPS))
    secret = enrol(client)
    for row in Authenticator.objects.all():
        assert secret not in str(row.data)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "x" * 50
    cache.clear()
    assert TOTP(Authenticator.objects.get(type="totp")).validate_code(code_of(secret))


def test_a_role_granted_later_asks_for_it_at_the_next_request(client):
    from apps.accounts.domain.memberships import grant_role
    from tests.factories.accounts import TeamFactory

    person, admin = person_with(Role.OPS), person_with(Role.ADMINISTRATOR)
    sign_in(client, person)
    assert client.get("/admin/").status_code == 200
    grant_role(person, TeamFactory(), Role.ADMINISTRATOR, by=admin)
    assert client.get("/admin/")["Location"] == "/accounts/2fa/"
