"""Nothing is bought without a case: requests, waivers, and what the database itself refuses."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve, reject
from apps.approvals.domain.policies import ensure_default_policies
from apps.approvals.models import ApprovalRequest
from apps.core import clock
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.transitions import transition
from apps.technology.domain.cases import (
    missing_for_approval,
    refuse_request_submission,
    refuse_waiver_submission,
    revoke_waiver,
    submit_request,
    submit_waiver,
    total_cost,
)
from apps.technology.domain.cost_lines import add_cost, change_price, close_cost
from apps.technology.domain.implementing import open_gates, pass_gate
from apps.technology.domain.lifecycle import move_tool, refuse_move
from apps.technology.enums import CaseState, Lifecycle
from apps.technology.models import TCO_FIELDS, CostLine, StackPolicy, Tool, ToolRequest, Waiver
from tests.factories.accounts import administrator, person_with
from tests.factories.technology import (
    ContractFactory,
    CostLineFactory,
    ExchangeRateFactory,
    ToolFactory,
    ToolRequestFactory,
    WaiverFactory,
)

pytestmark = pytest.mark.django_db
NO_CASE = "Nothing is bought without a case: this tool has no approved request and no waiver in force."


@pytest.fixture(autouse=True)
def _policies():
    ensure_default_policies()
    administrator()  # who decides for IT


def complete(tool, **changed):
    figures = dict.fromkeys(TCO_FIELDS, Decimal(100))
    texts = {"business_case": "Why", "integration_assessment": "How"}
    return ToolRequestFactory(tool=tool, **texts | figures | changed)


def cost(tool, **changed):
    given = {"label": "Plan", "amount": Decimal(100), "currency": "EUR", "valid_from": dt.date(2026, 1, 1)}
    return CostLine(tool=tool, **given | changed)


def approval_of(thing):
    return ApprovalRequest.objects.get(object_id=thing.pk, content_type__model=thing._meta.model_name)


def test_database_refuses_a_cost_without_a_case():
    tool = ToolFactory()
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        cost(tool).save()
    assert sentence_of(refused.value).startswith(NO_CASE)


def test_database_refuses_active_without_a_case():
    tool = ToolFactory()
    with pytest.raises(DatabaseError) as refused, transaction.atomic(), transition(Tool):
        Tool.objects.filter(pk=tool.pk).update(lifecycle="active")
    assert sentence_of(refused.value).startswith("This tool cannot become active: it has no approved request")


def test_request_waits_for_everything_that_is_decided_about():
    ops = person_with(Role.OPS)
    request = ToolRequestFactory(business_case="Why", licence_1=1, licence_2=1, licence_3=1)
    assert missing_for_approval(request) == [
        "the integration assessment",
        "the three-year cost of implementation, people, exit (0 where it costs nothing)",
    ]
    assert refuse_request_submission(ops, request).startswith("The request is not complete; still missing: ")
    assert refuse_request_submission(person_with(Role.AUDITOR), request) == "You may not change tool requests."
    assert total_cost(request) == 3


def test_an_approved_request_opens_the_way_to_money_and_use():
    ops, approver, it = person_with(Role.OPS), person_with(Role.APPROVER), administrator()
    tool = ToolFactory(name="CRM")
    request = complete(tool)
    submit_request(request, by=ops)
    assert ToolRequest.objects.get().state == CaseState.IN_APPROVAL
    with pytest.raises(WrongState, match="CRM has no approved request and no waiver in force"):
        add_cost(cost(tool), by=ops)
    approve(approval_of(request), by=approver)
    tool.refresh_from_db()
    assert tool.lifecycle == Lifecycle.PROPOSED  # IT has still to decide
    approve(approval_of(request), by=it)
    tool.refresh_from_db()
    assert tool.lifecycle == Lifecycle.APPROVED
    add_cost(cost(tool), by=ops)
    move_tool(Tool.objects.get(), to=Lifecycle.IMPLEMENTING, by=ops)
    for gate in open_gates(tool):
        pass_gate(gate, by=ops, reason="Shown")
    move_tool(Tool.objects.get(), to=Lifecycle.ACTIVE, by=ops)
    assert Tool.objects.get().lifecycle == Lifecycle.ACTIVE


def test_business_and_it_decide_about_a_request_in_this_order():
    ops, approver, it = person_with(Role.OPS), person_with(Role.APPROVER), administrator()
    request = complete(ToolFactory())
    submit_request(request, by=ops)
    approval = approval_of(request)
    assert approval.facts["amount"] == "1200.00" or approval.facts["amount"] == 1200
    with pytest.raises(NotAllowed):
        approve(approval, by=it)
    approve(approval, by=approver)
    with pytest.raises(NotAllowed):
        approve(approval_of(request), by=approver)
    approve(approval_of(request), by=it)
    assert ToolRequest.objects.get().state == CaseState.APPROVED


def test_a_large_request_comes_out_of_an_evaluation():
    ops = person_with(Role.OPS)
    request = complete(ToolFactory(), licence_1=Decimal(98_900))
    assert refuse_request_submission(ops, request).startswith(
        "Three years cost 100,000.00 EUR or more: such a request comes out of an evaluation."
    )
    assert refuse_request_submission(ops, complete(ToolFactory(), licence_1=Decimal("98899.99"))) is None
    in_dollars = complete(ToolFactory(), licence_1=Decimal(98_900), currency="USD")
    assert "USD" in refuse_request_submission(ops, in_dollars)
    ExchangeRateFactory(rate=Decimal("0.5"))
    assert refuse_request_submission(ops, in_dollars) is None
    StackPolicy.objects.update(evaluation_from=None)
    assert refuse_request_submission(ops, request) is None


def test_who_asks_does_not_decide():
    both = person_with(Role.OPS, Role.APPROVER)
    person_with(Role.APPROVER)
    request = complete(ToolFactory())
    submit_request(request, by=both)
    with pytest.raises(NotAllowed):
        approve(approval_of(request), by=both)


def test_a_refused_request_can_be_worked_on_again():
    ops, approver = person_with(Role.OPS), person_with(Role.APPROVER)
    request = complete(ToolFactory())
    submit_request(request, by=ops)
    reject(approval_of(request), by=approver, reason="Too dear")
    assert ToolRequest.objects.get().state == CaseState.REFUSED
    assert ToolRequest.objects.get().is_editable


def test_a_waiver_counts_once_a_second_person_has_confirmed_it():
    ops, approver = person_with(Role.OPS), person_with(Role.APPROVER)
    waiver = WaiverFactory(requester=ops)
    submit_waiver(waiver, by=ops)
    approve(approval_of(waiver), by=approver)
    waiver.refresh_from_db()
    assert (waiver.state, waiver.confirmed_by) == (CaseState.APPROVED, approver)
    add_cost(cost(waiver.tool), by=ops)
    revoke_waiver(waiver, by=ops, reason="Bought elsewhere")
    with pytest.raises(WrongState, match="no waiver in force"):
        add_cost(cost(waiver.tool, label="More"), by=ops)


def test_database_refuses_a_waiver_without_a_second_person():
    ops = person_with(Role.OPS)
    waiver = WaiverFactory(requester=ops)
    for changed in ({"state": "approved"}, {"state": "approved", "confirmed_by": ops}):
        with pytest.raises(DatabaseError), transaction.atomic(), transition(Waiver):
            Waiver.objects.filter(pk=waiver.pk).update(**changed)


def test_a_waiver_ends():
    waiver = WaiverFactory()
    with transition(Waiver):
        Waiver.objects.filter(pk=waiver.pk).update(
            state="approved", confirmed_by=person_with(Role.APPROVER), expires_on=clock.today() - dt.timedelta(days=1)
        )
    with pytest.raises(DatabaseError), transaction.atomic():
        cost(waiver.tool).save()


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        (-1, "A waiver cannot end in the past; choose a later day."),
        (400, "A waiver lasts a year at most; what is needed for longer needs a request."),
    ],
)
def test_a_waiver_has_an_end_in_sight(days, sentence):
    waiver = WaiverFactory(expires_on=clock.today() + dt.timedelta(days=days))
    assert refuse_waiver_submission(person_with(Role.OPS), waiver) == sentence


def test_ending_a_price_needs_no_case_a_new_price_does():
    ops, line = person_with(Role.OPS), CostLineFactory()
    for waiver in line.tool.waivers.all():
        revoke_waiver(waiver, by=ops, reason="Ended")
    with pytest.raises(WrongState, match="no waiver in force"):
        change_price(line, amount=Decimal(5), starts_on=dt.date(2026, 2, 1), by=ops)
    close_cost(line, ends_on=dt.date(2026, 12, 31), by=ops)
    assert CostLine.objects.known().get().valid_to == dt.date(2026, 12, 31)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"amount": Decimal(-1)}, "A cost cannot be less than nothing; a refund is a note, or a lower price."),
        (
            {"amount": Decimal(100_000_001)},
            "More than 100,000,000 is a slip of the keyboard; look at the decimal point.",
        ),
        ({"valid_to": dt.date(2025, 1, 1)}, "A cost cannot end before it starts; look at the two dates."),
        ({"currency": "eur"}, "A currency is three capital letters, for instance EUR."),
        ({"basis": "seat"}, "A price per seat or unit needs how many there are."),
        (
            {"quantity": Decimal(3)},
            "A flat amount has no quantity; leave it empty, or say what the amount is per.",
        ),
        (
            {"period": "once", "valid_to": dt.date(2026, 5, 1)},
            "What is paid once falls due on its first day; leave the last day empty.",
        ),
    ],
)
def test_what_cannot_be_paid_is_refused_in_words(changed, sentence):
    with pytest.raises(InvalidInput) as refused:
        add_cost(cost(ToolFactory(active=True), **changed), by=person_with(Role.OPS))
    assert refused.value.message == sentence


def test_there_is_no_such_currency():
    pytest.importorskip("iso4217")
    with pytest.raises(InvalidInput, match="“ZZZ” is no currency of ISO 4217"):
        add_cost(cost(ToolFactory(active=True), currency="ZZZ"), by=person_with(Role.OPS))


def test_one_price_at_a_time():
    ops, tool = person_with(Role.OPS), ToolFactory(active=True)
    add_cost(cost(tool), by=ops)
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        add_cost(cost(tool, label="PLAN", valid_from=dt.date(2027, 1, 1)), by=ops)
    assert sentence_of(refused.value).startswith(
        "This tool already has a cost of that name and type in the same period"
    )


def test_terms_do_not_overlap():
    contract = ContractFactory()
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        ContractFactory(tool=contract.tool, starts_on=dt.date(2026, 12, 31), ends_on=dt.date(2027, 12, 30))
    assert sentence_of(refused.value).startswith("The term overlaps another contract of that name for the same tool.")
    ContractFactory(tool=contract.tool, starts_on=dt.date(2027, 1, 1), ends_on=dt.date(2027, 12, 31))


def test_what_a_cost_said_stays():
    line = CostLineFactory()
    for changed in ({"amount": 5}, {"valid_to": dt.date(2026, 1, 1)}, {"retired_at": clock.now()}):
        with pytest.raises(DatabaseError) as refused, transaction.atomic():
            CostLine.objects.filter(pk=line.pk).update(**changed)
        assert sentence_of(refused.value).startswith("What a cost said stays")


def test_no_move_without_a_case():
    ops, tool = person_with(Role.OPS), ToolFactory(name="CRM")
    move_tool(tool, to=Lifecycle.EVALUATING, by=ops)
    tool.refresh_from_db()
    assert refuse_move(ops, tool, to=Lifecycle.APPROVED).startswith(
        "CRM has no approved request and no waiver in force"
    )
