"""Intake: a delivery counts once, each reject has its reason and a second chance, values follow trust in sources."""

import pytest
from django.contrib import admin
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.accounts.enums import Role
from apps.audit.domain.personal import erase_subject
from apps.core import access, clock
from apps.core.actors import Channel, acting_as
from apps.core.admin_kit.kits import record_url
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.leads.domain.consent import consents_of, record_consent
from apps.leads.domain.handoff import offer
from apps.leads.domain.intake import receive, replay
from apps.leads.domain.provenance import values_of
from apps.leads.domain.scoring.overriding import set_score
from apps.leads.domain.sla import record_contact
from apps.leads.enums import IntakeState, Stage
from apps.leads.models import (
    Company,
    Consent,
    FieldValue,
    Handoff,
    Intake,
    IntakeSource,
    Lead,
    SalesContact,
    ScoreOverride,
    Touchpoint,
)
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of, whole_page_of
from tests.factories.accounts import administrator, person_with, sign_in
from tests.factories.exchange import import_text
from tests.factories.leads import LeadFactory
from tests.factories.scoring import company

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return person_with(Role.OPS)


@pytest.fixture
def form():
    return IntakeSource.objects.create(
        key="form",
        title="The form",
        fields={"work_email": "email"},
        required=["email"],
        precedence=50,
        touch_type="form",
    )


def test_a_delivery_becomes_a_lead_with_its_company_touch_and_provenance(person, form):
    account = company(domain="ada.example")
    payload = {"work_email": " Ada@Ada.example", "name": "Ada  L", "favourite_colour": "blue"}
    first = receive(form, payload, key="1", by=person)
    assert first.state == IntakeState.ACCEPTED
    lead = Lead.objects.get()
    assert (lead.email, lead.name, lead.account, lead.record_source) == ("ada@ada.example", "Ada L", account, "form")
    assert first.payload == payload
    assert Touchpoint.objects.get().type == "form"
    assert set(FieldValue.objects.values_list("field", "source", "is_taken")) == {
        ("email", "form", True),
        ("name", "form", True),
    }
    assert receive(form, payload, key="1", by=person) == first
    other = receive(form, {"work_email": "other@ada.example"}, key="1", by=person)
    assert (other.state, other.reason.startswith("A delivery “1” came before, with other content.")) == (
        IntakeState.REJECTED,
        True,
    )
    assert (Lead.objects.count(), Touchpoint.objects.count()) == (1, 1)


def test_every_value_says_where_it_is_from_and_since_when(client, person, form):
    names = {"System": "hub", "Lead number": "7", "E-mail": "ada@ada.example", "Job title": "Buyer", "Country": "Spain"}
    import_text("leads.leads", f"{','.join(names)}\n{','.join(names.values())}\n", by=person)
    lead = Lead.objects.get()
    with acting_as(person, channel=Channel.ADMIN, reason="Said so on the phone"):
        lead.job_title = "Head of buying"
        lead.save()
    receive(form, {"work_email": "ada@ada.example", "name": "Ada", "country": "Italy"}, key="1", by=person)
    lead.refresh_from_db()
    known, refused = values_of(lead)
    told = {each.label: (each.value, each.source, each.why) for each in known}
    assert told["Job title"] == ("Head of buying", f"by hand, {person}", "Said so on the phone")
    assert told["Name"] == ("Ada", "The form", "")
    assert told["Country"][:2] == ("Spain", f"file, {person}")
    assert [(each.label, each.value, each.source) for each in refused] == [("Country", "Italy", "The form")]
    kept_back = values_of(lead, hidden={"country"})
    assert "Country" not in {each.label for part in kept_back for each in part}
    LeadFactory.create_batch(2)
    with CaptureQueriesContext(connection) as found:
        values_of(lead)
    assert len(found) == 3
    sign_in(client, person)
    box = record_url(admin.site._registry[Lead], lead, "lead-boxes", "values")
    page = client.get(box).content.decode()
    assert "Head of buying" in page
    assert "Said and not taken" in page


def test_what_people_typed_is_not_overwritten_and_what_is_trusted_less_neither(client, person, form):
    LeadFactory(email="ada@ada.example", name="Typed", country="")
    again = receive(form, {"work_email": "ada@ada.example", "name": "Form", "country": "Spain"}, key="1", by=person)
    assert again.state == IntakeState.DUPLICATE
    weak = IntakeSource.objects.create(key="weak", title="Weak", precedence=10)
    strong = IntakeSource.objects.create(key="strong", title="Strong", precedence=90)
    for source, country, stands in ((weak, "Italy", "Spain"), (strong, "France", "France"), (form, "Peru", "France")):
        receive(source, {"email": "ada@ada.example", "country": country}, key="2", by=person)
        assert Lead.objects.get().country == stands
    assert Lead.objects.get().name == "Typed"
    assert FieldValue.objects.filter(field="country", is_taken=False).count() == 2
    client.force_login(person)
    page = client.get(whole_page_of(Lead.objects.get())).content.decode()
    _, refused = page.split("Said and not taken: a value trusted more stood there")
    assert [refused.count(f"<td>{value}</td>") for value in ("Form", "Italy", "Peru")] == [1, 1, 1]


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ({"name": "Ada"}, "The contract of The form wants e-mail."),
        ({"work_email": "ada at home"}, "The e-mail cannot be used."),
        ({"work_email": "ada@ada.example", "name": "A\x00da"}, "name holds a null byte"),
        ({"work_email": "ada@ada.example", "name": ["Ada"]}, "name is no text."),
        ({"work_email": "ada@ada.example", "name": "x" * 151}, "name is too long: 151 characters, at most 150 fit."),
        ({f"column {n}": "x" for n in range(201)}, "201 fields came; a delivery has at most 200."),
    ],
)
def test_what_is_rejected_stands_with_its_reason(person, form, payload, sentence):
    row = receive(form, payload, key="1", by=person)
    assert row.state == IntakeState.REJECTED
    assert sentence in row.reason
    assert not Lead.objects.exists()


def test_a_reject_is_judged_again_by_the_contract_of_today(person, form, client):
    row = receive(form, {"name": "Ada"}, key="1", by=person)
    assert replay(row, by=person).startswith("Rejected again: The contract")
    form.required = ["name"]
    form.save()
    client.force_login(person)
    assert "The contract of The form wants" in client.get(page_of(row)).content.decode()
    client.post(button_of(row, "replay"))
    row.refresh_from_db()
    assert (row.state, row.attempts, row.lead.name) == (IntakeState.ACCEPTED, 3, "Ada")
    with pytest.raises(WrongState, match="Only what was rejected is judged again"):
        replay(row, by=person)
    with pytest.raises(NotAllowed, match="You may not add leads"):
        replay(row, by=person_with(Role.SALES))


def test_many_rejects_are_judged_again_at_once_and_the_sentence_says_what_became_of_them(person, form, client):
    rows = [
        receive(form, given, key=str(n), by=person) for n, given in enumerate(({"name": "Ada"}, {"name": "Bo"}, {}))
    ]
    form.required = ["name"]
    form.save()
    sign_in(client, person)
    chosen = {"action": "many_replay", "_selected_action": [row.pk for row in rows]}
    assert "All 3 can be done." in client.post(list_of(Intake), chosen).content.decode()
    page = client.post(list_of(Intake), {**chosen, "bulk_apply": "1"}, follow=True).content.decode()
    assert "Judged again: 2 taken in, 1 rejected again." in page
    assert Intake.objects.filter(state=IntakeState.ACCEPTED).count() == 2
    touch = Touchpoint.objects.order_by("pk").first()
    told = {"action": "many_machine", "_selected_action": [touch.pk], "bulk_apply": "1", "reason": "A scanner"}
    client.post(list_of(Touchpoint), told)
    assert Touchpoint.objects.get(pk=touch.pk).is_machine


def test_who_may_not_and_what_is_closed_is_refused(person, form):
    with pytest.raises(NotAllowed, match="You may not add leads"):
        receive(form, {}, key="1", by=person_with(Role.AUDITOR))
    with pytest.raises(InvalidInput, match="Name the delivery"):
        receive(form, {}, key="", by=person)
    form.is_open = False
    form.save()
    with pytest.raises(WrongState, match="takes no leads now"):
        receive(form, {}, key="1", by=person)


def test_the_newest_word_counts_and_consent_is_evidence(person):
    lead = LeadFactory()
    given = {"purpose": "marketing_email", "evidence": "Form, version 3", "by": person}
    record_consent(lead, is_given=True, **given)
    record_consent(lead, is_given=False, **given)
    assert [each.is_given for each in consents_of(lead)] == [False]
    with pytest.raises(InvalidInput, match="counts with its evidence alone"):
        record_consent(lead, is_given=True, **{**given, "evidence": " "})
    with pytest.raises(NotAllowed, match="You may not change"):
        record_consent(lead, is_given=True, **{**given, "by": person_with(Role.AUDITOR)})
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        Consent.objects.update(is_given=True)
    assert "record the withdrawal as a new row" in sentence_of(caught.value)


def test_erasing_a_lead_empties_what_came_in_about_it(person, form):
    receive(form, {"work_email": "ada@ada.example", "name": "Ada Lovelace"}, key="1", by=person)
    erase_subject(Lead.objects.get(), by=administrator(), reason="She asked")
    assert Intake.objects.get().payload == {}
    assert set(FieldValue.objects.values_list("value", flat=True)) == {""}


def test_pages_keep_to_the_territory_and_to_their_number_of_queries(client, person, form):
    seller = person_with(Role.SALES)
    row = receive(form, {"work_email": "ada@ada.example"}, key="1", by=person)
    receive(form, {"name": "Nobody"}, key="2", by=person)
    client.force_login(person)
    for number, kind in enumerate((Intake, IntakeSource, Consent)):

        def more(start=number * 10):
            for each in range(start, start + 2):
                taken = receive(form, {"work_email": f"a{each}@ada.example"}, key=f"more {each}", by=person)
                record_consent(taken.lead, purpose="phone", is_given=True, evidence="A call", by=person)
                IntakeSource.objects.create(key=f"s{each}", title="More")

        assert_same_queries(client, list_of(kind), more)
    assert access.visible(seller, Intake).count() == 0
    Lead.objects.filter(pk=row.lead_id).update(owner_person=seller)
    assert list(access.visible(seller, Intake)) == [row]


def test_what_hangs_on_a_lead_is_found_by_its_name_and_address(client, person):
    for name in ("Ada", "Bea"):
        lead = LeadFactory(name=name, email=f"{name.lower()}@engines.example", stage=Stage.MQL, owner_person=person)
        record_consent(lead, purpose="phone", is_given=True, evidence="A call", by=person)
        set_score(lead, value=50, until=clock.today(), reason="A fair", by=person)
        record_contact(lead, kind="call", note="Spoke", by=person)
        offer(lead, by=person)
    client.force_login(person)
    for kind in (Consent, ScoreOverride, SalesContact, Handoff):
        for asked in ("ada", "ada@engines"):
            rows = client.get(list_of(kind), {"q": asked}).context["cl"].result_list
            assert [row.lead.name for row in rows] == ["Ada"], kind


def test_a_delivery_is_taken_in_on_the_page_of_its_source(client, person, form):
    client.force_login(person)
    send = {"key": "by hand", "payload": '{"work_email": "ann@ada.example"}'}
    assert "Accepted: ann@ada.example." in client.post(button_of(form, "deliver"), send, follow=True).content.decode()
    wrong = client.post(button_of(form, "deliver"), {"key": "x", "payload": "[1]"}).content.decode()
    assert "A delivery is an object" in wrong
    for text in (
        "[" * 50_000,
        '{"a":' * 900 + "1" + "}" * 900,
        '{"a": ' + "9" * 5_000 + "}",
        '{"a"',
        '{"a": "\\ud800"}',
    ):
        answer = client.post(button_of(form, "deliver"), {"key": "y", "payload": text})
        assert (answer.status_code, "Enter a valid JSON." in answer.content.decode()) == (200, True)
    odd = {"key": "z", "payload": '{"work_email": "bea@ada.example", "name": "\\u0000", "n": 1e999}'}
    told = client.post(button_of(form, "deliver"), odd, follow=True).content.decode()
    assert "Rejected: name holds a null byte" in told
    client.force_login(person_with(Role.AUDITOR))
    assert "You may not add leads" in client.post(button_of(form, "deliver"), send, follow=True).content.decode()


def test_touches_and_companies_come_in_from_files(person):
    LeadFactory(email="ada@ada.example")
    text = (
        "System,Event number,E-mail of the lead,Touch,When,What\n"
        "hub,1,ADA@ada.example,Website visit,2026-03-01 10:00,Pricing\n"
        "hub,2,ada@ada.example,Download,2090-03-01 10:00,Guide\n"
        "hub,3,nobody@ada.example,Download,2026-03-01 10:00,Guide\n"
    )
    batch = import_text("leads.touches", text, by=person)
    assert (batch.counts["created"], batch.counts["refused"]) == (1, 2)
    assert Touchpoint.objects.get().value == "Pricing"
    again = import_text("leads.touches", text, by=person)
    assert (again.counts.get("created", 0), again.counts["unchanged"], again.counts["refused"]) == (0, 1, 2)
    companies = "Domain,Name,Industry,Employees\nada.example,Ada Ltd,Software,250\n"
    assert import_text("leads.companies", companies, by=person).counts["created"] == 1


def test_a_company_is_found_by_a_domain_that_is_one(client, person):
    text = (
        "Name,Domain,Employees\nA,not a domain,1\nB,localhost,1\nC,https://www.Ada.example/x,1\nD,münchen.example,1\n"
    )
    batch = import_text("leads.companies", text, by=person)
    assert batch.counts == {"created": 2, "refused": 2}
    told = list(batch.outcomes.filter(kind="refused").order_by("line").values_list("reason", flat=True))
    assert told[0] == "Domain: “not a domain” is no domain; write it as example.com."
    client.force_login(person)
    by_hand = client.post(f"{list_of(Company)}add/", {"name": "E", "domain": "no domain"})
    assert "is no domain; write it as example.com." in by_hand.content.decode()
    assert set(Company.objects.values_list("domain", flat=True)) == {"ada.example", "münchen.example"}
