"""Many processes at once: nobody is told twice, no mail goes twice."""

import threading
from collections import Counter

import pytest
from django.db import connection

from apps.core.notifications.domain import delivering
from apps.core.notifications.domain.digests import queue_digests
from apps.core.notifications.domain.notifying import notify
from apps.core.notifications.enums import Reach
from apps.core.notifications.models import Delivery, MailHours, Notification, Preference
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


def together(number, work):
    barrier, raised = threading.Barrier(number), []

    def one():
        barrier.wait()
        try:
            work()
        except Exception as error:  # noqa: BLE001  # shown by the test
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(number)]
    [each.start() for each in threads]
    [each.join() for each in threads]
    assert raised == []


def test_the_same_news_reaches_a_person_once(proof):
    people = UserFactory.create_batch(5)
    together(24 if proof else 6, lambda: notify(people, "approval.requested", title="Overdue", dedupe="overdue:1"))
    assert Notification.objects.count() == Delivery.objects.count() == 5


def test_each_mail_is_handed_over_once(monkeypatch, proof):
    got, lock = Counter(), threading.Lock()

    class Server:
        def send_messages(self, messages):
            with lock:
                got.update(each.extra_headers["Message-ID"] for each in messages)
            return len(messages)

        def close(self):
            pass

    monkeypatch.setattr(delivering, "get_connection", Server)
    number = 200 if proof else 30
    notify(UserFactory.create_batch(number), "approval.requested", title="Hello")
    together(8 if proof else 4, lambda: delivering.deliver_due(most=number))
    assert len(got) == number
    assert set(got.values()) == {1}
    assert Delivery.objects.filter(state="sent", attempts=1).count() == number


def test_a_person_gets_one_digest_a_day(proof):
    person = UserFactory()
    MailHours.objects.create(person=person, digest_at="00:00")
    Preference.objects.create(person=person, kind="approval.requested", reach=Reach.DIGEST)
    notify([person], "approval.requested", title="Hello")
    together(12 if proof else 4, queue_digests)
    assert Delivery.objects.count() == 1
    assert Notification.objects.get().digest == Delivery.objects.get()
