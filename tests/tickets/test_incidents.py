"""The change log of another service desk: incidents with their history, the second time nothing is written."""

import datetime as dt

import pytest
from django.db import InternalError, ProgrammingError, connection
from django.urls import reverse

from apps.accounts.enums import Role
from apps.audit.models import AuditEvent
from apps.core.calendars.domain.queries import default_calendar
from apps.core.exchange.registry import get_importer
from apps.tickets.domain.comparing import ASSUMED, Way, compare, segments_of
from apps.tickets.enums import EventKind, TicketState
from apps.tickets.models import ImportedChange, ImportedIncident, Ticket, TicketEvent
from apps.tickets.targets import read_targets
from tests.factories.accounts import person_with, sign_in
from tests.factories.calendars import published_calendar
from tests.factories.exchange import import_text
from tests.factories.tickets import QueueFactory, colleague

pytestmark = pytest.mark.django_db
HEAD = (
    "number,incident_state,reassignment_count,reopen_count,sys_mod_count,made_sla,caller_id,opened_at,sys_updated_by,"
    "sys_updated_at,category,impact,urgency,assignment_group,assigned_to,resolved_at,closed_at"
)


def row(number, state, change, at, *, sla="TRUE", reopened=0, moved=0, group="Group 1", who="?", level="2 - Medium"):
    ended = "02-03-2026 17:00,02-03-2026 17:00" if state in ("Resolved", "Closed") else "?,?"
    return (
        f"{number},{state},{moved},{reopened},{change},{sla},Caller 1,02-03-2026 09:00,Updated by 1,{at},"
        f"Category 5,{level},{level},{group},{who},{ended}"
    )


STORY = [
    row("INC1", "New", 0, "02-03-2026 09:00"),
    row("INC1", "Active", 1, "02-03-2026 10:00", who="Resolver 3"),
    row("INC1", "Awaiting User Info", 2, "02-03-2026 11:00", who="Resolver 3"),
    row("INC1", "Active", 3, "02-03-2026 13:00", who="Resolver 4", group="Group 2", moved=1),
    row("INC1", "Resolved", 4, "02-03-2026 17:00", who="Resolver 4", group="Group 2", moved=1),
    row("INC1", "Active", 5, "03-03-2026 09:00", reopened=1, who="Resolver 4", group="Group 2", moved=1),
    row("INC1", "Closed", 6, "04-03-2026 09:00", reopened=1, moved=1, group="Group 2", level="1 - High"),
]


@pytest.fixture
def ops(db):
    QueueFactory(is_default=True, name="Desk")
    return person_with(Role.OPS)


def bring(lines, by):
    return import_text("tickets.incidents", "\n".join([HEAD, *lines]), by=by)


def test_changes_become_a_ticket_with_its_history(ops):
    batch = bring(STORY, ops)
    assert batch.counts == {"created": 7}
    ticket = Ticket.objects.get()
    assert (ticket.title, ticket.state, ticket.priority) == ("INC1: Category 5", TicketState.CLOSED, 1)
    assert (ticket.reopened, ticket.reassigned, ticket.requester_name) == (1, 1, "Caller 1")
    told = [(each.kind, each.before, each.after) for each in ticket.events.order_by("at", "id")]
    assert told == [
        (EventKind.OPENED, "", "Desk"),
        (EventKind.QUEUE, "", "Group 1"),
        (EventKind.STATE, "New", "Open"),
        (EventKind.ASSIGNED, "", "Resolver 3"),
        (EventKind.STATE, "Open", "Waiting for requester"),
        (EventKind.STATE, "Waiting for requester", "Open"),
        (EventKind.ASSIGNED, "Resolver 3", "Resolver 4"),
        (EventKind.QUEUE, "Group 1", "Group 2"),
        (EventKind.STATE, "Open", "Resolved"),
        (EventKind.REOPENED, "Resolved", "Open"),
        (EventKind.STATE, "Open", "Closed"),
        (EventKind.ASSIGNED, "Resolver 4", "Nobody"),
        (EventKind.PRIORITY, "P3 normal", "P1 critical"),
    ]


def test_times_are_read_in_the_zone_of_the_default_calendar(ops):
    bring(STORY[:1], ops)
    incident = ImportedIncident.objects.get()
    zone = default_calendar().versions.get().zone
    assert incident.zone == zone
    assert incident.ticket.opened_at.astimezone(dt.UTC).hour == (8 if zone == "Europe/Berlin" else 9)


def test_the_second_time_nothing_is_written(ops):
    bring(STORY, ops)
    before = (AuditEvent.objects.count(), TicketEvent.objects.count(), Ticket.objects.get().row_version)
    assert bring(STORY, ops).counts == {"unchanged": 7}
    after = (
        AuditEvent.objects.filter(table_name__startswith="tickets_").count(),
        TicketEvent.objects.count(),
        Ticket.objects.get().row_version,
    )
    assert after[1:] == before[1:]
    assert ImportedChange.objects.count() == 7


def test_what_comes_later_goes_on_from_there(ops):
    bring(STORY[:4], ops)
    batch = bring(STORY, ops)
    assert batch.counts == {"unchanged": 4, "updated": 3}
    assert TicketEvent.objects.count() == 13
    assert Ticket.objects.get().state == TicketState.CLOSED


def test_rows_in_any_order_tell_the_same_story(ops):
    bring(STORY[::-1], ops)
    assert TicketEvent.objects.filter(kind=EventKind.REOPENED).count() == 1
    assert Ticket.objects.get().state == TicketState.CLOSED


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (STORY[0].replace("New", "Lost"), "State: “Lost” is no state that is known; known are New, Active, "),
        (STORY[0].replace("02-03-2026 09:00", "2026/03/02"), "is no moment; write it like 29-02-2016 01:16."),
        (STORY[0].replace("2 - Medium", "9"), "“9” is no level; they are 1 - High, 2 - Medium and 3 - Low."),
        (row("INC1", "New", 0, "01-03-2026 09:00"), "before it was opened."),
        (row("INC1", "New", 0, "?"), "A change says when it happened and when its incident was opened."),
        (row("?", "New", 0, "02-03-2026 09:00"), "The row names no incident."),
    ],
)
def test_what_cannot_be_is_refused_in_words(ops, line, sentence):
    batch = bring([line, STORY[1].replace("INC1", "INC2")], ops)
    assert batch.counts == {"refused": 1, "created": 1}
    assert sentence in batch.outcomes.get(kind="refused").reason


def test_history_does_not_change(ops):
    bring(STORY[:2], ops)
    batch = bring([STORY[0], STORY[1].replace("Resolver 3", "Resolver 9")], ops)
    assert batch.counts == {"unchanged": 1, "refused": 1}
    words = "Change 1 of INC1 came in with other facts; its history does not change."
    assert batch.outcomes.get(kind="refused").reason == words


def test_database_keeps_what_the_file_said(ops):
    bring(STORY[:1], ops)
    with pytest.raises((InternalError, ProgrammingError)), connection.cursor() as cursor:
        cursor.execute("UPDATE tickets_importedchange SET state = 'closed'")


def test_without_a_queue_nothing_comes_in(db):
    batch = bring(STORY[:1], person_with(Role.OPS))
    assert batch.counts == {"refused": 1}
    assert "There is no queue to put it in" in batch.outcomes.get().reason


def test_only_the_desk_imports(ops):
    importer = get_importer("tickets.incidents")
    refused = "You may not import incidents of another service desk: that takes the right to add and to change them."
    assert importer.refuse(colleague()) == refused
    assert importer.refuse(ops) is None


@pytest.fixture
def berlin(ops):
    return published_calendar(person_with(Role.ADMINISTRATOR), zone=default_calendar().versions.get().zone)


def test_comparison_states_what_it_assumes_and_where_both_differ(ops, berlin):
    bring([*STORY[:5], *(each.replace("INC1", "INC2").replace("TRUE", "FALSE") for each in STORY[:5])], ops)
    found = compare(ImportedIncident.objects.all(), targets=read_targets(ASSUMED), calendar=berlin)
    line = found.lines[0]
    assert (found.total, line.table, found.agreeing) == (2, (1, 0, 0, 1), 0.5)
    assert [each.took for each in line.measured] == [dt.timedelta(hours=6)] * 2
    assert [each.waited for each in line.measured] == [dt.timedelta(hours=2)] * 2
    assert found.counts == (2, 2, 2)
    wide = compare(ImportedIncident.objects.all(), targets=read_targets("P3 | - | - | 7 h"), calendar=berlin)
    assert wide.ways == [Way(True, 2, 0, 0.5), Way(False, 0, 2, 0.5)]  # six hours, and eight with the wait
    assert wide.turned == 2
    without = compare(
        ImportedIncident.objects.all(), targets=read_targets("P3 | - | - | 7 h"), calendar=berlin, pauses=False
    )
    assert without.lines[0].table == (0, 1, 1, 0)


def test_best_target_is_where_both_agree_most(ops, berlin):
    lines = []
    for number, (hour, sla) in enumerate([(10, "TRUE"), (12, "TRUE"), (14, "FALSE"), (16, "FALSE")]):
        lines.append(
            f"INC{number},Resolved,0,0,1,{sla},C,02-03-2026 09:00,U,02-03-2026 {hour}:00,Cat,2 - Medium,2 - Medium,G,?,"
            f"02-03-2026 {hour}:00,?"
        )
    bring(lines, ops)
    found = compare(ImportedIncident.objects.all(), targets=read_targets(ASSUMED), calendar=berlin)
    assert found.lines[0].best == (dt.timedelta(hours=3), 1.0)


def test_stretches_cover_the_time_from_opening_to_resolution(ops):
    bring(STORY[:5], ops)
    incident = ImportedIncident.objects.get()
    pieces = segments_of(incident, incident.changes.all(), pauses=True)
    assert [each.running for each in pieces] == [True, False, True]
    assert (pieces[0].started, pieces[-1].ended) == (incident.ticket.opened_at, incident.ticket.resolved_at)


def test_pages_show_the_rows_and_the_comparison(client, ops):
    bring(STORY, ops)
    sign_in(client, person_with(Role.AUDITOR))
    incident = ImportedIncident.objects.get()
    assert "Resolver 4" in client.get(f"/admin/tickets/importedincident/{incident.pk}/change/").content.decode()
    page = client.get(reverse("admin:tickets_importedincident_compare")).content.decode()
    assert "Agrees most under" in page
    wrong = client.get(reverse("admin:tickets_importedincident_compare"), {"targets": "P9", "calendar": "1"})
    assert "begins with a tier and a priority" in wrong.content.decode()


def test_comparison_is_not_for_everybody(client, ops):
    sign_in(client, colleague())
    assert client.get(reverse("admin:tickets_importedincident_compare")).status_code in (302, 403)


def test_list_asks_as_few_questions_for_three_as_for_one(client, ops, django_assert_num_queries):
    bring(STORY[:1], ops)
    sign_in(client, ops)
    counts = []
    for more in ([], [each.replace("INC1", name) for name in ("INC2", "INC3") for each in STORY[:1]]):
        if more:
            bring(more, ops)
        client.get("/admin/tickets/importedincident/")
        with connection.execute_wrapper(lambda run, *rest: (counts.append(1), run(*rest))[1]):
            client.get("/admin/tickets/importedincident/")
        counts.append(0)
    one, three = "".join(map(str, counts)).strip("0").split("0")
    assert len(one) == len(three)


def test_the_real_incidents_come_in_once(shared_data, ops, proof):
    whole = (shared_data / "incidents.csv").read_bytes().decode("latin1").splitlines()
    text = "\n".join(whole if proof else whole[:400])
    batch = import_text("tickets.incidents", text, by=ops)
    assert sum(batch.counts.values()) == len(text.splitlines()) - 1
    again = import_text("tickets.incidents", text, by=ops)
    assert again.counts.get("unchanged", 0) + again.counts.get("refused", 0) == sum(batch.counts.values())
    found = compare(ImportedIncident.objects.all(), targets=read_targets(ASSUMED), calendar=default_calendar())
    assert found.total > 50
    if proof:
        assert ImportedIncident.objects.count() == 890
        assert found.counts[1] >= 880
