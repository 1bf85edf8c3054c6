"""The pages of the inventory."""

from decimal import Decimal

import pytest

from apps.accounts.enums import Role
from apps.technology.enums import Lifecycle
from apps.technology.models import Tool
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ops(client):
    person = person_with(Role.OPS)
    client.force_login(person)
    return person


def filled(**changed):
    unknown = (
        "personal_data",
        "customer_data",
        "sub_processor",
        "single_sign_on",
        "software_as_a_service",
        "everyone_has_it",
    )
    form = {"name": "CRM", "criticality": "tier_1_business", "data_classification": "orange", "audience": "employees"}
    return {**form, **dict.fromkeys(unknown, "unknown"), **changed}


def test_list_costs_the_same_at_one_and_three_rows(client, ops):
    ToolFactory(owner_team=TeamFactory())
    number = assert_same_queries(
        client, list_of(Tool), lambda: [ToolFactory(owner_person=person_with(Role.OPS)) for _ in range(2)]
    )
    assert number <= 20


def test_an_added_tool_is_proposed_and_keeps_its_owners(client, ops):
    answer = client.post(
        list_of(Tool) + "add/", filled(business_owner_names="Ann, Ben", annual_cost="1200.50", currency="EUR")
    )
    tool = Tool.objects.get()
    assert answer.status_code == 302
    assert (tool.lifecycle, tool.business_owner_names, tool.annual_cost) == (
        Lifecycle.PROPOSED,
        ["Ann", "Ben"],
        Decimal("1200.50"),
    )


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"annual_cost": "-1", "currency": "EUR"}, "A year cannot cost less than nothing; a refund is a note."),
        ({"annual_cost": "5"}, "A cost needs its currency."),
        ({"annual_cost": "5", "currency": "eur"}, "A currency is three capital letters, for instance EUR."),
        ({"name": "crm TWICE"}, "There is already a tool of this name."),
    ],
)
def test_what_cannot_be_is_refused_in_words(client, ops, changed, sentence):
    ToolFactory(name="CRM twice")
    page = client.post(list_of(Tool) + "add/", filled(**changed)).content.decode()
    assert sentence in page
    assert Tool.objects.count() == 1


def test_page_offers_the_moves_that_work_and_carries_them_out(client, ops):
    tool = ToolFactory(name="CRM", active=True)
    page = client.get(page_of(tool)).content.decode()
    assert button_of(tool, "to-sunsetting") in page
    assert button_of(tool, "to-approved") not in page
    done = client.post(button_of(tool, "to-sunsetting"), {"reason": "replaced"}, follow=True).content.decode()
    assert "CRM is sunsetting now." in done


def test_auditor_sees_and_changes_nothing(client):
    tool = ToolFactory(name="CRM")
    client.force_login(person_with(Role.AUDITOR))
    page = client.get(page_of(tool)).content.decode()
    assert "CRM" in page
    assert button_of(tool, "to-evaluating") not in page
    assert client.post(page_of(tool), filled(name="Mine")).status_code == 403
    assert client.get(list_of(Tool) + "add/").status_code == 403


def test_sales_has_no_business_here(client):
    tool = ToolFactory()
    client.force_login(person_with(Role.SALES))
    assert client.get(list_of(Tool)).status_code == 403
    assert client.get(page_of(tool)).status_code == 403


def test_consistency_check_names_the_tools_nobody_answers_for(client, ops):
    tool = ToolFactory(name="Orphan", active=True)
    page = client.post(
        list_of(Tool), {"action": "check_consistency", "_selected_action": [tool.pk]}, follow=True
    ).content.decode()
    assert "In use without an owner in mops" in page
    assert "In use without a backup" in page


def test_empty_list_says_what_to_do(client, ops):
    assert "Import the inventory you have" in client.get(list_of(Tool)).content.decode()
