"""After the answer: the question behind a link that works once, follow-ups with an outcome, closing by itself."""

import datetime as dt
import re

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.tickets.domain import closing, follow_ups, moves, satisfaction, surveys
from apps.tickets.domain.conversation import refuse_answer, reply
from apps.tickets.models import FollowUp, Survey, Ticket
from tests.factories.accounts import person_with
from tests.factories.tickets import QueueFactory, ReplyTemplateFactory, agent, colleague, ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ops():
    return agent(full_name="Olga Ops")


@pytest.fixture
def asker():
    cache.clear()
    return colleague(full_name="Nina Asker", email="nina@example.com")


def resolved(asker, ops, *, queue=None, resolution="solved", at=None):
    made = ticket(by=asker, queue=queue)
    reply(made, body="Done", by=ops)
    moves.resolve(made, by=ops, resolution=resolution, at=at)
    return Ticket.objects.get(pk=made.pk)


def asked(made, **given):
    survey = surveys.ask(made, **given)
    return survey, re.search(r"/survey/(\S+)/", mail.outbox[-1].body)[1]


def test_a_requester_is_asked_once_by_mail(asker, ops):
    template = ReplyTemplateFactory()
    made = ticket(by=asker)
    reply(made, body="Done", by=ops, template=template, then="resolved")
    survey, token = asked(Ticket.objects.get(pk=made.pk))
    assert mail.outbox[-1].to == ["nina@example.com"]
    assert (survey.template, survey.agent, survey.score) == (template, ops, None)
    assert token not in str(Survey.objects.values().get())
    assert surveys.ask(made) is None
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("resolution", ["withdrawn", "no_answer"])
def test_who_withdrew_is_not_asked(asker, ops, resolution):
    assert surveys.ask(resolved(asker, ops, resolution=resolution)) is None


def test_a_queue_may_ask_nobody(asker, ops):
    assert surveys.ask(resolved(asker, ops, queue=QueueFactory(asks_score=False))) is None


def test_an_open_ticket_asks_nobody(asker):
    assert surveys.ask(ticket(by=asker)) is None


def test_the_link_needs_no_sign_in_and_works_once(asker, ops):
    made = resolved(asker, ops)
    survey, token = asked(made)
    page, stranger = reverse("ticket-survey", args=(token,)), Client()
    assert made.title in stranger.get(page).content.decode()
    assert stranger.get(page).status_code == 200  # looking does not use it up
    assert "Thank you." in stranger.post(page, {"score": "5", "comment": "Fast"}).content.decode()
    survey.refresh_from_db()
    assert (survey.score, survey.comment) == (5, "Fast")
    again = stranger.post(page, {"score": "1"})
    assert (again.status_code, "The link works once." in again.content.decode()) == (410, True)
    with pytest.raises(WrongState, match="answered this already"):
        surveys.record_score(survey, score=1)
    with pytest.raises(DatabaseError), transaction.atomic():
        Survey.objects.filter(pk=survey.pk).update(score=1)


def test_another_person_cannot_answer(client, asker, ops):
    survey, token = asked(resolved(asker, ops))
    client.force_login(ops)
    refused = client.post(reverse("ticket-survey", args=(token,)), {"score": "5"})
    assert refused.status_code == 410
    assert "This question went to Nina Asker. You are signed in as Olga Ops" in refused.content.decode()
    with pytest.raises(NotAllowed, match="This question went to Nina Asker"):
        surveys.record_score(survey, score=5, person=ops)
    client.force_login(asker)
    assert client.post(reverse("ticket-survey", args=(token,)), {"score": "4"}).status_code == 200


def test_the_link_expires_and_a_made_up_one_opens_nothing(asker, ops):
    survey, token = asked(resolved(asker, ops), at=clock.now() - dt.timedelta(days=22))
    late = Client().get(reverse("ticket-survey", args=(token,)))
    assert (late.status_code, "could be answered until" in late.content.decode()) == (410, True)
    made_up = Client().get(reverse("ticket-survey", args=("made-up",)))
    assert (made_up.status_code, surveys.NOT_VALID in made_up.content.decode()) == (410, True)
    assert surveys.refuse_score(survey, person=None).startswith("This question could be answered until")


def test_guessing_is_slowed_down(asker):
    page = reverse("ticket-survey", args=("guess",))
    guesser = Client(REMOTE_ADDR="203.0.113.9")
    with time_machine.travel(clock.now(), tick=False):  # one minute, however slow the machine
        assert [guesser.get(page).status_code for _ in range(22)][-1] == 429


@pytest.mark.parametrize("score", [0, 6, -1])
def test_scores_go_from_one_to_five(asker, ops, score):
    survey, token = asked(resolved(asker, ops))
    with pytest.raises(InvalidInput, match="Choose from one to five"):
        surveys.record_score(survey, score=score)
    assert Client().post(reverse("ticket-survey", args=(token,)), {"score": str(score)}).status_code == 200
    assert Survey.objects.get().answered_at is None


def test_what_is_not_solved_opens_the_ticket_again(asker, ops):
    made = resolved(asker, ops)
    survey, _ = asked(made)
    said = surveys.record_score(survey, score=1, comment="Still broken", unsolved=True)
    made.refresh_from_db()
    assert (made.state, made.reopened) == ("open", 1)
    assert said == f"Thank you. {made.ref} is open again; the desk has been told."
    assert made.messages.last().body == "Still broken"
    moves.resolve(made, by=ops, resolution="solved")
    assert surveys.ask(made).round == 1


def test_a_low_score_is_followed_up(asker, ops):
    made = resolved(asker, ops)
    surveys.record_score(asked(made)[0], score=2)
    task = FollowUp.objects.get()
    assert (task.assignee, task.question) == (ops, "Low score: ask what was missing")


def test_follow_ups_end_with_an_outcome(asker, ops):
    made = resolved(asker, ops)
    with pytest.raises(InvalidInput, match="That day is gone"):
        follow_ups.plan_follow_up(made, by=ops, question="?", due_on=clock.today() - dt.timedelta(days=1))
    with pytest.raises(InvalidInput, match="Say what to find out"):
        follow_ups.plan_follow_up(made, by=ops, question=" ", due_on=clock.today())
    with pytest.raises(InvalidInput, match="does not work at the desk"):
        follow_ups.plan_follow_up(made, by=ops, question="Holds?", due_on=clock.today(), assignee=asker)
    with pytest.raises(NotAllowed):
        follow_ups.plan_follow_up(made, by=asker, question="Holds?", due_on=clock.today())
    follow_ups.plan_follow_up(made, by=ops, question="Holds?", due_on=clock.today())
    task = FollowUp.objects.get()
    assert [each.thing for each in follow_ups.follow_ups_due(ops, clock.today())] == [task]
    with pytest.raises(InvalidInput, match="Choose what came of it"):
        follow_ups.record_outcome(task, by=ops, outcome="else")
    with pytest.raises(NotAllowed, match="only the people of the desk do"):
        follow_ups.record_outcome(task, by=person_with(Role.AUDITOR), outcome="holds")
    follow_ups.record_outcome(task, by=ops, outcome="reopened", note="Came back")
    made.refresh_from_db()
    assert made.state == "open"
    with pytest.raises(WrongState, match="Its outcome is recorded: not solved: reopened"):
        follow_ups.record_outcome(task, by=ops, outcome="holds")
    with pytest.raises(DatabaseError), transaction.atomic(), acting_as(ops):
        FollowUp.objects.filter(pk=task.pk).update(outcome="holds")


def test_a_queue_plans_the_look_back_once(asker, ops):
    made = resolved(asker, ops, queue=QueueFactory(follow_up_days=3))
    follow_ups.plan_after_resolution(made)
    follow_ups.plan_after_resolution(made)
    assert FollowUp.objects.get().due_on == (made.resolved_at + dt.timedelta(days=3)).date()


def test_reopening_follows_the_queue(asker, ops):
    made = resolved(asker, ops, queue=QueueFactory(reopen_days=2), at=clock.now() - dt.timedelta(days=3))
    assert "more than 2 days ago" in refuse_answer(asker, made)


def test_resolved_tickets_close_by_themselves(asker, ops):
    old = clock.now() - dt.timedelta(days=20)
    made, kept = resolved(asker, ops), resolved(asker, ops, queue=QueueFactory(close_days=None))
    later = clock.now() + dt.timedelta(days=15)
    assert (closing.to_close(clock.now()), closing.to_close(later)) == ([], [made.pk])
    assert (closing.close_quiet(made.pk, at=later), closing.close_quiet(made.pk, at=later)) == (True, False)
    made.refresh_from_db(), kept.refresh_from_db()
    assert (made.state, kept.state) == ("closed", "resolved")
    assert old < later


def test_silence_is_shown_beside_the_scores(client, asker, ops):
    first, second = resolved(asker, ops), resolved(asker, ops)
    surveys.record_score(asked(first)[0], score=4)
    asked(second)
    rows = satisfaction.surveys_of(ops, since=clock.now() - dt.timedelta(days=1))
    whole = satisfaction.lines(rows)[0]
    assert (whole.asked, whole.answered, whole.mean, whole.rate, whole.is_thin) == (2, 1, 4, "50%", True)
    assert [(each.name, each.tickets) for each in satisfaction.sides(rows)] == [("Answered", 1), ("Did not answer", 1)]
    client.force_login(person_with(Role.AUDITOR))
    assert "1 of 2 answered (50%)" in client.get(reverse("tickets-satisfaction")).content.decode()
    client.force_login(asker)
    assert client.get(reverse("tickets-satisfaction")).status_code in (302, 403)


def test_follow_up_list_asks_the_same_for_one_and_three(client, asker, ops, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    made = resolved(asker, ops)
    client.force_login(ops)
    follow_ups.plan_follow_up(made, by=ops, question="First?", due_on=clock.today())
    client.get("/admin/tickets/followup/")
    with CaptureQueriesContext(connection) as first:
        assert client.get("/admin/tickets/followup/").status_code == 200
    for question in ("Second?", "Third?"):
        follow_ups.plan_follow_up(made, by=ops, question=question, due_on=clock.today())
    with django_assert_num_queries(len(first)):
        client.get("/admin/tickets/followup/")
    assert "After the answer" in client.get(f"/admin/tickets/ticket/{made.pk}/change/").content.decode()


def test_who_does_not_answer_is_reminded_once_and_the_first_link_dies(asker, ops):
    made = resolved(asker, ops)
    survey, first = asked(made)
    assert surveys.to_remind(clock.now()) == []
    later = clock.now() + dt.timedelta(days=6)
    assert surveys.to_remind(later) == [survey.pk]
    assert (surveys.remind(survey.pk, at=later), surveys.remind(survey.pk, at=later)) == (True, False)
    assert surveys.to_remind(later) == []
    again = mail.outbox[-1]
    assert again.subject == f"Once more: how did we do with {made.ref}?"
    assert "the link of the first mail no longer works" in again.body
    second = re.search(r"/survey/(\S+)/", again.body)[1]
    assert surveys.survey_of_token(first) is None
    assert Client().post(reverse("ticket-survey", args=(second,)), {"score": "4"}).status_code == 200
    assert Survey.objects.get().score == 4
    assert surveys.to_remind(later) == []


def test_the_requester_rates_on_their_own_page_once(client, asker, ops):
    made = resolved(asker, ops)
    page = reverse("portal-ticket", args=(made.pk,))
    client.force_login(asker)
    assert "How did we do?" not in client.get(page).content.decode()
    _, token = asked(made)
    assert "How did we do?" in client.get(page).content.decode()
    assert "This field is required" in client.post(page, {"score": ""}).content.decode()
    client.post(page, {"score": "5", "comment": "Fine"})
    assert "You gave it 5 of 5" in client.get(page).content.decode()
    client.post(page, {"score": "1"})
    assert Survey.objects.get().score == 5
    assert Client().get(reverse("ticket-survey", args=(token,))).status_code == 410
    client.force_login(colleague())
    assert client.get(page).status_code == 404
