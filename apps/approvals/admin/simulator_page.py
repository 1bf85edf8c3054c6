"""The simulator: where a request would go, before anybody sends it, and why."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from apps.accounts.models import User
from apps.approvals import registry
from apps.approvals.domain.definition import in_words
from apps.approvals.domain.routing import JudgedRow, Route, answers_of, route_of, route_of_facts
from apps.approvals.domain.seeing import has_to_do_with_policies
from apps.approvals.enums import Mode
from apps.approvals.models import PolicyVersion
from apps.core import access
from apps.core.errors import DomainError
from apps.core.rules.panels import explained

FOUND = 20


class QuestionForm(forms.Form):
    """Asks what would be sent."""

    kind = forms.ChoiceField(choices=registry.kinds, label="What", widget=UnfoldAdminSelectWidget)
    record = forms.CharField(
        required=False,
        label="Which one",
        widget=UnfoldAdminTextInputWidget,
        help_text="Its number or a part of its name. Empty: only what you write below is looked at.",
    )
    facts = forms.CharField(
        required=False,
        label="Or what it would say",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="One a line, for instance: budget = 15000",
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


def simulator_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Answer where something would go if this person sent it now."""
    person: Any = request.user
    if not has_to_do_with_policies(person):
        raise PermissionDenied
    form = QuestionForm(request.GET if "kind" in request.GET else None, initial=_asked_for(request))
    answer: dict[str, Any] = {}
    if form.is_bound and form.is_valid():
        try:
            answer = _answer(form.cleaned_data, person)
        except DomainError as refusal:
            answer = {"refused": refusal.message}
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Where would it go?",
        "opts": model_admin.opts,
        "form": form,
        "media": model_admin.media + form.media,
        **answer,
    }
    return TemplateResponse(request, "admin/approvals/simulator.html", context)


def _asked_for(request: HttpRequest) -> dict[str, str]:
    return {"kind": request.GET.get("of", ""), "version": request.GET.get("version", "")}


def _answer(asked: dict[str, Any], person: User) -> dict[str, Any]:
    version = None
    if asked.get("version"):
        version = (
            access.visible(person, PolicyVersion)
            .filter(pk=asked["version"], policy__subject_kind=asked["kind"])
            .select_related("policy")
            .first()
        )
    if not asked["record"]:
        route = route_of_facts(asked["kind"], _facts(asked["facts"]), by=person, version=version)
        return {"route": shown_route(route), "title_of": "something that says this"}
    found = _records(asked["kind"], asked["record"], person)
    if not found:
        return {"refused": "Nothing of that name or number is among what you see."}
    if len(found) > 1:
        return {"found": found, "kind": asked["kind"], "version_asked": asked.get("version") or ""}
    return {"route": shown_route(route_of(found[0], by=person, version=version)), "title_of": str(found[0])}


def _facts(text: str) -> dict[str, str]:
    lines = [line.partition("=") for line in text.splitlines() if "=" in line]
    return {name.strip().lower(): value.strip() for name, _, value in lines}


def _records(kind: str, text: str, person: User) -> list[Any]:
    """Return what of a kind fits a number or a part of a name, among what the person sees."""
    model: Any = registry.model_of(kind)
    rows = access.visible(person, model).order_by("-pk")
    if text.strip().isdecimal() and (exact := rows.filter(pk=int(text)).first()) is not None:
        return [exact]
    return [row for row in rows[:500] if text.strip().casefold() in str(row).casefold()][:FOUND]


def shown_route(route: Route) -> dict[str, Any]:
    """Return a route as the templates show it."""
    return {
        "route": route,
        "rows": [_shown_row(each) for each in route.rows],
        "stages": [
            {
                "stage": each.stage,
                "whom": in_words(each.stage.approvers),
                "how": f"{each.stage.needed} of"
                if each.stage.mode == Mode.SOME
                else Mode(each.stage.mode).label.lower(),
                "answers": answers_of(each, route.own)[:25],
                "unmet": [sentence for _, sentence in each.unmet],
            }
            for each in route.stages
        ],
        "facts": sorted(route.facts.items()),
        "refusals": route.refusals,
    }


def _shown_row(judged: JudgedRow) -> dict[str, Any]:
    """Return a row of the table with the lines that tell why it holds or does not; none where nothing is asked."""
    outcome = judged.outcome
    if outcome.every is not None and len(outcome.parts) == 1:  # a group of one question is that question
        (outcome,) = outcome.parts
    lines = explained(outcome) if judged.outcome.parts or judged.outcome.every is None else []
    return {"name": judged.row.name, "holds": judged.holds, "taken": judged.taken, "lines": lines}


def route_panel(request: HttpRequest, thing: Any) -> dict[str, Any]:
    """Return what a button that sends something shows above its form: where it will go.

    For `Button(…, panel=route_panel)` of the apps whose records are sent for approval.
    """
    person: Any = request.user
    try:
        return {"template": "admin/approvals/route_panel.html", "shown": shown_route(route_of(thing, by=person))}
    except DomainError as refusal:
        return {"template": "admin/approvals/route_panel.html", "refused": refusal.message}
