"""The predictive score: learnt from earlier leads, judged on later ones, explained, shown only where it tells."""

import csv
import datetime as dt
import random
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.alerts.models import Alert
from apps.core.transitions import transition
from apps.leads.domain.predicting.fitting import drift, fit, judge, read_fitted, refuse_data
from apps.leads.domain.predicting.holdout import evaluate
from apps.leads.domain.predicting.refitting import OUTCOME, in_use, predict, refit
from apps.leads.domain.scoring.judging import auc
from apps.leads.domain.touches import take_touches
from apps.leads.enums import Stage
from apps.leads.models import Lead, Prediction, PredictiveFit, StageInterval
from tests.admin_pages import list_of, page_of
from tests.factories.accounts import person_with, sign_in
from tests.factories.scoring import body, in_force, rule, scoring, touch

DAY = dt.timedelta(days=1)


def test_auc_counts_ties_half_and_needs_both_outcomes():
    assert auc([(1, False), (2, True)]) == 1.0
    assert auc([(2, False), (1, True)]) == 0.0
    assert auc([(1, False), (1, True)]) == 0.5
    assert auc([(3, True), (1, False), (2, True), (2, False)]) == 0.875
    assert auc([(3, True)]) is None


def test_a_fit_explains_itself_and_too_little_data_is_refused():
    dice = random.Random(1)  # the same every time
    rows = [{"Visits": dice.random(), "Noise": dice.random(), "Same": 1.0} for _ in range(400)]
    outcomes = [row["Visits"] + 0.2 * dice.random() > 0.6 for row in rows]
    model = fit(rows, outcomes)
    assert [each.name for each in model.weights] == ["Noise", "Visits"]
    high, low = {"Visits": 0.95, "Noise": 0.5}, {"Visits": 0.05, "Noise": 0.5}
    assert model.probability(high) > 0.9 > 0.1 > model.probability(low)
    assert model.parts(high)[0][0] == "Visits"
    again = read_fitted(model.as_json())
    assert again.probability(high) == model.probability(high)
    quality = judge([model.probability(row) for row in rows], outcomes)
    assert quality.auc > 0.97
    assert quality.error < 0.1
    assert sum(number for _, _, number in quality.calibration) == 400
    assert "10 leads with a known outcome, 5 of them good: it takes 200" in refuse_data([True, False] * 5)
    assert refuse_data([True] * 300) is not None
    assert refuse_data([True, False] * 150) is None
    assert drift([0.1, 0.2, 0.3], []) is None
    same = [place / 100 for place in range(100)]
    assert drift(same, same) == 0
    assert drift(same, [0.99] * 100) > 0.25


def known_since(number, moment):
    with transition(Lead):
        leads = Lead.objects.bulk_create(Lead(name=f"L{moment:%m}{place}") for place in range(number))
    keys = [each.pk for each in leads]
    StageInterval.objects.filter(lead__in=keys).delete()
    StageInterval.objects.bulk_create(StageInterval(lead=lead, stage="known_lead", entered_at=moment) for lead in leads)
    return leads


def became(leads, moment):
    keys = [lead.pk for lead in leads]
    StageInterval.objects.filter(lead__in=keys).update(exited_at=moment)
    StageInterval.objects.bulk_create(StageInterval(lead=lead, stage=Stage.SQL, entered_at=moment) for lead in leads)


@pytest.mark.django_db
def test_it_is_fitted_on_earlier_leads_and_judged_on_later_ones():
    now, ops = clock.now(), person_with(Role.OPS)
    empty = refit(at=now)
    assert (empty.is_used, in_use(), Prediction.objects.count()) == (False, None, 0)
    assert "0 leads with a known outcome" in empty.sentence
    earlier = known_since(220, now - 2 * OUTCOME - 20 * DAY)
    later = known_since(220, now - OUTCOME - 20 * DAY)
    for leads, moment in ((earlier, now - 2 * OUTCOME), (later, now - OUTCOME)):
        keen = leads[:60]
        take_touches([touch(lead, "download", at=moment - 5 * DAY) for lead in keen], by=ops)
        became(keen[:50], moment + 10 * DAY)
    made = refit(at=now)
    assert (made.is_used, made.rows, made.positives) == (True, 220, 50)
    assert made.auc > 0.9
    assert "On later leads it had not seen: AUC" in made.sentence
    waiting = Prediction.objects.all()
    assert waiting.count() == 440 - 100
    assert not waiting.filter(lead__in=later[:50]).exists()
    best = max(waiting.select_related("lead"), key=lambda each: each.probability)
    assert best.lead in later[50:60]
    assert best.reasons[0][0] == "Download, in 90 days (log)"
    assert made.drift is None
    assert predict(made, at=now) == 340
    with pytest.raises(DatabaseError, match="stays on record"), transaction.atomic():
        PredictiveFit.objects.update(is_used=False)
    second = refit(at=now)
    assert second.drift < 0.05
    assert not Alert.objects.exists()


@pytest.mark.django_db
def test_pages_of_the_predictive_score(client):
    sign_in(client, person_with(Role.OPS))
    assert "No fit yet" in client.get(list_of(PredictiveFit)).content.decode()
    made = refit()
    assert "0 leads with a known outcome" in client.get(page_of(made)).content.decode()


def test_on_real_leads_without_what_is_known_late(shared_data):
    with (shared_data / "leads.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found, out = evaluate(rows), StringIO()
    call_command("evaluate_leads", shared_data / "leads.csv", stdout=out)
    assert found.sentence in out.getvalue()
    assert {"Lead Quality", "Last Notable Activity"}.isdisjoint({name.split(": ")[0] for name in found.features})
    assert found.train + found.test == len(rows)
    assert found.quality.auc > 0.7
    assert found.quality.error < 0.1


def test_a_file_without_outcomes_is_refused(tmp_path):
    file = tmp_path / "leads.csv"
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("evaluate_leads", file)
    file.write_text("Name\nAnn\n")
    with pytest.raises(CommandError, match="needs a column “ToBeConverted”"):
        call_command("evaluate_leads", file)
    file.write_text("Name,ToBeConverted\nAnn,1\n")
    with pytest.raises(CommandError, match="it takes 200 and at least 40 of each outcome"):
        call_command("evaluate_leads", file)


@pytest.mark.django_db
def test_the_page_of_a_lead_tells_it_beside_the_points(client):
    now, ops = clock.now(), person_with(Role.OPS)
    in_force(scoring(owner=ops), body(rule("Visits", 1, 10, touch="visit")), by=ops)
    lead = known_since(1, now - DAY)[0]
    take_touches([touch(lead, "visit", at=now - DAY)], by=ops)
    said = {
        "fitted_at": now,
        "as_of": now,
        "rows": 0,
        "positives": 0,
        "method": "test",
        "is_used": True,
        "sentence": "x",
    }
    made = PredictiveFit.objects.create(**said)
    Prediction.objects.create(
        lead=lead, fit=made, probability=0.31, reasons=[["Visits", 0.4], ["Source", -0.2]], at=now
    )
    sign_in(client, ops)
    page = client.get(page_of(lead)).content.decode()
    assert "Beside the points: 31% of leads like this one became SQL" in page
    assert "Speaks for it: Visits. Speaks against it: Source." in page
