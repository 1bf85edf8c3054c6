"""Duties with evidence, standards, and availability where unknown is not up."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.notifications.models import Notification
from apps.technology.domain import availability, duties
from apps.technology.domain.availability import Availability, verdict
from apps.technology.domain.lifecycle import move_tool
from apps.technology.domain.reviews import make_pack
from apps.technology.enums import Duty, Lifecycle
from apps.technology.models import (
    AdminStandard,
    AvailabilitySample,
    DutyDone,
    OwnerDuty,
    ServiceTarget,
    StandardCheck,
    Transfer,
)
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories import technology as make
from tests.factories.accounts import person_with

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 22)


@pytest.fixture
def ops():
    return person_with(Role.OPS)


def refused(statement):
    with pytest.raises((DatabaseError, IntegrityError)) as caught, transaction.atomic():
        statement()
    return sentence_of(caught.value)


def test_tools_in_use_get_their_duties_once(ops):
    make.ToolFactory(active=True), make.ToolFactory()
    assert duties.give_duties(TODAY, by=ops) == 5
    assert duties.give_duties(TODAY, by=ops) == 0
    assert set(OwnerDuty.objects.values_list("kind", flat=True)) == set(Duty.values)
    assert {each.due_on for each in OwnerDuty.objects.all()} == {dt.date(2026, 12, 22)}
    assert OwnerDuty.history.first().actor_label


def test_a_duty_is_done_with_evidence_and_comes_again(ops):
    duty = make.OwnerDutyFactory(every_months=3)
    with pytest.raises(InvalidInput, match="a duty is done with evidence"):
        duties.do_duty(duty, by=ops, reason=" ")
    said = duties.do_duty(duty, by=ops, reason="Restored a copy", at=dt.datetime(2026, 11, 30, 9, tzinfo=dt.UTC))
    assert said.endswith("is done; next by 28 February 2027.")
    assert DutyDone.objects.get().was_due_on == duty.due_on
    with pytest.raises(DatabaseError), transaction.atomic():
        DutyDone.objects.update(evidence="Something else")
    by_hand = OwnerDuty.objects.filter(pk=duty.pk)
    assert refused(lambda: by_hand.update(last_done_on=TODAY)).startswith("A duty is done by its button")
    with pytest.raises(NotAllowed, match="Only who answers for the tool"):
        duties.do_duty(duty, by=person_with(Role.AUDITOR), reason="Seen")
    with pytest.raises(NotAllowed, match="You may not see this duty"):
        duties.do_duty(duty, by=person_with(Role.SALES), reason="Seen")
    old = make.OwnerDutyFactory(tool=make.ToolFactory())
    move_tool(old.tool, to=Lifecycle.RETIRED, by=ops)
    with pytest.raises(WrongState, match="is retired; there is nothing to do"):
        duties.do_duty(old, by=ops, reason="Done")


def test_who_is_named_or_owns_the_tool_does_it():
    owner, named = person_with(Role.APPROVER), person_with(Role.APPROVER)
    duty = make.OwnerDutyFactory(tool=make.ToolFactory(active=True, owner_person=owner))
    assert duties.refuse_done(owner, duty) is None
    assert duties.refuse_done(named, duty).startswith("Only who answers for the tool")
    duty.person = named
    assert duties.refuse_done(named, duty) is None
    assert duties.refuse_done(owner, duty) is not None


def test_reminders_come_at_14_and_3_days_and_on_the_day_once_each():
    owner = person_with(Role.OPS)
    tool = make.ToolFactory(active=True, owner_person=owner)
    make.OwnerDutyFactory(tool=tool, due_on=TODAY)
    for ahead in (15, 14, 4, 3, 1, 0, 0):
        duties.remind_duties(TODAY - dt.timedelta(days=ahead))
    assert Notification.objects.filter(recipient=owner).count() == 3
    assert list(duties.overdue_duties(owner, TODAY)) == []
    late = duties.overdue_duties(owner, TODAY + dt.timedelta(days=1))
    assert [each.since for each in late] == [TODAY]


@pytest.mark.parametrize(
    ("up", "down", "unknown", "percent", "at_best", "said"),
    [
        (43_200, 0, 0, "100.000", "100.000", "met"),
        (42_984, 216, 0, "99.500", "99.500", "met"),
        (42_983, 217, 0, "99.497", "99.497", "missed"),
        (0, 0, 43_200, None, "100.000", "unknown"),
        (43_000, 0, 200, "99.537", "100.000", "met"),
        (40_000, 0, 3_200, "92.592", "100.000", "unknown"),
        (40_000, 300, 2_900, "92.592", "99.305", "missed"),
    ],
)
def test_unknown_is_not_up(up, down, unknown, percent, at_best, said):
    found = Availability(up, down, unknown)
    assert found.percent == (Decimal(percent) if percent else None)
    assert found.at_best == Decimal(at_best)
    assert verdict(found, Decimal("99.5")) == said
    assert verdict(found, None) == "unknown"


def sample(tool, start, minutes=60, **changed):
    given = {"up_minutes": minutes, "source": "Monitor"} | changed
    return AvailabilitySample(tool=tool, starts_at=start, ends_at=start + dt.timedelta(minutes=minutes), **given)


def test_every_minute_counts_once():
    tool, now = make.ToolFactory(active=True), clock.now()
    start = now - dt.timedelta(hours=10)
    sample(tool, start, up_minutes=50, down_minutes=10, response_ms=900).save()
    assert refused(lambda: sample(tool, start + dt.timedelta(minutes=30)).save()).startswith("Part of this period is")
    too_many = sample(tool, start + dt.timedelta(hours=2), down_minutes=1)
    assert refused(too_many.save).startswith("A period has no more minutes than it is long")
    backwards = sample(tool, start + dt.timedelta(hours=3))
    backwards.ends_at = backwards.starts_at
    assert refused(backwards.save) is not None
    sample(tool, start + dt.timedelta(hours=1)).save()
    found = availability.availability_of([tool.pk], start, now)[tool.pk]
    assert (found.up, found.down, found.unknown, found.response_ms) == (110, 10, 480, 900)
    with pytest.raises(InvalidInput, match="A span ends after it starts"):
        availability.availability_of([tool.pk], now, now)


def test_measurements_are_refused_in_words(client, ops):
    client.force_login(ops)
    tool = make.ToolFactory(active=True)
    form = {"tool": tool.pk, "starts_at_0": "2026-11-01", "starts_at_1": "10:00:00", "ends_at_0": "2026-11-01"}
    form |= {"ends_at_1": "11:00:00", "up_minutes": 61, "down_minutes": 0, "source": "Log"}
    page = client.post(list_of(AvailabilitySample) + "add/", form).content.decode()
    assert "The period has 60 minutes; up and down together are more." in page
    page = client.post(list_of(AvailabilitySample) + "add/", {**form, "ends_at_1": "09:00:00"}).content.decode()
    assert "A period ends after it starts" in page
    assert client.post(list_of(AvailabilitySample) + "add/", {**form, "up_minutes": 60}).status_code == 302
    target = ServiceTarget.objects.create(tool=tool)
    assert "unknown" in client.get(page_of(target)).content.decode()


def test_a_check_says_what_shows_it():
    check = make.StandardCheckFactory()
    by_hand = StandardCheck.objects.filter(pk=check.pk)
    assert refused(lambda: by_hand.update(follows="no")) == "Say what shows it: yes or no alone is no check."


@pytest.mark.parametrize(
    ("model", "factory"),
    [
        (OwnerDuty, make.OwnerDutyFactory),
        (DutyDone, make.DutyDoneFactory),
        (AdminStandard, make.AdminStandardFactory),
        (StandardCheck, make.StandardCheckFactory),
        (ServiceTarget, make.ServiceTargetFactory),
    ],
    ids=lambda each: each.__name__,
)
def test_lists_cost_the_same_at_one_and_three_rows(client, ops, model, factory):
    client.force_login(ops)
    factory()
    assert assert_same_queries(client, list_of(model), lambda: [factory() for _ in range(2)]) < 30


def test_the_button_on_the_page_does_a_duty(client, ops):
    client.force_login(ops)
    duty = make.OwnerDutyFactory()
    assert "Errors, integrations, limits" in client.get(button_of(duty, "done")).content.decode()
    client.post(button_of(duty, "done"), {"reason": "Nothing open"})
    assert "Nothing open" in client.get(page_of(duty)).content.decode()
    assert duty.tool.name in client.get(page_of(duty.tool)).content.decode()


def test_a_review_pack_says_how_integrations_do(ops):
    make.StackPolicyFactory()
    tool = make.ToolFactory(active=True, name="CRM")
    good, late, failing = (make.IntegrationFactory(source=tool, live=True) for _ in range(3))
    make.IntegrationFactory(target=tool, live=True)  # never seen working: not well
    now = clock.now()
    for integration, ok, ago in ((good, True, 1), (late, True, 60 * 24 * 3), (failing, False, 1)):
        Transfer.objects.create(integration=integration, ok=ok, at=now - dt.timedelta(minutes=ago), source="Log")
    item = make_pack(by=ops).items.get(tool=tool)
    assert (item.integrations, item.unhealthy) == (4, 3)
