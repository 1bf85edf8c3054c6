"""Templates of content and their versions."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.approvals.domain import drafts
from apps.content.domain import templates
from apps.content.domain.preview import frame
from apps.content.models import HTML_KINDS, ContentTemplate, ContentTemplateVersion
from apps.core.admin_kit.base import ARCHIVE_BUTTONS
from apps.core.admin_kit.links import link_to
from apps.core.admin_kit.versions import TemplateAdmin, TemplateVersionAdmin, next_version_button, submit_button


@admin.register(ContentTemplate)
class ContentTemplateAdmin(TemplateAdmin):
    """Templates."""

    list_display = ("name", "kind", "says", "owned_by")
    list_filter = ("kind",)
    fieldsets = (
        (None, {"fields": ("name", "kind", "guidelines")}),
        ("Who answers for it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
    )
    empty_state = "A template is what content of a kind begins with. Add one, then write its text as a version."
    buttons = (
        next_version_button(templates.start_version, drafts.refuse_next),
        *ARCHIVE_BUTTONS,
    )

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
class ContentTemplateVersionAdmin(TemplateVersionAdmin):
    """Versions of templates."""

    list_filter = ("state", "template__kind")
    search_fields = ("template__name", "subject", "change_note")
    fields = ("template", "standing", "author", "subject", "body", "change_note")
    buttons = (submit_button(templates.submit_version, templates.refuse_submission),)

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
