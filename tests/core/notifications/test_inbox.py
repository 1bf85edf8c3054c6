"""The inbox, the preferences and the mail log."""

import datetime as dt

import pytest
from django.urls import reverse

from apps.accounts.enums import Role
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.notifications.domain.notifying import notify
from apps.core.notifications.domain.preferring import choices_of, prefer
from apps.core.notifications.domain.reading import mark_all_read, mark_read, unread_count
from apps.core.notifications.enums import Reach
from apps.core.notifications.kinds import all_kinds
from apps.core.notifications.models import Delivery, MailHours, Notification, Preference
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of, queries_of
from tests.factories.accounts import TeamFactory, UserFactory, person_with

pytestmark = pytest.mark.django_db
INBOX = reverse("admin:notifications_notification_changelist")
PREFERENCES = reverse("admin:notifications_notification_preferences")


def tell(person, **fields):
    notify([person], "approval.decided", **{"title": "The plan was approved", **fields})
    return Notification.objects.filter(recipient=person).latest("pk")


def mark(row, verb="read"):
    return reverse(f"admin:notifications_notification_{verb}", args=(row.pk,))


@pytest.fixture
def ops(client):
    person = person_with(Role.OPS)
    client.force_login(person)
    return person


def test_people_read_their_own_and_nobody_elses(client, ops):
    mine, theirs = tell(ops, title="Mine"), tell(person_with(Role.ADMINISTRATOR), title="Theirs")
    page = client.get(INBOX).content.decode()
    assert "Mine" in page
    assert "Theirs" not in page
    assert client.get(page_of(mine)).status_code == 200
    assert client.get(page_of(theirs)).status_code == 404
    assert client.post(mark(theirs)).status_code == 404
    theirs.refresh_from_db()
    assert theirs.read_at is None


def test_the_link_leads_to_the_record_only_while_the_person_may_see_it(client, ops):
    team = TeamFactory(name="Team Quartz")
    tell(ops, body="A secret plan", subject=team)
    page = client.get(INBOX).content.decode()
    assert page_of(team) in page
    assert "A secret plan" in page
    ops.groups.clear()
    ops.user_permissions.set(_notification_permissions())
    page = client.get(INBOX).content.decode()
    assert page_of(team) not in page
    assert "A secret plan" not in page
    assert "You can no longer see what this is about." in page


def _notification_permissions():
    from django.contrib.auth.models import Permission

    return Permission.objects.filter(content_type__app_label="notifications", content_type__model="notification")


def test_unread_come_first_and_are_counted_in_the_menu(client, ops):
    first, second = tell(ops, title="First"), tell(ops, title="Second")
    mark_read(second, by=ops)
    page = client.get(INBOX)
    assert [each.notification for each in page.context["told"]] == [first, second]
    items = [item for group in page.context["sidebar_navigation"] for item in group["items"]]
    assert [item["badge"] for item in items if item.get("badge")] == ["1"]


def test_marking_is_a_post_and_goes_back_to_the_same_filter(client, ops):
    row = tell(ops)
    assert client.get(mark(row)).status_code == 405
    answer = client.post(mark(row) + "?show=unread&p=2")
    assert answer["Location"] == f"{INBOX}?show=unread&p=2"
    assert unread_count(ops) == 0
    client.post(mark(row, "unread"))
    assert unread_count(ops) == 1
    assert client.post(mark(row), headers={"X-Requested-With": "fetch"}).status_code == 204
    tell(ops)
    client.post(reverse("admin:notifications_notification_read_all"))
    assert unread_count(ops) == 0


def test_filters_and_search(client, ops):
    mark_read(tell(ops, title="Old news"), by=ops)
    tell(ops, title="Fresh news")
    notify([ops], "security.changed", title="Password changed")

    def titles(query):
        return {each.notification.title for each in client.get(INBOX + query).context["told"]}

    assert titles("?show=unread") == {"Fresh news", "Password changed"}
    assert titles("?kind=security.changed") == {"Password changed"}
    assert titles("?q=news") == {"Old news", "Fresh news"}
    assert b"Nothing fits these filters." in client.get(INBOX + "?q=zebra").content


def test_empty_states(client, ops):
    assert b"Nobody has told you anything yet." in client.get(INBOX).content
    mark_read(tell(ops), by=ops)
    assert b"You have read everything." in client.get(INBOX + "?show=unread").content


def test_the_inbox_asks_the_same_however_long_it_is(client, ops):
    teams = [TeamFactory() for _ in range(3)]
    tell(ops, subject=teams[0])
    assert_same_queries(client, INBOX, lambda: [tell(ops, subject=team) for team in teams[1:]])


def test_the_badge_costs_one_query(ops, django_assert_num_queries):
    tell(ops)
    ops.get_all_permissions()  # every page has asked for these already
    with django_assert_num_queries(1):
        assert unread_count(ops) == 1


def test_the_home_page_shows_what_is_unread(client, ops):
    home = reverse("admin:index")
    assert b"Unread notifications" not in client.get(home).content
    team = TeamFactory()
    tell(ops, title="Look at this", subject=team)
    page = client.get(home).content.decode()
    assert "Look at this" in page
    assert page_of(team) in page


def test_an_auditor_reads_and_changes_nothing(client):
    auditor = person_with(Role.AUDITOR)
    client.force_login(auditor)
    row = tell(auditor)
    assert client.get(INBOX).status_code == 200
    assert client.post(mark(row), headers={"X-Requested-With": "fetch"}).status_code == 403
    client.post(reverse("admin:notifications_notification_read_all"))
    client.post(PREFERENCES, _form(auditor))
    row.refresh_from_db()
    assert (row.read_at, Preference.objects.count(), MailHours.objects.count()) == (None, 0, 0)
    assert unread_count(auditor) == 0  # a badge that can never go away helps nobody
    with pytest.raises(NotAllowed, match="Your role reads everything and changes nothing, read marks"):
        mark_all_read(auditor, by=auditor)
    with pytest.raises(NotAllowed, match="Your role reads everything and changes nothing, preferences"):
        _prefer(auditor, auditor)


def test_nobody_marks_or_chooses_for_somebody_else(ops):
    other = person_with(Role.OPS)
    with pytest.raises(NotAllowed, match="Only the person who was told"):
        mark_read(tell(other), by=ops)
    with pytest.raises(NotAllowed, match="Only the person who was told"):
        mark_all_read(other, by=ops)
    with pytest.raises(NotAllowed, match="People choose for themselves"):
        _prefer(other, ops)


def _form(person, **changed):
    form = {f"kind:{key}": reach for key, reach in choices_of(person).items()}
    return {**form, "quiet_from": "", "quiet_until": "", "digest_at": "08:00", **changed}


def _prefer(person, by, **changed):
    given = {"reaches": {}, "quiet_from": None, "quiet_until": None, "digest_at": dt.time(8), **changed}
    return prefer(person, by=by, **given)


def test_people_choose_how_they_are_told(client, ops):
    answer = client.post(PREFERENCES, _form(ops), follow=True)
    assert b"Nothing was different." in answer.content
    assert Preference.objects.count() == 0
    changed = {"kind:approval.requested": "digest", "quiet_from": "20:00", "quiet_until": "07:00"}
    answer = client.post(PREFERENCES, _form(ops, **changed), follow=True)
    assert b"Your choices are saved." in answer.content
    assert choices_of(ops)["approval.requested"] == Reach.DIGEST
    assert str(MailHours.objects.get()) == f"Mail hours of {ops}"
    assert Preference.objects.get().history.get().actor_label == ops.email


def test_impossible_choices_are_refused_in_words(client, ops):
    page = client.get(PREFERENCES)
    assert len(list(page.context["form"].groups())) == len({kind.group for kind in all_kinds()})
    answer = client.post(PREFERENCES, _form(ops, quiet_from="20:00"))
    assert b"Quiet hours need a beginning and an end that differ, or neither." in answer.content
    with pytest.raises(InvalidInput, match=r"“My sign-in changed” cannot be switched off"):
        _prefer(ops, ops, reaches={"security.changed": "off"})
    assert client.post(PREFERENCES, _form(ops, **{"kind:security.changed": "off"})).status_code == 200
    assert Preference.objects.count() == 0


def test_the_mail_log_is_everybodys_for_those_who_look_after_it_and_ones_own_for_the_rest(client, ops):
    other = UserFactory(full_name="Zoe Quartz")
    notify([other, ops], "approval.requested", title="A private title")
    administrator, auditor = person_with(Role.ADMINISTRATOR), person_with(Role.AUDITOR)
    for person, sees in ((ops, False), (administrator, True), (auditor, True)):
        client.force_login(person)
        page = client.get(list_of(Delivery)).content.decode()
        assert ("Zoe Quartz" in page) is sees
        assert "A private title" not in page
    theirs = Delivery.objects.get(person=other)
    Delivery.objects.update(state="dead")
    client.force_login(auditor)
    client.post(button_of(theirs, "resend"))
    theirs.refresh_from_db()
    assert theirs.state == "dead"
    client.force_login(administrator)
    client.post(button_of(theirs, "resend"))
    theirs.refresh_from_db()
    assert theirs.state == "queued"


def test_the_mail_log_asks_the_same_however_long_it_is(client):
    client.force_login(person_with(Role.ADMINISTRATOR))
    people = UserFactory.create_batch(3)
    notify(people[:1], "approval.requested", title="One")
    assert_same_queries(client, list_of(Delivery), lambda: notify(people[1:], "approval.requested", title="More"))
    assert queries_of(client, page_of(Delivery.objects.first())) < 30
