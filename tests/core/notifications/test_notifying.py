"""Telling people."""

import pytest
import time_machine
from django.db import transaction

from apps.accounts.models import User
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput
from apps.core.notifications.domain.notifying import notify
from apps.core.notifications.enums import Reach
from apps.core.notifications.kinds import kind_of
from apps.core.notifications.models import Delivery, MailHours, Notification, Preference
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db


def test_notify_writes_a_row_and_queues_a_mail_per_person():
    ann, bob = UserFactory(), UserFactory()
    with acting_as(bob):
        assert notify([ann, bob, ann], "approval.requested", title="A\r\nBcc: x", body="Please.", subject=bob) == 2
    rows = Notification.objects.order_by("recipient")
    assert [(row.recipient, row.title, row.body, row.by, row.subject_label) for row in rows] == [
        (ann, "A Bcc: x", "Please.", bob, str(bob)),
        (bob, "A Bcc: x", "Please.", bob, str(bob)),
    ]
    assert list(Delivery.objects.order_by("person").values_list("person", "state", "channel")) == [
        (ann.pk, "queued", "mail"),
        (bob.pk, "queued", "mail"),
    ]


def test_notify_leaves_out_inactive_people_and_system_principals():
    people = [UserFactory(is_active=False), UserFactory(is_system=True), UserFactory()]
    assert notify(people, "approval.requested", title="Hello") == 1
    assert Notification.objects.get().recipient == people[2]


def test_notify_takes_few_statements_however_many_people(django_assert_max_num_queries):
    people = UserFactory.create_batch(30)
    with django_assert_max_num_queries(10):  # savepoints and the job's row included
        notify(people, "approval.requested", title="Hello")
    assert Delivery.objects.count() == 30


def test_notify_reaches_as_far_as_each_person_prefers():
    people = UserFactory.create_batch(4)
    for person, reach in zip(people, (Reach.OFF, Reach.IN_APP, Reach.DIGEST, Reach.MAIL), strict=True):
        Preference.objects.create(person=person, kind="approval.requested", reach=reach)
    assert notify(people, "approval.requested", title="Hello") == 3
    told = Notification.objects.order_by("recipient").values_list("recipient", "in_digest")
    assert list(told) == [(people[1].pk, False), (people[2].pk, True), (people[3].pk, False)]
    assert Delivery.objects.get().person == people[3]


def test_a_mandatory_kind_is_not_silenced_by_an_old_preference():
    person = UserFactory()
    Preference.objects.create(person=person, kind="security.changed", reach=Reach.OFF)
    notify([person], "security.changed", title="Your password was changed")
    assert Delivery.objects.get().person == person


def test_dedupe_tells_a_person_once_for_ever():
    ann, bob = UserFactory(), UserFactory()
    assert notify([ann], "approval.requested", title="Overdue", dedupe="overdue:1") == 1
    assert notify([ann, bob], "approval.requested", title="Overdue", dedupe="overdue:1") == 1
    assert notify([ann], "approval.requested", title="Overdue", dedupe="overdue:2") == 1
    assert notify([ann], "approval.decided", title="Overdue", dedupe="overdue:1") == 1
    assert Delivery.objects.count() == 3


def test_without_dedupe_everything_is_told():
    ann = UserFactory()
    assert [notify([ann], "approval.requested", title="Again") for _ in range(2)] == [1, 1]


def test_a_rollback_takes_notification_and_mail_back():
    ann = UserFactory()
    with transaction.atomic():
        notify([ann], "approval.requested", title="Never")
        transaction.set_rollback(True)
    assert (Notification.objects.count(), Delivery.objects.count()) == (0, 0)


@time_machine.travel("2026-03-02 22:30:00+00:00", tick=False)
def test_quiet_hours_hold_mail_back_unless_it_is_urgent():
    person = UserFactory(time_zone="Europe/Berlin")
    MailHours.objects.create(person=person, quiet_from="20:00", quiet_until="07:00")
    notify([person], "approval.requested", title="Tomorrow")
    notify([person], "security.changed", title="Now")
    assert [each.not_before.isoformat() for each in Delivery.objects.order_by("pk")] == [
        "2026-03-03T06:00:00+00:00",
        "2026-03-02T22:30:00+00:00",
    ]


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_a_link_out_of_mops_is_refused(url):
    with pytest.raises(InvalidInput, match="must start with a single slash"):
        notify([UserFactory()], "approval.requested", title="Hello", url=url)


def test_an_unregistered_kind_is_a_mistake_of_the_program():
    with pytest.raises(LookupError, match="register_kind"):
        notify([UserFactory()], "no.such", title="Hello")


def test_a_mandatory_kind_offers_no_off():
    assert Reach.OFF not in dict(kind_of("security.changed").choices)
    assert Reach.OFF in dict(kind_of("approval.requested").choices)


def test_a_long_title_is_cut_and_nobody_is_told_nothing():
    notify([UserFactory()], "approval.requested", title="x" * 300)
    assert len(Notification.objects.get().title) == 200
    assert notify(User.objects.none(), "approval.requested", title="Hello") == 0
