"""From a need to a request: criteria that sum to 100, blind scores with evidence, three years with sensitivity."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.enums import Role
from apps.core import access
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.transitions import transition
from apps.technology.domain import criteria, evaluating, scoring
from apps.technology.domain.tco import sensitivity
from apps.technology.enums import CostType, CriteriaState, EvaluationState
from apps.technology.models import (
    TCO_FIELDS,
    Candidate,
    CriteriaSet,
    Criterion,
    Evaluation,
    Evaluator,
    Score,
    Tool,
    ToolRequest,
)
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories import technology as make
from tests.factories.accounts import administrator, person_with

pytestmark = pytest.mark.django_db
SAID = "A trial of two weeks"


@pytest.fixture(autouse=True)
def _criteria():
    criteria.ship_criteria()


@pytest.fixture
def lead():
    return person_with(Role.OPS)


def compared(lead, *, evaluators=2, candidates=("Alpha", "Beta"), start=True):
    """An evaluation in scoring, with its evaluators."""
    found = make.EvaluationFactory(lead=lead)
    for name in candidates:
        make.CandidateFactory(evaluation=found, name=name)
    people = [person_with(Role.OPS) for _ in range(evaluators)]
    evaluating.name_evaluators(found, by=lead, people=people)
    if start:
        evaluating.start_scoring(found, by=lead)
        found.refresh_from_db()
    return found, people


def all_of(found, value=3):
    return {
        (candidate.pk, criterion.pk): (value, SAID)
        for candidate in scoring.candidates_of(found)
        for criterion in scoring.criteria_of(found)
    }


def scored(lead, values=(4, 2)):
    found, people = compared(lead)
    for person, value in zip(people, values, strict=True):
        scoring.submit_scores(found, all_of(found, value), by=person)
    evaluating.close_scoring(found, by=lead)
    found.refresh_from_db()
    return found


def refused(statement):
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        statement()
    return sentence_of(error.value)


def test_the_shipped_criteria_are_in_force_and_sum_to_100():
    shipped = CriteriaSet.objects.get()
    assert shipped.state == CriteriaState.ACTIVE
    assert [(each.name, each.weight) for each in shipped.criteria.order_by("position")] == [
        ("Business value", 30),
        ("Integration capability", 25),
        ("Scalability", 20),
        ("Support and maintenance", 25),
    ]
    assert criteria.ship_criteria() is None


def test_weights_that_do_not_sum_are_refused_in_words_and_by_the_database(lead):
    draft = make.CriteriaSetFactory(name="Short")
    make.CriterionFactory(criteria=draft, weight=60)
    with pytest.raises(InvalidInput, match="The weights sum to 60, not to 100"):
        criteria.activate_criteria(draft, by=lead)

    def force():
        with transition(CriteriaSet):
            CriteriaSet.objects.filter(pk=draft.pk).update(state="active")

    assert refused(force).startswith("The weights of a set of criteria sum to 100")
    with pytest.raises(NotAllowed, match="You may not change sets of criteria"):
        criteria.activate_criteria(draft, by=person_with(Role.AUDITOR))


def test_criteria_in_force_stay_and_change_by_the_next_version(lead):
    first = CriteriaSet.objects.get()
    one = first.criteria.first()
    assert refused(lambda: Criterion.objects.filter(pk=one.pk).update(weight=1)).startswith("Criteria that have come")
    criteria.next_version(first, by=lead)
    with pytest.raises(WrongState, match="There is a draft of these criteria already"):
        criteria.next_version(first, by=lead)
    draft = CriteriaSet.objects.get(state=CriteriaState.DRAFT)
    assert (draft.number, criteria.sum_of_weights(draft)) == (2, 100)
    with pytest.raises(WrongState, match="This is a draft"):
        criteria.next_version(draft, by=lead)
    criteria.activate_criteria(draft, by=lead)
    assert {each.number: each.state for each in CriteriaSet.objects.all()} == {1: "retired", 2: "active"}
    with pytest.raises(WrongState, match="only a draft comes into force"):
        criteria.activate_criteria(first, by=lead)


def test_scoring_starts_with_candidates_and_two_people_who_can_be_blind(lead):
    found = make.EvaluationFactory(lead=lead)
    with pytest.raises(WrongState, match="There is no candidate yet"):
        evaluating.start_scoring(found, by=lead)
    make.CandidateFactory(evaluation=found)
    evaluating.name_evaluators(found, by=lead, people=[person_with(Role.OPS)])
    with pytest.raises(WrongState, match="name at least 2 evaluators"):
        evaluating.start_scoring(found, by=lead)
    with pytest.raises(InvalidInput, match="reads the ledger, where every score is recorded"):
        evaluating.name_evaluators(found, by=lead, people=[person_with(Role.AUDITOR)])
    with pytest.raises(InvalidInput, match="may not see evaluations"):
        evaluating.name_evaluators(found, by=lead, people=[person_with(Role.SALES)])
    with pytest.raises(NotAllowed, match="You may not change evaluations"):
        evaluating.name_evaluators(found, by=person_with(Role.AUDITOR), people=[])


def test_nobody_sees_a_score_before_submitting_their_own(lead):
    found, (ann, ben) = compared(lead)
    scoring.submit_scores(found, all_of(found), by=ann)
    scoring.save_scores(found, dict(list(all_of(found, 1).items())[:3]), by=ben)
    auditor = person_with(Role.AUDITOR)
    assert access.visible(ann, Score).count() == 8
    assert access.visible(ben, Score).count() == 3
    assert {each.value for each in access.visible(ben, Score)} == {1}
    assert access.visible(lead, Score).count() == 8
    assert access.visible(auditor, Score).count() == 8
    assert not access.visible(person_with(Role.SALES), Score).exists()
    assert [each.score for each in scoring.standings(found, ben)] == [None, None]
    scoring.submit_scores(found, all_of(found, 1), by=ben)
    assert access.visible(ben, Score).count() == 16


def test_a_blind_evaluator_finds_no_score_of_others_on_any_page(lead, client):
    found, (ann, ben) = compared(lead)
    scoring.submit_scores(found, dict.fromkeys(all_of(found), (5, "UNSEEN")), by=ann)
    client.force_login(ben)
    score_page = reverse("admin:technology_evaluation_score", args=(found.pk,))
    pages = (page_of(found), score_page, page_of(found, "history"), page_of(found.candidates.first()))
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200
        assert "UNSEEN" not in answer.content.decode(), page
    form = {}
    for (candidate, criterion), (value, said) in all_of(found, 2).items():
        form |= {f"value-{candidate}-{criterion}": value, f"evidence-{candidate}-{criterion}": said}
    assert client.post(score_page, {**form, "submit": "1"}).status_code == 302
    assert "UNSEEN" in client.get(page_of(found)).content.decode()
    assert client.get(score_page, follow=True).content.decode().count("You have submitted your scores") == 1


def test_who_is_no_evaluator_does_not_score(lead, client):
    found, _ = compared(lead)
    with pytest.raises(NotAllowed, match="You are not among the evaluators"):
        scoring.save_scores(found, {}, by=lead)
    client.force_login(lead)
    assert client.get(reverse("admin:technology_evaluation_score", args=(found.pk,))).status_code == 403


def test_scores_need_evidence_a_value_and_no_hole(lead):
    found, (ann, _) = compared(lead)
    first = next(iter(all_of(found)))
    for entry, sentence in (
        ((6, SAID), "Alpha, business value: a score goes from 0 to 5"),
        ((3, "  "), "Alpha, business value: say on what the score rests"),
        ((None, SAID), "Alpha, business value: choose a score from 0 to 5"),
    ):
        with pytest.raises(InvalidInput, match=sentence):
            scoring.save_scores(found, {first: entry}, by=ann)
    with pytest.raises(InvalidInput, match="that is not compared here"):
        scoring.save_scores(found, {(0, 0): (3, SAID)}, by=ann)
    with pytest.raises(InvalidInput, match="7 of 8 scores are still missing"):
        scoring.submit_scores(found, {first: (3, SAID)}, by=ann)
    assert not Score.objects.exists()


def test_the_database_refuses_holes_late_scores_and_foreign_candidates(lead):
    found, (ann, _) = compared(lead)
    seat = scoring.seat_of(ann, found)

    def submit():
        with transition(Evaluator):
            Evaluator.objects.filter(pk=seat.pk).update(submitted_at="2026-01-01T00:00Z")

    assert refused(submit).startswith("Every candidate needs a score with evidence")
    stranger, criterion = make.CandidateFactory(), scoring.criteria_of(found)[0]
    given_ = {"evaluator": seat, "criterion": criterion, "value": 3, "evidence": SAID}
    assert refused(lambda: Score.objects.create(candidate=stranger, **given_)).startswith("This score names")
    scoring.submit_scores(found, all_of(found), by=ann)
    assert refused(lambda: Score.objects.update(value=5)).startswith("Submitted scores stay as they are")
    assert refused(lambda: make.CandidateFactory(evaluation=found)).startswith("The candidates are fixed")
    assert refused(lambda: Evaluation.objects.update(state="decided")).startswith("An evaluation moves on by")


def test_closing_waits_for_everybody_or_excuses_them_with_a_reason(lead):
    found, people = compared(lead, evaluators=3)
    for person in people[:2]:
        scoring.submit_scores(found, all_of(found), by=person)
    with pytest.raises(WrongState, match=f"Still to submit: {people[2]}"):
        evaluating.close_scoring(found, by=lead)
    seat = scoring.seat_of(people[2], found)
    with pytest.raises(InvalidInput, match="Say why this person does not score"):
        evaluating.excuse_evaluator(found, by=lead, evaluator=seat, reason=" ")
    evaluating.excuse_evaluator(found, by=lead, evaluator=seat, reason="On leave")
    with pytest.raises(WrongState, match="Nobody is left to excuse"):
        evaluating.excuse_evaluator(found, by=lead, evaluator=seat, reason="Again")
    assert evaluating.close_scoring(found, by=lead) == "Scoring is closed. Best: Alpha, 60.0 of 100."


def test_excusing_down_to_one_is_no_comparison(lead):
    found, people = compared(lead)
    scoring.submit_scores(found, all_of(found), by=people[0])
    evaluating.excuse_evaluator(found, by=lead, evaluator=scoring.seat_of(people[1], found), reason="On leave")
    with pytest.raises(WrongState, match="Fewer than 2 evaluators have submitted"):
        evaluating.close_scoring(found, by=lead)


def test_a_choice_makes_the_request_with_case_assessment_and_cost(lead):
    found = scored(lead)
    beta = found.candidates.get(name="Beta")
    said = evaluating.choose_candidate(found, by=lead, candidate=beta, reason="It reads our CRM.")
    request = ToolRequest.objects.get()
    assert "Its request “A tool for webinars” is a draft now" in said
    assert (request.tool.name, request.tool.lifecycle, request.evaluation.state) == ("Beta", "proposed", "decided")
    assert "- Alpha: 60.0 of 100" in request.business_case
    assert "It reads our CRM." in request.business_case
    assert (request.licence_1, request.exit_3) == (Decimal(1000), Decimal(100))
    with pytest.raises(WrongState, match="a choice follows closed scoring"):
        evaluating.choose_candidate(found, by=lead, candidate=beta, reason="Again")


def test_an_incomplete_candidate_is_not_chosen(lead):
    found = scored(lead)
    alpha = found.candidates.get(name="Alpha")
    Candidate.objects.filter(pk=alpha.pk).update(exit_2=None, integration_assessment="")
    with pytest.raises(InvalidInput, match="still missing: the integration assessment; the three-year cost of exit"):
        evaluating.choose_candidate(found, by=lead, candidate=alpha, reason="Why")
    with pytest.raises(InvalidInput, match="Say why this candidate"):
        evaluating.choose_candidate(found, by=lead, candidate=alpha, reason="")
    with pytest.raises(InvalidInput, match="Choose one of the candidates that were compared"):
        evaluating.choose_candidate(found, by=lead, candidate=make.CandidateFactory(), reason="Why")
    assert Tool.objects.count() == 0


def test_dropping_ends_it_without_a_choice(lead):
    found, _ = compared(lead, start=False)
    with pytest.raises(InvalidInput, match="Say why it ends without a choice"):
        evaluating.drop_evaluation(found, by=lead, reason="")
    evaluating.drop_evaluation(found, by=lead, reason="No budget")
    found.refresh_from_db()
    assert (found.state, found.outcome) == (EvaluationState.DROPPED, "No budget")
    with pytest.raises(WrongState, match="It is dropped already"):
        evaluating.drop_evaluation(found, by=lead, reason="Again")


def test_sensitivity_moves_one_driver_at_a_time():
    costs = {CostType.LICENCE: Decimal(900), CostType.IMPLEMENTATION: Decimal(0), CostType.PEOPLE: Decimal(600)}
    found = sensitivity({**costs, CostType.EXIT: Decimal(100)}, dict.fromkeys(CostType, 10) | {CostType.EXIT: 50})
    assert (found.total, found.least, found.most) == (1600, 1400, 1800)
    assert [(each.driver, each.low, each.high) for each in found.swings] == [
        ("Licence", 1510, 1690),
        ("People", 1540, 1660),
        ("Exit", 1550, 1650),
        ("Implementation", 1600, 1600),
    ]


AMOUNTS = st.decimals(min_value=0, max_value=10**9, places=2)


@given(st.fixed_dictionaries({kind: st.tuples(AMOUNTS, st.integers(0, 100)) for kind in CostType}))
def test_sensitivity_is_symmetric_and_never_negative(drawn):
    costs, by = {k: v[0] for k, v in drawn.items()}, {k: v[1] for k, v in drawn.items()}
    found = sensitivity(costs, by)
    assert found.total == sum(costs.values())
    assert found.most - found.total == found.total - found.least >= 0
    assert found.least >= -Decimal("0.02")
    assert all(swing.low + swing.high == 2 * found.total for swing in found.swings)
    assert sum(swing.width for swing in found.swings) == found.most - found.least


@given(st.lists(st.tuples(st.integers(1, 100), st.integers(0, 5)), min_size=1, max_size=6))
def test_a_weighted_score_lies_between_worst_and_best(pairs):
    total = sum(weight for weight, _ in pairs)
    score = scoring.weighted([(weight, Decimal(value)) for weight, value in pairs])
    assert 0 <= score <= total
    assert scoring.weighted([(weight, Decimal(5)) for weight, _ in pairs]) == total


@pytest.mark.parametrize(
    ("model", "factory"),
    [
        (Evaluation, make.EvaluationFactory),
        (Candidate, make.CandidateFactory),
        (CriteriaSet, make.CriteriaSetFactory),
    ],
    ids=lambda each: each.__name__,
)
def test_lists_cost_the_same_at_one_and_three_rows(client, lead, model, factory):
    client.force_login(lead)
    factory()
    assert assert_same_queries(client, list_of(model), lambda: [factory() for _ in range(2)]) < 30


def test_an_evaluation_is_made_through_its_pages(client, lead):
    client.force_login(lead)
    form = {"title": "Webinars", "need": "Run webinars for 500 people", "lead": lead.pk}
    form["criteria"] = CriteriaSet.objects.get().pk
    assert client.post(list_of(Evaluation) + "add/", form).status_code == 302
    found = Evaluation.objects.get()
    assert "Scoring starts" not in client.get(page_of(found)).content.decode()
    person = person_with(Role.OPS, full_name="Ann Evaluator")
    page = client.get(button_of(found, "evaluators")).content.decode()
    assert "Ann Evaluator" in page
    spreads = {f"{kind.value}_spread": 10 for kind in CostType}
    costs = dict.fromkeys(TCO_FIELDS, "100")
    empty = {"evaluation": found.pk, "name": "", "currency": "EUR", **spreads, **costs}
    assert "Name the candidate, or choose a tool" in client.post(list_of(Candidate) + "add/", empty).content.decode()
    tool = make.ToolFactory(name="Zoom")
    assert client.post(list_of(Candidate) + "add/", {**empty, "tool": tool.pk}).status_code == 302
    assert Candidate.objects.get().name == "Zoom"
    assert "the total is at least" in client.get(page_of(Candidate.objects.get())).content.decode()
    client.post(button_of(found, "evaluators"), {"people": [person.pk, lead.pk]})
    client.post(button_of(found, "start"))
    found.refresh_from_db()
    assert found.state == EvaluationState.SCORING


def test_an_auditor_reads_and_writes_nothing(client, lead):
    found = scored(lead)
    client.force_login(person_with(Role.AUDITOR))
    page = client.get(page_of(found)).content.decode()
    assert SAID in page
    client.post(button_of(found, "choose"), {"candidate": found.candidates.first().pk, "reason": "Why"})
    assert not ToolRequest.objects.exists()
    assert administrator().is_active
