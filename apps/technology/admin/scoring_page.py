"""The page on which evaluators score, and the box that shows how the candidates stand."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.core import access
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import DomainError
from apps.technology.domain import scoring
from apps.technology.domain.tco import sensitivity_of
from apps.technology.models import Candidate, Evaluation, Score
from apps.technology.models.evaluation import BEST


def result_panel(request: HttpRequest, evaluation: Evaluation) -> dict[str, Any]:
    """Return the box with the candidates, the evaluators, and how they stand by the scores this person may see."""
    person: Any = request.user
    found = scoring.standings(evaluation, person)
    return {
        "template": "admin/technology/evaluation_panel.html",
        "evaluation": evaluation,
        "criteria": scoring.criteria_of(evaluation),
        "standings": [(each, sensitivity_of(each.candidate)) for each in found],
        "seats": list(evaluation.evaluators.select_related("person")),
        "refused": scoring.refuse_scoring(person, evaluation),
        "blind": scoring.refuse_scoring(person, evaluation) is None,
        "may_add": evaluation.state == "draft" and access.has_model_permission(person, "add", Candidate),
        "request": getattr(evaluation, "request", None),
    }


def scoring_page(model_admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Show one's own scores, keep them or submit them.

    Raises:
        Http404: this person sees no such evaluation.
        PermissionDenied: they are not among its evaluators.
    """
    person: Any = request.user
    evaluation = model_admin.get_object(request, str(pk))
    if evaluation is None or not access.may(person, "view", evaluation):
        raise Http404
    if scoring.seat_of(person, evaluation) is None:
        raise PermissionDenied
    back = reverse("admin:technology_evaluation_change", args=(evaluation.pk,))
    if refused := scoring.refuse_scoring(person, evaluation):
        messages.error(request, refused)
        return HttpResponseRedirect(back)
    typed: dict[tuple[int, int], tuple[int | None, str]] = {}
    if request.method == "POST":
        typed = _typed(request, evaluation)
        operation = scoring.submit_scores if "submit" in request.POST else scoring.save_scores
        try:
            messages.success(request, operation(evaluation, typed, by=person))
        except DomainError as refusal:
            messages.error(request, refusal.message)
        except Exception as error:
            if (sentence := sentence_of(error)) is None:
                raise
            messages.error(request, sentence)
        else:
            here = reverse("admin:technology_evaluation_score", args=(evaluation.pk,))
            return HttpResponseRedirect(back if "submit" in request.POST else here)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Score: {evaluation}",
        "opts": model_admin.opts,
        "original": evaluation,
        "evaluation": evaluation,
        "groups": _groups(evaluation, person, typed),
        "values": range(BEST + 1),
        "back": back,
    }
    return TemplateResponse(request, "admin/technology/score.html", context)


def _typed(request: HttpRequest, evaluation: Evaluation) -> dict[tuple[int, int], tuple[int | None, str]]:
    found = {}
    for candidate in scoring.candidates_of(evaluation):
        for criterion in scoring.criteria_of(evaluation):
            key = f"{candidate.pk}-{criterion.pk}"
            value = request.POST.get(f"value-{key}", "")
            number = int(value) if value.isascii() and value.isdigit() and len(value) < 3 else None
            found[candidate.pk, criterion.pk] = (number, request.POST.get(f"evidence-{key}", ""))
    return found


def _groups(
    evaluation: Evaluation, person: Any, typed: dict[tuple[int, int], tuple[int | None, str]]
) -> list[dict[str, Any]]:
    own = access.visible(person, Score).filter(evaluator__evaluation=evaluation, evaluator__person=person)
    known: dict[tuple[int, int], tuple[int | None, str]] = {
        (each.candidate_id, each.criterion_id): (each.value, each.evidence) for each in own
    }
    known |= typed
    return [
        {
            "candidate": candidate,
            "sensed": sensitivity_of(candidate),
            "rows": [
                {
                    "criterion": criterion,
                    "key": f"{candidate.pk}-{criterion.pk}",
                    "value": known.get((candidate.pk, criterion.pk), (None, ""))[0],
                    "evidence": known.get((candidate.pk, criterion.pk), (None, ""))[1],
                }
                for criterion in scoring.criteria_of(evaluation)
            ],
        }
        for candidate in scoring.candidates_of(evaluation)
    ]
