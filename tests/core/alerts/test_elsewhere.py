"""Alerts about records in another territory: not listed, not counted, not opened, not handled, not told."""

import pytest
from django.urls import reverse

from apps.accounts.domain.memberships import grant_role
from apps.accounts.enums import Role
from apps.accounts.models import Territory, User
from apps.core import access
from apps.core.alerts.domain.handling import refuse_acknowledge
from apps.core.alerts.models import Alert
from apps.core.notifications.models import Notification
from tests.admin_pages import list_of, page_of
from tests.factories.accounts import TeamFactory, UserFactory, administrator
from tests.factories.alerts import an_alert
from tests.factories.leads import LeadFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss():
    return administrator(full_name="Bea Boss")


@pytest.fixture
def person(boss):
    """Ops staff in DACH alone."""
    found = UserFactory()
    dach = Territory.objects.create(name="DACH")
    grant_role(found, TeamFactory(), Role.OPS, by=boss, reason="Market", territory=dach)
    return User.objects.get(pk=found.pk)


@pytest.fixture
def alerts():
    """One about a lead of DACH, one about a lead elsewhere, one about a team, one about nothing."""
    subjects = {
        "here": LeadFactory(territory="DACH"),
        "elsewhere": LeadFactory(territory="Nordics"),
        "of no territory": TeamFactory(),
        "about nothing": None,
    }
    return {name: an_alert(name, title=name, subject=subject) for name, subject in subjects.items()}


OPEN = {"here", "of no territory", "about nothing"}


def told(kind="alert.warning"):
    return {notice.recipient for notice in Notification.objects.filter(kind=kind)}


def test_what_is_elsewhere_is_neither_listed_nor_counted_nor_opened(client, person, alerts):
    client.force_login(person)
    changelist = client.get(list_of(Alert)).context["cl"]
    assert ({alert.title for alert in changelist.result_list}, changelist.result_count) == (OPEN, 3)
    home = client.get(reverse("admin:index")).content.decode()
    assert [name in home for name in ("about nothing", "elsewhere")] == [True, False]
    assert client.get(page_of(alerts["here"])).status_code == 200
    assert client.get(page_of(alerts["elsewhere"])).status_code != 200
    assert refuse_acknowledge(person, alerts["here"]) is None
    assert refuse_acknowledge(person, alerts["elsewhere"]) == "You may read alerts, not handle them."


def test_whoever_is_not_limited_sees_all(boss, alerts):
    assert {alert.title for alert in access.visible(boss, Alert)} == set(alerts)


def test_a_record_that_is_gone_is_elsewhere_for_whoever_is_limited(person, alerts):
    Alert.objects.filter(pk=alerts["here"].pk).update(subject_id="987654321")
    assert {alert.title for alert in access.visible(person, Alert)} == OPEN - {"here"}


def test_nobody_is_told_of_what_is_elsewhere(boss, person):
    free = UserFactory()
    grant_role(free, TeamFactory(), Role.OPS, by=boss, reason="Everywhere")
    Notification.objects.all().delete()
    an_alert("elsewhere", subject=LeadFactory(territory="Nordics"), owner=Role.OPS.value)
    assert told() == {free}


def test_where_none_of_the_owners_may_know_the_administrators_are_told(boss, person):
    an_alert("elsewhere", subject=LeadFactory(territory="Nordics"), owner=person)
    assert told() == {boss}
