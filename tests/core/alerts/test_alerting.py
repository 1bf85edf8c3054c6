"""One open alert per cause."""

import threading

import pytest
from django.db import connection

from apps.accounts.enums import Role
from apps.accounts.models import Membership, Team
from apps.core.actors import acting_as
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.alerts.enums import AlertState, What
from apps.core.alerts.models import Alert, AlertEvent
from apps.core.notifications.models import Notification
from tests.factories.accounts import UserFactory, person_with
from tests.factories.alerts import an_alert

pytestmark = pytest.mark.django_db


def told():
    return sorted(Notification.objects.values_list("recipient__email", "kind"))


def test_raising_again_counts_and_tells_nobody_again():
    administrator = person_with(Role.ADMINISTRATOR)
    first = an_alert(detail="5 GB", runbook="Empty it.")
    again = an_alert(title="The disk is fuller", detail="4 GB")
    assert again.pk == first.pk
    assert (again.occurrences, again.title, again.detail) == (2, "The disk is fuller", "4 GB")
    assert again.last_seen > first.first_seen == again.first_seen
    assert [event.what for event in again.events.all()] == [What.RAISED]
    assert told() == [(administrator.email, "alert.warning")]
    assert Notification.objects.get().body == "5 GB\n\nEmpty it."


def test_becoming_more_severe_reopens_records_and_tells():
    administrator = person_with(Role.ADMINISTRATOR)
    alert = an_alert()
    Alert.objects.filter(pk=alert.pk).update(state=AlertState.ACKNOWLEDGED)
    worse = an_alert(severity="critical")
    assert (worse.severity, worse.state) == ("critical", "open")
    assert [(event.what, event.note) for event in alert.events.all()][1] == ("worsened", "Warning → Critical")
    assert told() == [(administrator.email, "alert.critical"), (administrator.email, "alert.warning")]
    assert an_alert(severity="info").severity == "critical"


def test_a_cause_that_comes_back_is_a_new_alert_that_knows_the_old_one():
    old = an_alert()
    assert resolve_alert("disk.full", why="Emptied.").pk == old.pk
    new = an_alert()
    assert (new.pk != old.pk, new.previous) == (True, old)
    assert resolve_alert("never.raised", why="Nothing there.") is None


def test_events_name_the_actor_and_the_reason():
    person = UserFactory()
    an_alert()
    with acting_as(person):
        resolve_alert("disk.full", why="Emptied.")
    event = AlertEvent.objects.get(what=What.RESOLVED)
    assert (event.actor, event.actor_label, event.note) == (person, person.email, "Emptied.")


def test_the_owner_is_a_person_a_team_or_a_role():
    person, member, former = UserFactory(), UserFactory(), UserFactory()
    team = Team.objects.create(name="Data")
    Membership.objects.create(team=team, person=member, role=Role.OPS)
    Membership.objects.create(team=team, person=former, role=Role.OPS, archived_at="2026-01-01T00:00Z")
    ops = person_with(Role.OPS)
    alerts = [an_alert(f"cause{n}", owner=owner) for n, owner in enumerate((person, team, "ops_staff"))]
    assert [alert.owner for alert in alerts] == [person, team, "ops_staff"]
    assert [alert.owner_label for alert in alerts] == [str(person), "Data", "Ops staff"]
    assert [email for email, _ in told()] == sorted([person.email, member.email, ops.email])


def test_what_happened_is_never_changed_by_the_serving_role():
    an_alert()
    with pytest.raises(Exception, match=r"permission denied|never changed"):
        AlertEvent.objects.update(note="Nothing happened")


@pytest.mark.django_db(transaction=True)
def test_many_raising_at_once_make_one_alert(proof):
    number, severities = (24 if proof else 6), ("info", "warning", "critical")
    barrier = threading.Barrier(number)

    def work(n):
        barrier.wait()
        try:
            raise_alert("race", title="Race", severity=severities[n % 3])
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(number)]
    [each.start() for each in threads]
    [each.join() for each in threads]
    alert = Alert.objects.get()
    assert (alert.occurrences, alert.severity) == (number, "critical")
    assert AlertEvent.objects.filter(what=What.RAISED).count() == 1
    assert AlertEvent.objects.count() <= 3
