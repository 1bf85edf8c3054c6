"""“Who could do what then?”: a person, a day and perhaps a record, answered from the ledger."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.text import capfirst

from apps.accounts.models import User
from apps.core import access, clock
from apps.core.admin_kit.days import DayInput
from apps.core.admin_kit.links import url_of
from apps.core.errors import DomainError
from apps.core.words import NOTHING
from apps.rights.admin.pickers import let_type
from apps.rights.domain.explaining import VERBS, Explanation, refuse_explanation
from apps.rights.domain.point_in_time import by_area, could, rights_on

ASKED = ("view", "add", "change")


class ThenForm(forms.Form):
    """Who, when, what, which."""

    person = forms.ModelChoiceField(User.objects.none(), empty_label=None)
    day = forms.DateField(
        label="On",
        widget=DayInput(),
        help_text="As things stood at the end of that day; for today, as they stand now.",
    )
    verb = forms.ChoiceField(label="could …", choices=[(key, VERBS[key]) for key in ASKED], required=False)
    kind = forms.ChoiceField(label="Kind of record", required=False, help_text="Empty: everything the person could do.")
    record = forms.IntegerField(
        label="Number of the record", required=False, min_value=1, max_value=2**63 - 1, help_text="As in its address."
    )

    def __init__(self, by: User, *args: Any, **kwargs: Any) -> None:
        """Offer the people `by` may ask about, and every kind of record that has a page."""
        super().__init__(*args, **kwargs)
        everybody = refuse_explanation(by, User()) is None
        people = User.objects.filter(is_system=False) if everybody else User.objects.filter(pk=by.pk)
        kinds = sorted(
            (capfirst(str(model._meta.verbose_name_plural)), model._meta.label_lower) for model in admin.site._registry
        )
        let_type(self, "person", people, by=by)
        self.fields["kind"].choices = [("", NOTHING), *((label, title) for title, label in kinds)]  # type: ignore[attr-defined]

    def clean_day(self) -> dt.date:
        """Refuse the future: nobody knows it."""
        day: dt.date = self.cleaned_data["day"]
        if day > clock.today():
            raise forms.ValidationError("That day is still to come; choose today or an earlier one.")
        return day


def end_of(day: dt.date) -> dt.datetime:
    """Return the last moment of a day in the reader's zone, or now where it has not come."""
    end = timezone.make_aware(dt.datetime.combine(day, dt.time.max))
    return min(end, clock.now())


@admin.site.admin_view
def then_page(request: HttpRequest) -> HttpResponse:
    """Answer who could do what on a day; what the asker does not see today is not named."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    by: Any = request.user
    asked = {"person": by.pk, "day": clock.today().isoformat(), "verb": "view", **request.GET.dict()}
    form = ThenForm(by, asked if "day" in request.GET else None, initial=asked)
    context: dict[str, Any] = {"title": "Who could do what then?", "form": form}
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        if refused := refuse_explanation(by, given["person"]):
            raise PermissionDenied(refused)
        then = rights_on(end_of(given["day"]), given["person"])
        context |= {"then": then, "areas": by_area(then), "day": given["day"], "grants": _grants(by, then)}
        context |= _answer(by, then, given) if given["kind"] else {}
    return TemplateResponse(request, "admin/rights/then.html", {**admin.site.each_context(request), **context})


def _answer(by: User, then: Any, given: dict[str, Any]) -> dict[str, Any]:
    model = next(each for each in admin.site._registry if each._meta.label_lower == given["kind"])
    thing = access.visible(by, model).filter(pk=given["record"]).first() if given["record"] else None
    if given["record"] and thing is None:
        return {"problem": f"No record of this number is among the {model._meta.verbose_name_plural} that you see."}
    try:
        answer: Explanation = could(then, given["verb"] or "view", thing or model)
    except DomainError as refusal:
        return {"problem": refusal.message}
    return {"answer": answer, "record": thing, "record_url": url_of(thing)}


def _grants(by: User, then: Any) -> list[dict[str, Any]]:
    """The shared records, by name only where the asker sees them."""
    rows = []
    for grant in then.grants:
        kind = ContentType.objects.get_for_id(grant.kind)
        model = kind.model_class()
        thing = access.visible(by, model).filter(pk=grant.object_id).first() if model is not None else None
        rows.append({"grant": grant, "kind": kind.name, "label": str(thing) if thing else f"#{grant.object_id}"})
    return rows
