"""Templates of content and their versions."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.approvals.domain import drafts
from apps.content.domain import templates
from apps.content.domain.preview import frame
from apps.content.models import HTML_KINDS, ContentTemplate, ContentTemplateVersion
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, VersionAdmin
from apps.core.admin_kit.buttons import Button, NoteForm
from apps.core.admin_kit.links import link_to

STATES = {"Draft": "warning", "In review": "info", "In force": "success"}


@admin.register(ContentTemplate)
class ContentTemplateAdmin(MopsAdmin):
    """Templates."""

    list_display = ("name", "kind", "says", "owned_by")
    list_filter = ("kind",)
    search_fields = ("name", "guidelines")
    autocomplete_fields = ("owner_person", "owner_team", "backup_person", "backup_team")
    fieldsets = (
        (None, {"fields": ("name", "kind", "guidelines")}),
        ("Who answers for it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
    )
    empty_state = "A template is what content of a kind begins with. Add one, then write its text as a version."
    buttons = (
        Button(
            "version",
            "Write a new version",
            templates.start_version,
            drafts.refuse_next,
            confirm="A draft that says what is in force; it stands in the list of versions.",
            style="primary",
            icon="edit_document",
        ),
        *ARCHIVE_BUTTONS,
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the owner, and which version is in force."""
        rows: models.QuerySet[Any] = super().get_queryset(request).select_related("owner_person", "owner_team")
        current = ContentTemplateVersion.objects.filter(template=models.OuterRef("pk"), state="approved")
        annotated: models.QuerySet[Any] = rows.annotate(in_force=models.Subquery(current.values("number")[:1]))
        return annotated

    @display(description="Says", ordering="in_force", label={"nothing yet": "warning"})
    def says(self, template: Any) -> str:
        """Which version is in force."""
        return f"version {template.in_force}" if template.in_force else "nothing yet"

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, template: ContentTemplate) -> str:
        """Who answers for it."""
        return str(template.owner or "—")

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show what it says now, and its versions."""
        template, extra = self.get_object(request, object_id), dict(extra_context or {})
        if template is not None and request.method == "GET":
            versions = list(template.versions.select_related("template", "author"))
            now = next((each for each in versions if each.state == "approved"), None)
            panel = {
                "template": "admin/content/template_panel.html",
                "now": now,
                "frame": frame(now.body, is_html=template.kind in HTML_KINDS) if now else "",
                "versions": [(each, link_to(each)) for each in versions],
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)


@admin.register(ContentTemplateVersion)
class ContentTemplateVersionAdmin(VersionAdmin):
    """Versions of templates."""

    list_display = ("template", "number", "standing", "author", "in_force_at")
    list_filter = ("state", "template__kind")
    search_fields = ("template__name", "subject", "change_note")
    fields = ("template", "standing", "author", "subject", "body", "change_note")
    readonly_fields = ("template", "standing", "author")
    empty_state = "No version yet. Open a template and press “Write a new version”."
    buttons = (
        Button(
            "submit",
            "Send for approval",
            templates.submit_version,
            templates.refuse_submission,
            form=NoteForm,
            confirm="It is fixed as it is saved now. Who wrote or edited it cannot approve it.",
            style="primary",
            icon="send",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load template and author with the rows."""
        found: models.QuerySet[Any] = super().get_queryset(request).select_related("template", "author")
        return found

    @display(description="State", ordering="state", label=STATES)
    def standing(self, version: ContentTemplateVersion) -> str:
        """Where it stands."""
        return str(version.get_state_display())

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show how it looks, and what nothing would be filled into."""
        version, extra = self.get_object(request, object_id), dict(extra_context or {})
        if version is not None and request.method == "GET":
            panel = {
                "template": "admin/content/template_version_panel.html",
                "frame": frame(version.body, is_html=version.template.kind in HTML_KINDS),
                "unknown": templates.unknown_fields(version),
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)
