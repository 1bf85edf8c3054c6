"""The page of campaigns: the plan, the ways it can go, and what a launch still needs."""

import datetime as dt
import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSplitDateTimeWidget

from apps.approvals.admin.simulator_page import route_panel
from apps.campaigns.admin.budget import ENTER_MONEY
from apps.campaigns.admin.calendar import RESCHEDULE
from apps.campaigns.admin.campaign_panels import gate_panel, panels_of
from apps.campaigns.admin.templates import SET_UP
from apps.campaigns.domain import approval, checklist, closure, launch, looking, running, scheduling, working
from apps.campaigns.enums import VOIDABLE, CampaignState, Channel
from apps.campaigns.models import Campaign
from apps.core import clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button, NoteForm, ReasonForm
from apps.core.admin_kit.consistency import Check
from apps.core.admin_kit.counting import CappedPaginator
from apps.core.admin_kit.locking import RowVersionForm
from apps.core.money import money
from apps.core.words import NOTHING
from apps.processes.admin.starting import START_ABOUT
from apps.technology.domain.currencies import refuse_currency

VOID = "What was approved has changed, so the approval is void and the plan is back in planning. Send it for approval."


class ResultsForm(forms.Form):
    """Asks what came out."""

    results = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="Against each success metric: what was planned, and what came out.",
    )
    lessons = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}), help_text="What to do differently next time, or to do again."
    )


class WallClockField(forms.SplitDateTimeField):
    """A date and a time as a clock on the wall shows them; which moment that is, the operation says."""

    def compress(self, data_list: Any) -> Any:
        """Put the two together without a zone."""
        if not data_list:
            return None
        day, time = data_list
        if day in self.empty_values or time in self.empty_values:
            raise forms.ValidationError("Give both the day and the time.")
        return dt.datetime.combine(day, time)


class ScheduleForm(forms.Form):
    """Asks for the moment."""

    launch_at = WallClockField(label="Goes live", widget=UnfoldAdminSplitDateTimeWidget)
    note = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}), help_text="Optional: why then.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Say in which zone the time is read."""
        super().__init__(*args, **kwargs)
        zone = zoneinfo.ZoneInfo(settings.TIME_ZONE)
        self.fields["launch_at"].help_text = f"In the time zone {zone.key}, within the dates of the plan."


class CampaignForm(RowVersionForm):
    """The plan of a campaign; money is never entered in what is no currency, so no plan is counted in one."""

    def clean_currency(self) -> str:
        """Take a currency of ISO 4217."""
        code: str = self.cleaned_data["currency"]
        if refused := refuse_currency(code):
            raise forms.ValidationError(refused)
        return code


@admin.register(Campaign)
class CampaignAdmin(MopsAdmin):
    """Campaigns."""

    form = CampaignForm
    list_display = ("name", "reach", "stage", "since", "starts_on", "ends_on", "money", "owned_by")
    list_filter = ("state", "main_channel", "starts_on", "owner_team", "owner_person")
    search_fields = ("name", "objective", "audience")
    paginator = CappedPaginator
    show_full_result_count = False
    autocomplete_fields = ("owner_person", "owner_team", "backup_person", "backup_team")
    fieldsets = (
        (None, {"fields": ("name", "stage", "objective", "audience", "main_channel", ("product", "region"))}),
        ("When, how much, what for", {"fields": (("starts_on", "ends_on"), ("budget", "currency"), "success_metrics")}),
        ("Who answers for it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
        ("What became of it", {"fields": (("launch_at", "scheduled_by"), ("launched_at", "ended_at"), "results")}),
    )
    readonly_fields = ("stage", "launch_at", "scheduled_by", "launched_at", "ended_at", "results")
    in_palette = True
    kits = (*MopsAdmin.kits, "boxes")
    empty_state = (
        "No campaign yet. Add the first one: its plan is complete when objective, audience, dates, budget and success "
        "metrics stand."
    )
    buttons = (
        SET_UP,
        Button(
            "creative",
            "Begin creative work",
            working.begin_creative,
            working.refuse_creative,
            form=NoteForm,
            confirm="Creative work begins; the checklist and the processes that ask for it begin with it.",
        ),
        Button(
            "submit",
            "Send for approval",
            approval.submit_campaign,
            approval.refuse_submission,
            form=NoteForm,
            confirm="The plan is fixed as it is saved now until somebody else has decided about it.",
            panel=route_panel,
            style="primary",
            explains=approval.only_lacks_content,
        ),
        Button(
            "launch",
            "Launch",
            launch.launch_campaign,
            launch.refuse_going_live,
            form=NoteForm,
            confirm="The campaign goes live now, as it was approved, if every condition holds; else nothing happens.",
            panel=gate_panel,
            style="primary",
        ),
        Button(
            "schedule",
            "Schedule the launch",
            scheduling.schedule_launch,
            scheduling.refuse_schedule,
            form=ScheduleForm,
            confirm="It goes live by itself at this moment, if every condition holds then; else its owner is alerted.",
            icon="schedule",
        ),
        Button(
            "unschedule",
            "Take the moment back",
            scheduling.unschedule,
            scheduling.refuse_unschedule,
            form=ReasonForm,
            confirm="It does not go live by itself any more; the approval stays.",
        ),
        Button(
            "pause",
            "Pause",
            running.pause_campaign,
            running.refuse_pause,
            form=ReasonForm,
            confirm="mops records the pause; stop it in its channels too.",
        ),
        Button(
            "resume",
            "Resume",
            running.resume_campaign,
            running.refuse_resume,
            form=ReasonForm,
            confirm="It goes on as it was approved.",
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
            confirm="The campaign is closed for good with what you write here; its figures are frozen as they stand.",
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
        Button(
            "return",
            "Back to planning",
            working.return_to_plan,
            working.refuse_return,
            form=ReasonForm,
            confirm="It is planned again; an approval it has does not count any more.",
        ),
        RESCHEDULE,
        ENTER_MONEY,
        Button("check", "Check now", looking.look_now, looking.refuse_look, icon="fact_check"),
        Button("checklist", "Add the standard checklist", checklist.add_standard, checklist.refuse_adding),
        START_ABOUT,
        *ARCHIVE_BUTTONS,
    )
    consistency_checks = (
        Check("Should have been launched", lambda rows: rows.late_to_launch(clock.today())),
        Check("Live beyond its last day", lambda rows: rows.past_their_end(clock.today())),
        Check("Nobody answers for it", lambda rows: rows.without_owner()),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load with the rows what the page of one of them shows of other tables."""
        return (
            super()
            .get_queryset(request)
            .select_related(
                "owner_person", "owner_team", "backup_person", "backup_team", "scheduled_by", "look", "closing"
            )
        )

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
            CampaignState.SCHEDULED.label: "info",
            CampaignState.PAUSED.label: "warning",
            CampaignState.LIVE.label: "success",
            CampaignState.CANCELLED.label: "danger",
        },
    )
    def stage(self, campaign: Campaign) -> str:
        """Where it stands."""
        return CampaignState(campaign.state).label

    @display(description="Since", ordering="state_since")
    def since(self, campaign: Campaign) -> str:
        """Since when it stands there."""
        return f"{campaign.state_since:%-d %b %Y}"

    @display(description="Budget", ordering="budget")
    def money(self, campaign: Campaign) -> str:
        """How much it may cost."""
        return money(campaign.budget, campaign.currency) if campaign.budget is not None else NOTHING

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, campaign: Campaign) -> str:
        """Who answers for it."""
        return str(campaign.owner or NOTHING)

    def response_change(self, request: HttpRequest, obj: Campaign) -> HttpResponse:
        """Say so where the change voided the approval: the database brings such a plan back to planning."""
        if obj.state in VOIDABLE:
            obj.refresh_from_db(fields=["state"])
            if obj.state == CampaignState.PLANNING:
                self.message_user(request, VOID, messages.WARNING)
        answer: HttpResponse = super().response_change(request, obj)
        return answer

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show what a launch still needs, and the approvals."""
        campaign, extra = self.get_object(request, object_id), dict(extra_context or {})
        if campaign is not None:
            extra["row_panels"] = [*extra.get("row_panels", []), *panels_of(request, campaign)]
        return super().change_view(request, object_id, form_url, extra)
