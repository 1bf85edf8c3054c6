"""The money of a campaign: exact sums, one currency, what stops and what is only told, shifts through approval."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve, reject
from apps.approvals.models import ApprovalRequest
from apps.campaigns.domain import budget, shifting
from apps.campaigns.domain.money import Amount, standing_of
from apps.campaigns.models import BudgetEntry, BudgetShift, Campaign
from apps.core.actors import acting_as
from apps.core.admin_kit.refusals import sentence_of
from apps.core.alerts.models import Alert
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.exchange.registry import Row, get_importer
from apps.core.transitions import transition
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of, whole_page_of
from tests.factories.accounts import person_with
from tests.factories.campaigns import approved, in_state, planned

pytestmark = pytest.mark.django_db
MAY, JUNE = dt.date(2026, 5, 1), dt.date(2026, 6, 1)
AMOUNTS = st.builds(
    Amount,
    kind=st.sampled_from(["planned", "committed", "actual"]),
    channel=st.sampled_from(["email", "event"]),
    month=st.sampled_from([MAY, JUNE]),
    reference=st.sampled_from(["", "A", "B"]),
    amount=st.decimals(min_value="0.01", max_value="99999.99", places=2),
)


@given(st.lists(AMOUNTS, max_size=20), st.decimals(min_value=0, max_value=100000, places=2))
def test_sums_are_exact_and_in_any_order_the_same(entries, given_budget):
    now = standing_of(given_budget, entries)
    assert now == standing_of(given_budget, list(reversed(entries)))
    for kind in ("planned", "committed", "actual"):
        total = sum((each.amount for each in entries if each.kind == kind), Decimal(0))
        assert getattr(now.total, kind) == total == sum((getattr(sums, kind) for *_, sums in now.cells), Decimal(0))
    assert max(now.total.committed, now.total.actual) <= now.total.used <= now.total.committed + now.total.actual
    assert now.left == given_budget - now.total.used
    assert now.is_overspent == (now.total.used > given_budget)


def test_an_invoice_pays_the_order_it_names():
    entries = [
        Amount("committed", "email", MAY, "A", Decimal(100)),
        Amount("actual", "email", JUNE, "A", Decimal(80)),
        Amount("actual", "event", JUNE, "B", Decimal(50)),
        Amount("actual", "event", JUNE, "", Decimal(-5)),
    ]
    now = standing_of(Decimal(150), entries)
    assert (now.total.used, now.left, now.is_nearly_spent, now.percent) == (Decimal(145), Decimal(5), True, 96)


def money(campaign, by, kind="actual", amount="100", **more):
    values = {"channel": "email", "month": dt.date(2026, 5, 17), "reference": "R-1", **more}
    return budget.enter(campaign, by=by, kind=kind, amount=Decimal(amount), **values)


def test_each_kind_of_money_has_its_time():
    ops = person_with(Role.OPS)
    states = {
        "planning",
        "in_creative",
        "in_approval",
        "approved",
        "live",
        "paused",
        "completed",
        "closed",
        "cancelled",
    }
    works = {
        kind: {state for state in states if budget.refuse_entry(ops, in_state(state), kind) is None}
        for kind in ("planned", "committed", "actual")
    }
    assert works == {
        "planned": {"planning", "in_creative"},
        "committed": {"approved", "live", "paused"},
        "actual": {"approved", "live", "paused", "completed", "cancelled"},
    }
    campaign = planned(author=ops, name="Spring")
    with pytest.raises(WrongState, match="Spring is planning: money is committed once the plan is approved"):
        money(campaign, ops, "committed")
    with pytest.raises(NotAllowed, match="You may not enter money for Spring"):
        money(campaign, person_with(Role.AUDITOR), "planned")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"currency": "USD"}, "is counted in EUR; an amount in USD is converted before it is entered"),
        ({"currency": "XX"}, "is no currency of ISO 4217"),
        ({"amount": "1.234"}, "1.234 EUR: amounts in EUR have 2 decimals"),
        ({"amount": "0"}, "An amount is more than nothing; only an actual one may be a credit"),
        ({"amount": "-1", "kind": "committed"}, "An amount is more than nothing"),
        ({"kind": "committed", "reference": " "}, "What is committed has the number of its order"),
    ],
)
def test_money_that_cannot_be_is_refused(changed, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        money(in_state("live", budget=1000), person_with(Role.OPS), **changed)


def test_orders_stop_at_the_budget_and_invoices_are_told():
    ops = person_with(Role.OPS)
    campaign = in_state("live", name="Spring", budget=1000, owner_person=ops)
    money(campaign, ops, "committed", "800", reference="A")
    with pytest.raises(WrongState, match=r"Only 200.00 EUR of 1,000.00 can still be ordered; 200.01 is more"):
        money(campaign, ops, "committed", "200.01", reference="B")
    assert Alert.objects.count() == 0
    money(campaign, ops, "actual", "950", reference="A")
    alert = Alert.objects.get()
    assert (alert.title, alert.severity) == ("Spring has used up nine tenths of its budget", "warning")
    late = money(campaign, ops, "actual", "60", reference="")
    alert.refresh_from_db()
    assert (alert.title, alert.severity) == ("Spring has spent more than its budget", "critical")
    assert budget.budget_finding(campaign, MAY).says == "10.00 EUR more is used up than was approved"
    with pytest.raises(InvalidInput, match="Say what was wrong with it"):
        budget.take_back(late, by=ops, reason="")
    assert budget.take_back(late, by=ops, reason="Wrong campaign.").endswith("counts no longer.")
    with pytest.raises(WrongState, match="It was taken back already"):
        budget.take_back(late, by=ops, reason="Again.")
    assert budget.standing(campaign).left == Decimal(50)
    for change, sentence in (({"amount": 1}, "What stands in the budget stays"), ({"retired_at": None}, "What stands")):
        with pytest.raises(DatabaseError) as caught, transaction.atomic():
            BudgetEntry.objects.filter(pk=late.pk).update(**change)
        assert sentence_of(caught.value).startswith(sentence)


def test_the_database_counts_in_one_currency_and_refuses_a_second_invoice():
    ops = person_with(Role.OPS)
    campaign = in_state("live", budget=1000)
    first = money(campaign, ops)
    for changed, sentence in (
        ({"currency": "USD", "reference": "X"}, "This campaign is counted in EUR; an amount in USD is converted"),
        ({}, "This order or invoice is entered already for this channel and month."),
        ({"month": dt.date(2026, 5, 2), "reference": "Y"}, "A month is told by its first day."),
    ):
        values = {"campaign": campaign, "kind": "actual", "spent_on": "email", "month": MAY, "amount": 5} | {
            "currency": "EUR",
            "reference": first.reference,
        }
        with pytest.raises(DatabaseError) as caught, transaction.atomic():
            BudgetEntry.objects.create(**values | changed)
        assert sentence_of(caught.value).startswith(sentence)


def test_planned_money_fits_the_plan_and_the_gate_looks():
    ops = person_with(Role.OPS)
    campaign = planned(author=ops, budget=1000)
    money(campaign, ops, "planned", "600", reference="")
    with pytest.raises(WrongState, match=r"Only 400.00 EUR of 1,000.00 can still be planned"):
        money(campaign, ops, "planned", "401", reference="")
    Campaign.objects.filter(pk=campaign.pk).update(budget=500)
    campaign.refresh_from_db()
    assert budget.budget_finding(campaign, MAY).says == "600.00 planned is more than 500.00 EUR"
    Campaign.objects.filter(pk=campaign.pk).update(budget=None)
    campaign.refresh_from_db()
    assert budget.budget_finding(campaign, MAY).says == "the plan names no budget"


def test_a_shift_moves_what_is_planned_once_approved():
    ops, approver = person_with(Role.OPS), person_with(Role.APPROVER)
    campaign = approved(author=ops, budget=1000)
    with acting_as(ops):
        entry = {"campaign": campaign, "kind": "planned", "spent_on": "email", "month": MAY, "currency": "EUR"}
        BudgetEntry.objects.create(**entry, amount=Decimal(600))
        moves = {"from_channel": "email", "from_month": MAY, "to_channel": "event", "to_month": JUNE}
        shift = BudgetShift.objects.create(campaign=campaign, amount=700, reason="More.", evidence="CTR.", **moves)
    with pytest.raises(WrongState, match=r"Only 600.00 EUR are planned for E-mail in May 2026; 700.00 cannot move"):
        shifting.submit_shift(shift, by=ops)
    with acting_as(ops):
        BudgetShift.objects.filter(pk=shift.pk).update(amount=250)
    shift.refresh_from_db()
    with pytest.raises(NotAllowed, match="You may not propose to move budget"):
        shifting.submit_shift(shift, by=person_with(Role.SALES))
    assert shifting.submit_shift(shift, by=ops) == "The proposal is in approval; 1 approval must come in."
    request = ApprovalRequest.objects.get(content_type__model="budgetshift")
    reject(request, by=approver, reason="Not yet.")
    shift.refresh_from_db()
    assert (shift.state, BudgetEntry.objects.count()) == ("refused", 1)
    shifting.submit_shift(shift, by=ops)
    approve(ApprovalRequest.objects.get(content_type__model="budgetshift", state="in_review"), by=approver)
    cells = {(channel, month): sums.planned for month, channel, sums in budget.standing(campaign).cells}
    assert cells == {("email", MAY): Decimal(350), ("event", JUNE): Decimal(250)}
    moved = BudgetEntry.objects.filter(shift=shift).first()
    assert (
        budget.refuse_taking_back(ops, moved) == "It comes from an approved budget shift; another shift moves it back."
    )
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), transition(BudgetShift):
        BudgetShift.objects.filter(pk=shift.pk).update(to_channel="email", to_month=MAY)
    assert sentence_of(caught.value) == "From and to are the same; nothing would move."


def test_invoices_come_in_from_a_file_row_by_row():
    ops = person_with(Role.OPS)
    campaign = in_state("live", name="Spring", budget=1000)
    importer = get_importer("campaigns.actuals")
    cells = {"campaign": "Spring", "channel": "E-mail", "month": "2026-05", "amount": "120.50", "currency": "EUR"}

    def row(line, **changed):
        given = cells | {"reference": "R-1", "note": ""} | changed
        return Row(line, {name: importer.column(name).read(cell) for name, cell in given.items()})

    with acting_as(ops):
        first = importer.apply([row(1), row(2, campaign="Winter"), row(3, currency="USD", reference="R-2")], by=ops)
        again = importer.apply([row(1), row(2, amount="99")], by=ops)
    assert [(each.kind, each.reason) for each in first] == [
        ("created", ""),
        ("refused", "There is no campaign called “Winter”."),
        ("refused", "Spring is counted in EUR; an amount in USD is converted before it is entered."),
    ]
    assert [(each.kind, each.reason) for each in again] == [
        ("unchanged", ""),
        ("refused", "It is entered with 120.50 EUR already; take that back first."),
    ]
    assert budget.standing(campaign).total.actual == Decimal("120.50")


def test_a_plan_is_counted_in_a_currency_that_there_is(client):
    client.force_login(person_with(Role.OPS))
    plan = {"name": "Spring", "main_channel": "email", "currency": "QQQ"}
    page = client.post(reverse("admin:campaigns_campaign_add"), plan).content.decode()
    assert "“QQQ” is no currency of ISO 4217; write its three letters, for instance EUR." in page
    assert not Campaign.objects.exists()


def test_pages(client):
    ops = person_with(Role.OPS)
    client.force_login(ops)
    campaign = in_state("live", name="Spring", budget=1000)
    given = {"kind": "committed", "channel": "event", "month": "2026-05-09", "amount": "100", "reference": "A"}
    page = client.post(button_of(campaign, "money"), given, follow=True).content.decode()
    assert "Committed 100.00 EUR, May 2026 is entered; 900.00 EUR are left." in page
    assert "May 2026" in page
    assert_same_queries(
        client, list_of(BudgetEntry), lambda: [money(campaign, ops, reference=str(n)) for n in range(2)]
    )
    entry = BudgetEntry.objects.first()
    assert client.get(page_of(entry)).status_code == 200
    client.force_login(person_with(Role.SALES))
    page = client.get(whole_page_of(campaign))
    assert "used up" not in page.content.decode()
    client.force_login(person_with(Role.AUDITOR))
    client.post(button_of(entry, "take-back"), {"reason": "x"})
    entry.refresh_from_db()
    assert entry.retired_at is None
