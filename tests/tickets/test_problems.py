"""Trends among tickets, the problems made of them, and what is done about those."""

import datetime as dt

import pytest
from django.db import DatabaseError, connection, transaction

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.alerts.models import Alert
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.processes.enums import ProcessFigure
from apps.tickets.domain import problems
from apps.tickets.domain.trends import trends, watch_trends
from apps.tickets.enums import ProblemState
from apps.tickets.models import Problem
from tests.factories.accounts import person_with, sign_in
from tests.factories.processes import ProcessFactory
from tests.factories.tickets import QueueFactory, TicketTypeFactory, agent, colleague, ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def many(db):
    """Two tickets a week for a month, nine this week, of one type."""
    kind, now, asks = TicketTypeFactory(name="Broken forms"), clock.now(), colleague()
    for week in range(1, 5):
        for _ in range(2):
            ticket(by=asks, kind=kind, title="Another wish", at=now - dt.timedelta(days=7 * week + 3))
    return [
        ticket(by=asks, kind=kind, title=f"Webinar form {n} loops", at=now - dt.timedelta(days=1)) for n in range(9)
    ]


def test_growth_is_told_by_category_and_by_word(many):
    found = {(each.kind, each.key): each for each in trends()}
    category = found["category", "Broken forms"]
    assert (category.new, category.usual, category.is_growing) == (9, 2.0, True)
    assert category.weeks == (2, 2, 2, 2, 9)
    assert found["word", "webinar"].is_growing
    assert set(category.ids) == {each.pk for each in many}
    assert category.words == ("9 tickets of the category “Broken forms” within a week; 2.0 a week in the month before.")


def test_what_comes_as_usual_is_no_trend(db):
    kind, now, asks = TicketTypeFactory(), clock.now(), colleague()
    for week in range(5):
        for _ in range(6):
            ticket(by=asks, kind=kind, title="As ever", at=now - dt.timedelta(days=7 * week + 3))
    assert [each.is_growing for each in trends()] == [False] * len(trends())


def test_growth_raises_an_alert_that_ends_with_it(many):
    assert watch_trends()["growing"] == 4  # the type, and three words of the titles
    alert = Alert.objects.get(fingerprint="tickets.trend:category:Broken forms")
    assert alert.title == "Tickets about “Broken forms” grow."
    assert watch_trends(now=clock.now() + dt.timedelta(days=20)) == {"growing": 0, "over": 4}


def test_trends_count_what_the_reader_may_see(many):
    assert trends(reader=colleague()) == []
    assert trends(reader=agent())


def test_trends_look_at_five_weeks_by_index(many):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT id FROM tickets_ticket WHERE opened_at >= now() - interval '35 days'")
        assert "ticket_by_opening" in str(cursor.fetchall())


def test_problem_goes_from_investigation_to_solution(many):
    by = agent()
    problem = problems.open_problem(title="Form loops", by=by, tickets=many)
    assert problem.tickets.count() == 9
    problems.call_known(problem, by=by, root_cause="The redirect", workaround="Reload once")
    problem.refresh_from_db()
    assert problem.state == ProblemState.KNOWN
    assert problems.refuse_known(by, problem) == "It is known error already."
    problems.solve(problem, by=by, reason="Redirect mended")
    problem.refresh_from_db()
    assert (problem.state, problem.solution) == (ProblemState.SOLVED, "Redirect mended")
    with pytest.raises(WrongState, match=r"is solved; reopen it first\."):
        problems.solve(problem, by=by, reason="Again")
    problems.reopen(problem, by=by, reason="Seen again")
    problem.refresh_from_db()
    assert (problem.state, problem.solved_at) == (ProblemState.OPEN, None)


def test_refusals_are_sentences(many):
    by, asks = agent(), colleague()
    with pytest.raises(NotAllowed, match=r"Problems are written down by the people of the desk\."):
        problems.open_problem(title="X", by=asks)
    with pytest.raises(InvalidInput, match=r"Say in one line what it is\."):
        problems.open_problem(title=" ", by=by)
    problem = problems.open_problem(title="Form loops", by=by, tickets=many[:1])
    with pytest.raises(InvalidInput, match="belongs to it already"):
        problems.add_ticket(problem, by=by, ticket=many[0])
    with pytest.raises(InvalidInput, match="without a cause it is still under investigation"):
        problems.call_known(problem, by=by, root_cause=" ", workaround="x")
    with pytest.raises(InvalidInput, match="Say what helps until it is solved"):
        problems.call_known(problem, by=by, root_cause="x", workaround="")
    with pytest.raises(InvalidInput, match="Say how it was solved"):
        problems.solve(problem, by=by, reason="")
    with pytest.raises(WrongState, match="is not solved yet"):
        problems.reopen(problem, by=by, reason="x")
    with pytest.raises(NotAllowed, match="Problems are worked on by the people of the desk"):
        problems.solve(problem, by=asks, reason="x")


def test_database_refuses_a_state_set_by_hand(many):
    problem = problems.open_problem(title="Form loops", by=agent())
    with pytest.raises(DatabaseError, match="A problem moves by the buttons on its page"), transaction.atomic():
        Problem.objects.filter(pk=problem.pk).update(state=ProblemState.SOLVED)


def test_problem_becomes_an_improvement_of_its_process(many):
    by = agent()
    kind = TicketTypeFactory()
    problem = problems.open_problem(title="Form loops", by=by, kind=kind)
    refused = "Say of which type it is, one that is worked on by a process: that process is what gets better."
    assert problems.refuse_improvement(by, problem) == refused
    kind.process = ProcessFactory()
    kind.save()
    problem = Problem.objects.get(pk=problem.pk)
    problems.improve(problem, by=by, figure=ProcessFigure.REWORK)
    problem.refresh_from_db()
    assert (problem.improvement.title, problem.improvement.source) == ("Form loops", problem)
    assert problems.refuse_improvement(by, problem) == "An improvement has been made of it already."


def test_trends_page_makes_a_problem(client, many):
    sign_in(client, agent())
    page = client.get("/admin/tickets/problem/trends/").content.decode()
    assert "Broken forms" in page
    answer = client.post("/admin/tickets/problem/trends/", {"trend": "tickets.trend:category:Broken forms"})
    problem = Problem.objects.get()
    assert answer.url == f"/admin/tickets/problem/{problem.pk}/change/"
    assert (problem.title, problem.type.name, problem.tickets.count()) == (
        "Many tickets about Broken forms",
        "Broken forms",
        9,
    )
    assert "Seen in 9 tickets" in client.get(answer.url).content.decode()


def test_auditor_reads_and_makes_none(client, many):
    sign_in(client, person_with(Role.AUDITOR))
    assert "Make it a problem" not in client.get("/admin/tickets/problem/trends/").content.decode()
    client.post("/admin/tickets/problem/trends/", {"trend": "tickets.trend:category:Broken forms"})
    assert not Problem.objects.exists()


def test_list_asks_as_few_questions_for_three_as_for_one(client, django_assert_max_num_queries):
    by = agent()
    sign_in(client, by)
    problems.open_problem(title="One", by=by, tickets=[ticket(queue=QueueFactory())])
    client.get("/admin/tickets/problem/")
    with django_assert_max_num_queries(40) as one:
        client.get("/admin/tickets/problem/")
    for title in ("Two", "Three"):
        problems.open_problem(title=title, by=by)
    with django_assert_max_num_queries(len(one)):
        client.get("/admin/tickets/problem/")


def test_a_ticket_names_its_problem(client):
    by, made = agent(), ticket()
    with pytest.raises(InvalidInput, match="Choose a problem that is known, or write down a new one"):
        problems.name_problem(made, by=by)
    with pytest.raises(NotAllowed, match="written down by the people of the desk"):
        problems.name_problem(made, by=colleague(), title="Forms lose fields")
    problems.name_problem(made, by=by, title="Forms lose fields")
    problem = Problem.objects.get()
    assert problems.name_problem(ticket(), by=by, problem=problem).endswith(
        f"belongs to {problem}. Find it under Problems."
    )
    assert problem.tickets.count() == 2
    assert made.events.get(kind="linked").after == f"problem: {problem}"
    with pytest.raises(InvalidInput, match="belongs to it already"):
        problems.name_problem(made, by=by, problem=problem)
    client.force_login(by)
    assert str(problem) in client.get(f"/admin/tickets/ticket/{made.pk}/change/").content.decode()
