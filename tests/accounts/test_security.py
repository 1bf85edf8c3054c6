"""What must never work: forged fields, prying lookups, writes through history; and the headers of every page."""

import re

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from apps.accounts.enums import Role
from apps.accounts.models import Membership, User
from apps.audit.models import AuditEvent
from mops.settings.env import ROOT
from tests.factories.accounts import TeamFactory, UserFactory, administrator, person_with, sign_in

TEMPLATES = ROOT / "templates"
pytestmark = pytest.mark.django_db
CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)


def change_url(row):
    return reverse(f"admin:accounts_{row._meta.model_name}_change", args=(row.pk,))


def test_forged_fields_change_nothing(client):
    admin, person = administrator(), UserFactory()
    group = Group.objects.get(name="administrator")
    sign_in(client, admin)
    for target in (person, admin):
        client.post(
            change_url(target),
            {
                "full_name": "New name",
                "opened_version": target.row_version,
                "is_superuser": "on",
                "is_staff": "",
                "is_active": "",
                "is_system": "on",
                "groups": str(group.pk),
                "user_permissions": "1",
                "password": "x",
                "email": "forged@example.com",
                "username": "forged",
                "session_epoch": "9",
                "memberships-TOTAL_FORMS": "1",
                "memberships-INITIAL_FORMS": "0",
                "memberships-0-person": str(target.pk),
                "memberships-0-role": "administrator",
            },
        )
        now = User.objects.get(pk=target.pk)
        assert now.full_name == "New name"
        assert (now.is_superuser, now.is_staff, now.is_active, now.is_system) == (False, True, True, False)
        assert (now.email, now.password, now.session_epoch) == (target.email, target.password, 0)
    assert not person.groups.exists()
    assert Membership.objects.filter(person=person).count() == 0


def test_a_team_form_writes_no_memberships(client):
    team = TeamFactory()
    sign_in(client, administrator())
    client.post(
        change_url(team),
        {
            "name": team.name,
            "purpose": "",
            "opened_version": team.row_version,
            "memberships-TOTAL_FORMS": "1",
            "memberships-INITIAL_FORMS": "0",
            "memberships-0-person": str(UserFactory().pk),
            "memberships-0-role": "administrator",
        },
    )
    assert not Membership.objects.filter(team=team).exists()


@pytest.mark.parametrize(
    "lookup",
    [
        "password__startswith=argon2",
        "password=x",
        "session_epoch=0",
        "manager__password__startswith=a",
        "email__startswith=a",
        "is_superuser=1",
        "memberships__person__password__startswith=a",
        "invitation__token_hash__startswith=a",
        "authenticator__data__contains=secret",
    ],
)
def test_prying_lookups_are_refused(client, lookup):
    sign_in(client, person_with(Role.AUDITOR))
    answer = client.get(f"/admin/accounts/user/?{lookup}")
    assert answer.status_code in (302, 400)
    if answer.status_code == 302:
        assert answer["Location"].endswith("?e=1")


@pytest.mark.parametrize("model", ["user", "team", "membership", "invitation", "vacancy"])
def test_a_view_only_person_writes_nothing_through_history(client, model):
    admin = administrator()
    sign_in(client, person_with(Role.AUDITOR))
    row = {"user": admin, "team": admin.teams.get(), "membership": admin.memberships.get()}.get(model)
    if row is None:
        return
    written = AuditEvent.objects.count()
    url = reverse(f"admin:accounts_{model}_history", args=(row.pk,))
    assert client.get(url).status_code == 200
    assert client.post(url, {"full_name": "x", "name": "x"}).status_code == 405
    version = row.history.first()
    answer = client.post(f"{url}{version.history_id}/", {"full_name": "x", "name": "x"})
    assert answer.status_code in (302, 404, 405)
    assert AuditEvent.objects.count() == written


def test_nothing_is_deleted_by_anybody(client):
    sign_in(client, administrator())
    person, team = UserFactory(), TeamFactory()
    for row in (person, team):
        url = reverse(f"admin:accounts_{row._meta.model_name}_delete", args=(row.pk,))
        assert client.post(url, {"post": "yes"}).status_code in (302, 403)
        assert type(row).objects.filter(pk=row.pk).exists()


def test_groups_and_permissions_have_no_pages(client):
    sign_in(client, administrator())
    for path in (
        "auth/group/",
        "auth/permission/",
        "sites/site/",
        "mfa/authenticator/",
        "account/emailaddress/",
        "socialaccount/socialapp/",
        "usersessions/usersession/",
    ):
        assert client.get(f"/admin/{path}").status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/admin/", 200),
        ("/admin/accounts/user/", 200),
        ("/admin/roles/", 200),
        ("/accounts/", 200),
        ("/accounts/2fa/", 200),
        ("/accounts/sessions/", 200),
        ("/admin/accounts/user/999999/change/", 302),
        ("/nowhere/", 404),
        ("/accounts/signup/", 404),
    ],
)
def test_headers_inside(client, path, status):
    sign_in(client, administrator())
    answer = client.get(path)
    assert answer.status_code == status
    check_headers(answer)
    assert answer["Cache-Control"] == "no-store, private"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/accounts/login/", 200), ("/accounts/password/reset/", 200), ("/accounts/invitation/", 410), ("/nowhere/", 404)],
)
def test_headers_outside(client, path, status):
    answer = client.get(path)
    assert answer.status_code == status
    check_headers(answer)


def check_headers(answer):
    assert set(answer["Content-Security-Policy"].split("; ")) == set(CSP.split("; "))
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Permissions-Policy"] == "camera=(), geolocation=(), microphone=(), payment=()"


def test_cookies_are_closed(client):
    person = person_with(Role.OPS, email="ada@example.com")
    from tests.factories.accounts import PASSWORD

    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    for name in ("mops_session", "mops_device"):
        cookie = client.cookies[name]
        assert cookie["httponly"] is True
        assert cookie["samesite"] == "Lax"
    assert client.cookies["mops_device"]["path"] == "/accounts/"


def test_error_pages_speak_our_words(client):
    from django.test import Client

    page = client.get("/nowhere/").content.decode()
    assert "There is nothing here" in page
    strict = Client(enforce_csrf_checks=True)
    page = strict.post("/accounts/login/", {"login": "a@example.com", "password": "x"})
    assert page.status_code == 403
    assert "The form had gone stale" in page.content.decode()
    check_headers(page)
    sign_in(client, person_with(Role.SALES))
    page = client.get("/admin/accounts/user/")
    assert page.status_code == 403
    assert "This is not yours to open" in page.content.decode()


def test_a_server_error_is_answered_in_words(settings):
    from django.test import RequestFactory
    from django.views import defaults

    page = defaults.server_error(RequestFactory().get("/"))
    assert page.status_code == 500
    assert "Something broke in mops" in page.content.decode()
    page = defaults.bad_request(RequestFactory().get("/"), ValueError("x"))
    assert "This request could not be read" in page.content.decode()


def test_our_templates_hold_nothing_inline():
    found = []
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text()
        scripts = re.findall(r"<script(?![^>]*src=)[^>]*>", text)
        found += [(path.name, each) for each in scripts if 'type="application/json"' not in each]
        found += [(path.name, each) for each in re.findall(r'\s(?:on[a-z]+|style)="', text)]
    assert found == []
