"""Stages over time: every stretch kept by the database, none overlaps, figures by cohort, nobody stuck unseen."""

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import InvalidInput, WrongState
from apps.core.rules.models import RuleVersion
from apps.core.transitions import transition
from apps.leads.domain.lifecycle import move_lead, refuse_stage
from apps.leads.domain.past import Told, tell_past
from apps.leads.domain.scoring.keeping import score_due
from apps.leads.domain.scoring.overriding import set_score
from apps.leads.domain.stages import cohorts, figures_by_stage, stages_of, stuck
from apps.leads.domain.touches import take_touches
from apps.leads.enums import Stage
from apps.leads.models import Lead, StageInterval
from tests.admin_pages import page_of
from tests.factories.accounts import person_with
from tests.factories.leads import LeadFactory
from tests.factories.rules import active
from tests.factories.scoring import body, in_force, rule, scoring, touch

pytestmark = pytest.mark.django_db


def test_every_way_of_moving_leaves_a_stretch_with_its_reason():
    person, lead = person_with(Role.OPS), LeadFactory(name="Ann")
    move_lead(lead, to=Stage.MQL, by=person, reason="Asked for a demo")
    move_lead(lead, to=Stage.RECYCLED, by=person, reason="Next year")
    with transition(Lead):
        Lead.objects.filter(pk=lead.pk).update(stage=Stage.MQL)  # as a night's bulk would
    stays = stages_of(lead, now=clock.now())
    assert [each.interval.stage for each in stays] == ["mql", "recycled", "mql", "known_lead"]
    assert [each.interval.reason for each in stays][1:3] == ["Next year", "Asked for a demo"]
    assert stays[1].interval.actor_label == person.get_username()
    assert [each.interval.exited_at is None for each in stays] == [True, False, False, False]
    assert stays[0].words == "less than a day"


def test_a_lead_is_in_one_stage_at_a_time_and_what_was_stays():
    lead = LeadFactory()
    rows, now = StageInterval.objects.filter(lead=lead), clock.now()
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        StageInterval.objects.create(lead=lead, stage="mql", entered_at=now, exited_at=now + dt.timedelta(days=1))
    assert sentence_of(caught.value) == "A lead is in one stage at a time."
    rows.update(exited_at=now)  # now the open one would begin before a closed one ends, or two closed ones would meet
    for until in (None, now):
        begun = now - dt.timedelta(microseconds=1)
        with pytest.raises(IntegrityError) as caught, transaction.atomic():
            StageInterval.objects.create(lead=lead, stage="mql", entered_at=begun, exited_at=until)
        assert sentence_of(caught.value) == "A lead is in one stage at a time."
    StageInterval.objects.create(lead=lead, stage="mql", entered_at=now)
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        rows.filter(stage="known_lead").update(exited_at=now + dt.timedelta(days=1))
    assert sentence_of(caught.value) == "A lead is in one stage at a time."
    with pytest.raises(DatabaseError) as changed, transaction.atomic():
        rows.update(stage="customer")
    assert "What stage a lead was in stays as it was" in sentence_of(changed.value)


@settings(max_examples=settings.default.max_examples // 5, deadline=None)  # 5, and 100 with --proof
@given(st.lists(st.tuples(st.sampled_from(Stage), st.booleans()), max_size=12))
def test_whatever_moves_a_lead_its_stretches_join_without_gap_or_overlap(steps):
    with transaction.atomic():
        lead = LeadFactory()
        went = [Stage.KNOWN_LEAD]
        for stage, in_bulk in steps:
            with transition(Lead):
                if in_bulk:
                    Lead.objects.filter(pk=lead.pk).update(stage=stage)
                else:
                    row = Lead.objects.get(pk=lead.pk)
                    row.stage = stage
                    row.save()
            went += [stage] if stage != went[-1] else []
        rows = list(StageInterval.objects.filter(lead=lead).order_by("entered_at", "pk"))
        assert [each.stage for each in rows] == went
        assert [each.exited_at for each in rows] == [*(each.entered_at for each in rows[1:]), None]
        transaction.set_rollback(True)


def test_an_incomplete_lead_comes_in_but_never_becomes_mql():
    person, lead = person_with(Role.OPS), LeadFactory(name="", email=None, external_id="7")
    with pytest.raises(WrongState, match="cannot become an MQL: sales needs name and e-mail"):
        move_lead(lead, to=Stage.MQL, by=person, reason="x")
    with pytest.raises(InvalidInput, match="Say why the lead moves"):
        move_lead(lead, to=Stage.DISQUALIFIED, by=person, reason=" ")


def test_who_is_not_ready_by_the_rules_does_not_become_mql():
    person = person_with(Role.OPS)
    title = {"field": "job_title", "op": "contains", "value": "chief"}
    rules = [rule("Chief", 30, predicate=title), rule("Demo", 5, touch="demo", hand_raise=True)]
    new = LeadFactory(name="New")
    version = in_force(scoring(owner=person), body(*rules, threshold=25, minimum_fit=20), by=person)
    Lead.objects.filter(pk=new.pk).update(job_title="Buyer")
    chief, raised = LeadFactory(name="Chi", job_title="Chief"), LeadFactory(name="Ra")
    assert refuse_stage(person, chief, to=Stage.MQL) == (
        "Chi cannot become an MQL yet: it is not scored; the rules in force reach it within a minute."
    )
    take_touches([touch(raised, "demo")], by=person)
    score_due()
    assert refuse_stage(person, new, to=Stage.MQL) == (
        "New cannot become an MQL yet: its fit is 0 of 20 needed. Fit asks about chief: fill in what is missing."
    )
    assert refuse_stage(person, raised, to=Stage.MQL) is None  # raised a hand
    move_lead(chief, to=Stage.MQL, by=person, reason="Reached the threshold")
    set_score(chief, value=3, until=clock.today(), reason="Left the company", by=person)
    move_lead(chief, to=Stage.KNOWN_LEAD, by=person, reason="Left")
    with pytest.raises(WrongState, match=r"Chi cannot become an MQL yet: it has 3 of 25 points. Where the rules are"):
        move_lead(chief, to=Stage.MQL, by=person, reason="Back")
    with transition(RuleVersion):
        RuleVersion.objects.filter(pk=version.pk).update(state="retired", retired_at=clock.now())
    assert refuse_stage(person, chief, to=Stage.MQL) is None  # no rules decide about it any more


def test_page_and_operation_agree_while_new_rules_have_not_reached_a_lead(client):
    person = person_with(Role.OPS)
    document = scoring(owner=person)
    chief = rule("Chief", 30, predicate={"field": "job_title", "op": "contains", "value": "chief"})
    in_force(document, body(chief, threshold=25), by=person)
    lead = LeadFactory(name="Low", job_title="Buyer")
    score_due()
    active(document, by=person, body=body(chief, threshold=20))
    client.force_login(person)
    shown = client.get(f"/admin/leads/lead/{lead.pk}/change/").context_data["shown_buttons"]
    refused = refuse_stage(person, lead, to=Stage.MQL)
    assert "cannot become an MQL yet" in refused
    assert [each.refused for each in shown if each.button.name == "to-mql"] in ([], [refused])


def test_figures_tell_who_is_where_who_is_stuck_and_how_many_of_a_month_went_on(client):
    person = person_with(Role.OPS)
    leads = [LeadFactory() for _ in range(4)]
    for lead in leads[:3]:
        move_lead(lead, to=Stage.MQL, by=person, reason="x")
    move_lead(leads[0], to=Stage.SQL, by=person, reason="x")
    everybody, later = Lead.objects.all(), clock.now() + dt.timedelta(days=40)
    assert list(stuck(everybody, 30, now=clock.now())) == []
    assert set(stuck(everybody, 30, now=later)) == set(leads[:3])
    told = {each.stage: each for each in figures_by_stage(person, now=clock.now())}
    assert (told[Stage.MQL].leads, told[Stage.MQL].left, told[Stage.KNOWN_LEAD].leads) == (2, 1, 1)
    found = cohorts(person, months=12, now=clock.now())
    assert (sum(each.qualified for each in found), sum(each.accepted for each in found)) == (3, 1)
    long_ago = clock.now() - dt.timedelta(days=200)  # sales had it once, and gave it back: that is no success of today
    tell_past([Told(leads[1].pk, Stage.SQL, long_ago)], by=person)
    assert sum(each.accepted for each in cohorts(person, months=12, now=clock.now())) == 1
    assert figures_by_stage(person_with(Role.SALES), now=clock.now())[1].leads == 0
    client.force_login(person)
    assert "From MQL to SQL" in client.get("/admin/leads/lifecycle/").content.decode()
    assert "Stages" in client.get(page_of(leads[0])).content.decode()
    client.force_login(person_with(Role.APPROVER))
    assert client.get("/admin/leads/lifecycle/").status_code in (302, 403)
