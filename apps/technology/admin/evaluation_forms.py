"""The forms of evaluations; what they refuse, the rules of `domain` and the database say."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget

from apps.accounts.models import User
from apps.core.admin_kit.locking import RowVersionForm
from apps.technology.admin.forms import CurrencyForm
from apps.technology.domain.evaluating import refuse_evaluator
from apps.technology.enums import CriteriaState
from apps.technology.models import CriteriaSet, Evaluation


class EvaluationForm(RowVersionForm):
    """An evaluation."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields.get("criteria")
        if field is not None:
            in_force = CriteriaSet.objects.filter(state=CriteriaState.ACTIVE)
            kept = CriteriaSet.objects.filter(pk=self.instance.criteria_id or 0)
            field.queryset = in_force | kept
            if not self.instance.pk:
                field.initial = in_force.order_by("-number").first()


class CandidateForm(CurrencyForm):
    """A candidate."""

    def clean(self) -> dict[str, Any]:
        """Take the name of the tool where none is given; refuse a candidate without either."""
        cleaned = super().clean()
        if "name" in self.fields and not cleaned.get("name"):
            if cleaned.get("tool") is None:
                self.add_error("name", "Name the candidate, or choose a tool of the inventory.")
            else:
                cleaned["name"] = cleaned["tool"].name
        return cleaned


def people_form(evaluation: Evaluation) -> type[forms.Form]:
    """Return the form that asks who scores: those who can do so blind."""
    active = User.objects.filter(is_active=True).order_by("full_name")
    able = [person.pk for person in active[:500] if refuse_evaluator(person, evaluation) is None]
    field = forms.ModelMultipleChoiceField(
        queryset=User.objects.filter(pk__in=able).order_by("full_name"),
        widget=forms.CheckboxSelectMultiple,
        help_text="People who may see evaluations and do not read the ledger, where every score is recorded.",
    )
    return type("PeopleForm", (forms.Form,), {"people": field})


def excuse_form(evaluation: Evaluation) -> type[forms.Form]:
    """Return the form that asks who is excused, and why."""
    waiting = evaluation.evaluators.filter(submitted_at__isnull=True, excused_at__isnull=True).select_related("person")
    who = forms.ModelChoiceField(queryset=waiting, widget=UnfoldAdminSelectWidget)
    why = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}))
    return type("ExcuseForm", (forms.Form,), {"evaluator": who, "reason": why})


def choice_form(evaluation: Evaluation) -> type[forms.Form]:
    """Return the form that asks which candidate is chosen, and why."""
    found = evaluation.candidates.filter(archived_at__isnull=True).order_by("name")
    which = forms.ModelChoiceField(queryset=found, widget=UnfoldAdminSelectWidget)
    why = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Approvers read it: why this one, also where it is not the best by points.",
    )
    return type("ChoiceForm", (forms.Form,), {"candidate": which, "reason": why})
