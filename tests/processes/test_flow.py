"""Steps and ways: rows of a draft, one document in the version, frozen from review on, sound before approval."""

import pytest
from django.db import DatabaseError, transaction

from apps.accounts.enums import Role
from apps.approvals.domain.content import live_digest
from apps.audit.models import AuditEvent
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import InvalidInput
from apps.processes.domain.flow import circle_in, flow_of, in_sequence, key_from, problems_of, without, write_flow
from apps.processes.domain.publishing import submit_for_approval, write_draft
from apps.processes.models import ProcessRole, SOPVersion, Step, StepEdge
from apps.processes.models.values import Flow, FlowEdge, FlowStep, outline
from tests.factories.accounts import person_with
from tests.factories.processes import draft, effective, in_review, steps

FLOW = Flow(
    (
        FlowStep("brief", "Write the brief", role="Author", minutes=30, consulted=("Brand", "Legal")),
        FlowStep("ok", "Good enough?", kind="decision", role="Editor", blocking=False, links="Guide https://x.example"),
        FlowStep("send", "Send it", kind="automated", mode="automated", role="Author", instructions="Press *send*."),
    ),
    (FlowEdge("brief", "ok"), FlowEdge("ok", "brief", "no", is_rework=True), FlowEdge("ok", "send", "yes")),
)


@pytest.mark.django_db
def test_a_flow_is_written_and_read_back():
    version = draft(flow=FLOW)
    assert flow_of(version) == FLOW
    assert list(ProcessRole.objects.values_list("name", flat=True)) == ["Author", "Editor"]


@pytest.mark.django_db
def test_writing_the_same_again_leaves_nothing():
    version = draft(flow=FLOW)
    before = AuditEvent.objects.count()
    write_flow(version, FLOW)
    assert AuditEvent.objects.count() == before


@pytest.mark.django_db
def test_steps_keep_their_rows_when_they_move():
    version = draft(flow=steps("One", "Two", "Three"))
    rows = dict(version.steps.values_list("key", "pk"))
    one, _, three = flow_of(version).steps
    write_flow(version, in_sequence([three, one]))
    assert list(version.steps.values_list("key", "pk")) == [("three", rows["three"]), ("one", rows["one"])]
    assert [(edge.source.key, edge.target.key) for edge in version.edges.all()] == [("three", "one")]


@pytest.mark.django_db
def test_the_next_draft_has_the_same_steps():
    version = effective(flow=FLOW)
    following = write_draft(version.process, by=version.author)
    assert flow_of(following) == FLOW
    assert set(following.steps.values_list("pk")).isdisjoint(version.steps.values_list("pk"))


@pytest.mark.django_db
def test_the_document_is_what_the_rows_say_whoever_writes_them():
    version = draft(flow=FLOW)
    digest = live_digest(version)
    Step.objects.filter(version=version, key="brief").update(title="Write the whole brief")
    fresh = SOPVersion.objects.get(pk=version.pk)
    assert fresh.flow["steps"][0]["title"] == "Write the whole brief"
    assert live_digest(fresh) != digest
    version.save()  # holds the document of before; the database knows better
    version.refresh_from_db()
    assert version.flow == fresh.flow
    SOPVersion.objects.filter(pk=version.pk).update(flow={"steps": "forged"})
    assert SOPVersion.objects.get(pk=version.pk).flow == fresh.flow


EDITED = "Only drafts are edited: withdraw what is in review, or write a new draft."


@pytest.mark.django_db
@pytest.mark.parametrize(
    "write",
    [
        lambda version: Step.objects.filter(version=version).update(title="Sneaked in"),
        lambda version: version.steps.first().delete(),
        lambda version: Step.objects.create(version=version, key="more", position=9, title="More"),
        lambda version: version.edges.all().delete(),
        lambda version: version.edges.update(condition="never"),
        lambda version: SOPVersion.objects.filter(pk=version.pk).update(flow={}),
    ],
)
def test_steps_are_frozen_from_review_on(write):
    request = in_review(flow=FLOW)
    version = SOPVersion.objects.get(pk=request.object_id)
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        write(version)
    assert sentence_of(caught.value) == EDITED


@pytest.mark.django_db
def test_a_way_stays_within_its_version():
    one, other = draft(flow=FLOW), draft(flow=FLOW)
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        StepEdge.objects.create(version=one, source=one.steps.first(), target=other.steps.last())
    assert sentence_of(caught.value) == "A way leads from one step to another of the same version."


@pytest.mark.django_db
def test_the_key_of_a_step_is_for_good():
    version = draft(flow=FLOW)
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        Step.objects.filter(version=version, key="brief").update(key="short")
    assert sentence_of(caught.value) == "A step keeps its version and its key for good."


def test_a_circle_is_found_and_rework_is_none():
    assert circle_in(FLOW) == []
    ways = (FlowEdge("brief", "ok"), FlowEdge("ok", "send"), FlowEdge("send", "brief"))
    assert circle_in(Flow(FLOW.steps, ways)) == ["brief", "ok", "send", "brief"]


def test_problems_are_told_in_sentences():
    ways = (FlowEdge("brief", "ok"), FlowEdge("ok", "brief"))
    found = problems_of(Flow((FlowStep("brief", "Write"), *FLOW.steps[1:]), ways))
    assert found == [
        "“Write” names no role: say who does it.",
        "The steps lead in a circle: “Write” → “Good enough?” → “Write”. Mark the way back as rework, or take it out.",
        "No way leads from the first step to “Send it”; connect it, or take it out.",
    ]


def test_branches_say_when():
    ways = (FlowEdge("brief", "ok", "short"), FlowEdge("brief", "send"))
    assert problems_of(Flow(FLOW.steps, ways)) == [
        "From “Write the brief” several ways lead on; say when the one to “Send it” is taken."
    ]


def test_too_many_steps_are_refused():
    flow = in_sequence(FlowStep(f"s{n}", f"Step {n}", role="R") for n in range(121))
    assert problems_of(flow) == ["121 steps are more than anybody follows; split the process at 120."]


@pytest.mark.django_db
def test_an_unsound_flow_is_not_sent():
    author = person_with(Role.OPS)
    person_with(Role.APPROVER)
    version = draft(author=author, flow=Flow((FlowStep("a", "Check links"),)))
    with pytest.raises(InvalidInput, match="“Check links” names no role: say who does it"):
        submit_for_approval(version, by=author)


def test_keys_come_from_titles_once():
    assert key_from("Check every Link!", ()) == "check-every-link"
    assert key_from("Check every Link!", ("check-every-link",)) == "check-every-link-2"
    assert key_from("¿?", ()) == "step"


def test_a_step_taken_out_leaves_its_ways_joined():
    left = without(in_sequence(FLOW.steps), ["ok"])
    assert left.edges == (FlowEdge("brief", "send"),)


def test_the_outline_tells_everything():
    document = {
        "steps": [{**vars(step), "consulted": list(step.consulted), "informed": []} for step in FLOW.steps],
        "edges": [
            {"from": e.source, "to": e.target, "condition": e.condition, "rework": e.is_rework} for e in FLOW.edges
        ],
    }
    assert outline(document).splitlines() == [
        "1. Write the brief [brief]",
        "   Work, by hand, blocking, 30 min",
        "   Responsible: Author; Consulted: Brand, Legal",
        "   then Good enough?",
        "2. Good enough? [ok]",
        "   Decision, by hand, not blocking",
        "   Responsible: Editor",
        "   Guide https://x.example",
        "   back to Write the brief when no",
        "   then Send it when yes",
        "3. Send it [send]",
        "   Automated, automated, blocking",
        "   Responsible: Author",
        "   Press *send*.",
    ]
