"""“Why can I see this?”: a person, a verb and a record, answered with the chain of grants or what is missing."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils.text import capfirst

from apps.accounts.models import User
from apps.core import access
from apps.core.admin_kit.links import url_of
from apps.core.errors import DomainError
from apps.rights.admin.pickers import let_type
from apps.rights.domain.explaining import VERBS, Explanation, Step, explain, refuse_explanation


class QuestionForm(forms.Form):
    """Who, what, which."""

    person = forms.ModelChoiceField(User.objects.none(), empty_label=None)
    verb = forms.ChoiceField(label="can …", choices=[(key, word) for key, word in VERBS.items()])
    kind = forms.ChoiceField(label="Kind of record")
    record = forms.IntegerField(
        label="Number of the record",
        required=False,
        min_value=1,
        max_value=2**63 - 1,
        help_text="As in the address of its page. Empty: records of this kind in general.",
    )

    def __init__(self, by: User, *args: Any, **kwargs: Any) -> None:
        """Offer the people `by` may ask about, and every kind of record that has a page."""
        super().__init__(*args, **kwargs)
        everybody = refuse_explanation(by, User()) is None
        people = User.objects.filter(is_system=False, archived_at=None) if everybody else User.objects.filter(pk=by.pk)
        kinds = sorted(
            (capfirst(str(model._meta.verbose_name_plural)), model._meta.label_lower) for model in admin.site._registry
        )
        let_type(self, "person", people, by=by)
        self.fields["kind"].choices = [(label, title) for title, label in kinds]  # type: ignore[attr-defined]


@admin.site.admin_view
def explain_page(request: HttpRequest) -> HttpResponse:
    """Answer a question about rights; what the asker does not see is not named."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    by: Any = request.user
    asked = {"person": by.pk, "verb": "view", **request.GET.dict()}
    form = QuestionForm(by, asked if "kind" in request.GET else None, initial=asked)
    answer, thing, problem = None, None, ""
    if form.is_bound and form.is_valid():
        person, verb = form.cleaned_data["person"], form.cleaned_data["verb"]
        if refused := refuse_explanation(by, person):
            raise PermissionDenied(refused)
        model = next(each for each in admin.site._registry if each._meta.label_lower == form.cleaned_data["kind"])
        number = form.cleaned_data["record"]
        thing = access.visible(by, model).filter(pk=number).first() if number else None
        try:
            answer = _hidden(by, model) if number and thing is None else explain(person, verb, thing or model)
        except DomainError as refusal:
            problem = refusal.message
    context = {
        **admin.site.each_context(request),
        "title": "Why can I see this?",
        "form": form,
        "answer": answer,
        "problem": problem,
        "record": thing,
        "record_url": url_of(thing) if thing is not None else "",
    }
    return TemplateResponse(request, "admin/rights/explain.html", context)


def _hidden(by: User, model: Any) -> Explanation:
    """Answer about a number that the asker does not see: the same whether there is such a record or not."""
    kind = model._meta.verbose_name_plural
    general = explain(by, "view", model)
    if not general.allowed:
        return Explanation(False, f"{by} cannot see this one of the {kind}.", general.steps)
    missing = Step(False, f"No record of this number is among the {kind} that {by} sees.")
    return Explanation(False, f"{by} cannot see this one of the {kind}.", (*general.steps, missing))
