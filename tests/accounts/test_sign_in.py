"""Signing in: one page, counted guesses, nothing told about who is here, no way off the host."""

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.core import mail
from django.core.cache import cache

from apps.accounts.enums import Role
from apps.accounts.models import User
from tests.factories.accounts import PASSWORD, UserFactory, person_with

pytestmark = pytest.mark.django_db
MISMATCH = "E-mail and password do not fit together."
TOO_MANY = "Too many attempts for this account."


@pytest.fixture(autouse=True)
def _no_counters():
    cache.clear()


@pytest.fixture
def person():
    return person_with(Role.OPS, email="ada@example.com", full_name="Ada")


def sign_in(client, email="ada@example.com", password=PASSWORD, **extra):
    return client.post("/accounts/login/", {"login": email, "password": password, **extra})


def test_the_right_password_opens_the_home_page(client, person):
    answer = sign_in(client)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200


def test_the_password_is_rehashed_with_argon2(client, person):
    sign_in(client, "ADA@Example.com")
    assert User.objects.get(pk=person.pk).password.startswith("argon2$")


def test_the_admin_asks_at_the_same_door(client, person):
    assert client.get("/admin/login/")["Location"] == "/accounts/login/?next=%2Fadmin%2F"
    answer = client.get("/admin/accounts/user/", follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/login/?next=%2Fadmin%2Faccounts%2Fuser%2F"
    client.force_login(person)
    assert client.get("/admin/login/")["Location"] == "/admin/"
    assert client.get("/admin/password_change/")["Location"] == "/accounts/password/change/"


def test_the_admin_login_takes_no_password(client, person):
    answer = client.post("/admin/login/", {"username": person.email, "password": PASSWORD})
    assert answer.status_code == 302
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "\thttps://evil.example",
    ],
)
def test_nobody_is_sent_off_the_host(client, person, target):
    for answer in (
        sign_in(client, next=target),
        client.get("/admin/login/", {"next": target}),
        client.post("/accounts/logout/", {"next": target}),
    ):
        assert answer["Location"].startswith(("/admin/", "/accounts/"))


def test_a_next_on_this_host_is_followed(client, person):
    assert sign_in(client, next="/admin/accounts/team/")["Location"] == "/admin/accounts/team/"


def test_who_is_here_is_not_told_by_words(client, person):
    UserFactory(email="gone@example.com", is_active=False)
    pages = [
        sign_in(client, email, "wrong password").content.decode()
        for email in ("ada@example.com", "nobody@example.com", "gone@example.com", "system@mops.invalid")
    ]
    assert all(MISMATCH in page for page in pages)


@pytest.fixture
def hashed(monkeypatch):
    """What argon2 was asked to work out, counted where it works: its time is the time of a sign-in."""
    counted = []
    for name in ("encode", "verify"):
        really = getattr(Argon2PasswordHasher, name)

        def count(self, *args, really=really, name=name, **kwargs):
            counted.append(name)
            return really(self, *args, **kwargs)

        monkeypatch.setattr(Argon2PasswordHasher, name, count)
    return counted


def test_who_is_here_is_not_told_by_time(client, person, hashed):
    UserFactory(email="gone@example.com", is_active=False, password=make_password(PASSWORD))
    sign_in(client)  # the person's hash is argon2 from now on, as everybody's in the product
    client.logout()

    costs = {}
    for email in ("ada@example.com", "nobody@example.com", "gone@example.com"):
        cache.clear()
        hashed.clear()
        sign_in(client, email, "wrong password")
        costs[email] = len(hashed)
    assert costs == dict.fromkeys(costs, 1)  # one argon2 each, whoever is asked for


def test_ten_wrong_passwords_are_checked_and_no_more(client, person):
    answers = [sign_in(client, password="wrong password").content.decode() for _ in range(12)]
    assert [MISMATCH in each for each in answers] == [True] * 10 + [False] * 2
    assert TOO_MANY in answers[-1]
    assert TOO_MANY in sign_in(client).content.decode()  # the right one neither, from here


def test_guesses_from_many_addresses_share_one_budget(client, person):
    for number in range(10):
        client.post("/accounts/login/", {"login": person.email, "password": "no"}, REMOTE_ADDR=f"10.0.0.{number}")
    assert TOO_MANY in sign_in(client).content.decode()


def test_strangers_do_not_lock_out_a_known_device(client, person, django_client):
    sign_in(client)
    client.post("/accounts/logout/")
    for _ in range(11):
        sign_in(django_client, password="wrong password")
    assert TOO_MANY in sign_in(django_client).content.decode()
    assert sign_in(client)["Location"] == "/admin/"


def test_a_known_device_has_a_budget_too(client, person):
    sign_in(client)
    client.post("/accounts/logout/")
    answers = [sign_in(client, password="wrong password").content.decode() for _ in range(11)]
    assert MISMATCH in answers[9]
    assert TOO_MANY in answers[10]


def test_a_device_is_known_for_one_person_only(client, person):
    UserFactory(email="eve@example.com")
    sign_in(client, "eve@example.com")
    client.post("/accounts/logout/")
    for _ in range(10):
        sign_in(client, password="wrong password")
    assert TOO_MANY in sign_in(client, password="wrong password").content.decode()


def test_a_flood_of_names_does_not_push_out_the_counter(client, person, settings):
    for _ in range(10):
        sign_in(client, password="wrong password")
    for number in range(350):
        cache.set(f"flood:{number}", [1.0], 900)
    assert TOO_MANY in sign_in(client).content.decode()


def test_a_reset_says_the_same_for_everybody(client, person):
    answers = [
        client.post("/accounts/password/reset/", {"email": email}, follow=True)
        for email in (person.email, "nobody@example.com")
    ]
    assert answers[0].content == answers[1].content
    assert [message.to for message in mail.outbox] == [[person.email], ["nobody@example.com"]]
    assert "nobody signs in with this address" in mail.outbox[1].body


def test_a_reset_link_goes_to_the_configured_address_and_works_once(client, person, settings):
    settings.PUBLIC_URL = "https://mops.example.com"
    settings.ALLOWED_HOSTS = ["*"]
    client.post("/accounts/password/reset/", {"email": person.email}, HTTP_HOST="evil.example")
    link = next(word for word in mail.outbox[0].body.split() if word.startswith("https://"))
    assert link.startswith("https://mops.example.com/accounts/password/reset/key/")
    path = link.removeprefix("https://mops.example.com")
    form = client.get(path, follow=True).redirect_chain[-1][0]
    words = "seven quiet lanterns glow"
    client.post(form, {"password1": words, "password2": words})
    assert User.objects.get(pk=person.pk).check_password(words)
    page = client.get(path, follow=True).content.decode()
    assert "The link no longer works" in page


def test_a_new_password_ends_the_other_sessions(client, person, django_client):
    django_client.force_login(person)
    client.force_login(person)
    words = "seven quiet lanterns glow"
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": words, "password2": words})
    assert client.get("/admin/").status_code == 200
    assert django_client.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "path",
    ["signup/", "email/", "confirm-email/", "confirm-email/abc/", "3rdparty/", "3rdparty/signup/", "social/signup/"],
)
def test_what_is_not_offered_is_not_there(client, person, path):
    assert client.get(f"/accounts/{path}").status_code == 404
    client.force_login(person)
    assert client.get(f"/accounts/{path}").status_code == 404
    assert client.post(f"/accounts/{path}", {"email": "x@example.com"}).status_code == 404


def test_somebody_without_staff_rights_is_told(client):
    client.force_login(UserFactory(is_staff=False))
    answer = client.get("/admin/", follow=True)
    assert answer.status_code == 403
    assert "Your account does not open the back office." in answer.content.decode()


def test_the_demo_offers_its_sign_ins_and_a_real_installation_does_not(client, settings):
    from apps.accounts import demo

    settings.DEMO = True
    assert "come in as" not in client.get("/accounts/login/").content.decode()
    demo.load_people()
    assert "come in as" in client.get("/accounts/login/").content.decode()
    settings.DEMO = False
    assert "come in as" not in client.get("/accounts/login/").content.decode()


def test_signing_out_from_the_menu_ends_at_the_door(client, person):
    client.force_login(person)
    answer = client.post("/admin/logout/")
    assert answer["Location"] == "/accounts/login/"
    assert client.get("/admin/").status_code == 302


def test_a_changed_password_is_told_by_mail_and_a_dead_mail_server_breaks_nothing(client, person, settings):
    client.force_login(person)
    words = "seven quiet lanterns glow"
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": words, "password2": words})
    assert mail.outbox[0].to == [person.email]
    assert "Something about your account in mops was changed" in mail.outbox[0].body
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    cache.clear()
    client.post("/accounts/logout/")
    page = client.post("/accounts/password/reset/", {"email": person.email}, follow=True)
    assert "The mail server did not take the mail." in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_guesses_at_the_same_moment_are_counted_too(person, proof):
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections
    from django.test import Client

    def guess(number):
        try:
            return sign_in(Client(REMOTE_ADDR=f"10.0.1.{number}"), password="wrong password").content.decode()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(60 if proof else 24)))
    assert sum(MISMATCH in answer for answer in answers) <= 10


def test_a_first_password_needs_a_fresh_sign_in(client, person):
    person.set_unusable_password()
    person.save()
    client.force_login(person)
    assert client.get("/accounts/password/set/")["Location"].startswith("/accounts/login/")
