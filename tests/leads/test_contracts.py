"""The contract of a source is written one a line, and what is wrong names its line."""

import pytest
from django.core.exceptions import ValidationError

from apps.accounts.enums import Role
from apps.leads.domain.contracts import pairs_as_lines, read_names, read_pairs
from apps.leads.models import IntakeSource
from tests.admin_pages import list_of, page_of
from tests.factories.accounts import person_with, sign_in

PAIRS = {"work_email": "email", "name": "name"}


def test_pairs_are_written_one_a_line_and_read_as_people_write_them():
    assert pairs_as_lines(PAIRS) == "work_email → email\nname       → name"
    assert pairs_as_lines({}) == ""
    assert read_pairs(pairs_as_lines(PAIRS)) == (PAIRS, [])
    assert read_pairs("work_email -> email\n\n  name = name,\n") == (PAIRS, [])
    assert read_pairs('{"work_email": "email", "name": "name"}') == (PAIRS, [])
    assert read_pairs("") == ({}, [])


def test_what_is_wrong_names_its_line():
    found, wrong = read_pairs("work_email → email\nname\nphone → fax\nwork_email → name\n")
    assert found == {"work_email": "email"}
    assert wrong[0] == "Line 2: write their name → ours, for instance work_email → email."
    assert wrong[1].startswith("Line 3: “fax” is no field of ours; ours are name, email")
    assert wrong[2] == "Line 4: “work_email” stands on line 1 already."
    assert read_pairs('{"a": "email",\n "b" "name"}')[1][0].startswith("Line 2: this is no JSON")
    assert read_pairs('{"a": ["email"]}')[1] == [
        "Write their name → ours, one a line; each name there stands for one field of ours."
    ]
    assert read_names("email\nemail\nfax", known=("email", "name")) == (
        ["email"],
        ["Line 2: “email” stands above already.", "Line 3: “fax” is none of email, name."],
    )
    assert read_names('["email"]') == (["email"], [])
    assert read_names('["email"') == ([], read_names('["email"')[1])
    assert read_names("[1]") == ([], ["Write one name a line."])


@pytest.mark.django_db
def test_the_page_of_a_source_shows_and_takes_lines(client):
    sign_in(client, person_with(Role.OPS))
    source = IntakeSource.objects.create(key="form", title="Form", fields=PAIRS, required=["email"])
    shown = client.get(page_of(source))
    form = shown.context["adminform"].form
    assert read_pairs(form["fields"].value()) == (PAIRS, [])
    assert "work_email → email" in shown.content.decode()
    given = {
        "title": "Form",
        "fields": "mail → email\nfull -> nam",
        "required": "email\nphon",
        "precedence": "50",
        "origins": "www.example.com",
        "asks": "company",
        "asks_at_once": "2",
        "asks_again_after": "0",
        "per_minute": "20",
        "is_open": "on",
        "opened_version": str(source.row_version),
    }
    refused = client.post(page_of(source), given).context["adminform"].form
    assert refused.errors["fields"][0].startswith("Line 2: “nam” is no field of ours")
    assert refused.errors["required"][0].startswith("Line 2: “phon” is none of")
    assert refused["fields"].value() == given["fields"]
    good = {**given, "fields": "mail → email\nfull -> name", "required": "email"}
    refused = client.post(page_of(source), good).context["adminform"].form
    assert refused.errors["origins"] == ["Write sites as https://www.example.com, without a path."]
    assert client.post(page_of(source), {**good, "origins": "https://www.example.com"}).status_code == 302
    source.refresh_from_db()
    assert (source.fields, source.required) == ({"mail": "email", "full": "name"}, ["email"])
    assert (source.origins, source.asks) == (["https://www.example.com"], ["company"])
    cleared = {**good, "fields": "", "required": "", "origins": "", "asks": "", "opened_version": source.row_version}
    assert client.post(page_of(source), cleared).status_code == 302
    source.refresh_from_db()
    assert (source.fields, source.required, source.origins, source.asks) == ({}, [], [], [])


@pytest.mark.django_db
def test_who_may_only_look_reads_the_contract_in_lines_and_words(client):
    sign_in(client, person_with(Role.AUDITOR))
    source = IntakeSource.objects.create(
        key="form", title="Form", fields=PAIRS | {"position": "job_title"}, required=["email"], touch_type="form"
    )
    shown = client.get(page_of(source)).content.decode()
    assert [part for part in ("work_email → email", "Job title", "Form sent") if part not in shown] == []
    assert "{" not in shown.split("Fields it brings")[1].split("Precedence")[0]
    assert "E-mail" in client.get(list_of(IntakeSource)).content.decode()


def test_a_source_counts_as_a_touch_that_there_is():
    with pytest.raises(ValidationError, match="is not a valid choice"):
        IntakeSource._meta.get_field("touch_type").clean("forms", None)
