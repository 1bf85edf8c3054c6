"""The pages around tools: the same questions at one and three rows, who sees and writes what, refusals in words."""

import datetime as dt
from decimal import Decimal

import pytest

from apps.accounts.enums import Role
from apps.core import clock
from apps.technology.domain.reviews import make_pack
from apps.technology.models import (
    Capability,
    Contract,
    CostLine,
    ExchangeRate,
    Licence,
    RenewalDecision,
    Seat,
    ToolCapability,
    ToolRequest,
    UtilisationSample,
    Vendor,
    Waiver,
)
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories import technology as make
from tests.factories.accounts import person_with

pytestmark = pytest.mark.django_db
LISTS = [
    (Vendor, make.VendorFactory),
    (Capability, make.CapabilityFactory),
    (ToolCapability, make.ToolCapabilityFactory),
    (Contract, make.ContractFactory),
    (CostLine, make.CostLineFactory),
    (ToolRequest, make.ToolRequestFactory),
    (Waiver, make.WaiverFactory),
    (Licence, make.LicenceFactory),
    (Seat, make.SeatFactory),
    (UtilisationSample, make.SampleFactory),
    (RenewalDecision, make.RenewalDecisionFactory),
]


@pytest.fixture
def ops(client):
    person = person_with(Role.OPS)
    client.force_login(person)
    return person


@pytest.mark.parametrize(("model", "factory"), LISTS, ids=lambda each: each.__name__)
def test_list_costs_the_same_at_one_and_three_rows(client, ops, model, factory):
    factory()
    assert assert_same_queries(client, list_of(model), lambda: [factory() for _ in range(2)]) < 30


def test_a_cost_is_added_by_its_form_and_then_only_by_buttons(client, ops):
    tool = make.ToolFactory(active=True)
    form = {
        "tool": tool.pk,
        "label": "Seats",
        "cost_type": "licence",
        "amount": "49.90",
        "currency": "EUR",
        "basis": "seat",
        "quantity": "10",
        "period": "month",
        "valid_from": "2026-01-01",
    }
    assert client.post(list_of(CostLine) + "add/", form).status_code == 302
    line = CostLine.objects.get()
    page = client.get(page_of(line)).content.decode()
    assert button_of(line, "new-price") in page
    assert 'name="amount"' not in page
    price = {"amount": "55", "starts_on": "2026-07-01", "note": "List price"}
    said = client.post(button_of(line, "new-price"), price, follow=True).content.decode()
    assert "costs 55.00 EUR a month from 1 July 2026 on." in said
    newest = CostLine.objects.known().order_by("-valid_from").first()
    assert "+10.2 %" in client.get(page_of(newest)).content.decode()


def test_a_form_refuses_in_words(client, ops):
    tool = make.ToolFactory(name="Idea")
    form = {"tool": tool.pk, "label": "Plan", "cost_type": "licence", "basis": "flat", "period": "year"}
    page = client.post(
        list_of(CostLine) + "add/", {**form, "amount": "5", "currency": "EUR", "valid_from": "2026-01-01"}
    ).content.decode()
    assert "Idea has no approved request and no waiver in force." in page
    tomorrow = clock.today() + dt.timedelta(days=2)
    rate = {"currency": "USD", "into": "EUR", "on": str(tomorrow), "rate": "0.9"}
    assert "Nobody knows tomorrow" in client.post(list_of(ExchangeRate) + "add/", rate).content.decode()


def test_the_tool_page_tells_cost_case_completeness_and_word(client, ops):
    tool = make.ToolFactory(name="CRM", active=True, owner_person=ops)
    make.CostLineFactory(tool=tool, amount=Decimal("1234.56"))
    make.NamingRuleFactory(name="Tool names", applies_to="tools", pattern="{vendor} {product}", tokens={})
    page = client.get(page_of(tool)).content.decode()
    assert "1,234.56 EUR" in page
    assert "It does not follow Tool names, {vendor} {product}: It ends before “ ”." in page
    assert "Nobody has attested this record yet." in page
    assert "what it is for" in page
    said = client.post(button_of(tool, "attest"), {"note": ""}, follow=True).content.decode()
    assert "CRM is attested." in said
    tool.refresh_from_db()
    tool.function = "CRM"
    tool.save()
    assert "Changed since: function." in client.get(page_of(tool)).content.decode()


def test_only_who_answers_attests(client, ops):
    tool = make.ToolFactory(owner_person=person_with(Role.OPS))
    assert button_of(tool, "attest") not in client.get(page_of(tool)).content.decode()


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.APPROVER])
def test_who_looks_on_changes_nothing(client, role):
    line, licence = make.CostLineFactory(), make.LicenceFactory()
    client.force_login(person_with(role))
    assert client.get(page_of(line)).status_code == 200
    for thing, button in ((line, "new-price"), (line, "remove"), (licence, "assign")):
        client.post(button_of(thing, button), {"amount": "1", "starts_on": "2026-07-01", "reason": "x", "holder": "x"})
    assert CostLine.objects.count() == 1
    assert not Seat.objects.exists()


def test_an_executive_sees_tools_and_no_money(client):
    line = make.CostLineFactory(amount=Decimal(7777))
    pack = make_pack(by=person_with(Role.OPS))
    client.force_login(person_with(Role.EXECUTIVE))
    page = client.get(page_of(line.tool)).content.decode()
    for hidden in ("7,777", "Nobody has measured its use", "No duty yet", "Nobody measures its availability"):
        assert hidden not in page  # nor is it said that there is nothing
    for thing in (line, pack):
        assert client.get(page_of(thing)).status_code in (302, 403, 404)
