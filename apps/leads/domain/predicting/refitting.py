"""The predictive score: fitted anew each month on what came of earlier leads, judged on later ones, told for all.

Two moments, a window apart: the model learns at the earlier one, from what came in the window after it, and is judged
at the later one, on what came since. It stands beside the points and is never part of them.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence

from django.db import connection, transaction

from apps.core import clock
from apps.core.actors import acting_as, system_principal
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.leads.domain.predicting.features import became_sql, features_at
from apps.leads.domain.predicting.fitting import METHOD, Fitted, Quality, drift, fit, judge, read_fitted, refuse_data
from apps.leads.models import Prediction, PredictiveFit

OUTCOME = dt.timedelta(days=60)
LEAST_AUC, MUCH_DRIFT = 0.55, 0.25
ALERT = "leads.prediction_drift"
REASONS = 5
_PUT = """
    INSERT INTO leads_prediction (lead_id, fit_id, probability, reasons, at)
    SELECT t.*, %s::timestamptz
    FROM unnest(%s::bigint[], %s::bigint[], %s::float8[], %s::jsonb[]) AS t (lead, fit, probability, reasons)
    ON CONFLICT (lead_id) DO UPDATE SET fit_id = excluded.fit_id, probability = excluded.probability,
        reasons = excluded.reasons, at = excluded.at
    WHERE (leads_prediction.fit_id, leads_prediction.probability)
        IS DISTINCT FROM (excluded.fit_id, excluded.probability)
"""


def refit(*, at: dt.datetime | None = None) -> PredictiveFit:
    """Fit the model on dated outcomes, judge it on later ones, and keep how good it was; predict for all if it is.

    Where there is too little data, or it tells hardly more than a coin, the fit says so; the one before stays in use.
    """
    now = clock.now() if at is None else at
    learnt_at, judged_at = now - 2 * OUTCOME, now - OUTCOME
    rows, good = features_at(learnt_at), became_sql(learnt_at, judged_at)
    outcomes = [key in good for key in rows]
    given = {"fitted_at": now, "as_of": learnt_at, "rows": len(rows), "positives": sum(outcomes), "method": METHOD}
    later, later_good = features_at(judged_at), became_sql(judged_at, now)
    later_outcomes = [key in later_good for key in later]
    refused = refuse_data(outcomes) or refuse_data(later_outcomes)
    if refused is not None:
        return PredictiveFit.objects.create(**given, is_used=False, sentence=refused[:300])
    fitted = fit(list(rows.values()), outcomes)
    quality = judge([fitted.probability(each) for each in later.values()], later_outcomes)
    moved = _moved(fitted, features_at(now))
    useful = quality.auc is not None and quality.auc >= LEAST_AUC
    with transaction.atomic(), acting_as(system_principal(), reason="Fitted anew"):
        made = PredictiveFit.objects.create(
            **given,
            is_used=useful,
            sentence=_words(quality, useful=useful),
            auc=quality.auc,
            brier=quality.brier,
            drift=moved,
            model=fitted.as_json(),
            calibration=quality.calibration,
        )
        _tell(made)
        if useful:
            predict(made, at=now)
    return made


def in_use() -> PredictiveFit | None:
    """Return the fit that predicts: the latest one that told something."""
    found: PredictiveFit | None = PredictiveFit.objects.filter(is_used=True).first()
    return found


def predict(fitted: PredictiveFit, *, at: dt.datetime) -> int:
    """Write the probability of every lead that is with marketing; those that are not lose theirs."""
    model, rows = read_fitted(fitted.model), features_at(at)
    with transaction.atomic(), connection.cursor() as cursor:
        Prediction.objects.exclude(pk__in=list(rows)).delete()
        keys = list(rows)
        said = [model.probability(rows[key]) for key in keys]
        reasons = [_reasons(model, rows[key]) for key in keys]
        cursor.execute(_PUT, [at, keys, [fitted.pk] * len(keys), said, reasons])
    return len(rows)


def _reasons(model: Fitted, features: Mapping[str, float]) -> str:
    return json.dumps([[name, round(part, 4)] for name, part in model.parts(features)[:REASONS] if abs(part) > 0.01])


def _moved(fitted: Fitted, now: Mapping[int, Mapping[str, float]]) -> float | None:
    """Return how far the leads of today are from those of the fit before, as both models see them."""
    before = in_use()
    if before is None:
        return None
    stood: Sequence[float] = list(Prediction.objects.filter(fit=before).values_list("probability", flat=True))
    model = read_fitted(before.model)
    return drift(stood, [model.probability(each) for each in now.values()])


def _words(quality: Quality, *, useful: bool) -> str:
    told = f"On later leads it had not seen: AUC {quality.auc or 0:.3f}, off by {quality.error:.1%} on average."
    return told if useful else f"{told} That is hardly more than a coin, so it is not used."


def _tell(made: PredictiveFit) -> None:
    if made.drift is None or made.drift < MUCH_DRIFT:
        resolve_alert(ALERT, why="Leads look like those the model was fitted on.")
        return
    raise_alert(
        ALERT,
        title="Leads have changed since the predictive score was fitted.",
        severity="warning",
        detail=f"The population stability index is {made.drift:.2f}; from {MUCH_DRIFT} on that is a lot.",
        runbook="Leads → Predictive models shows what it was learnt from. Look for new sources or broken tracking.",
    )
