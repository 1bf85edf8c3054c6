"""The quarterly review: figures frozen on a day, proposals by the rule, files of what was frozen, actions tracked."""

import datetime as dt
import io
from decimal import Decimal

import openpyxl
import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.technology.domain.review_sql import DIGEST_OF_THE_FIRST
from apps.technology.domain.reviews import complete_action, is_untouched, make_pack, quarter_of
from apps.technology.models import ReviewAction, ReviewItem, Tool
from apps.technology.review_files import workbook
from tests.admin_pages import page_of
from tests.factories.accounts import person_with
from tests.factories.technology import (
    CapabilityFactory,
    CostLineFactory,
    LicenceFactory,
    SampleFactory,
    SeatFactory,
    ToolCapabilityFactory,
    ToolFactory,
)

pytestmark = pytest.mark.django_db


def tool(name, *, used=None, yearly=1000, lifecycle="active", **more):
    made = ToolFactory(name=name, lifecycle=lifecycle, **more)
    if yearly is not None:
        CostLineFactory(tool=made, amount=Decimal(yearly))
    if used is not None:
        SampleFactory(tool=made, numerator=used, denominator=100)
    return made


def stack():
    both = CapabilityFactory(name="Send e-mail", required=True)
    CapabilityFactory(name="Attribute revenue", required=True)
    busy, idle = tool("Busy", used=80), tool("Idle twin", used=30)
    for each in (busy, idle):
        ToolCapabilityFactory(tool=each, capability=both)
    tool("Dead", used=5), tool("Lonely", used=30), tool("Unknown"), tool("Leaving", used=90, lifecycle="sunsetting")
    wasteful = tool("Wasteful", used=75)
    licence = LicenceFactory(tool=wasteful, quantity=4)
    for number in range(4):
        SeatFactory(licence=licence, last_active_on=None if number == 0 else clock.today())
    tool("An idea", lifecycle="evaluating"), tool("Free", yearly=None, used=50)


def test_proposals_follow_the_rule():
    stack()
    pack = make_pack(by=person_with(Role.OPS))
    items = {item.name: (item.verdict, item.saving, item.why) for item in pack.items.all()}
    assert items == {
        "Busy": ("keep", Decimal(0), "Used 80.0 %."),
        "Idle twin": ("consolidate", Decimal(1000), "Used 30.0 %, and 1 other can do the same."),
        "Dead": ("retire", Decimal(1000), "Used 5.0 %: hardly anybody works with it."),
        "Lonely": ("optimise", Decimal(700), "Used 30.0 %, less than 40 %."),
        "Unknown": ("keep", Decimal(0), "Nobody has measured its use."),
        "Leaving": ("retire", Decimal(1000), "It is sunsetting."),
        "Wasteful": ("optimise", Decimal(250), "1 of 4 seats are inactive."),
        "Free": ("keep", Decimal(0), "Used 50.0 %."),
    }
    assert (pack.tools, pack.yearly, pack.saving) == (8, Decimal(7000), Decimal(3950))
    assert pack.totals["gaps"] == ["Attribute revenue"]
    assert [each["capability"] for each in pack.totals["overlaps"]] == ["Send e-mail"]


def test_a_pack_is_frozen_and_says_so():
    stack()
    pack = make_pack(by=person_with(Role.OPS))
    assert is_untouched(pack)
    CostLineFactory(tool=pack.items.first().tool, amount=Decimal(9))
    pack.refresh_from_db()
    assert is_untouched(pack)
    assert pack.yearly == Decimal(7000)
    with pytest.raises(DatabaseError), transaction.atomic():
        ReviewItem.objects.update(saving=0)


def test_packs_of_a_quarter_are_numbered():
    ops = person_with(Role.OPS)
    first, second = make_pack(by=ops), make_pack(by=ops)
    assert (first.number, second.number) == (1, 2)
    assert str(second).endswith("pack 2")
    assert quarter_of(dt.date(2026, 11, 22)) == dt.date(2026, 10, 1)


def test_a_missing_rate_makes_no_pack():
    CostLineFactory(currency="USD")
    with pytest.raises(InvalidInput, match="There is no exchange rate from USD into EUR"):
        make_pack(by=person_with(Role.OPS))
    assert not ReviewItem.objects.exists()


def test_who_may_not_makes_none():
    with pytest.raises(NotAllowed, match="You may not make technology reviews"):
        make_pack(by=person_with(Role.AUDITOR))


def test_a_pack_asks_few_questions_however_many_tools():
    stack()
    ops = person_with(Role.OPS)
    with CaptureQueriesContext(connection) as asked:
        make_pack(by=ops)
    assert len(asked) < 30


def test_the_workbook_holds_every_tool():
    stack()
    pack = make_pack(by=person_with(Role.OPS))
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(workbook(pack)))).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][:2] == ("Tool", "Lifecycle")
    assert len(rows) == 1 + 8


def test_the_document_is_one():
    pytest.importorskip("fpdf")
    from apps.technology.review_files import document

    ToolFactory(name="Żółw — naïve 語", active=True)
    pdf = document(make_pack(by=person_with(Role.OPS)))
    assert pdf.startswith(b"%PDF-")
    assert len(pdf) < 400_000


def test_one_click_makes_the_page(client):
    stack()
    client.force_login(person_with(Role.OPS))
    page = client.post("/admin/technology/reviewpack/add/", follow=True).content.decode()
    assert "its figures are frozen" in page
    assert "figures as frozen" in page
    assert "Idle twin" in page
    assert "Attribute revenue" in page


def test_auditor_reads_and_makes_nothing(client):
    pack = make_pack(by=person_with(Role.OPS))
    client.force_login(person_with(Role.AUDITOR))
    assert client.get(page_of(pack)).status_code == 200
    assert client.post("/admin/technology/reviewpack/add/").status_code == 403


def test_an_action_is_closed_once_with_its_outcome():
    ops = person_with(Role.OPS)
    pack, about = make_pack(by=ops), ToolFactory(active=True)
    action = ReviewAction.objects.create(
        pack=pack, tool=about, verdict="retire", action="End it", owner=ops, due_on=clock.today()
    )
    complete_action(action, by=ops, reason="Ended in October.")
    action.refresh_from_db()
    assert (action.state, action.outcome) == ("done", "Ended in October.")
    with pytest.raises(WrongState, match="It is done already"):
        complete_action(action, by=ops, reason="Twice")


def test_a_pack_of_the_first_kind_is_verified_too():
    stack()
    pack = make_pack(by=person_with(Role.OPS))
    with connection.cursor() as cursor:
        cursor.execute(DIGEST_OF_THE_FIRST, {"pack": pack.pk})
        pack.digest = cursor.fetchone()[0]
    assert is_untouched(pack)
    pack.digest = "0" * 64
    assert not is_untouched(pack)


def test_a_tool_of_a_pack_is_never_deleted():
    kept, other = tool("Kept", yearly=None), tool("Other", yearly=None, lifecycle="proposed")
    make_pack(by=person_with(Role.OPS))
    Tool.objects.filter(pk=other.pk).delete()
    with pytest.raises(DatabaseError, match="it stands in the figures of a review"), transaction.atomic():
        delete_raw(kept)


def delete_raw(each):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM technology_tool WHERE id = %s", [each.pk])
