"""The decision table of a draft: each row's condition is built with the builder of the rules kit."""

import json
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.approvals.domain.facts import condition_words, facts_catalog, understood
from apps.approvals.domain.trying import how_many_fit
from apps.approvals.models import PolicyRule, PolicyVersion
from apps.core import access
from apps.core.admin_kit.base import MopsStackedInline
from apps.core.rules.bodies import Body, BodyShape, Line, slips_in
from apps.core.rules.forms import RulesField, RulesWidget
from apps.core.rules.predicates import Catalog, Problem, in_words, validate

LARGEST = 64_000


class FactsBody(BodyShape):
    """`{"predicate": {…}}`: one condition on the facts of a kind that can be approved."""

    editor = "predicate"

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def problems(self, body: Any, catalog: Catalog | None = None) -> list[Problem]:
        """Check the condition; a row without one always holds."""
        if not isinstance(body, dict) or set(body) != {"predicate"}:
            return [Problem((), "A condition is {“predicate”: a condition} and nothing else.")]
        found = validate(body["predicate"], self.catalog, allow_everything=True)
        return [Problem(("predicate", *each.path), each.sentence, each.code) for each in found]

    def objections(self, body: Any, catalog: Catalog | None = None) -> list[Problem]:
        """Check the condition, and what nobody means in a new one."""
        return self.problems(body, catalog) or slips_in(body, (), self.catalog)

    def lines(self, body: Body) -> list[Line]:
        """Return the sentence."""
        return [Line("predicate", "", in_words(body["predicate"], self.catalog))]


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's forms are generic in their stubs alone
    """One row of the table. `catalog` and `preview` come from the version it belongs to."""

    catalog: Catalog = Catalog()
    preview: str = ""

    class Meta:
        model = PolicyRule
        fields = ("position", "name", "stage_numbers", "when")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "when" not in self.fields:
            return
        when = understood(self.instance.when, self.catalog)
        shape = FactsBody(self.catalog)
        widget = RulesWidget(shape, self.catalog, words=condition_words(when, self.catalog), preview=self.preview)
        self.fields["when"] = RulesField(shape, self.catalog, label="When", widget=widget)
        self.initial["when"] = {"predicate": when}

    def clean_when(self) -> Any:
        """Return the condition as the row keeps it."""
        return self.cleaned_data["when"]["predicate"]


class RuleInline(MopsStackedInline):
    """The decision table."""

    model = PolicyRule
    form = RuleForm
    fields = (("position", "stage_numbers"), "name", "when")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show conditions in words where nobody edits them."""
        return self.fields if self.has_change_permission(request, obj) else (*self.fields[:-1], "in_words")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The words are never typed."""
        return (*super().get_readonly_fields(request, obj), "in_words")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Tell the rows what they may ask."""
        formset: Any = super().get_formset(request, obj, **kwargs)
        if isinstance(obj, PolicyVersion):
            formset.form.catalog = facts_catalog(obj.policy.subject_kind)
            formset.form.preview = reverse("admin:approvals_policyversion_count", args=(obj.pk,))
        return formset

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Ask for the stages in one line."""
        if db_field.name == "stage_numbers":
            kwargs["widget"] = UnfoldAdminTextInputWidget()
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @display(description="When")
    def in_words(self, row: PolicyRule) -> str:
        """The condition as a sentence."""
        return condition_words(row.when, facts_catalog(row.version.policy.subject_kind)) or "in all other cases"


def count_view(model_admin: Any, request: HttpRequest, object_id: int) -> HttpResponse:
    """Answer a condition under construction with its words and how many earlier requests it fits; keeps nothing."""
    person: Any = request.user
    version: PolicyVersion | None = model_admin.get_object(request, str(object_id))
    text = request.POST.get("body", "")
    if version is None or not access.can(person, "change", version) or len(text) > LARGEST:
        raise PermissionDenied
    catalog = facts_catalog(version.policy.subject_kind)
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return JsonResponse({"words": "", "live": "The condition is no valid JSON.", "findings": []})
    problems = FactsBody(catalog).objections(body)
    if problems:
        return JsonResponse({"words": "", "live": problems[0].sentence, "findings": []})
    when = body["predicate"]
    live = how_many_fit(when, catalog, version.policy.subject_kind, person)
    return JsonResponse({"words": condition_words(when, catalog) or "Always.", "live": live, "findings": []})
