"""The knowledge base: articles are processes in force; who may not read one is never offered it, on any page."""

import datetime as dt

import pytest
from django.db import connection
from django.urls import reverse

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.transitions import transition
from apps.processes.models import Acknowledgement, Feedback, Process, SOPVersion
from apps.tickets.domain.knowledge import articles_for, confirm_read, read_article, score_of, staleness, suggest, vote
from apps.tickets.models import Article, ArticleRead, ArticleText
from tests.factories.accounts import person_with
from tests.factories.tickets import TicketTypeFactory, agent, colleague, ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ops():
    return agent(full_name="Olga Ops")


def process_in_force(ops, title="Reset a dashboard", body="Press the **red** button.", questions="", **fields):
    with acting_as(ops), transition(Process, SOPVersion):
        process = Process.objects.create(title=title, family="operations", owner_person=ops, **fields)
        version = SOPVersion.objects.create(
            process=process,
            number=1,
            body=body,
            questions=questions,
            author=ops,
            state="effective",
            effective_at=clock.now(),
        )
        process.effective_version = version
        process.save()
    return process


def article(ops, title="Reset a dashboard", audience="everybody", keywords="", types=(), **fields):
    process = process_in_force(ops, title, **fields)
    with acting_as(ops):
        made = Article.objects.create(process=process, audience=audience, keywords=keywords)
        made.types.set(types)
    return made


@pytest.mark.parametrize(
    "words", ["the dashboard is stale", "dashbord", "red buttons", "it says cockpit somewhere", "Reset a dashboard"]
)
def test_what_may_help_is_found_by_words_and_despite_typing_errors(ops, words):
    made = article(ops, keywords="cockpit")
    article(ops, title="Order business cards", body="At the printer's.")
    assert suggest(colleague(), words) == [made]


@pytest.mark.parametrize("words", ["", "a", "unrelated nonsense", "!!! &&& |||", "\x00"])
def test_nothing_is_offered_for_nothing(ops, words):
    article(ops)
    assert suggest(colleague(), words) == []


def test_the_articles_of_a_type_come_first(ops):
    kind = TicketTypeFactory()
    other, own = article(ops), article(ops, title="Print a badge", body="x", types=[kind])
    assert suggest(colleague(), "dashboard", kind=kind) == [own, other]
    assert suggest(colleague(), "", kind=kind) == [own]


@pytest.mark.parametrize(
    "fields",
    [
        {"classification": "confidential"},
        {"stakeholder_access": "stakeholders"},
        {"classification": "restricted", "stakeholder_access": "stakeholders"},
        {"audience": "readers"},
    ],
)
def test_who_may_not_read_is_offered_nothing(client, ops, fields):
    made, nobody = article(ops, **fields), colleague()
    assert suggest(nobody, "dashboard") == []
    assert read_article(nobody, made.pk) is None
    with pytest.raises(NotAllowed, match="what you may read alone"):
        vote(made, by=nobody, helpful=True)
    client.force_login(nobody)
    assert client.get(reverse("portal-article", args=(made.pk,))).status_code == 404
    assert client.post(reverse("portal-article", args=(made.pk,)), {"helpful": "yes"}).status_code == 404
    assert b"Reset" not in client.get(reverse("portal-suggest"), {"q": "dashboard"}).content
    assert b"Reset" not in client.get(reverse("portal-home")).content
    assert suggest(ops, "dashboard") == [made]


def test_what_is_kept_to_stakeholders_is_hidden_from_the_desk_too(ops):
    article(ops, stakeholder_access="stakeholders")
    other = agent()
    assert suggest(other, "dashboard") == []
    assert list(articles_for(other)) == []


def test_only_what_is_in_force_is_offered(ops):
    made = article(ops)
    with acting_as(ops), transition(Process):
        made.process.effective_version = None
        made.process.save()
    assert suggest(ops, "dashboard") == []


def test_the_index_follows_the_process(ops):
    made = article(ops)
    with acting_as(ops):
        made.process.title = "Restart the cockpit"
        made.process.save()
    assert ArticleText.objects.get().title == "Restart the cockpit"
    assert suggest(ops, "cockpit") == [made]


def test_whether_it_helped_is_kept_once_a_version(client, ops):
    made, reader = article(ops), colleague()
    client.force_login(reader)
    page = reverse("portal-article", args=(made.pk,))
    assert "<strong>red</strong>" in client.get(page, {"from": "asking"}).content.decode()
    client.post(page, {"helpful": "no", "comment": "Which one?"})
    client.post(page, {"helpful": "yes"})
    found = made.votes.get()
    assert (found.helpful, found.comment) == (True, "")
    assert ArticleRead.objects.get().source == "asking"


def test_deflection_counts_who_asked_nothing_for_a_day(ops):
    made, then = article(ops), clock.now() - dt.timedelta(days=3)
    content, asked = colleague(), colleague()
    for person in (content, asked):
        read_article(person, made.pk, source="asking", at=then)
    read_article(content, made.pk, source="portal", at=then)
    ticket(by=asked, at=then + dt.timedelta(hours=1))
    score = score_of(made)
    assert (score.reads, score.from_asking, score.asked_nothing, score.deflection) == (3, 2, 1, "50%")


def test_staleness_says_why(ops):
    made = article(ops)
    assert staleness(made, [], clock.now()) == (0, ("its text is 0 days old",))
    later = clock.now() + dt.timedelta(days=365)
    made.process.next_review_on = (later - dt.timedelta(days=90)).date()
    points, why = staleness(made, [False, False, True], later)
    assert points == 90
    assert why == ("its text is 365 days old", "its review is 90 days late", "67% say that it did not help")


def test_pages_offer_and_show(client, ops, django_assert_num_queries):
    from django.test.utils import CaptureQueriesContext

    made = article(ops)
    client.force_login(colleague())
    assert b"Reset a dashboard" in client.get(reverse("portal-suggest"), {"q": "stale dashboards"}).content
    assert client.post(reverse("portal-suggest")).status_code == 405
    assert b"data-tickets-suggest" in client.get(reverse("portal-ask")).content
    client.force_login(ops)
    open_one = ticket(title="The dashboard is stale")
    assert b"This may help" in client.get(f"/admin/tickets/ticket/{open_one.pk}/change/").content
    assert b"0 of 100" in client.get(f"/admin/tickets/article/{made.pk}/change/").content
    client.get("/admin/tickets/article/")
    with CaptureQueriesContext(connection) as first:
        assert client.get("/admin/tickets/article/").status_code == 200
    article(ops, title="Two"), article(ops, title="Three")
    with django_assert_num_queries(len(first)):
        client.get("/admin/tickets/article/")
    client.force_login(person_with(Role.AUDITOR))
    assert client.get(f"/admin/tickets/article/{made.pk}/change/").status_code == 200


def test_what_did_not_help_goes_to_the_feedback_of_the_process(ops):
    made, reader = article(ops), colleague()
    for _ in range(2):
        vote(made, by=reader, helpful=False, comment="Which button?")
    vote(made, by=colleague(), helpful=False)
    vote(made, by=colleague(), helpful=True, comment="Fine")
    assert [(each.text, each.author) for each in Feedback.objects.all()] == [("Which button?", reader)]


def test_anybody_who_may_read_an_article_confirms_it(client, ops):
    made, reader = article(ops), colleague()
    client.force_login(reader)
    page = reverse("portal-article", args=(made.pk,))
    assert "I have read and understood it" in client.get(page).content.decode()
    client.post(page, {"read": "1"})
    assert Acknowledgement.objects.get().person == reader
    assert "I have read and understood it" not in client.get(page).content.decode()
    with pytest.raises(WrongState, match="You have confirmed this version already"):
        confirm_read(made, by=reader)
    hidden = article(ops, title="Hidden", audience="readers")
    with pytest.raises(NotAllowed, match="You can confirm what you may read alone"):
        confirm_read(hidden, by=reader)
    asking = article(ops, title="Asks", questions="What?\n* this\n- that")
    with pytest.raises(NotAllowed, match="Asks asks questions at its end"):
        confirm_read(asking, by=reader)
