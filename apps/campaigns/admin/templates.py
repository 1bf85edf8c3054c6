"""The pages of campaign templates, their versions, the tasks they make, and whether they save time."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.decorators import display

from apps.approvals.domain import drafts
from apps.campaigns.domain import intervals, tasks, template_lines, templates, utm_plan
from apps.campaigns.models import Campaign, CampaignTask, CampaignTemplate, CampaignTemplateVersion
from apps.campaigns.models.template import PARTS
from apps.core import access, clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button, NoteForm, ReasonForm
from apps.core.admin_kit.links import link_to
from apps.core.admin_kit.versions import TemplateAdmin, TemplateVersionAdmin, next_version_button, submit_button

MEASURED = dt.timedelta(days=365)


def set_up_form(campaign: Campaign) -> type[forms.Form]:
    """Return the form that asks from which template, offering what is in force."""
    usable, guess = templates.usable_for(campaign), utm_plan.first_guess(campaign)

    class SetUpForm(forms.Form):
        """Asks from which template, and what its links need."""

        version = forms.ModelChoiceField(
            CampaignTemplateVersion.objects.filter(pk__in=[each.pk for each in usable]).select_related("template"),
            label="Template",
            initial=usable[0].pk if usable else None,
        )
        landing_url = forms.CharField(
            label="Landing page", required=False, help_text="Where the planned links lead; needed where it plans any."
        )
        campaign_tag = forms.CharField(
            label="Campaign tag", required=False, initial=guess["campaign_tag"], help_text="One name for all its links."
        )

    return SetUpForm


SET_UP = Button(
    "set-up",
    "Set up from a template",
    templates.set_up,
    templates.refuse_set_up,
    form_for=set_up_form,
    confirm="Tasks, checklist, budget lines, links and content briefs of the template are made at once, and the "
    "processes that begin with the work are started.",
    icon="auto_awesome_motion",
)


@admin.register(CampaignTemplate)
class CampaignTemplateAdmin(TemplateAdmin):
    """Templates of campaigns."""

    list_display = ("name", "main_channel", "says", "used", "owned_by")
    list_filter = ("main_channel",)
    fieldsets = (
        (None, {"fields": ("name", "main_channel", "guidelines")}),
        ("Who answers for it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
    )
    empty_state = "A template is what campaigns of a kind are set up with. Add one, then write what it sets up."
    buttons = (
        next_version_button(templates.start_version, drafts.refuse_next),
        *ARCHIVE_BUTTONS,
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load how often each was used, too."""
        rows: models.QuerySet[Any] = super().get_queryset(request).annotate(uses=models.Count("versions__uses"))
        return rows

    @display(description="Campaigns", ordering="uses")
    def used(self, template: Any) -> str:
        """How many campaigns were set up from it."""
        return f"{template.uses:,}"

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show its versions."""
        template, extra = self.get_object(request, object_id), dict(extra_context or {})
        if template is not None and request.method == "GET":
            versions = template.versions.select_related("template", "author")
            panel = {
                "template": "admin/campaigns/template_panel.html",
                "versions": [(each, link_to(each)) for each in versions],
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)


@admin.register(CampaignTemplateVersion)
class CampaignTemplateVersionAdmin(TemplateVersionAdmin):
    """Versions of templates."""

    list_filter = ("state", "template__main_channel")
    search_fields = ("template__name", "change_note")
    fields = ("template", "standing", "author", *PARTS, "change_note")
    buttons = (submit_button(templates.submit_version, templates.refuse_submission, hide_when_refused=False),)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show what it would set up, or which line cannot be read."""
        version, extra = self.get_object(request, object_id), dict(extra_context or {})
        if version is not None and request.method == "GET":
            problem = template_lines.problem_of(version)
            panel = {
                "template": "admin/campaigns/template_version_panel.html",
                "problem": problem,
                "contents": None if problem else template_lines.read(version),
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)


@admin.register(CampaignTask)
class CampaignTaskAdmin(MopsAdmin):
    """What people do for campaigns."""

    list_display = ("title", "campaign", "due_on", "assignee", "stands", "done_at")
    list_filter = ("done_at", "due_on", "assignee", "campaign__state")
    search_fields = ("title", "campaign__name")
    autocomplete_fields = ("campaign", "assignee")
    allowed_lookups = ("campaign",)
    fieldsets = (
        (None, {"fields": ("campaign", "title", ("due_on", "assignee"))}),
        ("Done", {"fields": (("done_at", "done_by"),)}),
    )
    readonly_fields = ("done_at", "done_by")
    kits = ("notes", "attachments")
    buttons = (
        Button(
            "done",
            "Done",
            tasks.do_task,
            tasks.refuse_doing,
            form=NoteForm,
            confirm="It is done, with your name.",
            style="primary",
            back_to=lambda task: task.campaign,
        ),
        Button(
            "reopen",
            "Open again",
            tasks.reopen_task,
            tasks.refuse_reopening,
            form=ReasonForm,
            confirm="It is to be done again.",
        ),
        *ARCHIVE_BUTTONS,
    )
    empty_state = "No task yet. “Set up from a template” on the page of a campaign makes them, or add one."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load campaigns and people with the rows."""
        return super().get_queryset(request).select_related("campaign", "assignee", "done_by")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A task stays with its campaign."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "campaign") if obj is not None else fields

    @display(description="State", ordering="done_at", label={"open": "warning", "late": "danger", "done": "success"})
    def stands(self, task: CampaignTask) -> str:
        """Whether it is done, and late where it is not."""
        if task.is_done:
            return "done"
        return "late" if task.due_on is not None and task.due_on < clock.today() else "open"


def tasks_panel(request: HttpRequest, campaign: Campaign) -> list[dict[str, Any]]:
    """Return the box with the tasks of a campaign; none for people who do not see them."""
    person: Any = request.user
    if not access.has_model_permission(person, "view", CampaignTask):
        return []
    rows = campaign.live_parts("tasks")
    return [
        {
            "template": "admin/campaigns/tasks_panel.html",
            "tasks": rows,
            "open": sum(not each.is_done for each in rows),
            "today": clock.today(),
            "campaign": campaign,
            "may_add": access.has_model_permission(person, "add", CampaignTask) and not campaign.is_archived,
        }
    ]


@admin.site.admin_view
def cycle_page(request: HttpRequest) -> HttpResponse:
    """Show how long setting up and launching took in the last year, with a template and without one.

    Raises:
        PermissionDenied: the person sees no campaigns.
    """
    person: Any = request.user
    if not access.has_model_permission(person, "view", Campaign):
        raise PermissionDenied
    since = clock.now() - MEASURED
    lines = intervals.cycle_times_by_template(since)
    saved = intervals.saved_percent(lines)
    context = {
        **admin.site.each_context(request),
        "title": "Set-up and launch times",
        "since": since,
        "lines": lines,
        "saved": saved,
        "longer": -saved if saved is not None else None,
    }
    return TemplateResponse(request, "admin/campaigns/cycle.html", context)
