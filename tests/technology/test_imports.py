"""The inventory file: every odd cell is named, nothing is guessed, the second time nothing changes."""

import re

import pytest
import yaml

from apps.accounts.enums import Role
from apps.audit.models import AuditEvent
from apps.core.actors import acting_as
from apps.core.exchange.enums import OutcomeKind
from apps.core.exchange.registry import Row, get_importer
from apps.technology.enums import Audience, Criticality, DataClass, Known, Lifecycle
from apps.technology.imports import Odd, audience, data_class, known, owners, stated, tier
from apps.technology.models import Tool
from tests.factories.accounts import person_with
from tests.factories.technology import ToolFactory


@pytest.mark.parametrize(
    ("cell", "value"),
    [("yes", Known.YES), ("True", Known.YES), ("no", Known.NO), ("No", Known.NO), ("false", Known.NO)],
)
def test_yes_and_no_are_read(cell, value):
    assert known(cell) == value


@pytest.mark.parametrize(
    ("parse", "cell", "stored", "remark"),
    [
        (known, "TBD", Known.UNKNOWN, "“TBD” is neither yes nor no, left as unknown"),
        (tier, "TBD", Criticality.UNKNOWN, "“TBD” names no tier, left as unknown"),
        (tier, "Tier 2 Business", Criticality.TIER_2, "“Tier 2 Business” is no kind of tier 2 we know, kept as tier 2"),
        (
            data_class,
            "N/A - it does not store any data",
            DataClass.UNKNOWN,
            "“N/A - it does not store any data” is none of green, yellow, orange and red, left as unknown",
        ),
        (audience, "emplyoyee", Audience.UNKNOWN, "“emplyoyee” names no audience we know, left as unknown"),
        (stated, "TBD", "", "“TBD” left as unknown"),
    ],
)
def test_what_does_not_clearly_say_something_is_unknown_and_named(parse, cell, stored, remark):
    assert parse(cell) == Odd(stored, remark)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("Tier 1 Business", Criticality.TIER_1_BUSINESS),
        ("Tier 1 Product", Criticality.TIER_1_PRODUCT),
        ("Tier 2 Core", Criticality.TIER_2_CORE),
        ("Tier 2 / Support", Criticality.TIER_2_SUPPORT),
        ("Tier 2", Criticality.TIER_2),
        ("TIer 3 / Non-critical", Criticality.TIER_3),
        ("Tier 3 Non-Critical", Criticality.TIER_3),
    ],
)
def test_tiers_are_read_as_people_type_them(cell, value):
    assert tier(cell) == value


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("Ann", ["Ann"]),
        ("Ann, Ben", ["Ann", "Ben"]),
        ("Ann & Ben\nCleo;  Ann ", ["Ann", "Ben", "Cleo"]),
        (" , & ", []),
    ],
)
def test_several_owners_stand_in_one_cell(cell, names):
    assert owners(cell) == names


@pytest.mark.parametrize(("cell", "text"), [("no", "none"), ("None", "none"), ("SAML", "SAML"), (" a\n b ", "a b")])
def test_no_is_an_answer(cell, text):
    assert stated(cell) == text


def folded(header):
    return re.sub(r"[\W_]+", " ", header.casefold()).strip()


def rows_of(importer, records):
    """What the kit makes of records: the matched columns, parsed."""
    headers = {folded(header): column for column in importer.columns for header in column.headers()}
    rows = []
    for line, record in enumerate(records, start=1):
        matched = [(headers[folded(name)], value) for name, value in record.items() if folded(name) in headers]
        read = {column.name: column.read("" if value is None else str(value)) for column, value in matched}
        rows.append(Row(line, read))
    return rows


@pytest.mark.django_db
def test_the_real_inventory_comes_in_once(shared_data):
    importer, person = get_importer("technology.tools"), person_with(Role.OPS)
    rows = rows_of(importer, yaml.safe_load((shared_data / "tech_stack.yml").read_text()))
    with acting_as(person):
        first = importer.apply(rows, by=person)
        written = AuditEvent.objects.filter(table_name="technology_tool").count()
        second = importer.apply(rows, by=person)
    assert [each.kind for each in first] == [OutcomeKind.CREATED] * 219
    assert [each.kind for each in second] == [OutcomeKind.UNCHANGED] * 219
    assert (
        AuditEvent.objects.filter(table_name="technology_tool").count() == written == 2 * 219
    )  # added, then made active
    assert set(Tool.objects.values_list("lifecycle", flat=True)) == {Lifecycle.ACTIVE}
    odd = [each.reason for each in first if each.reason]
    assert len(odd) == 15
    assert any("“emplyoyee” names no audience we know" in reason for reason in odd)
    assert Tool.objects.filter(sub_processor=Known.UNKNOWN).count() == 21
    assert Tool.objects.get(name="Adaptive Insights").technical_owner_names == [
        "Owner 003",
        "Owner 004",
        "Owner 005",
        "Owner 006",
    ]


@pytest.mark.django_db
def test_a_tool_is_found_whatever_the_case_and_keeps_its_lifecycle():
    importer, person = get_importer("technology.tools"), person_with(Role.OPS)
    tool = ToolFactory(name="HubSpot", lifecycle=Lifecycle.SUNSETTING)
    outcome = importer.apply(rows_of(importer, [{"title": "hubspot", "saas": "yes"}]), by=person)[0]
    tool.refresh_from_db()
    assert outcome.kind == OutcomeKind.UPDATED
    assert (tool.lifecycle, tool.software_as_a_service) == (Lifecycle.SUNSETTING, Known.YES)


@pytest.mark.django_db
def test_importing_takes_the_right_to_add_and_change():
    importer = get_importer("technology.tools")
    assert importer.refuse(person_with(Role.OPS)) is None
    assert importer.refuse(person_with(Role.AUDITOR)) == (
        "You may not import tools: that takes the right to add and to change them."
    )
