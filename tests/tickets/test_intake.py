"""Opening tickets, and the forms of the catalogue."""

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from apps.accounts.enums import Role
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.notifications.models import Notification
from apps.tickets.domain.forms import publish_form, read_questions, written
from apps.tickets.domain.intake import open_ticket
from apps.tickets.domain.procedure import runs_of
from apps.tickets.domain.queries import catalogue, own_tickets
from apps.tickets.enums import Level, Tier
from apps.tickets.models import Ticket
from tests.factories.accounts import person_with
from tests.factories.campaigns import CampaignFactory
from tests.factories.processes import ProcessFactory, effective, steps
from tests.factories.tickets import QueueFactory, TicketTypeFactory, agent, colleague, ticket, type_with_form

pytestmark = pytest.mark.django_db


def test_colleague_without_any_role_opens_a_ticket_and_its_team_is_told():
    member = agent()
    queue = QueueFactory(team=member.memberships.first().team)
    asks = colleague(full_name="Ada")
    made = ticket(by=asks, queue=queue, title="  The   form is broken ")
    assert (made.title, made.state, made.priority, made.requester, made.asked_by) == (
        "The form is broken",
        "new",
        3,
        asks,
        "Ada",
    )
    assert [(each.kind, each.author, each.body) for each in made.messages.all()] == [
        ("requester", asks, "It says **nothing** on submit.")
    ]
    assert list(Notification.objects.values_list("recipient", "kind", "title")) == [
        (member.pk, "ticket.opened", f"New in {queue}: {made}")
    ]
    assert list(own_tickets(asks)) == [made]


def test_priority_follows_from_impact_and_urgency():
    made = [ticket(impact=i, urgency=u).priority for i, u in ((3, 3), (3, 2), (2, 2), (1, 2), (1, 1))]
    assert made == [1, 2, 3, 4, 4]


def refused(exception, **given):
    with pytest.raises(exception) as caught:
        ticket(**given)
    return caught.value.message


def test_openings_that_make_no_sense_are_refused():
    assert refused(InvalidInput, title=" ", body="") == (
        "Say in one line what it is about. Describe it: what you need, or what happened and what you expected."
    )
    assert refused(NotAllowed, requester=colleague()) == (
        "You can ask for yourself; tickets for others are written down by the people of the desk."
    )
    assert refused(NotAllowed, requester_email="client@example.com") == (
        "You can ask for yourself; tickets for others are written down by the people of the desk."
    )
    alone = TicketTypeFactory(name="Download a logo", tier=Tier.SELF_SERVICE)
    assert refused(WrongState, kind=alone) == (
        "Download a logo needs no ticket: follow its guide. If you are stuck, ask for help instead."
    )
    gone = TicketTypeFactory(name="Fax", archived_at="2026-01-01T00:00Z")
    assert refused(WrongState, kind=gone) == "Fax is no longer offered; choose something else from the catalogue."
    with pytest.raises(WrongState, match=r"^There is no queue to put it in; an administrator makes one the default"):
        open_ticket(title="Help", body="Please", by=colleague())
    assert refused(NotAllowed, by=person_with(Role.OPS, is_active=False)).endswith("is deactivated.")


def test_desk_writes_down_what_a_client_asks():
    made = ticket(by=agent(), requester_email="Client@Example.com", requester_name="C. Lient")
    assert (made.requester, made.requester_email, made.asked_by) == (None, "client@example.com", "C. Lient")
    assert made.messages.get().author_label == "C. Lient"


def test_ticket_is_about_records_its_writer_may_see():
    campaign = CampaignFactory()
    made = ticket(by=agent(), records=[campaign])
    assert [each.record for each in made.records.all()] == [campaign]
    assert refused(NotAllowed, records=[campaign]) == "You can link only what you may see."
    assert Ticket.objects.count() == 1


def test_default_queue_takes_what_has_none():
    queue = QueueFactory(is_default=True)
    assert open_ticket(title="Help", body="Please", by=colleague()).queue == queue


def test_form_is_read_line_by_line_and_written_back():
    text = "Campaign name* | text\nLanguage | choice | German, English\nBy when* | date | The day it goes out"
    questions = read_questions(text)
    assert [(each.key, each.required, each.kind, each.choices) for each in questions] == [
        ("campaign_name", True, "text", ()),
        ("language", False, "choice", ("German", "English")),
        ("by_when", True, "date", ()),
    ]
    assert written([vars(each) for each in questions]) == text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("| text", "Line 1 asks nothing; write for instance “Campaign name* | text”."),
        (
            "Name | photo",
            "Line 1: “photo” is no kind of answer; there are text, long text, choice, date, number, yes or no.",
        ),
        ("Name\n\nName*", "Line 3 asks “Name” a second time."),
        ("Language | choice | German", "Line 1: a choice needs 2 to 50 answers, separated by commas."),
        ("\n".join(f"Q{n}" for n in range(31)), "A form asks at most 30 questions; nobody answers more."),
    ],
)
def test_forms_that_cannot_be_read_are_refused(text, sentence):
    with pytest.raises(InvalidInput) as caught:
        read_questions(text)
    assert caught.value.message == sentence


def test_answers_are_checked_and_kept_with_their_form():
    kind = type_with_form("Campaign name*\nLanguage | choice | German, English\nGoes out | date\nSeats | number")
    assert refused(InvalidInput, kind=kind, answers={"language": "Latin", "goes_out": "soon", "seats": "many"}) == (
        "“Campaign name” needs an answer. “Language”: choose one of German, English. "
        "“Goes out”: write a date like 2026-12-24. “Seats”: write a number."
    )
    made = ticket(kind=kind, answers={"campaign_name": " Spring ", "seats": "3", "smuggled": "x"})
    assert (made.answers, made.form_version.number) == ({"campaign_name": "Spring", "seats": "3"}, 1)
    publish_form(kind, by=agent(), questions="Something else")
    made.refresh_from_db()
    assert (kind.current_form.number, made.form_version.number) == (2, 1)


def test_publishing_forms_is_refused_in_words():
    kind = type_with_form("Name*")
    with pytest.raises(InvalidInput, match=r"^Nothing has changed; the form stays as it is.$"):
        publish_form(kind, by=agent(), questions="Name*")
    with pytest.raises(NotAllowed, match=rf"^You may not change {kind}.$"):
        publish_form(kind, by=colleague(), questions="Other")


def test_catalogue_has_what_is_offered_by_tier():
    alone = TicketTypeFactory(tier=Tier.SELF_SERVICE)
    asked = TicketTypeFactory()
    TicketTypeFactory(in_catalogue=False), TicketTypeFactory(archived_at="2026-01-01T00:00Z")
    assert catalogue() == [("Self-service", [alone]), ("Standard request", [asked])]


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE tickets_ticket SET state = 'closed'", "A ticket moves by the buttons on its page, not by an edit."),
        ("UPDATE tickets_ticket SET priority = 1", "A ticket moves by the buttons on its page, not by an edit."),
        ("UPDATE tickets_message SET body = 'x'", "permission denied"),
        ("DELETE FROM tickets_ticketevent", "permission denied"),
    ],
)
def test_database_refuses_edits(statement, sentence):
    from django.db import connection

    ticket(impact=Level.HIGH)
    with pytest.raises(DatabaseError, match=sentence), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("field", "given", "said"),
    [
        ("title", "x" * 201, "The title is too long: 201 characters, at most 200 fit."),
        ("body", "x" * 50_001, "The description is too long: 50,001 characters, at most 50,000 fit."),
    ],
)
def test_what_is_too_long_is_refused_and_never_cut_short(field, given, said):
    QueueFactory(is_default=True)
    with pytest.raises(InvalidInput) as refusal:
        ticket(by=colleague(), **{field: given})
    assert (refusal.value.message, refusal.value.fields) == (said, {field: said})
    assert Ticket.objects.count() == 0


def test_a_type_may_start_its_procedure_with_the_ticket():
    owner, asks = agent(full_name="Olga Ops"), colleague()
    process = effective(flow=steps("Ask for the copy", "Build it")).process
    kind = TicketTypeFactory(process=process, starts_run=True, owner_person=owner)
    made = ticket(by=asks, kind=kind)
    run = runs_of(made).get()
    assert (run.process, run.owner_person, run.state, run.steps_total) == (process, owner, "active", 2)
    assert made.records.get().record == run
    assert made.events.filter(kind="linked", note="Its type starts it at once.").count() == 1
    assert list(runs_of(ticket(kind=TicketTypeFactory(process=process)))) == []


def test_what_keeps_a_procedure_from_starting_stands_on_the_trail():
    kind = TicketTypeFactory(process=ProcessFactory(title="Nothing yet"), starts_run=True, owner_person=agent())
    made = ticket(kind=kind)
    assert made.events.get(kind="linked").note.startswith("Its procedure did not start: Nothing yet has no version")
    kind.process = None
    with pytest.raises(ValidationError, match="Name the procedure that starts with each ticket"):
        kind.full_clean()
    kind.process, kind.owner_person = ProcessFactory(), None
    with pytest.raises(ValidationError, match="Its runs need an owner"):
        kind.full_clean()
