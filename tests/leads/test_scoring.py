"""Scores: the same engine live, in rehearsal and for the past; every point explained; decay to the digit."""

import datetime as dt
import threading
import time

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.alerts.models import Alert
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.jobs.testing import run_queued_jobs
from apps.core.records import kind_of
from apps.core.rules.domain.versions import activate, simulate, start_draft, write_rules
from apps.core.rules.kinds import kind_named
from apps.core.rules.models import RuleVersion
from apps.core.workspace.models import CustomField
from apps.leads.domain.intake import receive
from apps.leads.domain.machines import call_machine
from apps.leads.domain.scoring.curve import curve_of, month_starts
from apps.leads.domain.scoring.engine import computed_sql, score_leads, store
from apps.leads.domain.scoring.explaining import explain
from apps.leads.domain.scoring.keeping import score_all, score_due, unequal_sums
from apps.leads.domain.scoring.model import model_in_force, read_model
from apps.leads.domain.scoring.overriding import end_override, set_score, standing
from apps.leads.domain.touches import take_touches
from apps.leads.models import Company, IntakeSource, Lead, LeadScore, ScoreChange, ScoreQueue, ScoreRun, Touchpoint
from apps.leads.scoring_rules import BODY, KIND
from tests.admin_pages import assert_same_queries, list_of, page_of
from tests.factories.accounts import person_with, sign_in
from tests.factories.leads import LeadFactory
from tests.factories.rules import approved
from tests.factories.scoring import body, company, in_force, rule, scoring, touch
from tests.factories.workspace import CustomFieldFactory

pytestmark = pytest.mark.django_db
TITLE = {"field": "job_title", "op": "contains", "value": "chief"}


@pytest.fixture
def person():
    return person_with(Role.OPS)


def scored(lead, *, as_of, past=False):
    """What the rules in force give a lead as of a moment, without storing it."""
    sql = computed_sql(model_in_force(), as_of=as_of, leads=[lead.pk], past=past)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT raw, final FROM ({sql}) c")
        return cursor.fetchone()


def test_the_point_model_of_the_first_draft_reaches_exactly_170_85_and_minus_85(person):
    start = kind_named(KIND).body.start()
    assert BODY.problems(start) == []
    in_force(scoring(owner=person), start, by=person)
    best = LeadFactory(job_title="Chief of all", account=company(employees=5000, industry="Software"))
    mixed = LeadFactory(
        job_title="CEO",
        email="x@student.edu",
        account=company(employees=5000, industry="Energy", is_competitor=True),
    )
    worst = LeadFactory(email="y@student.edu", account=company(is_competitor=True))
    many = [("visit", 12), ("download", 4), ("email", 9), ("webinar", 3), ("demo", 2), ("trial", 2)]
    touches = [touch(lead, kind) for lead in (best, mixed) for kind, number in many for _ in range(number)]
    take_touches([*touches, touch(mixed, "unsubscribe"), touch(worst, "unsubscribe")], by=person)
    found = {row.lead_id: row for row in LeadScore.objects.all()}
    assert [found[lead.pk].final for lead in (best, mixed, worst)] == [170, 85, -85]
    assert (found[best.pk].known, found[worst.pk].known) == (3, 0)
    told = explain(found[best.pk])
    assert told.total == found[best.pk].raw == 170
    assert {each.name: each.sentence for each in told.criteria}["Content downloads"] == "raw 20, counted 15"
    assert told.coverage == "known 3 of 3"
    assert told.standing == "Ready for sales: raised a hand"


@pytest.mark.parametrize(
    ("decay", "points", "days", "ages"),
    [
        ("half_life", 25, 14, {0: 25, 14: 12.5, 28: 6.25}),
        ("linear", 10, 60, {0: 10, 30: 5, 60: 0, 90: 0}),
        ("window", 8, 30, {0: 8, 29: 8, 30: 0}),
        ("none", 7, None, {0: 7, 900: 7}),
    ],
)
def test_points_fade_to_the_digit_live_and_as_of_the_past(person, decay, points, days, ages):
    lead, start = LeadFactory(), clock.now()
    more = {"days": days} if days else {}
    in_force(scoring(owner=person), body(rule("Visit", points, touch="visit", decay=decay, **more)), by=person)
    take_touches([touch(lead, at=start)], by=person)
    for age, value in ages.items():
        moment = start + dt.timedelta(days=age)
        assert scored(lead, as_of=moment) == pytest.approx((value, value), abs=1e-6)
        assert scored(lead, as_of=moment, past=True) == scored(lead, as_of=moment)
    quiet = LeadFactory()  # did nothing, so it has no sums at all
    assert scored(quiet, as_of=start) == scored(quiet, as_of=clock.now(), past=True) == (0, 0)
    assert scored(lead, as_of=start - dt.timedelta(days=1), past=True) is None  # there was no such lead
    assert unequal_sums() == []


def test_how_a_touch_repeats(person):
    lead, day = LeadFactory(), dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
    rules = [
        rule("Every", 1, 100, touch="visit"),
        rule("Daily", 10, 1000, touch="visit", repeat="daily"),
        rule("Once", 100, 1000, touch="visit", repeat="once"),
        rule("Halving days", 1000, 9000, touch="visit", repeat="daily", decay="half_life", days=2),
        rule("The last one halving", 10_000, 90_000, touch="visit", repeat="once", decay="half_life", days=2),
    ]
    in_force(scoring(owner=person), body(*rules, highest=100_000), by=person)
    for hours in (0, 1, 24):  # in three deliveries, so that sums are carried
        take_touches([touch(lead, at=day + dt.timedelta(hours=hours))], by=person)
    sql = computed_sql(model_in_force(), as_of=day.replace(hour=0) + dt.timedelta(days=2), leads=[lead.pk])
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT factors FROM ({sql}) c")
        (factors,) = cursor.fetchone()
    fresh = 10_000 * 2 ** (-15 / 48)
    assert factors == pytest.approx([3, 20, 100, 1000 * (0.5 + 2**-0.5), fresh])
    assert unequal_sums() == []


def test_a_change_is_simulated_approved_activated_and_brings_exactly_what_was_simulated(person, monkeypatch, client):
    document = scoring(owner=person)
    leads = [LeadFactory(job_title="Chief" if n % 2 else "", owner_person=person) for n in range(6)]
    first = in_force(document, body(rule("Chief", 20, predicate=TITLE), threshold=15), by=person)
    take_touches([touch(lead, days=n) for n, lead in enumerate(leads)], by=person)
    fading = rule("Visits", 30, 30, touch="visit", decay="half_life", days=3)
    second = approved(document, by=person, body=body(rule("Chief", 10, predicate=TITLE), fading, threshold=25))
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)
    second = simulate(RuleVersion.objects.select_related("document").get(pk=second.pk), by=person, at=moment)
    told = dict(second.simulation["facts"])
    assert told["Leads scored"] == 6
    assert LeadScore.objects.filter(version=first).count() == 6  # nothing was changed
    assert set(second.simulation["sample"]) == {lead.pk for lead in leads}
    sign_in(client, person)
    page = client.get(page_of(second)).content.decode()
    assert "Who moves most" in page
    assert "20 → 33.81<" in page
    assert "0 → 30, becomes ready" in page
    activate(second, by=person, reason="Better", at=moment)
    run_queued_jobs()
    run = ScoreRun.objects.get(version=second)
    assert run.digest == told["Digest of every difference"]
    assert run.changed == told["Scores that change, compared with version 1"] == 6
    assert run.became_ready == told["Become ready, compared with version 1"]
    assert run.stopped_being_ready == told["Are no longer ready, compared with version 1"]
    (owners,) = [each for each in second.simulation["tables"] if each["title"].startswith("Whose leads cross")]
    assert owners["rows"] == [[person.full_name, run.became_ready, run.stopped_being_ready, 0]]
    after = dict(ScoreChange.objects.filter(run=run).values_list("lead", "after"))
    assert after == dict(LeadScore.objects.values_list("lead", "final"))
    run_queued_jobs()
    assert ScoreRun.objects.filter(version=second).count() == 1


def test_a_score_of_the_past_asks_for_the_company_as_it_was_then(person):
    large = rule("Large", 20, predicate={"field": "employees", "op": "gte", "value": 1000})
    energy = rule("Energy", 15, predicate={"field": "industry", "op": "eq", "value": "Energy"})
    in_force(scoring(owner=person), body(large, energy), by=person)
    firm = company(employees=5000, industry="Retail")
    lead, before = LeadFactory(account=firm), clock.now()
    firm.employees, firm.industry = 40, "Energy"
    firm.save()
    assert scored(lead, as_of=before, past=True) == (20, 20)
    assert scored(lead, as_of=clock.now(), past=True) == scored(lead, as_of=clock.now()) == (15, 15)


def test_the_curve_of_a_lead_reads_its_touches_as_of_each_month_by_the_rules_of_today(person):
    now = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
    assert [each.date().isoformat() for each in month_starts(now, 4)] == [
        *("2025-12-01", "2026-01-01", "2026-02-01", "2026-03-01")
    ]
    rules = [
        rule("Chief", 20, predicate=TITLE),
        rule("Visits", 3, 200, touch="visit", decay="half_life", days=7),
        rule("Downloads", 5, 15, touch="download", decay="window", days=20),
    ]
    in_force(scoring(owner=person), body(*rules), by=person)
    lead = LeadFactory(job_title="Chief")
    starts = {"visit": dt.datetime(2026, 2, 22, tzinfo=dt.UTC), "download": dt.datetime(2026, 2, 27, tzinfo=dt.UTC)}
    take_touches([touch(lead, kind, at=at) for kind, at in starts.items()], by=person)
    curve = curve_of(lead, model_in_force(), now=now)
    assert [(each.at.date().isoformat(), round(each.score, 3)) for each in curve[-3:]] == [
        ("2026-02-01", 20),
        ("2026-03-01", 26.5),
        ("2026-03-10", round(25 + 3 * 2 ** (-16.5 / 7), 3)),
    ]
    assert len(curve) == 12


def test_stored_scores_are_what_a_recomputation_from_the_touches_gives(person):
    rules = [
        rule("Chief", 20, predicate=TITLE),
        rule("Visits", 3, 200, touch="visit", decay="half_life", days=7),
        rule("Downloads", 5, 15, touch="download", decay="linear", days=90),
    ]
    in_force(scoring(owner=person), body(*rules), by=person)
    leads = [LeadFactory(job_title="Chief") for _ in range(4)]
    for step in range(5):
        batch = [touch(lead, kind, days=step * 3 + n) for n, lead in enumerate(leads) for kind in ("visit", "download")]
        take_touches(batch, by=person)
    moment = clock.now()
    score_leads([lead.pk for lead in leads], as_of=moment)
    for lead in leads:
        assert scored(lead, as_of=moment, past=True)[1] == LeadScore.objects.get(lead=lead).final


_DOINGS = st.tuples(st.sampled_from(["visit", "email", "download"]), st.integers(0, 90 * 24))


@settings(max_examples=settings.default.max_examples // 5, deadline=None)  # 5, and 100 with --proof
@given(batches=st.lists(st.lists(_DOINGS, max_size=6), min_size=1, max_size=4), machine=st.integers(0, 30))
def test_whatever_comes_in_the_sums_and_scores_are_what_the_touches_give(batches, machine):
    """However touches are delivered, and whichever of them a machine did: kept sums, live scores and the past agree."""
    with transaction.atomic():
        person, lead = person_with(Role.OPS), LeadFactory()
        rules = [
            rule("Visits", 3, 20, touch="visit", decay="half_life", days=7),
            rule("Mails", 2, 9, touch="email", repeat="daily", decay="linear", days=60),
            rule("Downloads", 5, 15, touch="download", decay="window", days=30),
        ]
        in_force(scoring(owner=person), body(*rules), by=person)
        moment = clock.now()
        for batch in batches:
            take_touches([touch(lead, kind, at=moment - dt.timedelta(hours=ago)) for kind, ago in batch], by=person)
        rows = list(Touchpoint.objects.order_by("pk"))
        if machine < len(rows):
            call_machine(rows[machine], by=person, reason="A scanner")
        assert unequal_sums() == []
        ages = {kind: [] for kind in ("visit", "email", "download")}
        for each in Touchpoint.objects.filter(is_machine=False):
            ages[each.type].append((moment - each.occurred_at, (moment.date() - each.occurred_at.date()).days))
        visits = sum(3 * 2 ** (-age.total_seconds() / (7 * 86_400)) for age, _ in ages["visit"])
        mails = sum(2 * max(0, 1 - days / 60) for days in {days for _, days in ages["email"]})
        downloads = sum(5 for _, days in ages["download"] if days < 30)
        raw, final = scored(lead, as_of=moment)
        assert raw == pytest.approx(min(visits, 20) + min(mails, 9) + min(downloads, 15), abs=1e-6)
        assert scored(lead, as_of=moment, past=True) == (raw, final)
        score_leads([lead.pk], as_of=moment)
        stored = LeadScore.objects.get(lead=lead)
        assert (stored.raw, stored.final) == (raw, final)
        assert explain(stored).total == stored.raw
        transaction.set_rollback(True)


def test_facts_that_change_are_queued_by_the_database_and_time_passes_at_night(person):
    rules = [rule("Chief", 20, predicate=TITLE), rule("Visits", 10, 50, touch="visit", decay="window", days=5)]
    large = rule("Large", 9, predicate={"field": "employees", "op": "gte", "value": 100})
    in_force(scoring(owner=person), body(*rules, large), by=person)
    lead = LeadFactory(account=company(employees=3))
    take_touches([touch(lead, days=1)], by=person)
    assert LeadScore.objects.get(lead=lead).final == 10
    Lead.objects.filter(pk=lead.pk).update(job_title="Chief")  # a bulk update, which no signal sees
    assert ScoreQueue.objects.filter(pk=lead.pk).exists()
    assert score_due()["scored"] == 1
    assert LeadScore.objects.get(lead=lead).final == 30
    Company.objects.filter(pk=lead.account_id).update(employees=100)
    score_all()
    assert LeadScore.objects.get(lead=lead).final == 39
    done = score_all(as_of=clock.now() + dt.timedelta(days=6))
    assert (done.changed, LeadScore.objects.get(lead=lead).final) == (1, 29)
    assert score_all(as_of=clock.now() + dt.timedelta(days=6)).changed == 0


@pytest.mark.django_db(transaction=True)
def test_time_that_passes_for_all_leads_overwrites_no_facts_that_come_in_meanwhile(person):
    rules = [rule("Chief", 20, predicate=TITLE), rule("Visits", 10, 50, touch="visit", decay="window", days=5)]
    in_force(scoring(owner=person), body(*rules), by=person)
    lead, other = LeadFactory(), LeadFactory()
    take_touches([touch(lead, days=1), touch(other, days=1)], by=person)
    model, later, done = model_in_force(), clock.now() + dt.timedelta(days=6), []

    def night():
        done.append(store(model, as_of=later, reuse=True))
        connection.close()

    passing = threading.Thread(target=night)
    with transaction.atomic():
        Lead.objects.filter(pk=lead.pk).update(job_title="Chief")
        score_leads([lead.pk], as_of=clock.now())
        passing.start()
        wait_until_locked()
    passing.join()
    assert dict(LeadScore.objects.values_list("lead", "final")) == {lead.pk: 30, other.pk: 0}
    assert done[0].changed == 1
    assert store(model, as_of=later, reuse=True).changed == 1
    assert LeadScore.objects.get(lead=lead).final == 20


# tests of other databases run beside this one; what a session waits for has no database, what it has locked does
_WAITS = """
    SELECT EXISTS (SELECT FROM pg_locks w JOIN pg_locks mine USING (pid) JOIN pg_database d ON d.oid = mine.database
                   WHERE w.locktype = 'transactionid' AND NOT w.granted AND d.datname = current_database())
"""


def wait_until_locked():
    """Wait until another session of this database waits for this transaction."""
    for _ in range(500):
        with connection.cursor() as cursor:
            cursor.execute(_WAITS)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


def test_ready_needs_fit_and_stays_until_it_falls_well_below(person):
    rules = [rule("Chief", 20, predicate=TITLE), rule("Visits", 10, 90, touch="visit", decay="half_life", days=10)]
    settings = {"threshold": 50, "hysteresis": 15, "minimum_fit": 20}
    version = in_force(
        scoring(owner=person), {**body(*rules), "settings": {**body()["settings"], **settings}}, by=person
    )
    fitting, busy = LeadFactory(job_title="Chief"), LeadFactory()
    take_touches([touch(lead) for lead in (fitting, busy) for _ in range(6)], by=person)
    score = LeadScore.objects.get(lead=busy)
    assert not score.is_ready
    assert explain(score).standing == "Not ready: fit 0 of 20 needed"
    assert LeadScore.objects.get(lead=fitting).is_ready
    model = read_model(version)
    for days, is_ready in ((10, True), (30, False), (10, False)):  # 50, 27.5, and 50 again: back needs the threshold
        store(model, as_of=clock.now() + dt.timedelta(days=days, seconds=60), leads=[fitting.pk])
        assert LeadScore.objects.get(lead=fitting).is_ready is is_ready, days


def test_a_score_set_by_hand_has_a_reason_and_an_end(person):
    in_force(scoring(owner=person), body(rule("Chief", 20, predicate=TITLE)), by=person)
    lead, tomorrow = LeadFactory(), clock.today() + dt.timedelta(days=1)
    given = {"value": 77, "until": tomorrow, "reason": "Met them", "by": person}
    for more, kind, sentence in (
        ({"reason": " "}, InvalidInput, "Say why the rules are wrong"),
        ({"until": tomorrow - dt.timedelta(days=9)}, InvalidInput, "holds until today or a later day, within a year"),
        ({"until": tomorrow + dt.timedelta(days=900)}, InvalidInput, "holds until today or a later day, within a year"),
        ({"until": dt.date.max}, InvalidInput, "holds until today or a later day, within a year"),
        ({"value": float("nan")}, InvalidInput, "A score is a number"),
        ({"value": 171}, InvalidInput, "Scores go from -85 to 170"),
        ({"by": person_with(Role.AUDITOR)}, NotAllowed, "You may not change"),
    ):
        with pytest.raises(kind, match=sentence):
            set_score(lead, **{**given, **more})
    with pytest.raises(WrongState, match="The rules score this lead; nothing was set by hand"):
        end_override(lead, by=person)
    set_score(lead, **given)
    score = LeadScore.objects.get(lead=lead)
    assert (score.final, score.score, score.is_ready) == (77, 0, True)
    assert standing(lead).last_day == tomorrow
    with pytest.raises(WrongState, match="is set by hand already"):
        set_score(lead, **given)
    end_override(lead, by=person, reason="Was wrong")
    assert LeadScore.objects.get(lead=lead).final == 0


@pytest.mark.parametrize(
    ("rules", "settings", "sentence"),
    [
        ([rule("All", 5)], {}, "“All” fits every lead"),
        ([rule("Either", 5, predicate={"any": [TITLE, {"not": TITLE}]})], {}, "“Either” fits every lead"),
        ([rule("Half", 5, touch="visit", decay="half_life", days=0.5)], {}, "Days are whole days"),
        ([rule("a\x00b", 5, predicate=TITLE)], {}, "a character that no text holds"),
        (
            [
                rule(
                    "No",
                    5,
                    touch="visit",
                    predicate={
                        "all": [
                            {"field": "total_visits", "op": "gt", "value": 5},
                            {"field": "total_visits", "op": "lt", "value": 3},
                        ]
                    },
                )
            ],
            {},
            "contradicts itself",
        ),
        ([rule("Gone", 5, predicate={"field": "shoe_size", "op": "eq", "value": 1})], {}, "no field “shoe_size”"),
        ([rule("Zero", 5, touch="visit", decay="linear", days=0)], {}, "Say over how many days"),
        ([rule("None", 5, touch="visit", days=4)], {}, "Days belong to points that fade"),
        ([rule("Fact", 5, predicate=TITLE, decay="window", days=4)], {}, "Only what a lead did can fade"),
        ([rule("Fact", 5, predicate=TITLE, repeat="once")], {}, "Only what a lead did can repeat"),
        ([rule("Nil", 0, predicate=TITLE)], {}, "gives no points"),
        ([rule("Sign", -5, dimension="fit", predicate=TITLE)], {}, "Negative rules take points away"),
        ([rule("Cap", 5, -5, predicate=TITLE)], {}, "The cap has the sign of the points"),
        (
            [rule("A", 5, 9, criterion="X", predicate=TITLE), rule("B", 5, 8, criterion="X", predicate=TITLE)],
            {},
            "share one cap",
        ),
        ([rule("A", 5, predicate=TITLE)], {"threshold": 900}, "The threshold lies within the range"),
        ([rule("A", 5, predicate=TITLE)], {"lowest": 200}, "The range ends above where it begins"),
        ([rule("A", 5, predicate=TITLE)], {"hysteresis": -1}, "is 0 or more"),
        ([rule("A", 5, predicate=TITLE)], {"threshold": ""}, "Ready for sales from is missing"),
    ],
)
def test_rules_that_cannot_be_are_refused_in_words(db, rules, settings, sentence):
    problems = BODY.problems(BODY.tidy(body(*rules, **settings)))
    assert any(sentence in each.sentence for each in problems), problems


@pytest.mark.parametrize(
    ("rules", "settings", "sentence"),
    [
        ([rule("A", 5, predicate=TITLE), rule("a ", 6, criterion="B", predicate=TITLE)], {}, "Rules 1 and 2 are both"),
        ([rule("A", 171, predicate=TITLE)], {}, "“A”: 171 points lie outside the range, -85 to 170."),
        ([rule("A", 5, 1e19, predicate=TITLE)], {}, "“A”: a cap has 1,000,000 points at most."),
        ([rule("A", 5, predicate=TITLE)], {"minimum_fit": 6}, "The rules of fit give 5 points at most"),
    ],
)
def test_slips_are_refused_in_new_versions_alone(person, rules, settings, sentence):
    given = BODY.tidy(body(*rules, **settings))
    assert BODY.problems(given) == []  # a version in force goes on deciding
    draft = start_draft(scoring(owner=person), by=person)
    with pytest.raises(InvalidInput) as refused:
        write_rules(draft, given, by=person)
    assert sentence in refused.value.message


def test_rules_that_broke_under_them_lose_nothing_and_can_be_mended(client, person):
    field = CustomFieldFactory(content_type=kind_of(Lead), label="Plan", key="plan", type="text")
    asks, document = {"field": "custom.plan", "op": "empty"}, scoring(owner=person)
    version = in_force(document, body(rule("No plan", 5, predicate=asks)), by=person)
    known = LeadFactory()
    score_all()
    CustomField.objects.filter(pk=field.pk).update(archived_at=clock.now())
    source = IntakeSource.objects.create(key="form", title="Form", fields={}, required=["email"], touch_type="form")
    new = receive(source, {"email": "ada@engines.example"}, key="1", by=person).lead
    take_touches([touch(known, at=clock.now())], by=person)
    assert (LeadScore.objects.get(lead=known).final, LeadScore.objects.filter(lead=new).count()) == (5, 0)
    assert score_due() == {"scored": 0, "changed": 0}
    alert = Alert.objects.get(fingerprint="leads.scoring.unreadable")
    assert alert.title.startswith(f"{version} cannot be read any more: leads keep the scores they have")
    assert "no field “custom.plan”" in alert.detail
    client.force_login(person)
    assert "No plan" in client.get(page_of(known)).content.decode()  # the score is still told by its rules
    assert client.get(page_of(new)).status_code == 200
    mended = write_rules(start_draft(document, by=person), body(rule("A title", 7, predicate=TITLE)), by=person)
    assert simulate(mended, by=person).is_simulated
    CustomField.objects.filter(pk=field.pk).update(archived_at=None)
    score_due()
    alert.refresh_from_db()
    assert (alert.state, LeadScore.objects.get(lead=new).final) == ("resolved", 5)


def test_the_page_of_a_lead_tells_the_score_and_keeps_its_number_of_queries(client, person):
    lead = LeadFactory(name="Ada")
    client.force_login(person)
    assert "No rules of scoring are in force" in client.get(page_of(lead)).content.decode()
    in_force(scoring(owner=person), body(rule("Downloads", 6, 15, touch="download")), by=person)
    take_touches([touch(lead, "download", value="Guide.pdf") for _ in range(3)], by=person)
    page = client.get(page_of(lead)).content.decode()
    for said in ("raw 18, counted 15", "known 0 of 0", "Not ready: 15 of 60 points", "Download: Guide.pdf"):
        assert said in page
    assert_same_queries(client, list_of(Lead), lambda: [LeadFactory(), LeadFactory()])
    run = ScoreRun.objects.get()
    assert "It changed" in client.get(page_of(run)).content.decode() or client.get(page_of(run)).status_code == 200
    for kind in (ScoreRun, Company):
        assert_same_queries(client, list_of(kind), lambda: [company(), company()])


FADES = [
    ({}, ""),
    ({"decay": "none"}, ", Fades: never"),
    ({"decay": "half_life", "days": 30}, ", Fades: halves every 30 days"),
    ({"decay": "half_life", "days": 1}, ", Fades: halves every 1 day"),
    ({"decay": "linear", "days": 90}, ", Fades: linearly over 90 days"),
    ({"decay": "window", "days": 1000}, ", Fades: counts for 1,000 days, then not at all"),
    (
        {"decay": "window", "days": 30, "hand_raise": True},
        ", Fades: counts for 30 days, then not at all, Ready at once yes",
    ),
]


@pytest.mark.parametrize(("given", "words"), FADES)
def test_how_points_fade_is_said_with_its_days_in_one_phrase(given, words):
    rules = BODY.tidy(body(rule("Visits", 1, 10, touch="visit", **given)))
    said = "Criterion “Visits”, Dimension Behaviour, Points 1, Cap of the criterion 10, Counts Website visit"
    assert BODY.problems(rules) == []
    assert BODY.outcome_words(rules["rules"][0]) == said + words
    assert BODY.lines(rules)[1].text == f"always: {said}{words}"
