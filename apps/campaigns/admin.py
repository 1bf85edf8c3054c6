"""The pages of campaigns."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.approvals.admin.simulator_page import route_panel
from apps.approvals.models import ApprovalRequest
from apps.campaigns.domain import approval, closure, launch
from apps.campaigns.enums import NOT_YET_LIVE, CampaignState, Channel
from apps.campaigns.models import Campaign
from apps.core import access, clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button, NoteForm, ReasonForm
from apps.core.admin_kit.consistency import Check
from apps.processes.admin.starting import START_ABOUT, runs_about_panel


class ResultsForm(forms.Form):
    """Asks what came out."""

    results = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="Against each success metric: what was planned, what came out, and what to do differently next time.",
    )


@admin.register(Campaign)
class CampaignAdmin(MopsAdmin):
    """Campaigns."""

    list_display = ("name", "reach", "stage", "starts_on", "ends_on", "money", "owned_by")
    list_filter = ("state", "main_channel", "starts_on", "owner_team", "owner_person")
    search_fields = ("name", "objective", "audience")
    date_hierarchy = "starts_on"
    autocomplete_fields = ("owner_person", "owner_team", "backup_person", "backup_team")
    fieldsets = (
        (None, {"fields": ("name", "stage", "objective", "audience", "main_channel")}),
        ("When, how much, what for", {"fields": (("starts_on", "ends_on"), ("budget", "currency"), "success_metrics")}),
        ("Who answers for it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
        ("What became of it", {"fields": (("launched_at", "ended_at"), "results")}),
    )
    readonly_fields = ("stage", "launched_at", "ended_at", "results")
    in_palette = True
    empty_state = (
        "No campaign yet. Add the first one: its plan is complete when objective, audience, dates, budget and success "
        "metrics stand."
    )
    buttons = (
        Button(
            "submit",
            "Send for approval",
            approval.submit_campaign,
            approval.refuse_submission,
            form=NoteForm,
            confirm="The plan is fixed as it is saved now until somebody else has decided about it.",
            panel=route_panel,
            style="primary",
        ),
        Button(
            "launch",
            "Launch",
            launch.launch_campaign,
            launch.refuse_launch,
            form=NoteForm,
            confirm="The campaign goes live now, as it was approved.",
            style="primary",
        ),
        Button(
            "complete",
            "Complete",
            closure.complete_campaign,
            closure.refuse_completion,
            form=NoteForm,
            confirm="The campaign ends now; what remains is to write down its results.",
            style="primary",
        ),
        Button(
            "close",
            "Close with results",
            closure.close_campaign,
            closure.refuse_closure,
            form=ResultsForm,
            confirm="The campaign is closed for good, with what you write here.",
            style="primary",
        ),
        Button(
            "cancel",
            "Cancel campaign",
            closure.cancel_campaign,
            closure.refuse_cancellation,
            form=ReasonForm,
            confirm="It is cancelled for good; its record stays.",
            style="danger",
        ),
        START_ABOUT,
        *ARCHIVE_BUTTONS,
    )
    consistency_checks = (
        Check("Should have been launched", lambda rows: rows.late_to_launch(clock.today())),
        Check("Live beyond its last day", lambda rows: rows.past_their_end(clock.today())),
        Check("Nobody answers for it", lambda rows: rows.without_owner()),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the owners with the rows."""
        return super().get_queryset(request).select_related("owner_person", "owner_team")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The plan is fixed while it is decided about, and once it is live."""
        return super().has_change_permission(request, obj) and (obj is None or obj.is_editable)

    @display(description="Channel", ordering="main_channel")
    def reach(self, campaign: Campaign) -> str:
        """Where it meets its audience."""
        return Channel(campaign.main_channel).label

    @display(
        description="State",
        ordering="state",
        label={
            CampaignState.IN_APPROVAL.label: "info",
            CampaignState.APPROVED.label: "info",
            CampaignState.LIVE.label: "success",
            CampaignState.CANCELLED.label: "danger",
        },
    )
    def stage(self, campaign: Campaign) -> str:
        """Where it stands."""
        return CampaignState(campaign.state).label

    @display(description="Budget", ordering="budget")
    def money(self, campaign: Campaign) -> str:
        """How much it may cost."""
        return f"{campaign.budget:,.0f} {campaign.currency}" if campaign.budget is not None else "—"

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, campaign: Campaign) -> str:
        """Who answers for it."""
        return str(campaign.owner or "—")

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show what a launch still needs, and the approvals."""
        campaign, extra = self.get_object(request, object_id), dict(extra_context or {})
        if campaign is not None:
            extra["row_panels"] = [*extra.get("row_panels", []), *_panels(request, campaign)]
        return super().change_view(request, object_id, form_url, extra)


def _panels(request: HttpRequest, campaign: Campaign) -> list[dict[str, Any]]:
    by_itself = launch.LAUNCHED if campaign.state in NOT_YET_LIVE else ""
    return [_panel(request, campaign, clock.today()), *runs_about_panel(request, campaign, by_itself)]


def _panel(request: HttpRequest, campaign: Campaign, today: dt.date) -> dict[str, Any]:
    person: Any = request.user
    requests: Any = approval.requests_of(campaign) & access.visible(person, ApprovalRequest)
    return {
        "template": "admin/campaigns/gate_panel.html",
        "conditions": launch.launch_conditions(campaign, today) if campaign.state in NOT_YET_LIVE else [],
        "would_void": campaign.state == CampaignState.APPROVED,
        "is_fixed": not campaign.is_editable,
        "requests": list(requests.with_decisions()),
    }
