"""What the page of a lead shows above its form: the score with its reasons, and what the lead did."""

from typing import Any

from django.db.models import F, Sum
from django.db.models.functions import Abs, Coalesce
from django.http import HttpRequest
from django.urls import reverse

from apps.campaigns.models import Campaign
from apps.core import access, clock
from apps.leads.domain.consent import consents_of
from apps.leads.domain.scoring.explaining import Explanation, explain
from apps.leads.domain.scoring.model import model_in_force
from apps.leads.domain.stages import stages_of
from apps.leads.enums import TouchType
from apps.leads.models import (
    FieldValue,
    Handoff,
    Lead,
    LeadScore,
    Prediction,
    ScoreChange,
    ScoreOverride,
    ScoreQueue,
    ScoreRun,
    TouchDay,
    Touchpoint,
)

SHOWN, WEEKS, MOVERS = 12, 26, 30
WIDTH, HEIGHT = 260, 34


def score_panel(request: HttpRequest, lead: Lead) -> dict[str, Any]:
    """Return the score with every criterion, or what is missing for one."""
    score = LeadScore.objects.select_related("version__document").filter(lead=lead).first()
    panel: dict[str, Any] = {"template": "admin/leads/score_panel.html", "lead": lead, "score": score}
    if score is None:
        return {**panel, "in_force": model_in_force() is not None}
    found = explain(score)
    person: Any = request.user
    prediction = Prediction.objects.filter(lead=lead).first()
    overrides = access.visible(person, ScoreOverride).select_related("set_by")
    override = overrides.filter(lead=lead, ended_at__isnull=True, expires_at__gt=clock.now())
    return {
        **panel,
        "found": found,
        "bars": [{"criterion": each, "width": abs(each.share), "bad": each.cap < 0} for each in found.criteria],
        "override": override.first(),
        "waits": ScoreQueue.objects.filter(pk=lead.pk).exists(),
        "rules": reverse("admin:rules_ruleversion_change", args=(score.version_id,))
        if access.can(person, "view", score.version)
        else "",
        "unclamped": _unclamped(found),
        "prediction": prediction,
        "percent": f"{prediction.probability:.0%}" if prediction is not None else "",
    }


def _unclamped(found: Explanation) -> str:
    score, model = found.score, found.model
    if score.raw == score.score:
        return ""
    return f"Adds up to {score.raw:g}; scores go from {model.lowest:g} to {model.highest:g}."


def touches_panel(request: HttpRequest, lead: Lead) -> dict[str, Any]:
    """Return the latest touches, how many of each kind there are, and the weeks as a small picture."""
    person: Any = request.user
    today = clock.today()
    counted = dict(TouchDay.objects.filter(lead_id=lead.pk).values_list("type").annotate(Sum("touches")))
    weeks = [0] * WEEKS
    for day, number in TouchDay.objects.filter(lead_id=lead.pk).values_list("day", "touches"):
        ago = (today - day).days // 7
        if 0 <= ago < WEEKS:
            weeks[WEEKS - 1 - ago] += number
    most = max(weeks) or 1
    step = WIDTH / WEEKS
    touches = list(Touchpoint.objects.filter(lead=lead)[:SHOWN])
    shown = {each.campaign_id for each in touches if each.campaign_id}
    named = access.visible(person, Campaign).in_bulk(shown) if shown else {}
    return {
        "template": "admin/leads/touches_panel.html",
        "lead": lead,
        "touches": [(each, named.get(each.campaign_id)) for each in touches],
        "counts": [(kind.label, counted[kind.value]) for kind in TouchType if kind.value in counted],
        "columns": [
            {"x": round(place * step, 1), "y": round(HEIGHT - HEIGHT * number / most, 1), "n": number}
            for place, number in enumerate(weeks)
            if number
        ],
        "column": round(step - 1.5, 1),
        "height": HEIGHT,
        "width": WIDTH,
        "weeks": WEEKS,
        "consents": consents_of(lead),
        "all": f"{reverse('admin:leads_touchpoint_changelist')}?lead__id__exact={lead.pk}",
    }


def stages_panel(request: HttpRequest, lead: Lead) -> dict[str, Any]:
    """Return the stages a lead has been in, the latest first, each with its days and its reason, and its offers."""
    person: Any = request.user
    offers = access.visible(person, Handoff).filter(lead=lead).select_related("to_person", "to_team")
    return {
        "template": "admin/leads/stages_panel.html",
        "lead": lead,
        "stages": stages_of(lead, now=clock.now()),
        "offers": list(offers),
    }


def values_panel(lead: Lead) -> dict[str, Any]:
    """Return what sources said about the fields of a lead, the latest first, and whether it was taken."""
    rows = list(FieldValue.objects.filter(lead=lead)[:SHOWN])
    labels = {field.name: str(field.verbose_name) for field in Lead._meta.concrete_fields}
    told = [(labels.get(row.field, row.field).capitalize(), row) for row in rows]
    return {"template": "admin/leads/values_panel.html", "values": told}


def run_panel(request: HttpRequest, run: ScoreRun) -> dict[str, Any]:
    """Return what a run changed most, as far as the person sees the leads."""
    person: Any = request.user
    rows = access.visible(person, ScoreChange).filter(run=run).select_related("lead")
    moved = rows.annotate(size=Abs(F("after") - Coalesce(F("before"), 0.0))).order_by("-size", "pk")[:MOVERS]
    return {"template": "admin/leads/run_panel.html", "run": run, "changes": list(moved), "seen": rows.count()}
