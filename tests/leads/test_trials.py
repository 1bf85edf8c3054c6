"""Champion and challenger, live: both score each lead once, what comes after tells, and nothing is decided by it."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.rules.domain.versions import retire
from apps.leads.domain.scoring.trials import advice, archive_trial, end_trial, keep_trial, refuse_start, start_trial
from apps.leads.domain.touches import take_touches
from apps.leads.enums import Stage, TrialState
from apps.leads.models import Lead, LeadScore, ScoringTrial, ShadowScore, StageInterval
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import person_with, sign_in
from tests.factories.leads import LeadFactory
from tests.factories.rules import active, draft, segment
from tests.factories.scoring import body, in_force, rule, scoring, touch

pytestmark = pytest.mark.django_db
DEMOS, VISITS = rule("Demos", 70, touch="demo"), rule("Visits", 1, 100, touch="visit")


@pytest.fixture
def ops():
    return person_with(Role.OPS)


def planned(document, ops, *rules):
    return ScoringTrial.objects.create(
        challenger=draft(document, by=ops, body=body(*rules)), purpose="Are demos better?"
    )


def test_a_challenger_scores_beside_the_champion_and_decides_nothing(ops):
    document, now = scoring(owner=ops), clock.now()
    champion = in_force(document, body(VISITS), by=ops)
    leads = [LeadFactory() for _ in range(4)]
    gone = LeadFactory(stage=Stage.DISQUALIFIED)
    keen = leads[:2]
    take_touches([*(touch(lead, "demo") for lead in keen), touch(leads[2]), touch(leads[3])], by=ops)
    trial = planned(document, ops, DEMOS)
    for person in (person_with(Role.AUDITOR), person_with(Role.SALES)):
        with pytest.raises(NotAllowed, match="You may not change"):
            start_trial(trial, by=person)
    before = list(LeadScore.objects.order_by("pk").values())
    at = clock.now()
    assert start_trial(trial, by=ops, at=at).endswith("runs: 4 leads are scored by both; new ones join every night.")
    trial.refresh_from_db()
    assert (trial.state, trial.champion_id, trial.started_by) == (TrialState.RUNNING, champion.pk, ops)
    assert list(LeadScore.objects.order_by("pk").values()) == before  # nothing anybody reads has changed
    assert [(each.champion, each.challenger, each.challenger_ready) for each in trial.shadows.order_by("lead_id")] == [
        *([(0, 70, True)] * 2),
        *([(1, 0, False)] * 2),
    ]
    assert not ShadowScore.objects.filter(lead=gone).exists()
    assert "None of the 4 leads it saw became an SQL yet" in advice(trial)

    Lead.objects.filter(pk=leads[3].pk).update(job_title="Chief")  # scored once: what comes later changes nothing
    take_touches([touch(leads[3], "demo")], by=ops)
    late, later = LeadFactory(), at + dt.timedelta(days=2)
    StageInterval.objects.filter(lead__in=keen).update(exited_at=later)
    StageInterval.objects.bulk_create(StageInterval(lead=lead, stage=Stage.SQL, entered_at=later) for lead in keen)
    assert keep_trial(at=at + dt.timedelta(days=1)) == {"trials": 1, "joined": 1}
    assert ShadowScore.objects.get(lead=late).challenger == 0
    assert keep_trial(at=later) == {"trials": 1, "joined": 0}
    trial.refresh_from_db()
    old, new = trial.figures["champion"], trial.figures["challenger"]
    assert (old["auc"], new["auc"]) == (pytest.approx(1 / 6), 1.0)
    assert (new["leads"], new["sql"], new["ready"], new["ready_sql"]) == (5, 2, 2, 2)
    assert new["bands"] == [
        {"from": 0, "to": 19, "leads": 3, "sql": 0, "ready": 0, "ready_sql": 0},
        {"from": 60, "to": 79, "leads": 2, "sql": 2, "ready": 2, "ready_sql": 2},
    ]
    with pytest.raises(InvalidInput, match="Say what the trial showed"):
        end_trial(trial, by=ops, reason=" ")
    said = end_trial(trial, by=ops, reason="Demos tell more.", at=later)
    assert "The challenger tells better who becomes an SQL (AUC 1.000 against 0.167, on 2 that became SQL)." in said
    with pytest.raises(WrongState, match="is not running"):
        end_trial(trial, by=ops, reason="Again")
    assert keep_trial() == {"trials": 0, "joined": 0}
    with pytest.raises(DatabaseError, match="started and ended by the buttons"), transaction.atomic():
        ScoringTrial.objects.filter(pk=trial.pk).update(state=TrialState.RUNNING)
    assert ScoringTrial.objects.filter(started_at__gte=now).count() == 1


def test_only_a_version_that_does_not_decide_challenges_one_at_a_time_and_other_rules_end_it(ops):
    document = scoring(owner=ops)
    first = in_force(document, body(VISITS), by=ops)
    wrong = ScoringTrial.objects.create(challenger=first, purpose="By mistake")
    assert "decides already or is over" in refuse_start(ops, wrong)
    trial = planned(document, ops, DEMOS)
    start_trial(trial, by=ops)
    second = ScoringTrial.objects.create(challenger=trial.challenger, purpose="Again")
    assert refuse_start(ops, second) == f"{trial} is running; end it first."
    with pytest.raises(WrongState, match="is running; add a new one"):
        start_trial(ScoringTrial.objects.get(pk=trial.pk), by=ops)
    type(first).objects.filter(pk=trial.challenger_id).update(digest="0" * 64)
    assert keep_trial() == {"trials": 0, "joined": 0}
    trial.refresh_from_db()
    assert (trial.state, trial.conclusion) == (TrialState.ENDED, "The rules of the challenger were changed.")
    retire(first, by=ops, reason="Over")
    assert refuse_start(ops, second) == (
        "No rules of scoring are in force, so there is no champion; bring a version into force first."
    )
    other = ScoringTrial.objects.create(challenger=active(segment(owner=ops), by=ops), purpose="A segment")
    assert "scores no leads; choose a version of the document “lead-scoring”." in refuse_start(ops, other)


def test_pages_of_trials(client, ops):
    document = scoring(owner=ops)
    in_force(document, body(VISITS), by=ops)
    trial = planned(document, ops, DEMOS)
    LeadFactory()
    sign_in(client, ops)
    assert "Are demos better?" in client.get(page_of(trial)).content.decode()
    page = client.post(button_of(trial, "start"), follow=True).content.decode()
    assert "1 lead is scored by both" in page
    assert "Champion: from points to SQL" in page
    many = [{"challenger": trial.challenger, "purpose": "Later"}] * 2
    assert_same_queries(client, list_of(ScoringTrial), lambda: [ScoringTrial.objects.create(**each) for each in many])
    sign_in(client, person_with(Role.AUDITOR))
    page = client.get(page_of(trial)).content.decode()
    assert "Champion: from points to SQL" in page
    assert "End the trial" not in page


def test_a_planned_trial_is_archived_and_one_that_began_stays(client, ops):
    document = scoring(owner=ops)
    in_force(document, body(VISITS), by=ops)
    trial = planned(document, ops, DEMOS)
    with pytest.raises(NotAllowed, match="You may not change"):
        archive_trial(trial, by=person_with(Role.AUDITOR))
    assert archive_trial(trial, by=ops) == f"{trial} is archived."
    trial.refresh_from_db()
    assert refuse_start(ops, trial) == f"You may not change {trial}."
    with pytest.raises(WrongState, match="is archived already"):
        archive_trial(trial, by=ops)
    sign_in(client, ops)
    assert client.post(button_of(trial, "restore")).status_code == 302
    trial.refresh_from_db()
    assert refuse_start(ops, trial) is None
    start_trial(trial, by=ops)
    with pytest.raises(WrongState, match="has begun, and what it showed stays in the lists"):
        archive_trial(trial, by=ops)
