"""People come and go; what they answered for is handed over or on record."""

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from apps.accounts.domain.ownership import holdings_of
from apps.accounts.domain.people import (
    change_email,
    deactivate_person,
    reactivate_person,
    reset_second_factors,
    sign_out_everywhere,
)
from apps.accounts.domain.principals import system_principal
from apps.accounts.domain.vacancies import close_filled_vacancies, fill_vacancy
from apps.accounts.enums import Role
from apps.accounts.models import User, Vacancy
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from tests.factories.accounts import UserFactory, administrator, person_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return administrator()


@pytest.fixture
def lead():
    """Somebody two people report to."""
    manager = person_with(Role.OPS, full_name="Mara")
    UserFactory(full_name="Anna", manager=manager)
    UserFactory(full_name="Ben", manager=manager)
    UserFactory(full_name="Gone", manager=manager, is_active=False)
    return manager


def test_deactivating_ends_sessions_and_rights_at_the_next_request(client, admin, lead):
    client.force_login(lead)
    assert client.get("/admin/").status_code == 200
    deactivate_person(lead, by=admin, reason="leaves")
    assert client.get("/admin/").status_code == 302
    person = User.objects.get(pk=lead.pk)
    assert not person.has_perm("accounts.view_team")


def test_reactivating_does_not_revive_an_old_session(client, admin, lead):
    client.force_login(lead)
    deactivate_person(lead, by=admin, reason="leaves")
    reactivate_person(lead, by=admin, reason="comes back")
    assert client.get("/admin/").status_code == 302


def test_a_successor_takes_over(admin, lead):
    heir = UserFactory(full_name="Heir")
    said = deactivate_person(lead, by=admin, reason="leaves", successor=heir)
    assert said == "Mara is deactivated and signed out everywhere. Heir took over 2 things."
    assert set(User.objects.filter(manager=heir).values_list("full_name", flat=True)) == {"Anna", "Ben"}
    assert not Vacancy.objects.exists()


def test_a_successor_who_reported_to_the_leaver_reports_one_up(admin, lead):
    boss = UserFactory()
    User.objects.filter(pk=lead.pk).update(manager=boss)
    anna = User.objects.get(full_name="Anna")
    deactivate_person(lead, by=admin, reason="leaves", successor=anna)
    anna.refresh_from_db()
    assert anna.manager == boss
    assert User.objects.get(full_name="Ben").manager == anna


def test_without_a_successor_each_thing_is_a_vacancy_on_record(admin, lead):
    said = deactivate_person(lead, by=admin, reason="leaves")
    assert said.endswith("2 vacancies are on record until somebody fills them.")
    assert set(Vacancy.objects.values_list("label", "capacity")) == {("Anna", "manager"), ("Ben", "manager")}


def test_filling_a_vacancy(admin, lead):
    deactivate_person(lead, by=admin, reason="leaves")
    vacancy = Vacancy.objects.get(label="Anna")
    heir = UserFactory(full_name="Heir")
    assert fill_vacancy(vacancy, person=heir, by=admin) == "Heir is now manager of Anna."
    with pytest.raises(WrongState, match="This vacancy has been filled"):
        fill_vacancy(vacancy, person=heir, by=admin)
    with pytest.raises(NotAllowed, match="Only an administrator"):
        fill_vacancy(Vacancy.objects.get(label="Ben"), person=heir, by=heir)
    with pytest.raises(InvalidInput, match="choose somebody who works here"):
        fill_vacancy(Vacancy.objects.get(label="Ben"), person=UserFactory(is_active=False), by=admin)


def test_vacancies_filled_elsewhere_are_closed(admin, lead):
    deactivate_person(lead, by=admin, reason="leaves")
    User.objects.filter(full_name="Ben").update(manager=UserFactory())
    assert close_filled_vacancies() == 1
    assert Vacancy.objects.get(filled_at=None).label == "Anna"


def test_holdings_name_only_what_the_asker_may_see(admin, lead):
    (holding,) = holdings_of(lead, seen_by=admin)
    assert (holding.title, holding.number, holding.hidden) == ("Manager of 2 people", 2, 0)
    (holding,) = holdings_of(lead, seen_by=person_with(Role.SALES))
    assert (holding.number, holding.shown, holding.hidden) == (2, [], 2)


def test_who_may_not_deactivate_whom(admin, lead):
    with pytest.raises(NotAllowed, match="Only an administrator"):
        deactivate_person(admin, by=lead, reason="")
    with pytest.raises(NotAllowed, match="Nobody deactivates themselves"):
        deactivate_person(admin, by=admin, reason="")
    with pytest.raises(WrongState, match="mops itself cannot be deactivated"):
        deactivate_person(system_principal(), by=admin, reason="")
    with pytest.raises(WrongState, match="is the last active administrator"):
        deactivate_person(admin, by=system_principal(), reason="")
    deactivate_person(lead, by=admin, reason="")
    with pytest.raises(WrongState, match="Mara is deactivated already"):
        deactivate_person(lead, by=admin, reason="")


@pytest.mark.parametrize("fields", [{"is_active": False}, {"is_active": True, "is_system": True}])
def test_who_cannot_take_over(admin, lead, fields):
    with pytest.raises(InvalidInput, match="cannot take over; choose an active colleague"):
        deactivate_person(lead, by=admin, reason="", successor=UserFactory(**fields))
    with pytest.raises(InvalidInput, match="cannot take over"):
        deactivate_person(lead, by=admin, reason="", successor=lead)


def test_reactivation_refusals(admin, lead):
    with pytest.raises(WrongState, match="Mara is active"):
        reactivate_person(lead, by=admin, reason="")
    with pytest.raises(NotAllowed, match="Only an administrator"):
        reactivate_person(UserFactory(is_active=False), by=lead, reason="")
    with pytest.raises(WrongState, match="mops itself never signs in"):
        reactivate_person(system_principal(), by=admin, reason="")


def test_people_are_never_deleted():
    with pytest.raises(DatabaseError, match="deactivated, never deleted"), transaction.atomic():
        User.objects.filter(pk=UserFactory().pk)._raw_delete("default")


def test_changing_the_address(client, admin, lead):
    EmailAddress.objects.create(user=lead, email=lead.email, verified=True, primary=True)
    old = lead.email
    client.force_login(lead)
    change_email(lead, email=" New@Example.com ", by=admin, reason="married")
    lead.refresh_from_db()
    assert (lead.email, lead.username) == ("new@example.com", "new@example.com")
    assert not EmailAddress.objects.filter(user=lead).exists()  # the old one must not open a reset
    assert client.get("/admin/").status_code == 302
    assert [message.to for message in mail.outbox] == [[old]]
    assert "new@example.com" in mail.outbox[0].body


def test_address_refusals(admin, lead):
    with pytest.raises(InvalidInput, match="is no e-mail address"):
        change_email(lead, email="nonsense", by=admin, reason="")
    with pytest.raises(InvalidInput, match="Somebody else signs in with"):
        change_email(lead, email=admin.email.upper(), by=admin, reason="")
    with pytest.raises(NotAllowed, match="Nobody changes their own sign-in address"):
        change_email(admin, email="x@example.com", by=admin, reason="")
    with pytest.raises(NotAllowed, match="Only an administrator"):
        change_email(admin, email="x@example.com", by=lead, reason="")


def test_when_the_mail_server_refuses_nothing_is_changed(admin, lead, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 1, 1
    old = lead.email
    with pytest.raises(WrongState, match="The mail server did not take the mail, so nothing was changed"):
        change_email(lead, email="new@example.com", by=admin, reason="")
    lead.refresh_from_db()
    assert lead.email == old


def test_sign_out_everywhere(client, admin, lead):
    client.force_login(lead)
    sign_out_everywhere(lead, by=lead)
    assert client.get("/admin/").status_code == 302
    with pytest.raises(NotAllowed, match="Only an administrator"):
        sign_out_everywhere(admin, by=lead)


def test_resetting_the_second_factor(admin, lead):
    with pytest.raises(WrongState, match="Mara has no second factor"):
        reset_second_factors(lead, by=admin, reason="")
    Authenticator.objects.create(user=lead, type=Authenticator.Type.TOTP, data={})
    said = reset_second_factors(lead, by=admin, reason="lost the phone")
    assert said == "Mara signs in with the password alone until a new second factor is set up."
    assert not Authenticator.objects.exists()
    assert mail.outbox[0].to == [lead.email]
    with pytest.raises(NotAllowed, match="under My account"):
        reset_second_factors(admin, by=admin, reason="")
    with pytest.raises(NotAllowed, match="Only an administrator"):
        reset_second_factors(admin, by=lead, reason="")


def test_nobody_is_their_own_manager_by_any_detour(lead):
    lead.manager = User.objects.get(full_name="Anna")
    with pytest.raises(ValidationError, match="their own manager"):
        lead.clean()


def test_one_alert_per_leaver_as_long_as_something_is_vacant(admin, lead):
    from apps.accounts.domain.vacancies import watch_vacancies
    from apps.core.alerts.models import Alert

    deactivate_person(lead, by=admin, reason="leaves")
    assert watch_vacancies() == {"closed": 0, "people": 1}
    assert Alert.objects.get().title == "Since Mara left, 2 things have nobody who answers for them."
    for vacancy in Vacancy.objects.all():
        fill_vacancy(vacancy, person=admin, by=admin)
    assert watch_vacancies() == {"closed": 0, "people": 0}
    assert Alert.objects.get().state == "resolved"


def test_deactivating_queues_the_watch(admin, lead):
    from apps.core.jobs.models import JobRun

    deactivate_person(lead, by=admin, reason="leaves")
    assert JobRun.objects.filter(key="accounts.watch_vacancies").count() == 1
