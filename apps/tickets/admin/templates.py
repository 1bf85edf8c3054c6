"""The pages of reply templates and their versions."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Avg, Count, OuterRef, Subquery
from django.http import HttpRequest
from unfold.decorators import display

from apps.approvals.domain import drafts
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.consistency import Check
from apps.core.admin_kit.links import link_to
from apps.core.admin_kit.versions import TemplateVersionAdmin, next_version_button, submit_button
from apps.core.markdown import render
from apps.core.words import NOTHING
from apps.tickets.domain import templates
from apps.tickets.enums import TemplateState
from apps.tickets.models import Message, ReplyTemplate, Survey, TemplateVersion

STATES = {
    TemplateState.IN_REVIEW.label: "info",
    TemplateState.IN_FORCE.label: "success",
    TemplateState.RETIRED.label: "warning",
}


@admin.register(ReplyTemplate)
class ReplyTemplateAdmin(MopsAdmin):
    """Reply templates."""

    list_display = ("name", "queue", "in_force", "used", "satisfaction", "owned_by")
    list_filter = ("queue",)
    search_fields = ("name", "body", "guidelines")
    autocomplete_fields = ("queue", "owner_person", "owner_team", "backup_person", "backup_team")
    fieldsets = (
        (None, {"fields": ("name", "queue")}),
        ("Who answers for it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
    )
    empty_state = "A template is an answer to start from. Add one for what is asked every week, then write its text."
    buttons = (
        next_version_button(templates.start_version, drafts.refuse_next),
        *ARCHIVE_BUTTONS,
    )
    consistency_checks = (Check("Says nothing yet", lambda rows: rows.filter(body="")),)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load queue and owner, how often each was used, and what requesters thought afterwards."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        said = Message.objects.filter(template=OuterRef("pk")).order_by().values("template")
        asked = Survey.objects.filter(template=OuterRef("pk"), score__isnull=False).order_by().values("template")
        counted: models.QuerySet[Any] = rows.select_related("queue", "owner_person", "owner_team").annotate(
            times=Subquery(said.annotate(number=Count("pk")).values("number")),
            score=Subquery(asked.annotate(mean=Avg("score")).values("mean")),
        )
        return counted

    @display(description="Says", ordering="version", label={"nothing yet": "warning"})
    def in_force(self, template: ReplyTemplate) -> str:
        """Which version is in force."""
        if not template.body:
            return "nothing yet"
        return f"version {template.version}" if template.version else "as before versions"

    @display(description="Used", ordering="times")
    def used(self, template: Any) -> int:
        """How many answers began from it."""
        return int(template.times or 0)

    @display(description="Satisfaction", ordering="score")
    def satisfaction(self, template: Any) -> str:
        """The mean of what requesters said whose ticket was last answered with it."""
        return f"{template.score:.1f} of 5" if template.score is not None else NOTHING

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, template: ReplyTemplate) -> str:
        """Who answers for it."""
        return str(template.owner or NOTHING)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show what it says now, and its versions."""
        template, extra = self.get_object(request, object_id), dict(extra_context or {})
        if template is not None:
            panel = {
                "template": "admin/tickets/template_panel.html",
                "says": render(template.body),
                "guidelines": render(template.guidelines),
                "versions": [(each, link_to(each)) for each in template.versions.select_related("template", "author")],
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)


@admin.register(TemplateVersion)
class ReplyVersionAdmin(TemplateVersionAdmin):
    """Versions of reply templates."""

    list_filter = ("state", "author")
    search_fields = ("template__name", "body", "change_note")
    fields = ("template", "standing", "author", "change_note", "body", "guidelines")
    empty_state = "No version yet. Open a reply template and press “Write a new version”."
    buttons = (submit_button(templates.submit_version, templates.refuse_submission),)

    @display(description="State", ordering="state", label=STATES)
    def standing(self, version: TemplateVersion) -> str:
        """Where it stands."""
        return TemplateState(version.state).label

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show how it reads."""
        version, extra = self.get_object(request, object_id), dict(extra_context or {})
        if version is not None and request.method == "GET":
            panel = {
                "template": "admin/tickets/template_version_panel.html",
                "says": render(version.body),
                "unknown": templates.unknown_places(version.body),
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)
