"""Blackouts: nothing goes live on these days, by hand, by the clock or by dragging; or one is warned."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from apps.accounts.enums import Role
from apps.campaigns.domain import calendar, scheduling
from apps.campaigns.domain.launch import launch_campaign
from apps.campaigns.models import Blackout
from apps.core.actors import acting_as
from apps.core.errors import WrongState
from apps.technology.domain.notice import counting_calendar
from tests.admin_pages import assert_same_queries, list_of, page_of
from tests.factories.accounts import person_with
from tests.factories.campaigns import approved, planned

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


def blackout(by, **said):
    values = {"name": "Moving the shop", "first_day": dt.date(2026, 6, 1), "last_day": dt.date(2026, 6, 3)}
    with acting_as(by):
        return Blackout.objects.create(**{**values, "reason": "Ask Ines.", **said})


def test_nothing_goes_live_on_a_strict_blackout():
    ops = person_with(Role.OPS)
    blackout(ops)
    campaign = approved(author=ops, name="Spring", ends_on=dt.date(2026, 12, 31))
    said = "Moving the shop (until 3 June 2026): Ask Ines."
    with pytest.raises(WrongState) as caught:
        launch_campaign(campaign, by=ops, at=NOON)
    assert caught.value.message == f"It cannot go live yet. The day is not kept free of launches: no, {said}"
    with pytest.raises(WrongState, match="2 June 2026 is kept free of launches: Moving the shop"):
        scheduling.schedule_launch(campaign, by=ops, launch_at=NOON + dt.timedelta(days=1), now=NOON)
    scheduling.schedule_launch(campaign, by=ops, launch_at=NOON + dt.timedelta(days=4), now=NOON)
    blackout(ops, name="Late", last_day=dt.date(2026, 6, 30))
    assert scheduling.launch_due(campaign.pk, at=NOON + dt.timedelta(days=4)) == "held"


def test_channel_region_and_warnings():
    ops = person_with(Role.OPS)
    blackout(ops, name="Mails", only_channel="email", first_day=dt.date(2099, 6, 1), last_day=dt.date(2099, 6, 2))
    blackout(
        ops,
        name="Fair",
        only_region="DACH",
        is_strict=False,
        first_day=dt.date(2099, 6, 1),
        last_day=dt.date(2099, 6, 9),
    )
    day = {"starts_on": dt.date(2099, 6, 2), "ends_on": dt.date(2099, 7, 1)}
    mail, event, nordic = (
        planned(author=ops, **day),
        planned(author=ops, main_channel="event", region="DACH, UK", **day),
        planned(author=ops, main_channel="event", region="Nordics", **day),
    )
    assert calendar.warnings_of(mail, counting_calendar(), reader=ops) == [
        "2 June 2099 is kept free of launches: Mails (until 2 June 2099): Ask Ines.",
        "2 June 2099 is better avoided: Fair (until 9 June 2099): Ask Ines.",
    ]
    assert len(calendar.warnings_of(event, counting_calendar(), reader=ops)) == 1
    assert calendar.warnings_of(nordic, counting_calendar(), reader=ops) == []
    with pytest.raises(WrongState, match="1 June 2099 is kept free of launches: Mails"):
        calendar.reschedule(mail, by=ops, starts_on=dt.date(2099, 6, 1))
    assert calendar.reschedule(event, by=ops, starts_on=dt.date(2099, 6, 3)).startswith("Campaign")


@pytest.mark.parametrize(
    ("only", "region", "meant"),
    [
        ("UK", "Ukraine", False),
        ("US", "Australia", False),
        ("dach", "DACH, Nordics", True),
        ("UK", "UK and Ireland", True),
        ("UK", "", True),
        ("", "Ukraine", True),
    ],
)
def test_a_region_is_meant_by_its_whole_name(only, region, meant):
    assert Blackout(only_region=only).concerns("email", region) is meant


def test_pages_and_days_that_are_crossed(client):
    ops = person_with(Role.OPS)
    client.force_login(ops)
    with pytest.raises(DatabaseError), transaction.atomic():
        blackout(ops, last_day=dt.date(2026, 1, 1))
    made = blackout(ops)
    assert_same_queries(client, list_of(Blackout), lambda: [blackout(ops, name=f"Other {n}") for n in range(2)])
    form = {"name": "x", "first_day": "2026-06-05", "last_day": "2026-06-01", "reason": "x", "opened_version": 1}
    assert "A blackout cannot end before it begins" in client.post(page_of(made), form).content.decode()
