"""Capture from the internet: forms by their contract, visits by consent alone, and who a visitor turns out to be."""

import json
import uuid

import pytest

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.actors import system_principal
from apps.leads.domain.duplicates.merging import undo
from apps.leads.domain.intake import replay
from apps.leads.domain.profiling import next_questions, wrong_plan
from apps.leads.domain.visits import is_agreed
from apps.leads.enums import IntakeState, Stage
from apps.leads.models import Consent, FieldValue, Identity, Intake, IntakeSource, Lead, Merge, Touchpoint
from tests.admin_pages import page_of
from tests.factories.accounts import person_with
from tests.factories.leads import LeadFactory

pytestmark = pytest.mark.django_db
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
SITE = "https://www.example.com"


@pytest.fixture
def form():
    return IntakeSource.objects.create(
        key="demo-form",
        title="Demo form",
        fields={"work_email": "email"},
        required=["email"],
        touch_type="demo",
        is_web_form=True,
        takes_visits=True,
        origins=[SITE],
        honeypot="website",
        consent_field="news",
        consent_wording="Yes, write to me about the product.",
        asks=["name", "job_title", "phone", "product_interest"],
        asks_at_once=2,
        asks_again_after=365,
        per_minute=1000,
    )


def sent(client, given, *, address="/forms/demo-form/", origin=SITE, **headers):
    """What a page of the site gets for sending."""
    more = {"HTTP_ORIGIN": origin} if origin else {}
    headers = {"HTTP_USER_AGENT": BROWSER, **more, **headers}
    return client.post(address, json.dumps(given), content_type="application/json", **headers)


def visited(client, visitor, *, consent=None, page="/pricing", number="1", **headers):
    """What the script gets for telling a visit."""
    given = {"visitor": str(visitor), "events": [{"id": number, "type": "visit", "page": page}]}
    return sent(client, given | ({"consent": consent} if consent else {}), address="/visits/demo-form/", **headers)


def test_a_form_becomes_a_lead_with_consent_once(client, form):
    given = {"work_email": "ada@engines.example", "name": "Ada", "news": "on", "_key": "7", "_page": "/demo"}
    answer = sent(client, given)
    assert (answer.status_code, answer.json()["taken"]) == (200, True)
    assert answer["Access-Control-Allow-Origin"] == SITE
    assert sent(client, given).json() == answer.json()
    lead, consent = Lead.objects.get(), Consent.objects.get()
    assert (lead.email, lead.name, Intake.objects.count()) == ("ada@engines.example", "Ada", 1)
    assert consent.evidence == "“Yes, write to me about the product.” ticked on Demo form, /demo"
    assert (consent.is_given, consent.source, consent.recorded_by) == (True, "demo-form", system_principal())
    unnamed = {"work_email": "al@engines.example"}
    sent(client, unnamed), sent(client, unnamed)
    assert Intake.objects.count() == 2


def test_a_form_is_refused_in_sentences(client, form):
    bad = sent(client, {"work_email": "ada at home"})
    assert (bad.status_code, bad.json()["taken"]) == (422, False)
    assert bad.json()["sentence"].startswith("The e-mail cannot be used.")
    assert Intake.objects.get().state == IntakeState.REJECTED
    elsewhere = sent(client, {"work_email": "a@b.example"}, origin="https://evil.example")
    assert (elsewhere.status_code, "Access-Control-Allow-Origin" in elsewhere) == (403, False)
    assert sent(client, {}, origin="").status_code == 403
    assert client.post("/forms/demo-form/", "[1", content_type="application/json", HTTP_ORIGIN=SITE).json() == {
        "taken": False,
        "sentence": "What came is no JSON in UTF-8.",
    }
    assert sent(client, {}, address="/forms/other/").status_code == 404
    assert client.get("/forms/demo-form/").status_code == 405
    too_large = sent(client, {"work_email": "a@b.example", "note": "x" * 70_000})
    assert too_large.status_code == 413
    IntakeSource.objects.update(per_minute=3)
    told = [sent(client, {"work_email": "a@b.example"}).status_code for _ in range(12)]
    assert told[-1] == 429
    page = client.post("/forms/demo-form/", {"work_email": "no"}, HTTP_ORIGIN=SITE, HTTP_ACCEPT="text/html")
    assert page.status_code == 429


def test_a_plain_form_is_answered_with_a_page(client, form):
    answer = client.post(
        "/forms/demo-form/", {"work_email": "ada@engines.example"}, HTTP_ORIGIN=SITE, HTTP_ACCEPT="text/html"
    )
    assert "Thank you" in answer.content.decode()
    assert Lead.objects.get().email == "ada@engines.example"


def test_a_machine_in_the_trap_is_rejected_and_a_person_says_otherwise(client, form):
    answer = sent(client, {"work_email": "ada@engines.example", "website": "https://spam.example"})
    assert answer.json()["taken"] is True
    row = Intake.objects.get()
    assert (row.state, row.reason) == (
        IntakeState.REJECTED,
        "A field that people do not see was filled in: a machine sent it.",
    )
    assert not Lead.objects.exists()
    assert replay(row, by=person_with(Role.OPS)).startswith("Taken in as")


def test_consent_and_visitor_are_kept_until_a_reject_is_judged_again(client, form):
    visitor = uuid.uuid4()
    visited(client, visitor, consent={"given": True, "wording": "Banner 3"})
    given = {"work_email": "ada@engines.example", "news": "on", "_visitor": str(visitor), "_wording": "Mine"}
    sent(client, {**given, "website": "x"})
    IntakeSource.objects.update(consent_wording="Something else.")
    row = Intake.objects.get()
    replay(row, by=person_with(Role.OPS))
    row.refresh_from_db()
    consent = Consent.objects.get(purpose="marketing_email")
    assert (consent.evidence, consent.given_at, consent.lead) == (
        "“Yes, write to me about the product.” ticked on Demo form",
        row.received_at,
        row.lead,
    )
    assert Identity.objects.get(valid_to=None).lead == row.lead
    again = sent(client, {"work_email": "bo@engines.example", "_visitor": "no number", "_key": "2"})
    assert (again.json()["taken"], Lead.objects.filter(email="bo@engines.example").count()) == (True, 1)


def test_what_was_put_away_is_not_told_and_its_consent_is_taken_back(client, form):
    visitor = uuid.uuid4()
    visited(client, visitor, consent={"given": True, "wording": "Banner 3"})
    sent(client, {"work_email": "ada@engines.example", "name": "Ada Lovelace", "_visitor": str(visitor)})
    lead = Lead.objects.get(email="ada@engines.example")
    Lead.objects.filter(pk=lead.pk).update(archived_at=clock.now())
    before = Touchpoint.objects.count()
    for consent in (None, {"given": True, "wording": "Banner 4"}):
        answer = visited(client, visitor, number="2", consent=consent)
        assert (answer.status_code, answer.json()["sentence"]) == (200, "Nothing is kept of this visitor.")
    assert Touchpoint.objects.count() == before
    form_again = sent(client, {"work_email": "ada@engines.example", "_key": "new"})
    assert (form_again.json()["taken"], "Ada" in form_again.content.decode()) == (True, False)
    assert "is archived; restore it first" in Intake.objects.get(idempotency_key="new").reason
    asked = client.get("/forms/demo-form/next/", {"visitor": str(visitor)}, HTTP_ORIGIN=SITE)
    assert {each["field"] for each in asked.json()["ask"]} >= {"email", "name"}
    told = visited(client, visitor, consent={"given": False})
    assert "taken back" in told.json()["sentence"]
    assert Consent.objects.filter(lead=lead, purpose="tracking").first().is_given is False


def test_without_consent_nothing_is_stored(client, form):
    visitor = uuid.uuid4()
    answer = visited(client, visitor)
    assert answer.json()["sentence"] == "Nothing is kept: this visitor did not agree to it."
    for name in ("HTTP_DNT", "HTTP_SEC_GPC"):
        yes = {"given": True, "wording": "Banner 3"}
        assert "asks not to be tracked" in visited(client, visitor, consent=yes, **{name: "1"}).json()["sentence"]
    no_words = visited(client, visitor, consent={"given": True})
    assert no_words.status_code == 400
    assert (Lead.objects.count(), Touchpoint.objects.count(), Identity.objects.count()) == (0, 0, 0)


def test_visits_are_kept_by_consent_until_it_is_taken_back(client, form):
    visitor = uuid.uuid4()
    yes = {"given": True, "wording": "Banner 3"}
    assert visited(client, visitor, consent=yes).json()["sentence"] == "1 kept, 0 known already."
    assert visited(client, visitor).json()["sentence"] == "0 kept, 1 known already."
    lead = Lead.objects.get()
    assert (lead.stage, Consent.objects.get().evidence) == (Stage.ANONYMOUS_VISITOR, "“Banner 3” on Demo form")
    visited(client, visitor, number="2", HTTP_USER_AGENT="Googlebot/2.1")
    assert Touchpoint.objects.get(is_machine=True).machine_reason == "It calls itself “bot”."
    no = {"given": False, "wording": "Banner 3"}
    assert "taken back" in visited(client, visitor, consent=no).json()["sentence"]
    assert "did not agree" in visited(client, visitor, number="3").json()["sentence"]
    assert Touchpoint.objects.count() == 2


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"visitor": "me"}, "“visitor” is a number our script makes (a UUID)."),
        (
            {"events": [{"id": "1", "type": "demo"}]},
            "A browser does not say “demo” of itself; it says visit or download.",
        ),
        ({"events": [{"type": "visit"}]}, "Event 1 needs an “id” of at most 60 characters, so that it counts once."),
        ({"events": [{"id": "1", "at": "1999-01-01T00:00:00Z"}]}, "before 2000 nothing was recorded."),
        ({"events": [{"id": "1", "at": "2999-01-01T00:00:00Z"}]}, "which is still to come."),
        ({"events": [{"id": "1", "at": "soon"}]}, "is no moment; write it as 2026-03-31T14:30:00Z."),
        ({"events": "many"}, "“events” is a list of at most 50."),
        ({"consent": "yes"}, "“consent” says “given” (true or false) and the “wording” that was shown."),
    ],
)
def test_visits_are_refused_in_sentences(client, form, given, sentence):
    told = {"visitor": str(uuid.uuid4()), "consent": {"given": True, "wording": "Banner"}, **given}
    answer = sent(client, told, address="/visits/demo-form/")
    assert answer.status_code == 400
    assert sentence in answer.json()["sentence"]
    assert not Lead.objects.exists()


def test_a_visitor_who_sends_a_form_becomes_the_lead_and_that_can_be_undone(client, form):
    visitor, person = uuid.uuid4(), person_with(Role.OPS)
    visited(client, visitor, consent={"given": True, "wording": "Banner 3"})
    anonymous = Lead.objects.get()
    known = LeadFactory(email="ada@engines.example", name="Ada")
    sent(client, {"work_email": "ada@engines.example", "_visitor": str(visitor)})
    assert Identity.objects.get(valid_to=None).lead == known
    assert set(Touchpoint.objects.values_list("lead", "type")) == {(known.pk, "visit"), (known.pk, "demo")}
    visited(client, visitor, number="2")
    assert Touchpoint.objects.filter(lead=known, type="visit").count() == 2
    client.force_login(person)
    assert "1 touch, 1 browser<" in client.get(page_of(Merge.objects.get())).content.decode()
    client.logout()
    undo(Merge.objects.get(), by=person, reason="A shared computer.")
    assert Identity.objects.get(valid_to=None).lead == anonymous
    assert Touchpoint.objects.filter(lead=anonymous).count() == 1
    assert Lead.objects.get(pk=anonymous.pk).stage == Stage.ANONYMOUS_VISITOR


def test_a_consent_that_was_taken_back_while_two_were_one_stays_taken_back_for_both(client, form):
    visitor = uuid.uuid4()
    visited(client, visitor, consent={"given": True, "wording": "Banner 3"})
    anonymous = Lead.objects.get()
    sent(client, {"work_email": "ada@engines.example", "name": "Ada", "_visitor": str(visitor)})
    visited(client, visitor, number="2", consent={"given": False})
    undo(Merge.objects.get(), by=person_with(Role.OPS), reason="A shared computer.")
    assert not is_agreed(anonymous)
    word = Consent.objects.filter(lead=anonymous, is_given=False).get()
    assert word.evidence == "Taken back while both were one lead: By the script on Demo form"
    kept = Touchpoint.objects.count()
    assert "did not agree" in visited(client, visitor, number="3").json()["sentence"]
    assert Touchpoint.objects.count() == kept


def test_forms_ask_next_what_is_not_known_yet(client, form):
    visitor = uuid.uuid4()
    address = f"/forms/demo-form/next/?visitor={visitor}"

    def asked():
        return [each["field"] for each in client.get(address, HTTP_ORIGIN=SITE).json()["ask"]]

    assert asked() == ["email", "name"]
    visited(client, visitor, consent={"given": True, "wording": "Banner 3"})
    sent(client, {"work_email": "ada@engines.example", "name": "Ada", "_visitor": str(visitor)})
    assert asked() == ["job_title", "phone"]
    lead = Lead.objects.get(email="ada@engines.example")
    Lead.objects.filter(pk=lead.pk).update(job_title="Engineer", phone="+4930901820")
    assert asked() == ["product_interest"]
    sent(client, {"work_email": "ada@engines.example", "product_interest": "Analytics", "_visitor": str(visitor)})
    lead.refresh_from_db()
    assert (lead.product_interest, asked()) == ("Analytics", [])
    long_ago = clock.now().replace(year=clock.now().year - 2)
    FieldValue.objects.filter(lead=lead, field="name").update(observed_at=long_ago)
    lead.refresh_from_db()
    assert [(each.field, each.why) for each in next_questions(form, lead)] == [("name", "said long ago")]
    assert client.get("/forms/demo-form/next/?visitor=x", HTTP_ORIGIN=SITE).status_code == 400
    assert wrong_plan(["salary"]).startswith("A form does not ask for “salary”")
    assert wrong_plan(["name", "name"]) == "Each field is asked once."


def test_a_contract_that_cannot_be_used_is_refused_beside_its_field(client, form):
    person = person_with(Role.OPS)
    client.force_login(person)
    page = client.get(page_of(form)).content.decode()
    assert "http://testserver/forms/demo-form/" in page
    given = {
        "title": "Form",
        "fields": '{"mail": "salary"}',
        "required": "[]",
        "precedence": 50,
        "origins": '["example.com"]',
        "asks": '["salary"]',
        "asks_at_once": 2,
        "asks_again_after": 0,
        "per_minute": 20,
        "is_open": "on",
    }
    told = client.post(page_of(form), given).content.decode()
    for sentence in (
        "is no field of ours",
        "Write sites as https://www.example.com",
        "A form does not ask for “salary”",
    ):
        assert sentence in told
    good = {**given, "fields": "{}", "origins": "", "asks": "[]"}
    assert client.post(page_of(form), good).status_code == 302
    form.refresh_from_db()
    assert (form.origins, form.asks) == ([], [])


def sent_text(client, text, *, address="/forms/demo-form/", content_type="application/json"):
    """What anybody gets who sends bytes of their own making."""
    return client.post(address, text, content_type=content_type, HTTP_ORIGIN=SITE, HTTP_USER_AGENT=BROWSER)


@pytest.mark.parametrize(
    ("text", "status", "sentence"),
    [
        ("[" * 30_000, 400, "What came is no JSON in UTF-8."),
        ('{"n": ' + "9" * 5_000 + "}", 400, "What came is no JSON in UTF-8."),
        ("[1]", 400, "What comes is an object: names with their values."),
        ("", 400, "What came is no JSON in UTF-8."),
        ('{"work_email": "ada@engines.example", "name": "A\\ud800"}', 422, "name holds signs that cannot be read"),
        ('{"work_email": "ada@engines.example", "name": "A\\u0000"}', 422, "name holds a null byte"),
        ('{"work_email": {"a": 1}}', 422, "work_email is no text."),
        ('{"name": NaN}', 400, "What came is no JSON in UTF-8."),
        ('{"name": 1e999}', 422, "The contract of Demo form wants e-mail."),
    ],
)
def test_what_no_database_keeps_is_a_reject_in_words(client, form, text, status, sentence):
    answer = sent_text(client, text)
    assert (answer.status_code, answer.json()["taken"]) == (status, False)
    assert sentence in answer.json()["sentence"]
    assert Intake.objects.filter(state=IntakeState.REJECTED).count() == (status == 422)
    assert not Lead.objects.exists()


def test_what_is_nested_or_odd_beside_the_fields_costs_no_lead(client, form):
    deep = '{"a":' * 400 + '"x"' + "}" * 400
    odd = '"o": ["\\u0000", "\\ud800", 1e999, {"\\u0000": 1}]'
    given = f'{{"work_email": "ada@engines.example", "deep": {deep}, {odd}, "_key": "k\\u0000{"y" * 300}"}}'
    assert sent_text(client, given).status_code == 200
    assert sent_text(client, given).status_code == 200
    row = Intake.objects.get()
    assert (row.state, row.payload["o"]) == (IntakeState.ACCEPTED, ["␀", "\ufffd", "inf", {"␀": 1}])
    assert "nested too deep to be kept" in json.dumps(row.payload["deep"], ensure_ascii=False)
    assert (len(row.idempotency_key), row.idempotency_key[:3]) == (120, "k␀y")
    assert len(Touchpoint.objects.get().source_event_id) <= 100


def test_forms_that_cannot_be_read_are_answered_in_words(client, form):
    kind = "application/x-www-form-urlencoded"
    for body, content_type, sentence in (
        ("a=1&" * 2_500, kind, "The form cannot be read"),
        ("work_email=a@b.example", f"{kind}; charset=iso-8859-1", "The form cannot be read"),
        ("nothing", "multipart/form-data", "The form cannot be read"),
        (b"work_email=ada@b.example&name=M%FCller", kind, "name holds signs that cannot be read"),
        (
            b'{"work_email": "ada@b.example", "name": "M\xfcller"}',
            "application/json",
            "name holds signs that cannot be",
        ),
    ):
        answer = sent_text(client, body, content_type=content_type)
        assert answer.status_code in (400, 422)
        assert sentence in answer.json()["sentence"]
    assert not Lead.objects.exists()
    kept = {(row.payload["work_email"], row.payload["name"]) for row in Intake.objects.filter(state="rejected")}
    assert kept == {("ada@b.example", "M\ufffdller")}  # who wrote is not lost: somebody can ask


def test_a_mended_form_is_judged_though_its_key_is_known(client, form):
    bad = sent(client, {"work_email": "ada at home", "_key": "7"})
    assert bad.status_code == 422
    mended = sent(client, {"work_email": "ada@engines.example", "_key": "7"})
    assert (mended.status_code, Lead.objects.get().email) == (200, "ada@engines.example")
    assert sent(client, {"work_email": "ada@engines.example", "_key": "7"}).status_code == 200
    assert sent(client, {"work_email": "ada at home", "_key": "7"}).status_code == 422
    assert Intake.objects.count() == 2


def test_another_content_under_a_known_key_is_kept_for_a_person(client, form):
    sent(client, {"work_email": "ada@engines.example", "_key": "7"})
    for _ in range(2):
        other = sent(client, {"work_email": "bo@engines.example", "_key": "7"})
        assert (other.status_code, other.json()["taken"]) == (200, True)
    row = Intake.objects.get(state=IntakeState.REJECTED)
    assert row.reason == "A delivery “7” came before, with other content. Judge it again if this one counts as well."
    assert Lead.objects.get().email == "ada@engines.example"
    assert replay(row, by=person_with(Role.OPS)) == "Taken in as bo@engines.example."


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"events": [{"id": "a\x00b"}]}, "1 kept"),
        ({"events": [{"id": "1", "page": "/\x00\ud800", "utm": {"source": "\ud800"}}]}, "1 kept"),
        ({"events": [{"id": "1", "type": {"a": "\x00"}}]}, "A browser does not say"),
        ({"consent": {"given": True, "wording": "Yes\x00\ud800"}}, "0 kept"),
        ({"visitor": {"a": 1}}, "“visitor” is a number our script makes"),
        ({"events": [5]}, "Event 1 is no object."),
        ({"events": [{"id": "1", "at": "0001-01-01T00:00:00+14:00"}]}, "before 2000 nothing was recorded."),
        ({"events": [{"id": "1", "at": "9999-12-31T23:59:59-12:00"}]}, "which is still to come."),
    ],
)
def test_odd_visits_are_answered_in_words(client, form, given, sentence):
    told = {"visitor": str(uuid.uuid4()), "consent": {"given": True, "wording": "Banner"}, **given}
    answer = sent(client, told, address="/visits/demo-form/")
    assert answer.status_code in (200, 400)
    assert sentence in answer.json()["sentence"]
