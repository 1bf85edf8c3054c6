"""The pages of requests for campaigns: the desk that looks them through, and the forms they are asked by."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.accounts.models import User
from apps.campaigns.domain import intake, request_form
from apps.campaigns.enums import WAITING, Channel
from apps.campaigns.models import CampaignRequest, IntakeForm
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.words import NOTHING


class AcceptForm(forms.Form):
    """Asks what the campaign is called, and who answers for it."""

    name = forms.CharField(max_length=150, required=False, help_text="Empty: as the request is called.")
    owner = forms.ModelChoiceField(
        User.objects.filter(is_active=True).order_by("full_name"), required=False, help_text="Empty: you."
    )
    note = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 2}), help_text="Optional; who asked reads it."
    )


def _not_new(user: Any, request: CampaignRequest) -> str | None:
    return intake.refuse_answer(user, request)


@admin.register(CampaignRequest)
class CampaignRequestAdmin(ReadOnlyAdmin):
    """Requests for campaigns."""

    list_display = ("title", "stands", "reach", "requester", "asked_at", "starts_on", "triaged_by", "campaign")
    list_filter = ("stage", "main_channel", "asked_at")
    search_fields = ("title", "objective", "audience", "requester__full_name")
    date_hierarchy = "asked_at"
    kits = ("notes", "attachments")
    in_palette = True
    fieldsets = (
        (None, {"fields": ("title", "stands", "objective", "audience", ("main_channel", "product", "region"))}),
        ("When, how much, what for", {"fields": (("starts_on", "ends_on"), ("budget", "currency"), "success_metrics")}),
        ("Who asked", {"fields": (("requester", "asked_at"), "form")}),
        ("What became of it", {"fields": (("triaged_by", "triaged_at"), "verdict", "campaign")}),
    )
    readonly_fields = ("stands",)
    buttons = (
        Button(
            "accept",
            "Accept",
            intake.accept_request,
            intake.refuse_triage,
            form=AcceptForm,
            confirm="It becomes a campaign with everything it says; its checklist and standard process begin.",
            style="primary",
        ),
        Button(
            "ask",
            "Ask for information",
            intake.ask_information,
            intake.refuse_triage,
            form=ReasonForm,
            confirm="It waits for who asked; they read your question and answer on their page.",
        ),
        Button(
            "decline",
            "Decline",
            intake.decline_request,
            intake.refuse_triage,
            form=ReasonForm,
            confirm="It is declined for good; who asked reads the reason.",
            style="danger",
        ),
        Button(
            "withdraw",
            "Withdraw",
            intake.withdraw_request,
            _not_new,
            form=ReasonForm,
            confirm="You do not ask for it any more.",
        ),
    )
    empty_state = "Nobody has asked for a campaign yet. Everybody who is signed in can, under “Ask for a campaign”."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load people and campaigns with the rows."""
        return super().get_queryset(request).select_related("requester", "triaged_by", "campaign", "form")

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show further answers, and what may be the same thing."""
        person: Any = request.user
        asked, extra = self.get_object(request, object_id), dict(extra_context or {})
        if asked is not None:
            questions = asked.form.questions if asked.form is not None else []
            panel = {
                "template": "admin/campaigns/request_panel.html",
                "answers": [
                    (one["label"], asked.answers[one["key"]]) for one in questions if one["key"] in asked.answers
                ],
                "twins": intake.twins_of(asked, reader=person) if asked.stage in WAITING else [],
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)

    @display(
        description="State",
        ordering="stage",
        label={"Asked": "warning", "Needs information": "info", "Accepted": "success", "Declined": "danger"},
    )
    def stands(self, asked: CampaignRequest) -> str:
        """Where it stands."""
        return asked.get_stage_display()

    @display(description="Channel", ordering="main_channel")
    def reach(self, asked: CampaignRequest) -> str:
        """Where it would meet its audience."""
        return Channel(asked.main_channel).label


class PublishForm(forms.Form):
    """Asks what requests must say."""

    required = forms.MultipleChoiceField(
        choices=tuple(request_form.FIELDS.items()),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        label="Must be filled in",
    )
    questions = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        label="Further questions",
        help_text="One a line: “Which landing page?* | Its address”. A star makes the answer required.",
    )
    lead_days = forms.IntegerField(
        min_value=0, max_value=365, initial=0, label="Lead time (days)", help_text="From asking to the first day."
    )


def _publish_form(version: IntakeForm) -> type[forms.Form]:
    """Begin from what the version asks."""
    fields = {
        "required": {"initial": version.required},
        "questions": {"initial": request_form.written(version.questions)},
        "lead_days": {"initial": version.lead_days},
    }

    class Next(PublishForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            for name, given in fields.items():
                self.fields[name].initial = given["initial"]

    return Next


@admin.register(IntakeForm)
class IntakeFormAdmin(ReadOnlyAdmin):
    """The forms requests are asked by."""

    list_display = ("__str__", "asks", "lead_days", "author", "published_at")
    list_select_related = ("author",)
    fieldsets = ((None, {"fields": ("number", "asks", "further", "lead_days", "author", "published_at")}),)
    readonly_fields = ("asks", "further")
    buttons = (
        Button(
            "next",
            "Publish the next version",
            request_form.publish_form,
            request_form.refuse_publishing,
            form_for=_publish_form,
            confirm="Requests are asked by it from now on; those asked earlier keep the version they were asked by.",
            style="primary",
        ),
    )
    empty_state = "No form published; requests are asked by the standard one."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the authors with the rows."""
        return super().get_queryset(request).select_related("author")

    @display(description="Must be filled in")
    def asks(self, form: IntakeForm) -> str:
        """The fields it requires."""
        return ", ".join(request_form.FIELDS[name] for name in form.required) or "nothing"

    @display(description="Further questions")
    def further(self, form: IntakeForm) -> str:
        """What else it asks."""
        return request_form.written(form.questions) or NOTHING
