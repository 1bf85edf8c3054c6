"""A write that loses a race with another one on a real server: nothing is saved, and a sentence says so."""

import threading
from contextlib import contextmanager

import psycopg
import pytest
from django.contrib import admin
from django.db import OperationalError, connection, connections, transaction

from apps.accounts.enums import Role
from apps.accounts.models import Team
from apps.core.actors import acting_as
from apps.core.admin_kit.refusals import LOST_RACE, sentence_of
from apps.core.errors import NotAllowed, WrongState
from tests.admin_pages import button_of, page_of
from tests.factories.accounts import TeamFactory, administrator, person_with, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def person():
    return administrator()


@pytest.fixture
def first():
    return TeamFactory(name="First")


@pytest.fixture
def second():
    return TeamFactory(name="Second")


class Other:
    """Somebody else, who holds the second row and then wants the first: a deadlock with whoever does it in turn."""

    def __init__(self, first, second, person):
        self.first, self.second, self.person = first, second, person
        self.holds, self.go_on = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        with acting_as(self.person), transaction.atomic():
            Team.objects.select_for_update().get(pk=self.second.pk)
            self.holds.set()
            self.go_on.wait(20)
            # whoever has waited a second first is the one PostgreSQL gives up: not this one
            threading.Event().wait(0.3)
            Team.objects.filter(pk=self.first.pk).update(purpose="The other one's")
        connections["default"].close()

    def cross(self):
        """Called by the first one, which holds the first row: wait for the second."""
        self.go_on.set()
        Team.objects.select_for_update().get(pk=self.second.pk)


@contextmanager
def somebody_else(first, second, person):
    other = Other(first, second, person)
    other.thread.start()
    assert other.holds.wait(20)
    try:
        yield other
    finally:
        other.go_on.set()
        other.thread.join(30)


def form_of(team, **changed):
    form = admin.site._registry[Team]
    values = {name: getattr(team, name) for name in ("name", "purpose") if hasattr(team, name)}
    return {**values, "opened_version": team.row_version, "_save": "Save", **changed}, form


def test_a_form_in_a_deadlock_saves_nothing_and_says_so(client, person, first, second, monkeypatch):
    sign_in(client, person)
    given, team_admin = form_of(first, name="Renamed")
    page = client.get(page_of(first))
    for formset in page.context.get("inline_admin_formsets") or ():
        prefix = formset.formset.prefix
        given |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    real = type(team_admin).save_related
    with somebody_else(first, second, person) as other:

        def save_related(self, *args, **kwargs):
            real(self, *args, **kwargs)
            other.cross()

        monkeypatch.setattr(type(team_admin), "save_related", save_related)
        answer = client.post(page_of(first), given, follow=True)
    assert answer.context["adminform"].form.non_field_errors() == [LOST_RACE]
    assert 'value="Renamed"' in answer.content.decode()  # nothing of what was typed is lost
    first.refresh_from_db()
    assert (first.name, first.purpose) == ("First", "The other one's")


def test_a_button_in_a_deadlock_does_nothing_and_says_so(client, person, first, second, monkeypatch):
    sign_in(client, person)
    with somebody_else(first, second, person) as other:

        def operation(team, *, by, **_):
            with acting_as(by), transaction.atomic():
                Team.objects.filter(pk=team.pk).update(name="Renamed")
                other.cross()

        button = next(each for each in admin.site._registry[Team].buttons if each.name == "archive")
        monkeypatch.setitem(button.__dict__, "operation", operation)
        answer = client.post(button_of(first, "archive"), {"reason": "a race"}, follow=True)
    assert [str(each) for each in answer.context["messages"]] == [LOST_RACE]
    first.refresh_from_db()
    assert (first.name, first.purpose) == ("First", "The other one's")


def test_a_failed_serialization_is_the_same_sentence(person, first):
    def other():
        with acting_as(person):
            Team.objects.filter(pk=first.pk).update(purpose="The other one's")
        connections["default"].close()

    def overtaken():
        with acting_as(person), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            assert Team.objects.get(pk=first.pk).purpose == ""
            thread = threading.Thread(target=other)
            thread.start()
            thread.join(20)
            Team.objects.filter(pk=first.pk).update(name="Renamed")

    with pytest.raises(OperationalError) as refused:
        overtaken()
    assert isinstance(refused.value.__cause__, psycopg.errors.SerializationFailure)
    assert sentence_of(refused.value) == LOST_RACE
    first.refresh_from_db()
    assert (first.name, first.purpose) == ("First", "The other one's")


PAGE = "/admin/audit/auditevent/coverage/"


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (psycopg.errors.DeadlockDetected, 409, LOST_RACE),
        (WrongState("It is over; open the next one."), 409, "It is over; open the next one."),
        (NotAllowed("Not yours; ask its owner."), 403, "Not yours; ask its owner."),
    ],
)
def test_a_page_of_its_own_says_it_too(client, monkeypatch, error, status, said):
    def losing(*args, **kwargs):
        if isinstance(error, Exception):
            raise error
        raise OperationalError("of table secret_table") from error()

    monkeypatch.setattr("apps.audit.admin.coverage_page.TemplateResponse", losing)
    sign_in(client, person_with(Role.AUDITOR))
    answer = client.get(PAGE, headers={"referer": "http://testserver/admin/"})
    assert answer.status_code == status
    page = answer.content.decode()
    assert said in page
    assert 'href="http://testserver/admin/">Back' in page
    assert "secret_table" not in page
    assert "evil.example" not in client.get(PAGE, headers={"referer": "http://evil.example/"}).content.decode()


def test_a_mistake_of_ours_stays_an_error(client, monkeypatch):
    def broken(*args, **kwargs):
        raise KeyError("a mistake")

    monkeypatch.setattr("apps.audit.admin.coverage_page.TemplateResponse", broken)
    sign_in(client, person_with(Role.AUDITOR))
    with pytest.raises(KeyError):
        client.get(PAGE)
