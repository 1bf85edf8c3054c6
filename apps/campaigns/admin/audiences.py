"""The pages of audiences: select, freeze, look at a few of the people."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.campaigns.domain import audiences
from apps.campaigns.enums import NOT_YET_LIVE
from apps.campaigns.models import Audience, Campaign
from apps.campaigns.registry import provider_choices, provider_help, provider_of
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.admin_kit.locking import RowVersionForm
from apps.core.errors import DomainError


class AudienceForm(RowVersionForm):
    """Asks whom a campaign addresses, field by field."""

    selected = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 4}), label="Selected by", help_text=""
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the sources there are, and what each can be selected by."""
        super().__init__(*args, **kwargs)
        if "provider" in self.fields:
            self.fields["provider"] = forms.ChoiceField(
                choices=provider_choices(), label="Source", help_text="Where the people come from."
            )
            self.fields["selected"].initial = audiences.written(self.instance.selection)
            self.fields[
                "selected"
            ].help_text = f"One field a line, “territory = DACH, UK”; all lines must hold. {provider_help()}"

    def clean(self) -> Any:
        """Read the selection, and refuse what its source cannot carry out."""
        data = super().clean()
        if "selected" not in self.fields:
            return data
        try:
            self.instance.selection = audiences.read_selection(self.cleaned_data.get("selected") or "")
        except DomainError as refusal:
            self.add_error("selected", refusal.message)
            return data
        provider = self.cleaned_data.get("provider")
        if provider and (refused := audiences.refuse_selection(provider, self.instance.selection)):
            self.add_error("selected", refused)
        return data


@admin.register(Audience)
class AudienceAdmin(MopsAdmin):
    """Audiences of campaigns."""

    form = AudienceForm
    list_display = ("name", "campaign", "source", "people", "frozen_at", "frozen_by")
    list_filter = ("provider", "frozen_at", "campaign__state")
    search_fields = ("name", "campaign__name")
    autocomplete_fields = ("campaign",)
    fieldsets = (
        (None, {"fields": ("campaign", "name", "provider", "selected", "tolerance")}),
        ("Frozen", {"fields": (("frozen_at", "frozen_by"), "frozen_count", "frozen_digest")}),
    )
    readonly_fields = ("frozen_at", "frozen_by", "frozen_count", "frozen_digest")
    kits = ("notes",)
    buttons = (
        Button(
            "freeze",
            "Freeze",
            audiences.freeze_audience,
            audiences.refuse_freezing,
            confirm="Count, digest and a sample are written down; the approval and the launch rely on them.",
            style="primary",
        ),
        Button(
            "thaw",
            "Thaw",
            audiences.thaw_audience,
            audiences.refuse_thawing,
            form=ReasonForm,
            confirm="Other people can be selected; it must be frozen again before the launch.",
        ),
        *ARCHIVE_BUTTONS,
    )
    empty_state = "No audience yet. Add one on the page of a campaign that is planned, and freeze it."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load campaigns and people with the rows."""
        return super().get_queryset(request).select_related("campaign", "frozen_by")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """An audience stays with its campaign."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "campaign") if obj is not None else fields

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who only looks reads the selection in the panel above."""
        sets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return sets
        return [
            (name, {**options, "fields": [each for each in options["fields"] if each != "selected"]})
            for name, options in sets
        ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A frozen audience is thawed before it is changed, and stays once its campaign is sent."""
        may = super().has_change_permission(request, obj)
        return may and (obj is None or (not obj.is_frozen and obj.campaign.state in audiences.CHANGEABLE))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the selection, who was left out, and a few of the people."""
        audience, extra = self.get_object(request, object_id), dict(extra_context or {})
        if audience is not None:
            extra["row_panels"] = [*extra.get("row_panels", []), _panel(request, audience)]
        return super().change_view(request, object_id, form_url, extra)

    @display(description="Source", ordering="provider")
    def source(self, audience: Audience) -> str:
        """Where the people come from."""
        found = provider_of(audience.provider)
        return found.title if found is not None else audience.provider

    @display(description="People", ordering="frozen_count")
    def people(self, audience: Audience) -> str:
        """How many were frozen."""
        return f"{audience.frozen_count:,}" if audience.frozen_count is not None else "not frozen"


def _panel(request: HttpRequest, audience: Audience) -> dict[str, Any]:
    source, person = provider_of(audience.provider), request.user
    return {
        "template": "admin/campaigns/audience_panel.html",
        "audience": audience,
        "selection": source.in_words(audience.selection) if source is not None else list(audience.selection.items()),
        "left_out": [(why, number) for why, number in audience.left_out.items() if number],
        "sample": source.labels(person, audience.sample) if source is not None and audience.sample else [],  # type: ignore[arg-type]  # nobody is anonymous here
    }


def audience_panel(request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
    """Return the box with the audiences of a campaign."""
    model_admin = admin.site._registry[Audience]
    may_add = model_admin.has_add_permission(request) and campaign.state in audiences.CHANGEABLE
    return {
        "template": "admin/campaigns/audiences_panel.html",
        "audiences": campaign.live_parts("audiences"),
        "campaign": campaign,
        "may_add": may_add,
        "open": campaign.state in NOT_YET_LIVE,
    }
