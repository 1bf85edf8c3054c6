"""The figures of the desk: right against hand counts, the same number of questions at any size, files, rights."""

import datetime as dt
import io

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.calendars.domain import business_time
from apps.core.calendars.domain.queries import default_calendar, schedule_for
from apps.core.clocks.domain.laying_out import LAID, lay_out, place_in_laid, worked_in_laid
from apps.core.packs import can_print
from apps.tickets.domain import moves
from apps.tickets.domain.analytics import PERCENTILES, Period, figures
from apps.tickets.domain.conversation import reply
from apps.tickets.domain.linking import spend_time
from apps.tickets.enums import Priority
from apps.tickets.models import Ticket
from tests.factories.accounts import person_with, sign_in
from tests.factories.tickets import QueueFactory, TicketTypeFactory, agent, colleague, ticket

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def desk(db):
    """Five tickets over ten days: three answered, two solved, one of them reopened."""
    by, queue, asks = agent(), QueueFactory(), colleague()
    now = clock.now()
    made = [ticket(by=asks, queue=queue, at=now - n * 2 * DAY - DAY) for n in range(5)]
    for n, each in enumerate(made[:3]):
        reply(each, body="Hello", by=by, at=each.opened_at + (n + 1) * dt.timedelta(hours=5))
    moves.resolve(made[0], by=by, resolution="solved", at=now - dt.timedelta(hours=2))
    moves.resolve(made[1], by=by, resolution="solved", at=now - dt.timedelta(hours=3))
    moves.reopen(made[1], by=by, reason="Not yet", at=now - dt.timedelta(hours=2))
    moves.resolve(made[1], by=by, resolution="solved", at=now - dt.timedelta(hours=1))
    spend_time(made[0], by=by, minutes=90)
    return by, queue, made


def over(days=30, queue=None):
    now = clock.now()
    return Period(now - days * DAY, now, queue)


def counted(by, **given):
    return figures(by, over(**given), now=clock.now())


def test_figures_are_what_was_done(desk):
    by, _, made = desk
    found = counted(by)
    assert (found.opened, found.solved, found.active) == (5, 2, 3)
    assert (found.reopened, found.reassigned, found.moves) == (0.5, 0.0, 0.0)
    assert [(label, count) for label, count, *_ in found.ages] == [
        ("under a day", 0),
        ("1 to 3 days", 0),
        ("3 to 7 days", 1),
        ("7 to 30 days", 2),
        ("over 30 days", 0),
    ]
    assert sum(opened for _, opened, _ in found.volume) == 5
    assert found.load[0].person == str(by)
    by.full_name = ""
    by.save()
    load = counted(by).load[0]
    assert load.person == by.email  # who has no name is called by the address
    assert (load.person, load.active, load.solved, load.minutes) == (str(by), 1, 2, 90)
    assert made[0].pk


def test_times_are_working_time_and_percentiles_by_hand(desk):
    by, _, made = desk
    schedule = schedule_for(default_calendar())
    amounts = sorted(
        business_time.elapsed(schedule, each.opened_at, each.first_response_at)
        for each in Ticket.objects.filter(pk__in=[each.pk for each in made[:3]])
    )
    times = counted(by).first[0]
    assert (times.label, times.count) == (Priority.NORMAL.label, 3)
    expected = []
    for share in PERCENTILES:  # linear interpolation, as percentile_cont defines it
        place = share * (len(amounts) - 1)
        low = int(place)
        high = min(low + 1, len(amounts) - 1)
        expected.append(amounts[low] + (amounts[high] - amounts[low]) * (place - low))
    assert all(abs(one - other) < dt.timedelta(milliseconds=1) for one, other in zip(times.at, expected, strict=True))


def test_working_time_in_arrays_is_that_of_the_function(desk):
    by, _, _ = desk
    kept = default_calendar()
    first, last = counted(by, days=30), counted(by, days=365)
    assert (first.first, first.solution) == (last.first, last.solution)
    version = lay_out(kept)
    moments = [dt.datetime(2000, 1, 1, tzinfo=dt.UTC), *(clock.now() - n * dt.timedelta(hours=7) for n in range(80))]
    asked = f"""
        WITH laid AS MATERIALIZED ({LAID}), moments AS (SELECT unnest(%s::timestamptz[]) AS at)
        SELECT {worked_in_laid("at", "place")}, clocks_worked(%s, at)
        FROM moments CROSS JOIN LATERAL (SELECT {place_in_laid("at")} AS place OFFSET 0) places
    """
    with connection.cursor() as cursor:
        cursor.execute(asked, [version.pk, moments, version.pk])
        found = cursor.fetchall()
    assert [one for one, _ in found] == [other for _, other in found]
    assert found[0] == (None, None)  # before the first year that is laid out


def test_period_and_queue_narrow(desk):
    by, queue, _ = desk
    ticket(queue=QueueFactory(), title="Elsewhere")
    assert counted(by, queue=queue).opened == 5
    assert counted(by).opened == 6
    assert counted(by, days=2).opened == 2


def test_capacity_is_the_working_time_of_the_period(desk):
    by, _, _ = desk
    period = over()
    capacity = business_time.elapsed(schedule_for(default_calendar()), period.since, period.until)
    assert figures(by, period, now=clock.now()).load[0].capacity == capacity


def test_reader_without_the_right_counts_nothing(desk):
    found = counted(colleague())
    assert (found.opened, found.solved, found.active, found.load) == (0, 0, 0, [])


def test_figures_ask_as_few_questions_for_many_as_for_few(desk):
    by, queue, _ = desk
    counted(by)
    with CaptureQueriesContext(connection) as few:
        counted(by)
    for n in range(20):
        each = ticket(queue=queue, kind=TicketTypeFactory() if n % 3 else None, at=clock.now() - n * DAY)
        if n % 2:
            reply(each, body="Hi", by=by, at=each.opened_at + DAY / 4)
    with CaptureQueriesContext(connection) as many:
        counted(by)
    assert len(many) - len(few) <= 1  # the line for all priorities comes with the second priority
    assert len(many) <= 20


@pytest.mark.parametrize("role", [Role.OPS, Role.ADMINISTRATOR, Role.AUDITOR])
def test_page_opens_within_25_questions(client, desk, role):
    sign_in(client, person_with(role))
    client.get("/admin/tickets/figures/")
    with CaptureQueriesContext(connection) as asked:
        page = client.get("/admin/tickets/figures/", {"days": "90"}).content.decode()
    assert "Promises kept, by version of the agreement" in page
    assert len(asked) <= 25, len(asked)


def test_page_is_not_for_everybody(client, desk):
    sign_in(client, colleague())
    assert client.get("/admin/tickets/figures/").status_code in (302, 403)
    assert client.get("/admin/tickets/figures/report.xlsx").status_code in (302, 403)


def test_drill_down_leads_to_the_rows_that_were_counted(client, desk):
    by, _, _ = desk
    sign_in(client, by)
    page = client.get("/admin/tickets/figures/").context
    for name, count in (("opened_url", 5), ("solved_url", 2), ("reopened_url", 1), ("reassigned_url", 0)):
        assert client.get(page[name]).context["cl"].result_count == count, name
    for label, count, url in page["ages"]:
        assert client.get(url).context["cl"].result_count == count, label
    for name, count, url in page["types"]:
        assert client.get(url).context["cl"].result_count == count, name


def test_month_as_a_workbook_and_a_document(client, desk):
    sign_in(client, person_with(Role.AUDITOR))
    month = {"month": f"{clock.now():%Y-%m}"}
    answer = client.get("/admin/tickets/figures/report.xlsx", month)
    rows = list(openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active.values)
    assert rows[0] == ("Part", "About", "Figure", "Value")
    assert ("In short", "Solved", "Value", "2") in rows
    if can_print():
        assert client.get("/admin/tickets/figures/report.pdf", month).content.startswith(b"%PDF")
    assert client.get("/admin/tickets/figures/report.txt").status_code == 404


def test_nonsense_in_the_address_falls_back(client, desk):
    sign_in(client, agent())
    for query in ({"month": "2026-13"}, {"days": "x"}, {"queue": "9" * 30}, {"month": "0000-00"}):
        assert client.get("/admin/tickets/figures/", query).status_code == 200
