"""What people do with alerts, and the pages of alerts."""

import datetime as dt

import pytest
import time_machine
from django.urls import reverse

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.alerts.domain import handling
from apps.core.alerts.domain.alerting import resolve_alert
from apps.core.alerts.enums import AlertState
from apps.core.alerts.models import Alert
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.jobs.api import enqueue
from apps.core.jobs.testing import run_queued_jobs
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.alerts import an_alert

pytestmark = pytest.mark.django_db
SOON = dt.timedelta(hours=4)


@pytest.fixture
def ops(client):
    person = person_with(Role.OPS)
    client.force_login(person)
    return person


def story(alert):
    return [(event.what, event.actor_label, event.note) for event in alert.events.all()][1:]


def test_taking_on_is_seen_by_everybody(ops):
    alert = an_alert()
    handling.acknowledge(alert, by=ops, note="On it")
    alert.refresh_from_db()
    assert (alert.state, alert.acknowledged_by) == ("acknowledged", ops)
    assert story(alert) == [("acknowledged", ops.email, "On it")]
    with pytest.raises(WrongState, match=f"{ops} has taken it on already."):
        handling.acknowledge(alert, by=person_with(Role.OPS))


def test_putting_off_ends_by_itself(ops):
    with time_machine.travel("2026-03-02 10:00:00+00:00", tick=False) as travel:
        alert = an_alert()
        handling.snooze(alert, by=ops, until=clock.now() + SOON, note="Not before lunch")
        an_alert()  # raised again, it stays put off
        assert handling.wake_snoozed() == 0
        travel.shift(SOON)
        enqueue("alerts.wake_snoozed", by=None)
        runs = {run.key: run.counts for run in run_queued_jobs()}
        assert runs["alerts.wake_snoozed"] == {"woken": 1}
    alert.refresh_from_db()
    assert (alert.state, alert.occurrences) == ("open", 2)
    assert [what for what, _, _ in story(alert)] == ["snoozed", "woken"]
    assert story(alert)[0][2] == "Until 02 Mar 2026, 14:00 UTC. Not before lunch"


def test_what_is_put_off_comes_back_at_once_when_it_becomes_more_severe(ops):
    alert = an_alert()
    handling.snooze(alert, by=ops, until=clock.now() + SOON)
    assert an_alert(severity="critical").state == AlertState.OPEN


@pytest.mark.parametrize("hours", [0, -1, 24 * 31])
def test_an_alert_is_put_off_for_a_sane_time(ops, hours):
    with pytest.raises(InvalidInput, match="within the next thirty days"):
        handling.snooze(an_alert(), by=ops, until=clock.now() + dt.timedelta(hours=hours))


def test_resolving_needs_a_note_and_is_final(ops):
    alert = an_alert()
    with pytest.raises(InvalidInput, match="Say what was done"):
        handling.resolve(alert, by=ops, note="  ")
    assert handling.resolve(alert, by=ops, note="Emptied it") == "“The disk is full” is resolved."
    assert story(alert) == [("resolved", ops.email, "Emptied it")]
    for again in (handling.acknowledge, handling.resolve):
        with pytest.raises(WrongState, match="should the cause come back, there will be a new alert"):
            again(alert, by=ops, note="x")


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SALES])
def test_only_those_who_look_after_alerts_handle_them(role):
    alert, person = an_alert(), person_with(role)
    for attempt in (
        lambda: handling.acknowledge(alert, by=person),
        lambda: handling.snooze(alert, by=person, until=clock.now() + SOON),
        lambda: handling.resolve(alert, by=person, note="x"),
    ):
        with pytest.raises(NotAllowed, match=r"You may read alerts, not handle them\."):
            attempt()


def test_buttons_ask_and_act(client, ops):
    alert = an_alert(detail="5 GB left", runbook="See https://wiki.example/disk", subject=TeamFactory(name="Storage"))
    page = client.get(page_of(alert)).content.decode()
    assert [label in page for label in ("I look into it", "Put off", "Resolve", "5 GB left", "Storage")] == [True] * 5
    client.post(button_of(alert, "acknowledge"), {"note": ""})
    client.post(button_of(alert, "snooze"), {"hours": "4", "note": ""})
    alert.refresh_from_db()
    assert alert.state == "snoozed"
    answer = client.post(button_of(alert, "resolve"), {"note": ""})
    assert answer.status_code == 200  # the form again
    client.post(button_of(alert, "resolve"), {"note": "Done"})
    alert.refresh_from_db()
    assert alert.state == "resolved"
    page = client.get(page_of(alert)).content.decode()
    assert "I look into it" not in page


def test_an_auditor_sees_alerts_and_no_buttons(client):
    client.force_login(person_with(Role.AUDITOR))
    alert = an_alert()
    page = client.get(page_of(alert)).content.decode()
    assert "The disk is full" in page
    assert "I look into it" not in page
    client.post(button_of(alert, "resolve"), {"note": "Done"})
    alert.refresh_from_db()
    assert alert.state == "open"


def test_sales_sees_none(client):
    client.force_login(person_with(Role.SALES))
    assert client.get(list_of(Alert)).status_code == 403
    an_alert()
    assert b"Needs attention" not in client.get(reverse("admin:index")).content


def test_the_most_urgent_come_first(client, ops):
    for name, severity in (("a", "info"), ("b", "critical"), ("c", "warning"), ("d", "critical")):
        an_alert(name, title=name, severity=severity)
    resolve_alert("d", why="Gone.")
    handling.acknowledge(Alert.objects.get(title="b"), by=ops)
    rows = client.get(list_of(Alert)).context["cl"].result_list
    assert [row.title for row in rows] == ["c", "a", "b", "d"]


def test_the_list_asks_the_same_however_long_it_is(client, ops):
    an_alert("first", owner=ops)
    more = lambda: [an_alert(f"more{n}", owner=owner) for n, owner in enumerate((TeamFactory(), ops))]  # noqa: E731
    assert_same_queries(client, list_of(Alert), more)


def test_the_subject_is_a_link_only_for_those_who_may_see_it(client):
    team = TeamFactory(name="Storage")
    alert = an_alert(subject=team)
    person = person_with(Role.OPS)
    client.force_login(person)
    assert page_of(team) in client.get(page_of(alert)).content.decode()
    person.groups.first().permissions.filter(codename="view_team").delete()
    assert page_of(team) not in client.get(page_of(alert)).content.decode()


def test_a_cause_that_came_back_leads_to_the_last_time(client, ops):
    old = an_alert()
    resolve_alert("disk.full", why="Emptied.")
    new = an_alert()
    assert page_of(old) in client.get(page_of(new)).content.decode()


def test_the_home_page_shows_what_needs_attention(client, ops):
    home = reverse("admin:index")
    assert b"Needs attention" not in client.get(home).content
    alert = an_alert(severity="critical")
    page = client.get(home).content.decode()
    assert "Needs attention" in page
    assert page_of(alert) in page
    handling.snooze(alert, by=ops, until=clock.now() + SOON)
    assert b"Needs attention" not in client.get(home).content
