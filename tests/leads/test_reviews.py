"""Reviews of scoring: they open once a month, judge every version on the same leads, and end with a verdict."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.notifications.models import Notification
from apps.leads.admin.judging import told_band
from apps.leads.domain.handoff import offer, reject
from apps.leads.domain.past import Told, tell_past
from apps.leads.domain.scoring.engine import score_leads
from apps.leads.domain.scoring.judging import Seen, bands, lift
from apps.leads.domain.scoring.reviewing import advice, conclude, gained, open_review
from apps.leads.domain.touches import take_touches
from apps.leads.enums import Stage
from apps.leads.models import Lead, ScoringReview, StageInterval
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import person_with, sign_in
from tests.factories.leads import LeadFactory
from tests.factories.rules import draft
from tests.factories.scoring import body, in_force, rule, scoring, touch


def test_bands_lift_and_gain_are_counted():
    seen = [Seen(5, False, False, (0, 1)), Seen(15, False, True, (1, 1)), Seen(45, True, True, (1, 0))]
    assert bands(seen) == [
        {"from": 0, "to": 19, "leads": 2, "sql": 1, "ready": 0, "ready_sql": 0},
        {"from": 40, "to": 59, "leads": 1, "sql": 1, "ready": 1, "ready_sql": 1},
    ]
    assert (told_band(bands(seen)[1])["ready_share"], told_band(bands(seen)[0])["ready_share"]) == ("100%", "—")
    assert told_band({"from": 0, "to": 19, "leads": 2, "sql": 1})["ready"] == "—"  # kept before bands told it
    assert lift(seen, 0) == (2, 2, 1.5)
    assert lift(seen, 1) == (2, 1, 0.75)
    assert lift(seen, 0, 1) == (3, 2, 1.0)  # both rules of a criterion
    assert lift([], 0) == (0, 0, None)
    assert gained(0.8, 0.7) == pytest.approx(0.5)
    assert (gained(None, 0.7), gained(0.8, 0.5)) == (None, None)


@pytest.mark.django_db
def test_where_nobody_was_known_then_leads_are_judged_whose_past_was_told(client):
    now, ops = clock.now(), person_with(Role.OPS)
    in_force(
        scoring(owner=ops), body(rule("Visits", 1, 100, touch="visit"), rule("Titles", 5, predicate=TITLED)), by=ops
    )
    keen, others = LeadFactory.create_batch(3, job_title="Manager"), LeadFactory.create_batch(5)
    days = dt.timedelta(days=1)
    take_touches([touch(lead, "visit", days=95) for lead in keen], by=ops)
    take_touches([touch(lead, "visit", days=5) for lead in others], by=ops)  # too late to count
    stories = [Told(lead.pk, Stage.KNOWN_LEAD, now - 200 * days) for lead in (*keen, *others)]
    tell_past([*stories, *(Told(lead.pk, Stage.SQL, now - 30 * days) for lead in keen)], by=ops)
    review = open_review(at=now)
    (version,) = review.figures["versions"]
    assert (version["leads"], version["sql"], version["auc"]) == (8, 3, 1.0)
    sign_in(client, ops)
    page = client.get(page_of(review)).content.decode()
    assert "the leads whose past another system told" in page


@pytest.mark.django_db
def test_a_review_judges_champion_and_challenger_on_the_same_leads_and_is_concluded(client):
    now, ops = clock.now(), person_with(Role.OPS)
    assert open_review(at=now) is None
    document = scoring(owner=ops)
    visits = body(rule("Visits", 1, 100, touch="visit"), rule("Titles", 5, predicate=TITLED))
    first = in_force(document, visits, by=ops)
    leads = [LeadFactory(job_title="Manager" if place % 2 else "") for place in range(12)]
    keen = leads[:4]
    touches = [touch(lead, "visit", days=1) for lead in (*keen[:2], *leads[6:9])]
    take_touches([*touches, *(touch(lead, "demo", days=1) for lead in keen)], by=ops)
    then = clock.now()  # what comes from here on nobody knew when the leads were scored
    later, at = then + dt.timedelta(days=30), then + dt.timedelta(days=90)
    StageInterval.objects.filter(lead__in=keen).update(exited_at=later)
    StageInterval.objects.bulk_create(StageInterval(lead=lead, stage=Stage.SQL, entered_at=later) for lead in keen)
    take_touches([touch(leads[9], "demo")], by=ops)
    draft(document, by=ops, body=body(rule("Demos", 30, touch="demo")))
    seller = person_with(Role.SALES)
    given = LeadFactory(stage=Stage.MQL, owner_person=seller, job_title="Manager")
    score_leads([given.pk], as_of=clock.now())
    reject(offer(given, by=ops), by=seller, rejection="no_fit", reason="A student")
    Lead.objects.filter(pk=given.pk).update(job_title="")  # what it loses since takes back no word of sales
    score_leads([given.pk], as_of=clock.now())
    review = open_review(at=at)
    assert open_review(at=at) == review
    one, two = review.figures["versions"]
    assert [(each["number"], each["role"], each["leads"], each["sql"]) for each in (one, two)] == [
        (1, "Champion", 12, 4),
        (2, "Challenger", 12, 4),
    ]
    assert two["auc"] == 1.0
    assert one["auc"] < 0.7
    assert [(each["name"], each["leads"], each["sql"]) for each in one["rules"]] == [("Visits", 5, 2), ("Titles", 6, 2)]
    assert review.figures["rejections"] == [{"rule": "Titles", "reasons": {"no_fit": 1}}]
    assert advice(review).startswith("Version 2 tells better who becomes an SQL (AUC 1.000, now")
    assert Notification.objects.filter(recipient=ops, title=f"{review} is open for review.").count() == 1
    sign_in(client, ops)
    page = client.get(page_of(review)).content.decode()
    for words in (
        "Version 2 tells better",
        "Challenger",
        "Which criteria tell something",
        "Which rules tell something",
        "Does not fit: 1",
    ):
        assert words in page
    assert_same_queries(client, list_of(ScoringReview), lambda: [another(first, month) for month in (1, 2)])
    for by, said, kind, sentence in (
        (ops, {"verdict": "keep", "conclusion": " "}, InvalidInput, "Say what you found"),
        (ops, {"verdict": "x", "conclusion": "y"}, InvalidInput, "Say whether the rules stay"),
        (person_with(Role.AUDITOR), {"verdict": "keep", "conclusion": "y"}, NotAllowed, "You may not change"),
    ):
        with pytest.raises(kind, match=sentence):
            conclude(review, by=by, **said)
    answer = client.post(button_of(review, "conclude"), {"verdict": "change", "conclusion": "Demos tell"}, follow=True)
    assert "it is the challenger of the next review" in answer.content.decode()
    with pytest.raises(WrongState, match="is concluded"):
        conclude(review, verdict="keep", conclusion="x", by=ops)
    with pytest.raises(DatabaseError, match="stays as it was"), transaction.atomic():
        ScoringReview.objects.filter(pk=review.pk).update(figures={})


TITLED = {"field": "job_title", "op": "eq", "value": "Manager"}


def another(version, month):
    day = dt.date(2020, month, 1)
    moment = dt.datetime(2020, month, 1, tzinfo=dt.UTC)
    ScoringReview.objects.create(month=day, version=version, opened_at=moment, due_on=day, as_of=moment)
