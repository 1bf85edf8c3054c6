"""The importer of a plain model: what it writes, and what it refuses in which words."""

import pytest

from apps.accounts.enums import Role
from apps.accounts.models import Team
from apps.core.actors import acting_as
from apps.core.exchange import values
from apps.core.exchange.enums import OutcomeKind
from apps.core.exchange.model_importer import ModelImporter
from apps.core.exchange.registry import Column, Row
from tests.factories.accounts import TeamFactory, person_with

pytestmark = pytest.mark.django_db


class TeamImporter(ModelImporter):
    key, title, model, natural_key = "test.teams", "Teams", Team, ("name",)
    fields = ("name", "purpose")


def _apply(person, *records):
    with acting_as(person):
        return TeamImporter().apply([Row(line, dict(each)) for line, each in enumerate(records, 2)], by=person)


def test_columns_come_from_the_model():
    name, purpose = TeamImporter().columns
    assert (name.title, name.required, purpose.title, purpose.required) == ("Name", True, "Purpose", False)


def test_creates_updates_and_leaves_alone():
    admin = person_with(Role.ADMINISTRATOR)
    TeamFactory(name="Demand", purpose="Campaigns")
    TeamFactory(name="Events", purpose="Fairs")
    outcomes = _apply(
        admin,
        {"name": "Content", "purpose": "Words"},
        {"name": "demand", "purpose": "Campaigns"},
        {"name": "Events", "purpose": "Fairs"},
    )
    assert [each.kind for each in outcomes] == [OutcomeKind.CREATED, OutcomeKind.UPDATED, OutcomeKind.UNCHANGED]
    assert outcomes[0].changes == {"Name": ("", "Content"), "Purpose": ("", "Words")}
    assert outcomes[1].changes == {"Name": ("Demand", "demand")}


def test_unchanged_rows_write_nothing():
    admin = person_with(Role.ADMINISTRATOR)
    team = TeamFactory(name="Events", purpose="")
    _apply(admin, {"name": "Events", "purpose": None})
    assert Team.objects.get(pk=team.pk).row_version == team.row_version


def test_refuses_in_sentences():
    admin = person_with(Role.ADMINISTRATOR)
    TeamFactory(name="Twin")
    TeamFactory(name="twin")
    archived = TeamFactory(name="Old")
    Team.objects.filter(pk=archived.pk).update(archived_at="2026-01-01T00:00Z")
    outcomes = _apply(admin, {"name": "Twin"}, {"name": "Old"}, {"name": "x" * 101})
    assert [each.reason for each in outcomes] == [
        "2 records are called “Twin”; it is not clear which one is meant.",
        "“Old” is archived; restore it first if it is in use again.",
        "Name: Ensure this value has at most 100 characters (it has 101).",
    ]


def test_people_without_the_right_are_refused():
    auditor = person_with(Role.AUDITOR)
    TeamFactory(name="Demand")
    outcomes = _apply(auditor, {"name": "Demand", "purpose": "x"}, {"name": "New"})
    assert [each.reason for each in outcomes] == [
        "There is already a team “Demand”, and you may not change it.",
        "There is no team “New”, and you may not add one.",
    ]
    assert TeamImporter().refuse(auditor) == "You may not import teams: that takes the right to add and to change them."
    assert TeamImporter().refuse(person_with(Role.ADMINISTRATOR)) is None


@pytest.mark.parametrize(
    ("parse", "cell", "sentence"),
    [
        (values.integer, "1.5", "“1.5” is not a whole number."),
        (values.decimal_number, "1,5", "“1,5” is not a number. Write the decimals after a point."),
        (values.decimal_number, "NaN", "“NaN” is not a number."),
        (values.boolean, "maybe", "“maybe” is neither yes nor no."),
        (values.date, "31.3.2026", "“31.3.2026” is not a date; write it as 2026-03-31."),
        (values.date, "2026-02-30", "“2026-02-30” is not a date of the calendar."),
        (values.moment, "soon", "“soon” is not a date and time; write it as 2026-03-31 14:30."),
        (values.email, "a@", "“a@” is not an e-mail address."),
        (
            values.choice(OutcomeKind),
            "x",
            "“x” is not one of: Created, Updated, Unchanged, Refused, No longer in the file.",
        ),
    ],
)
def test_parsers_refuse_in_sentences(parse, cell, sentence):
    from apps.core.errors import InvalidInput

    with pytest.raises(InvalidInput) as refusal:
        Column("number", parse=parse).read(cell)
    assert refusal.value.message == f"Number: {sentence}"


def test_parsers_read_the_usual_spellings():
    import datetime as dt
    import decimal

    assert values.integer("1,234,567") == 1234567
    assert values.decimal_number("1,234.50") == decimal.Decimal("1234.50")
    assert (values.boolean("No"), values.boolean("x")) == (False, True)
    assert values.date("2026-03-31T10:00:00") == dt.date(2026, 3, 31)
    assert values.day_first(values.date)("31.3.2026") == dt.date(2026, 3, 31)
    assert values.choice(OutcomeKind)("no longer in the FILE") == "gone"
    assert values.unless(values.text, "TBD", "N/A")("tbd") is None
    assert values.listed()("a, b,,c ") == ["a", "b", "c"]


class ByPurpose(TeamImporter):
    key, natural_key = "test.by_purpose", ("purpose",)


def test_what_the_database_refuses_is_told_by_field():
    admin = person_with(Role.ADMINISTRATOR)
    TeamFactory(name="Demand", purpose="Campaigns")
    with acting_as(admin):
        rows = [Row(2, {"name": "Demand", "purpose": "Other"}), Row(3, {"name": "Events", "purpose": "Fairs"})]
        outcomes = ByPurpose().apply(rows, by=admin)
    assert [(each.kind, each.reason) for each in outcomes] == [
        (OutcomeKind.REFUSED, "Name: Team with this Name already exists."),
        (OutcomeKind.CREATED, ""),
    ]
