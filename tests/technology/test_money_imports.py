"""Files of money: rates and costs, row by row, the second time nothing; hostile workbooks bring nothing."""

import io
import zipfile
from decimal import Decimal

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.accounts.enums import Role
from apps.core.errors import DomainError
from apps.core.exchange.domain.receiving import receive_file
from apps.core.exchange.registry import Row, get_importer
from apps.technology.models import CostLine, ExchangeRate
from tests.factories.accounts import person_with
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db


def bring(key, *records):
    importer, person = get_importer(key), person_with(Role.OPS)
    rows = [Row(line, {n: importer.column(n).read(c) for n, c in each.items()}) for line, each in enumerate(records, 1)]
    return [(outcome.kind, outcome.reason) for outcome in importer.apply(rows, by=person)]


def test_rates_come_in_once_and_are_corrected():
    rate = {"currency": "usd", "into": "EUR", "on": "2026-11-02", "rate": "0.9215", "source": "ECB"}
    assert bring("technology.rates", rate) == [("created", "")]
    assert bring("technology.rates", rate) == [("unchanged", "")]
    assert bring("technology.rates", {**rate, "rate": "0.93"}, {**rate, "into": "USD"}) == [
        ("updated", ""),
        ("refused", "A rate leads from one currency to another."),
    ]
    assert ExchangeRate.objects.known().get().rate == Decimal("0.93")
    assert ExchangeRate.objects.count() == 2


def test_costs_come_in_once_and_are_corrected():
    ToolFactory(name="CRM", active=True), ToolFactory(name="Idea")
    cost = {
        "tool": "crm",
        "label": "Seats",
        "amount": "1,049.50",
        "quantity": "25",
        "basis": "Per seat",
        "currency": "EUR",
        "period": "monthly",
        "valid_from": "2026-01-01",
    }
    assert bring("technology.costs", cost) == [("created", "")]
    assert bring("technology.costs", cost) == [("unchanged", "")]
    odd = (
        {**cost, "amount": "50"},
        {**cost, "tool": "Idea"},
        {**cost, "label": "Other", "amount": "-1"},
        {**cost, "label": "Ends", "valid_to": "2025-01-01"},
        {**cost, "tool": "Nobody's"},
    )
    told = bring("technology.costs", *odd)
    assert [kind for kind, _ in told] == ["updated", "refused", "refused", "refused", "refused"]
    assert [reason for _, reason in told[1:]] == [
        (
            "Idea has no approved request and no waiver in force. Send a tool request for approval, or have a waiver "
            "confirmed."
        ),
        "A cost cannot be less than nothing; a refund is a note, or a lower price.",
        "A cost cannot end before it starts; look at the two dates.",
        "There is no tool called “Nobody's”; import the inventory first, or correct the name.",
    ]
    assert CostLine.objects.known().get().amount == Decimal(50)


@pytest.mark.parametrize("cell", ["=1+1", "ten", "1.2.3", "NaN", "Infinity"])
def test_a_cell_of_the_wrong_kind_refuses_its_row(cell):
    with pytest.raises(DomainError, match="Amount: "):
        get_importer("technology.costs").column("amount").read(cell)


def upload(name, content):
    file = SimpleUploadedFile(name, content)
    return receive_file(file, by=person_with(Role.OPS), importer="technology.costs")


def bomb():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    return out.getvalue()


def test_a_bomb_brings_nothing():
    with pytest.raises(DomainError, match="The workbook unpacks to"):
        upload("costs.xlsx", bomb())
    assert not CostLine.objects.exists()


def test_fifty_megabytes_of_workbook_are_too_many():
    with pytest.raises(DomainError):
        upload("costs.xlsx", b"PK\x03\x04" + b"\0" * 50_000_000)


def test_a_formula_is_the_text_it_is():
    book = openpyxl.Workbook()
    book.active.append(["Tool", "Paid for", "Amount", "Currency", "From"])
    book.active.append(["CRM", "Seats", '=HYPERLINK("http://x")', "EUR", "2026-01-01"])
    out = io.BytesIO()
    book.save(out)
    batch = upload("costs.xlsx", out.getvalue())
    assert batch.headers == ["Tool", "Paid for", "Amount", "Currency", "From"]
    assert batch.mapping["amount"] == "Amount"
