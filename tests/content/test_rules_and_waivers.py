"""Packs, claims, waivers and templates: all are approved by a second person before they count."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve, reject
from apps.approvals.models import ApprovalRequest
from apps.content.domain import checking, packs, templates, waiving, writing
from apps.content.domain.qa.findings import Rule
from apps.content.models import Claim, ContentTemplate, FindingWaiver, QaFinding, QaRun
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.rules.domain.versions import activate, send_for_approval, simulate, start_draft, write_rules
from apps.core.rules.models import RuleDocument
from apps.technology.models import DataEntity, DataField
from tests.factories.accounts import person_with
from tests.factories.approvals import policy_for
from tests.factories.content import asset, author, pack, rule, version

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def writer():
    return author(full_name="Ada Author")


@pytest.fixture
def approver():
    for kind in ("claim", "findingwaiver", "contentversion", "contenttemplateversion"):
        policy_for(f"content.{kind}")
    policy_for("rules.ruleversion")
    return person_with(Role.APPROVER)


def request_of(thing):
    kind = thing._meta.model_name
    return ApprovalRequest.objects.open().get(object_id=thing.pk, content_type__model=kind)


def test_a_pack_goes_its_way_and_asks_what_its_conditions_fit(writer, approver):
    made = version(by=writer, body="<p>A cheap thing</p>", of=asset(by=writer, region="dach"))
    with acting_as(writer):
        document = RuleDocument.objects.create(key="house", kind=packs.PACK, title="House", owner=writer)
    draft = start_draft(document, by=writer)
    for wrong, sentence in (
        (rule("Words", "forbidden"), "“Words” looks for words: say which"),
        (rule("Words", "forbidden", terms="a*"), "an asterisk stands at the end of one word"),
    ):
        with pytest.raises(InvalidInput, match=sentence):
            write_rules(draft, {"rules": [wrong]}, by=writer)
    only = {"all": [{"field": "region", "op": "eq", "value": "uk"}]}
    rules = [rule("No cheap", "forbidden", terms="cheap; bargain"), rule("UK", "required", terms="x", when=only)]
    draft = write_rules(draft, {"rules": rules}, by=writer)
    assert "cheap" in draft.words
    draft = simulate(draft, by=writer)
    assert ["Versions looked at", 1] in draft.simulation["facts"]
    assert ["Held back", 1] in draft.simulation["facts"]
    assert draft.simulation["tables"][0]["rows"] == [["No cheap", 1]]
    assert draft.simulation["sample"] == [made.pk]
    assert checking.run_checks(made, by=writer).rules == 0
    send_for_approval(draft, by=writer, note="Go")
    approve(request_of(draft), by=approver)
    draft.refresh_from_db()
    activate(draft, by=writer, reason="Now")
    run = checking.run_checks(made, by=writer)
    assert (run.rules, run.blocking, run.packs[0]["document"]) == (1, 1, "house")
    assert run.findings.get().rule == "house/no-cheap"
    switched_off = [{**each, "enabled": False} for each in rules]
    next_draft = write_rules(start_draft(document, by=writer), {"rules": switched_off}, by=writer)
    assert ["Held back by version 1, in force now", 1] in simulate(next_draft, by=writer).simulation["facts"]


def test_terms_are_read_once_each():
    assert packs.terms_in(" a ; b c;\n a;") == ("a", "b c")
    assert Rule("k", "n", "links").severity == "block"


def test_a_claim_counts_once_approved_and_until_its_day(writer, approver):
    pack(rule("Proof", "claim", terms="fastest", level="legal"))
    made = version(by=writer, body="<p>The fastest export.</p>")
    assert checking.run_checks(made, by=writer).blocking == 1
    with acting_as(writer):
        claim = Claim.objects.create(wording="fastest export", substantiation="Measured", valid_until=clock.today())
    with pytest.raises(NotAllowed, match="may not change this claim"):
        waiving.send_claim(claim, by=approver)
    waiving.send_claim(claim, by=writer)
    with pytest.raises(WrongState, match="The claim is in review; only drafts are sent"):
        waiving.send_claim(claim, by=writer)
    with pytest.raises(DatabaseError, match="stays as it is; write a new one"), transaction.atomic():
        Claim.objects.update(wording="slowest")
    with pytest.raises(DatabaseError, match="approved by somebody else"), transaction.atomic():
        Claim.objects.update(state="approved")
    with pytest.raises(NotAllowed):
        approve(request_of(claim), by=writer)
    approve(request_of(claim), by=approver)
    assert checking.run_checks(made, by=writer).blocking == 0
    assert checking.run_checks(made, by=writer, at=clock.now() + 2 * DAY).blocking == 1
    with acting_as(writer):
        old = Claim.objects.create(wording="x", substantiation="y", valid_until=clock.today() - DAY)
    with pytest.raises(WrongState, match="It would have ended on"):
        waiving.send_claim(old, by=writer)


def test_a_finding_is_waived_by_a_second_person_until_a_day(writer, approver):
    pack(rule("No hype", "forbidden", terms="epic"), rule("Soft", "forbidden", terms="nice", severity="warn"))
    made = version(by=writer, body="<p>An epic and nice day.</p>")
    writing.submit_to_checks(made, by=writer)
    finding = QaFinding.objects.get(severity="block")
    checker, until = author(), clock.today() + 10 * DAY
    for given, sentence in (
        ({"reason": " ", "until": until}, "Say why it is bearable"),
        ({"reason": "x", "until": clock.today() - DAY}, "A waiver ends between today and"),
        ({"reason": "x", "until": clock.today() + 400 * DAY}, "A waiver ends between today and"),
    ):
        with pytest.raises(InvalidInput, match=sentence):
            waiving.ask_waiver(finding, by=writer, **given)
    with pytest.raises(WrongState, match="Only what blocks is waived"):
        waiving.ask_waiver(QaFinding.objects.get(severity="warn"), by=writer, reason="x", until=until)
    with pytest.raises(NotAllowed, match="not ask for waivers"):
        waiving.ask_waiver(finding, by=person_with(Role.EXECUTIVE), reason="x", until=until)
    waiving.ask_waiver(finding, by=writer, reason="A quotation", until=until)
    with pytest.raises(WrongState, match="waits for a decision already"):
        waiving.ask_waiver(finding, by=writer, reason="A quotation", until=until)
    waiver = FindingWaiver.objects.get()
    with pytest.raises(WrongState, match="technical level is held back by No hype"):
        checking.sign_off(made, by=checker)
    with pytest.raises(NotAllowed):
        approve(request_of(waiver), by=writer)
    with pytest.raises(DatabaseError, match="decided by its approval"), transaction.atomic():
        FindingWaiver.objects.update(state="approved")
    with pytest.raises(DatabaseError, match="stays as it was asked for"), transaction.atomic():
        FindingWaiver.objects.update(until=clock.today() + 300 * DAY)
    approve(request_of(waiver), by=approver)
    assert "brand checks are next" in checking.sign_off(made, by=checker)
    assert checking.holding_back(made, until + DAY) == [QaRun.objects.first().findings.get(severity="block")]


def test_a_refused_waiver_counts_for_nothing(writer, approver):
    pack(rule("No hype", "forbidden", terms="epic"))
    made = version(by=writer, body="<p>An epic day.</p>")
    checking.check_now(made, by=writer)
    waiving.ask_waiver(QaFinding.objects.get(), by=writer, reason="x", until=clock.today())
    reject(request_of(FindingWaiver.objects.get()), by=approver, reason="No")
    assert FindingWaiver.objects.get().state == "refused"
    assert len(checking.holding_back(made, clock.today())) == 1
    with pytest.raises(NotAllowed, match="Only authors and checkers"):
        checking.check_now(made, by=person_with(Role.EXECUTIVE))


def test_evidence_of_checks_stays(writer):
    pack(rule("No hype", "forbidden", terms="epic"))
    made = version(by=writer, body="<p>An epic day.</p>")
    checking.run_checks(made, by=writer)
    for rows, change in ((QaRun.objects.all(), {"blocking": 0}), (QaFinding.objects.all(), {"severity": "warn"})):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**change)
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.delete()


def test_templates_fill_in_what_the_dictionary_knows(writer, approver):
    with acting_as(writer):
        entity = DataEntity.objects.create(name="Contact")
        DataField.objects.create(entity=entity, name="First name", personal_data="yes")
        template = ContentTemplate.objects.create(name="News", kind="email", owner_person=writer)
    draft = templates.write_version(template, by=writer, subject="Hi", body="Hello {{ contact.frist_name }}")
    with pytest.raises(InvalidInput, match=r"Is “contact\.first_name” meant"):
        templates.submit_version(draft, by=writer)
    with pytest.raises(WrongState, match="Version 1 is draft already"):
        templates.write_version(template, by=writer)
    for body, sentence in ((" ", "nothing to approve yet"), ("x" * 200_001, "longer than 200,000")):
        draft.body = body
        with acting_as(writer):
            draft.save()
        with pytest.raises(InvalidInput, match=sentence):
            templates.submit_version(draft, by=writer)
    draft.body = "Hello {{ first_name }}"
    with acting_as(writer):
        draft.save()
    templates.submit_version(draft, by=writer)
    with pytest.raises(WrongState, match="only drafts are sent"):
        templates.submit_version(draft, by=writer)
    with pytest.raises(DatabaseError, match="stays as it is; write a new version"), transaction.atomic():
        type(draft).objects.update(body="x")
    draft.refresh_from_db()
    piece = asset(by=writer)
    with pytest.raises(WrongState, match="is not in force"):
        writing.write_version(piece, by=writer, template=draft)
    approve(request_of(draft), by=approver)
    draft.refresh_from_db()
    made = writing.write_version(asset(by=writer), by=writer, template=draft)
    assert (made.subject, made.body) == ("Hi", "Hello {{ first_name }}")
    second = templates.write_version(template, by=writer)
    with pytest.raises(InvalidInput, match="Say what is new"):
        templates.submit_version(second, by=writer)
    second.change_note = "Shorter"
    with acting_as(writer):
        second.save()
    templates.submit_version(second, by=writer)
    approve(request_of(second), by=approver)
    assert list(templates.in_force_for("email")) == [second]
