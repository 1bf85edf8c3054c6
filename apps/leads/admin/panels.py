"""What the page of a lead shows above its form: the score with its reasons, and what the lead did."""

from collections import Counter
from typing import Any

from django.db.models import F
from django.db.models.functions import Abs, Coalesce
from django.http import HttpRequest
from django.urls import reverse

from apps.core import access, clock
from apps.core.asking import remember
from apps.core.rules.enums import VersionState
from apps.leads.domain.consent import consents_of
from apps.leads.domain.lifecycle import EXPLAINED, SCORING, is_scoring
from apps.leads.domain.provenance import values_of
from apps.leads.domain.scoring.curve import curve_of
from apps.leads.domain.scoring.explaining import Explanation, explain
from apps.leads.domain.scoring.model import Model, readable_model
from apps.leads.domain.scoring.overriding import standing
from apps.leads.domain.timeline.standing import Standing
from apps.leads.domain.timeline.story import DEEPEST, KINDS, kinds_for, story_of
from apps.leads.enums import TouchType
from apps.leads.models import (
    Lead,
    LeadScore,
    ScoreChange,
    ScoreOverride,
    ScoreRun,
    TouchDay,
)

WEEKS, MOVERS = 26, 30
WIDTH, HEIGHT, CURVE = 260, 34, 60


def score_panel(request: HttpRequest, lead: Lead, now: Standing) -> dict[str, Any]:
    """Return the score with every criterion and its last months, or what is missing for one."""
    score = now.score
    panel: dict[str, Any] = {"template": "admin/leads/score_panel.html", "lead": lead, "score": score}
    if score is None:
        remember((EXPLAINED, lead.pk), None)  # the button that qualifies it asks the same
        return {**panel, "in_force": is_scoring()}
    found = explain(score)
    remember((EXPLAINED, lead.pk), found)
    if score.version.state == VersionState.ACTIVE:
        remember(SCORING, True)
    person: Any = request.user
    may_read = access.may_open(person, "view", ScoreOverride)
    return {
        **panel,
        "found": found,
        "bars": [{"criterion": each, "width": abs(each.share), "bad": each.cap < 0} for each in found.criteria],
        "override": standing(lead) if may_read else None,
        "waits": now.waits,
        "rules": reverse("admin:rules_ruleversion_change", args=(score.version_id,))
        if access.can(person, "view", score.version)
        else "",
        "unclamped": _unclamped(found),
        "prediction": now.prediction,
        "reasons": _reasons(now.prediction.reasons) if now.prediction is not None else "",
        "percent": f"{now.prediction.probability:.0%}" if now.prediction is not None else "",
    }


def _reasons(found: list[Any]) -> str:
    """Return what speaks for and against a lead, the strongest first; how a figure is scaled is for the model alone."""
    told = []
    for words, sign in (("Speaks for it", 1), ("Speaks against it", -1)):
        names = [name.removesuffix(" (log)") for name, part in found if part * sign > 0]
        told += [f"{words}: {'; '.join(names)}."] if names else []
    return " ".join(told)


def curve_panels(lead: Lead, person: Any) -> list[dict[str, Any]]:
    """Return the line of the scores of the last months with the threshold, and the same in figures."""
    score = LeadScore.objects.filter(lead=lead).select_related("version__document").first()
    model = readable_model(score.version) if score is not None else None
    curve = _curve(lead, model) if model is not None else None
    return [{"template": "admin/leads/curve_panel.html", "curve": curve}]


def _curve(lead: Lead, model: Model) -> dict[str, Any] | None:
    """Return the line of the scores of the last months, the threshold, and the same in words; None where it is flat."""
    points = curve_of(lead, model, now=clock.now())
    if len({round(each.score, 1) for each in points}) < 2:
        return None
    threshold = model.threshold
    low, high = min(0.0, *(each.score for each in points)), max(threshold, *(each.score for each in points))
    begins, lasts = points[0].at, (points[-1].at - points[0].at).total_seconds()

    def down(score: float) -> float:
        return round(CURVE - 3 - (CURVE - 6) * (score - low) / (high - low), 1)

    drawn = [(round(WIDTH * (each.at - begins).total_seconds() / lasts, 1), down(each.score)) for each in points]
    return {
        "width": WIDTH,
        "height": CURVE,
        "line": " ".join(f"{x},{y}" for x, y in drawn),
        "threshold": down(threshold),
        "ready_from": f"{threshold:g}",
        "points": [(each.at, f"{each.score:.1f}".removesuffix(".0")) for each in points],
    }


def _unclamped(found: Explanation) -> str:
    score, model = found.score, found.model
    if score.raw == score.score:
        return ""
    return f"Adds up to {score.raw:g}; scores go from {model.lowest:g} to {model.highest:g}."


def story_panel(request: HttpRequest, lead: Lead, known: dict[int, str], now: Standing) -> dict[str, Any]:
    """Return one page of what happened to a lead, its weeks as a small picture, and what it agrees to today."""
    person: Any = request.user
    kinds = kinds_for(person)
    kind = request.GET.get("show", "") if request.GET.get("show") in kinds else ""
    number = request.GET.get("part", "")
    page = min(int(number), DEEPEST) if number.isdecimal() and number != "0" else 1
    story = story_of(lead, by=person, kind=kind, page=page, known=known)
    return {
        "template": "admin/leads/story_panel.html",
        "story": story,
        "stay": now.stay if "stage" in kinds else None,
        "kind": kind,
        "tabs": [
            {"label": label, "now": key == kind, "url": _place(key, 1)}
            for key, label in (("", "All"), *((key, KINDS[key]) for key in kinds))
        ],
        "newer": _place(kind, page - 1) if page > 1 else "",
        "older": _place(kind, page + 1) if story.more and page < DEEPEST else "",
        "consents": consents_of(lead) if "consent" in kinds and now.has_consents else [],
        "all": f"{reverse('admin:leads_touchpoint_changelist')}?lead__id__exact={lead.pk}" if "did" in kinds else "",
        **(_weeks(lead) if "did" in kinds else {}),
    }


def _place(kind: str, page: int) -> str:
    return f"?show={kind}&part={page}#story"


def _weeks(lead: Lead) -> dict[str, Any]:
    """Return how often people did something, by week as columns and by kind: one query."""
    today, weeks, counted = clock.today(), [0] * WEEKS, Counter[str]()
    for kind, day, touches in TouchDay.objects.filter(lead_id=lead.pk).values_list("type", "day", "touches"):
        counted[kind] += touches
        if 0 <= (ago := (today - day).days // 7) < WEEKS:
            weeks[WEEKS - 1 - ago] += touches
    most, step = max(weeks) or 1, WIDTH / WEEKS
    return {
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
    }


def values_panel(lead: Lead, person: Any) -> dict[str, Any]:
    """Return where the values of a lead come from, as far as the person sees them, and what was said and not taken."""
    values, refused = values_of(lead, hidden=access.hidden_columns(person, Lead))
    return {"template": "admin/leads/values_panel.html", "values": values, "refused": refused}


def run_panel(request: HttpRequest, run: ScoreRun) -> dict[str, Any]:
    """Return what a run changed most, as far as the person sees the leads."""
    person: Any = request.user
    rows = access.visible(person, ScoreChange).filter(run=run).select_related("lead")
    moved = rows.annotate(size=Abs(F("after") - Coalesce(F("before"), 0.0))).order_by("-size", "pk")[:MOVERS]
    return {"template": "admin/leads/run_panel.html", "run": run, "changes": list(moved), "seen": rows.count()}
