"""The pages for people: who sees and does what, through buttons alone, with the same queries however many rows."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.domain.invitations import invite_person
from apps.accounts.domain.memberships import grant_role, revoke_role
from apps.accounts.domain.people import deactivate_person
from apps.accounts.enums import Role
from apps.accounts.models import Invitation, Membership, Team, User, Vacancy
from tests.factories.accounts import PASSWORD, TeamFactory, UserFactory, administrator, person_with, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return administrator(full_name="Ada Admin")


def page_of(row, name="change"):
    return reverse(f"admin:accounts_{row._meta.model_name}_{name}", args=(row.pk,))


def do(row, name):
    return reverse(f"admin:accounts_{row._meta.model_name}_button", kwargs={"object_id": row.pk, "name": name})


def add_people(admin, number):
    for _ in range(number):
        person_with(Role.OPS, manager=admin, title="Data Analyst")


def add_teams(admin, number):
    for _ in range(number):
        grant_role(UserFactory(), TeamFactory(), Role.OPS, by=admin)


def add_invitations(admin, number):
    for each in range(number):
        invite_person(
            f"new{Invitation.objects.count()}{each}@example.com",
            by=admin,
            full_name="New",
            team=TeamFactory(),
            role=Role.OPS,
        )


def add_vacancies(admin, number):
    for _ in range(number):
        leaver = UserFactory()
        UserFactory(manager=leaver)
        deactivate_person(leaver, by=admin, reason="leaves")


@pytest.mark.parametrize(
    ("model", "add"),
    [
        (User, add_people),
        (Team, add_teams),
        (Membership, add_teams),
        (Invitation, add_invitations),
        (Vacancy, add_vacancies),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_list_asks_the_same_queries_for_one_row_and_for_three(client, admin, model, add):
    url = reverse(f"admin:accounts_{model._meta.model_name}_changelist")
    sign_in(client, admin)
    add(admin, 1)
    client.get(url)
    with CaptureQueriesContext(connection) as one:
        assert client.get(url).status_code == 200
    add(admin, 2)
    with CaptureQueriesContext(connection) as three:
        client.get(url)
    assert len(one) == len(three)


def test_a_person_page_asks_few_queries(client, admin):
    person = person_with(Role.OPS)
    for _ in range(5):
        UserFactory(manager=person)
    sign_in(client, admin)
    client.get(page_of(person))
    with CaptureQueriesContext(connection) as asked:
        client.get(page_of(person))
    assert len(asked) <= 40


def test_an_administrator_sees_the_buttons_and_nobody_else(client, admin):
    person = person_with(Role.OPS)
    sign_in(client, admin)
    page = client.get(page_of(person)).content.decode()
    assert all(word in page for word in ("Grant a role", "Deactivate", "Change e-mail", "Revoke"))
    for role in (Role.AUDITOR, Role.OPS):
        sign_in(client, person_with(role))
        page = client.get(page_of(person)).content.decode()
        assert do(person, "grant") not in page
        assert do(person.memberships.get(), "revoke") not in page


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.OPS, Role.APPROVER, Role.EXECUTIVE, Role.SALES, None])
def test_whoever_is_no_administrator_changes_nothing(client, admin, role):
    person, team = person_with(Role.OPS), TeamFactory()
    sign_in(client, person_with(*([role] if role else [])))
    before = (User.objects.count(), Membership.objects.live().count(), Invitation.objects.count())
    client.post(do(person, "grant"), {"team": team.pk, "role": "administrator", "reason": "because"})
    client.post(do(team, "grant"), {"person": person.pk, "role": "administrator", "reason": "because"})
    client.post(do(person.memberships.get(), "revoke"), {"reason": "because"})
    client.post(do(person, "deactivate"), {"reason": "because"})
    client.post(do(person, "change-email"), {"reason": "because", "email": "x@example.com"})
    client.post(do(person, "reset-second-factor"), {"reason": "because"})
    client.post(page_of(person), {"full_name": "Hacked"})
    client.post(
        reverse("admin:accounts_invitation_add"),
        {"email": "x@example.com", "full_name": "X", "team": team.pk, "role": "administrator"},
    )
    assert before == (User.objects.count(), Membership.objects.live().count(), Invitation.objects.count())
    person.refresh_from_db()
    assert person.is_active
    assert person.full_name != "Hacked"


def test_granting_and_revoking_through_the_pages(client, admin):
    person, team = UserFactory(full_name="Nora"), TeamFactory(name="Content")
    sign_in(client, admin)
    page = client.post(do(person, "grant"), {"team": team.pk, "role": "approver", "reason": "joins"}, follow=True)
    assert "Nora is now Approver in Content." in page.content.decode()
    membership = Membership.objects.get(person=person)
    page = client.post(do(membership, "revoke"), {"reason": "leaves"}, follow=True)
    assert "Nora is no longer Approver in Content." in page.content.decode()
    page = client.post(do(team, "grant"), {"person": person.pk, "role": "ops_staff", "reason": "joins"}, follow=True)
    assert "Nora is now Ops staff in Content." in page.content.decode()


def test_the_deactivation_page_names_what_the_person_answers_for(client, admin):
    person = person_with(Role.APPROVER, full_name="Mara")
    UserFactory(full_name="Anna", manager=person)
    sign_in(client, admin)
    page = client.get(do(person, "deactivate")).content.decode()
    assert "Manager of 1 person" in page
    assert "Anna" in page
    assert f"Nobody else is Approver in {person.teams.get()}" in page
    page = client.post(do(person, "deactivate"), {"reason": "leaves"}, follow=True).content.decode()
    assert "1 vacancy is on record until somebody fills them." in page
    assert "Reactivate" in page


def test_inviting_through_the_page(client, admin):
    team = TeamFactory(name="Content")
    sign_in(client, admin)
    told = {
        "email": "nora@example.com",
        "full_name": "Nora",
        "title": "Data Analyst",
        "team": team.pk,
        "role": "ops_staff",
    }
    url = reverse("admin:accounts_invitation_add")
    page = client.post(url, told, follow=True).content.decode()
    assert "The invitation is on its way to nora@example.com." in page
    page = client.post(url, told).content.decode()
    assert "is invited already; send that invitation again." in page
    invitation = Invitation.objects.get()
    page = client.post(do(invitation, "resend"), follow=True).content.decode()
    assert "A new link is on its way" in page
    page = client.post(do(invitation, "revoke"), {"reason": "mistake"}, follow=True).content.decode()
    assert "The invitation of Nora is revoked." in page


def test_sensitive_buttons_ask_again_when_the_sign_in_is_old(client, admin):
    person, team = UserFactory(full_name="Nora"), TeamFactory(name="Content")
    client.force_login(admin)  # a session in which no password was typed lately
    told = {"team": team.pk, "role": "approver", "reason": "joins"}
    answer = client.post(do(person, "grant"), told)
    assert answer["Location"].startswith("/accounts/reauthenticate/?next=")
    assert not Membership.objects.filter(person=person).exists()
    client.post(answer["Location"], {"password": PASSWORD})
    assert Membership.objects.filter(person=person, role="approver").exists()  # the wish was resumed


def test_people_by_single_sign_on_alone_sign_in_again(client, admin):
    admin.set_unusable_password()
    admin.save()
    client.force_login(admin)
    answer = client.get(do(UserFactory(), "grant"), follow=True)
    assert "This needs a fresh sign-in; please sign in again." in answer.content.decode()


def test_the_roles_page_shows_the_grants_to_everybody_inside(client):
    sign_in(client, person_with(Role.SALES))
    page = client.get("/admin/roles/").content.decode()
    assert "Sees everything, the ledger included, and changes nothing." in page
    assert page.count('class="mops-chip mops-chip-good">yours') == 1
    assert client.post("/admin/roles/").status_code == 405
    client.logout()
    assert client.get("/admin/roles/").status_code == 302


def test_the_title_offers_the_shipped_ones_and_takes_any(client, admin):
    person = UserFactory()
    sign_in(client, admin)
    page = client.get(page_of(person)).content.decode()
    assert '<option value="Marketing Automation Specialist">' in page
    client.post(page_of(person), {"full_name": "Nora", "title": "Wizard", "opened_version": person.row_version})
    person.refresh_from_db()
    assert (person.full_name, person.title) == ("Nora", "Wizard")


def test_mops_itself_is_no_person_on_the_list(client, admin):
    from apps.accounts.domain.principals import system_principal

    mops = system_principal()
    sign_in(client, admin)
    assert "system@mops.invalid" not in client.get("/admin/accounts/user/").content.decode()
    assert client.get(page_of(mops)).status_code == 302


def test_the_people_list_filters_by_what_is_played_now(client, admin):
    nora = person_with(Role.APPROVER, full_name="Nora Neu")
    team = nora.teams.get()
    sign_in(client, admin)
    url = "/admin/accounts/user/"
    assert "Nora Neu" in client.get(url, {"role": "approver"}).content.decode()
    assert "Nora Neu" not in client.get(url, {"role": "sales"}).content.decode()
    assert "Nora Neu" in client.get(url, {"team": team.pk}).content.decode()
    revoke_role(nora.memberships.get(), by=admin, reason="")
    assert "Nora Neu" not in client.get(url, {"role": "approver"}).content.decode()
    assert "Nora Neu" not in client.get(url, {"team": team.pk}).content.decode()


def test_the_check_finds_who_has_no_role(client, admin):
    UserFactory(full_name="Rolf Rolefree")
    sign_in(client, admin)
    told = {"action": "check_consistency", "_selected_action": [str(each.pk) for each in User.objects.all()]}
    page = client.post("/admin/accounts/user/", told, follow=True).content.decode()
    assert "Active without a role: <a href" in page
    assert page.split("Active without a role")[1].split("</a>")[0].endswith("Rolf Rolefree")


def test_inviting_asks_again_too_and_then_goes_on(client, admin):
    team = TeamFactory()
    client.force_login(admin)
    url = reverse("admin:accounts_invitation_add")
    assert client.get(url).status_code == 200
    told = {"email": "nora@example.com", "full_name": "Nora", "title": "", "team": team.pk, "role": "ops_staff"}
    answer = client.post(url, told)
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    client.post(answer["Location"], {"password": PASSWORD})
    assert Invitation.objects.get().email == "nora@example.com"
