"""Ask for a campaign: a page for everybody who is signed in, whatever their role, with what became of their wishes."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.campaigns.domain import intake
from apps.campaigns.domain.request_form import STANDARD, current_form
from apps.campaigns.models import CampaignRequest, IntakeForm
from apps.core.admin_kit.days import DayInput
from apps.core.errors import DomainError

SHOWN = 50
_AREAS = ("objective", "audience", "success_metrics")


class AskForm(forms.ModelForm):  # type: ignore[type-arg]  # generic to the stubs alone
    """Asks what a campaign is to be; what is required, the published form says."""

    class Meta:
        model = CampaignRequest
        fields = (
            *("title", "objective", "audience", "main_channel", "product", "region"),
            *("starts_on", "ends_on", "budget", "currency", "success_metrics"),
        )
        widgets = {
            **{name: forms.Textarea(attrs={"rows": 3}) for name in _AREAS},
            **{name: DayInput() for name in ("starts_on", "ends_on")},
        }

    def __init__(self, *args: Any, version: IntakeForm | None, **kwargs: Any) -> None:
        """Add the further questions, and mark what must be answered."""
        super().__init__(*args, **kwargs)
        self.version = version
        self.questions = version.questions if version is not None else []
        required = version.required if version is not None else STANDARD
        for name, field in self.fields.items():
            field.required = False  # the operation says what is missing, for all at once
            if name in required or name == "title":
                field.label = f"{field.label} *"
        for each in self.questions:
            initial = self.instance.answers.get(each["key"], "") if self.instance.pk else ""
            label = f"{each['label']} *" if each["required"] else each["label"]
            self.fields[each["key"]] = forms.CharField(
                required=False, label=label, help_text=each["help"], initial=initial
            )

    def _post_clean(self) -> None:
        """Leave it to the operation, which checks what was typed against the form in force."""

    def given(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the fields, and the further answers."""
        data = self.cleaned_data
        keys = {each["key"] for each in self.questions}
        return {name: data[name] for name in intake.GIVEN if name in data}, {
            key: data[key] for key in keys if key in data
        }

    def blame(self, refusal: DomainError) -> None:
        """Put each sentence beside its field."""
        for name, sentence in (refusal.fields or {"": refusal.message}).items():
            self.add_error(name if name in self.fields else None, sentence)


@admin.site.admin_view
def ask_page(request: HttpRequest) -> HttpResponse:
    """Show one's own requests, and the form for another."""
    person: Any = request.user
    version = current_form()
    form = AskForm(request.POST or None, version=version)
    if request.method == "POST" and form.is_valid():
        values, answers = form.given()
        try:
            made = intake.ask_for_campaign(by=person, values=values, answers=answers)
        except DomainError as refusal:
            form.blame(refusal)
        else:
            messages.success(request, f"“{made}” is asked for. You are told what becomes of it.")
            return HttpResponseRedirect(reverse("campaign-request", args=(made.pk,)))
    mine = list(CampaignRequest.objects.filter(requester=person).select_related("campaign")[: SHOWN + 1])
    context = {
        "form": form,
        "mine": mine[:SHOWN],
        "more": len(mine) > SHOWN,
        "lead": version.lead_days if version else 0,
    }
    return _page(request, "ask", "Ask for a campaign", context)


@admin.site.admin_view
def request_page(request: HttpRequest, request_id: int) -> HttpResponse:
    """Show one's own request, and let it be changed or withdrawn while it waits.

    Raises:
        Http404: it is somebody else's.
    """
    person: Any = request.user
    rows = CampaignRequest.objects.select_related("campaign", "form", "triaged_by")
    asked = rows.filter(pk=request_id, requester=person).first()
    if asked is None:
        raise Http404
    form = AskForm(request.POST or None, instance=asked, version=asked.form)
    if request.method == "POST" and (said := _answer(request, asked, form)):
        messages.success(request, said)
        return HttpResponseRedirect(request.path)
    context = {"asked": asked, "form": form, "refused": intake.refuse_answer(person, asked)}
    context["twins"] = [] if context["refused"] else intake.twins_of(asked, reader=person)
    return _page(request, "request", asked.title, context)


def _answer(request: HttpRequest, asked: CampaignRequest, form: AskForm) -> str:
    """Carry out what was sent; "" where it was refused, and then the form or a message says why."""
    person: Any = request.user
    try:
        if "withdraw" in request.POST:
            return intake.withdraw_request(asked, by=person)
        if not form.is_valid():
            return ""
        values, answers = form.given()
        return intake.answer_information(asked, by=person, values=values, answers=answers)
    except DomainError as refusal:
        if form.is_bound and form.is_valid():
            form.blame(refusal)
        else:
            messages.error(request, refusal.message)
        return ""


def _page(request: HttpRequest, name: str, title: str, context: dict[str, Any]) -> HttpResponse:
    whole = {**admin.site.each_context(request), "title": title, **context}
    return TemplateResponse(request, f"admin/campaigns/portal_{name}.html", whole)
