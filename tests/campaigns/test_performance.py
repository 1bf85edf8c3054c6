"""Figures by day, the ranges they were agreed to stay in, and what is frozen at the closure."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from apps.accounts.enums import Role
from apps.campaigns.domain import performance
from apps.campaigns.domain.closure import close_campaign, complete_campaign, digest_of
from apps.campaigns.domain.launch import launch_campaign, launch_conditions
from apps.campaigns.domain.performance import Figure, is_outside
from apps.campaigns.models import Campaign, Closing, MetricDay, Threshold
from apps.core.actors import acting_as
from apps.core.admin_kit.refusals import sentence_of
from apps.core.alerts.models import Alert
from apps.core.exchange.registry import Row, get_importer
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of, whole_page_of
from tests.factories.accounts import person_with
from tests.factories.campaigns import approved, in_state, planned

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("value", "was", "outside"),
    [
        *((100, False, False), (99, False, True), (104, True, True), (105, True, False), (200, False, False)),
        *((201, False, True), (191, True, True), (190, True, False)),
    ],
)
def test_limits_are_inside_and_the_way_back_is_longer(value, was, outside):
    assert is_outside(Decimal(value), Decimal(100), Decimal(200), was=was, margin=5) is outside


def days(campaign, *values, metric="clicks"):
    first = NOON.date() - len(values) * DAY
    rows = [Figure(campaign.pk, metric, first + n * DAY, Decimal(value)) for n, value in enumerate(values)]
    return performance.write_figures(rows)


def test_a_live_campaign_is_watched_alerted_about_and_quiet_again():
    ops = person_with(Role.OPS)
    campaign = approved(author=ops, name="Spring", owner_person=ops)
    launch_campaign(campaign, by=ops, at=NOON - 20 * DAY)
    assert days(campaign, *[1] * 7) == 7
    assert days(campaign, *[1] * 7) == 0
    assert performance.watch(NOON.date(), now=NOON) == {"watched": 1, "outside": 1, "back": 0}
    alert = Alert.objects.get()
    assert (alert.title, alert.owner_person, alert.runbook) == (
        "Spring: clicks is 7, expected at least 10",
        ops,
        "Look at the landing page.",
    )
    row = Threshold.objects.get()
    assert (row.out_since, row.last_value) == (NOON, Decimal(7))
    days(campaign, *[1] * 6, 4)
    assert performance.watch(NOON.date(), now=NOON + DAY)["outside"] == 1
    days(campaign, *[1] * 6, 5)
    assert performance.watch(NOON.date(), now=NOON + DAY) == {"watched": 1, "outside": 0, "back": 1}
    alert.refresh_from_db()
    row.refresh_from_db()
    assert (alert.state, row.out_since) == ("resolved", None)


def test_who_is_not_live_or_not_long_enough_is_not_watched():
    ops = person_with(Role.OPS)
    campaign = approved(author=ops)
    days(campaign, *[1] * 7)
    assert performance.watch(NOON.date())["watched"] == 0
    launch_campaign(campaign, by=ops, at=NOON - 3 * DAY)
    assert performance.watch(NOON.date())["watched"] == 0


def test_thresholds_are_agreed_with_the_plan():
    ops = person_with(Role.OPS)
    campaign = planned(author=ops)
    gate = {each.key: each for each in launch_conditions(campaign, NOON.date())}
    assert gate["monitoring"].says == (
        "no threshold is set; take it back to planning and say which figure must stay where"
    )
    late = approved(author=ops)
    assert performance.threshold_finding(late, NOON.date()).says == "clicks at least 10 in 7 days"
    for change in ({"low": 1}, {"archived_at": NOON}):
        with pytest.raises(DatabaseError) as caught, transaction.atomic():
            Threshold.objects.filter(campaign=late).update(**change)
        assert sentence_of(caught.value).startswith("Thresholds are agreed with the plan")
    for fields, sentence in (
        ({"low": None}, "Say at least how much, or at most how much, or both."),
        ({"low": 5, "high": 5}, "The lower limit is below the upper one; look at the two."),
    ):
        with pytest.raises(DatabaseError) as caught, transaction.atomic():
            Threshold.objects.create(campaign=campaign, metric="clicks", runbook="x", **fields)
        assert sentence_of(caught.value) == sentence


def test_figures_come_in_from_a_file_row_by_row():
    ops = person_with(Role.OPS)
    campaign, over = in_state("live", name="Spring"), in_state("closed", name="Over")
    importer = get_importer("campaigns.figures")

    def row(line, **changed):
        cells = {"campaign": "Spring", "metric": "Link Clicks", "day": "2026-05-01", "value": "12"} | changed
        return Row(line, {name: importer.column(name).read(cell) for name, cell in cells.items()})

    with acting_as(ops):
        told = importer.apply(
            [row(1), row(2, campaign="No"), row(3, campaign="Over"), row(4, value="-1", day="2026-05-02")], by=ops
        )
        again = importer.apply([row(1), row(2, value="13", metric="link clicks")][:1], by=ops)
        other = importer.apply([row(1, value="13")], by=ops)
    assert [(each.kind, each.reason) for each in told] == [
        ("created", ""),
        ("refused", "There is no campaign called “No”."),
        ("refused", "Over is closed; its figures stay as they were."),
        ("refused", "A figure is not less than nothing."),
    ]
    assert (again[0].kind, other[0].kind, other[0].changes) == ("unchanged", "updated", {"Value": ("12", "13")})
    assert MetricDay.objects.get().metric == "link_clicks"
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        days(over, 1)
    assert sentence_of(caught.value) == "The campaign is closed; its figures stay as they were."
    assert campaign.metric_days.count() == 1


def test_the_closure_freezes_the_figures():
    ops = person_with(Role.OPS)
    campaign = approved(author=ops, name="Spring")
    launch_campaign(campaign, by=ops, at=NOON)
    days(campaign, 3, 4)
    complete_campaign(campaign, by=ops, at=NOON + DAY)
    close_campaign(campaign, by=ops, results="7 clicks.", lessons="More.", at=NOON + 2 * DAY)
    closing = Closing.objects.get()
    assert closing.figures["figures"] == {"clicks": "7.0000"}
    assert (closing.figures["budget"], closing.digest) == ("12000.00", digest_of(closing.figures))
    with pytest.raises(DatabaseError), transaction.atomic():
        Closing.objects.update(lessons="Other.")


def test_pages(client):
    ops = person_with(Role.OPS)
    client.force_login(ops)
    campaign = planned(author=ops)
    add = f"/admin/campaigns/threshold/add/?campaign={campaign.pk}"
    given = {"campaign": campaign.pk, "metric": "clicks", "low": "10", "high": "", "days": 7, "margin": 5}
    assert client.post(add, given | {"runbook": "Look."}).status_code == 302
    threshold = Threshold.objects.get()
    days(campaign, 3, 4)
    page = client.get(whole_page_of(campaign)).content.decode()
    assert "at least 10 in 7 days" in page
    assert_same_queries(client, list_of(Threshold), lambda: [approved(author=ops) for _ in range(2)])
    assert_same_queries(client, list_of(MetricDay), lambda: days(campaign, 5, 6, 7, metric="cost"))
    over = in_state("completed", name="Over")
    page = client.post(button_of(over, "close"), {"results": "Good.", "lessons": "More."}, follow=True).content.decode()
    assert ("Over is closed; its figures are frozen." in page, "What stood at the closure" in page) == (True, True)
    client.force_login(person_with(Role.AUDITOR))
    assert client.get(page_of(threshold)).status_code == 200
    assert client.post(page_of(threshold), given).status_code == 403
    assert Campaign.objects.count() == 4
