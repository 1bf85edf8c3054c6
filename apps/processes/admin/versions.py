"""Versions of SOPs: written as drafts with text and steps, compared, sent, read for good."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST, require_safe
from unfold.decorators import display

from apps.approvals.models import ApprovalRequest
from apps.core import access, clock
from apps.core.admin_kit.base import VersionAdmin
from apps.core.admin_kit.buttons import Button, NoteForm, ReasonForm
from apps.core.markdown import render
from apps.core.text_diff import compare
from apps.processes.admin.handbook import version_file
from apps.processes.admin.maps import map_file, map_panel
from apps.processes.admin.reading import read_page
from apps.processes.admin.register import STATE_COLOURS
from apps.processes.admin.steps import preview_steps, steps_page
from apps.processes.domain.effect import call_off, holding_back, refuse_call_off
from apps.processes.domain.publishing import problems_of_steps, refuse_submission, submit_for_approval
from apps.processes.domain.reading import reading_progress, refuse_acknowledgement
from apps.processes.enums import VersionState
from apps.processes.models import SOPVersion
from apps.processes.models.values import outline


@admin.register(SOPVersion)
class SOPVersionAdmin(VersionAdmin):
    """Versions: written as drafts, read for good."""

    list_display = ("document", "number", "standing", "author", "effective_at", "updated_at")
    list_filter = ("state", "process__family", "is_material", "author")
    search_fields = ("process__title", "change_log", "body")
    fields = (*("document", "standing", "author", "is_material", "effective_from", "change_log", "body", "questions"),)
    readonly_fields = ("document", "standing", "author")
    empty_state = "No version yet. Open a process and press “Write a new version”."
    buttons = (
        Button(
            "submit",
            "Send for approval",
            submit_for_approval,
            refuse_submission,
            form=NoteForm,
            confirm="Text and steps are frozen as they are saved. You cannot approve them, nor can who edited them.",
            style="primary",
            icon="send",
        ),
        Button(
            "call_off",
            "Call off",
            call_off,
            refuse_call_off,
            form=ReasonForm,
            confirm="It becomes a draft again and does not come into force; its approval no longer counts.",
            icon="event_busy",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the process and the author with the rows."""
        return super().get_queryset(request).select_related("process__effective_version", "author")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out the raw texts where they can only be read: how they read stands above."""
        return self.fields if self.has_change_permission(request, obj) else self.fields[:-2]

    @display(description="Process", ordering="process__title")
    def document(self, version: SOPVersion) -> str:
        """Which process it is a version of."""
        return version.process.title

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def standing(self, version: SOPVersion) -> str:
        """Where it stands."""
        return VersionState(version.state).label

    def get_urls(self) -> list[URLPattern]:
        """Add the steps, the page to read and confirm, the map as a file, and the preview of a text."""
        wrap = self.admin_site.admin_view
        pages: tuple[tuple[str, Any, str], ...] = (
            ("<int:object_id>/steps/", partial(steps_page, self), "steps"),
            ("<int:object_id>/steps/preview/", require_POST(preview_steps), "steps_preview"),
            ("<int:object_id>/read/", partial(read_page, self), "read"),
            ("<int:object_id>/map.svg", require_safe(partial(map_file, kind="svg")), "svg"),
            ("<int:object_id>/map.bpmn", require_safe(partial(map_file, kind="bpmn")), "bpmn"),
            ("<int:object_id>/text.md", require_safe(version_file), "markdown"),
            ("preview/", require_POST(self.preview_view), "preview"),
        )
        own = [path(route, wrap(view), name=f"processes_sopversion_{name}") for route, view, name in pages]
        return [*own, *super().get_urls()]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """Answer a text in Markdown with what readers will see; keeps nothing."""
        person: Any = request.user
        if not access.has_model_permission(person, "view", SOPVersion):
            return HttpResponse(status=403)
        return HttpResponse(render(request.POST.get("text", "")))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the map, how the text reads, what differs from the version before, who has read it, its approvals."""
        version, extra = self.get_object(request, object_id), dict(extra_context or {})
        if version is not None:
            panels = [self._standing(request, version), *map_panel(request, version), self._text(request, version)]
            extra["row_panels"] = [*extra.get("row_panels", []), *panels]
        return super().change_view(request, object_id, form_url, extra)

    def _standing(self, request: HttpRequest, version: SOPVersion) -> dict[str, Any]:
        person: Any = request.user
        waits = holding_back(version, clock.now()) if version.state == VersionState.APPROVED else None
        shows_reading = version.state in (VersionState.APPROVED, VersionState.EFFECTIVE)
        return {
            "template": "admin/processes/standing_panel.html",
            "version": version,
            "waits": waits,
            "may_edit": self.has_change_permission(request, version),
            "problems": problems_of_steps(version) if version.is_draft else [],
            "progress": reading_progress(version) if shows_reading else [],
            "may_read": refuse_acknowledgement(person, version) is None,
            "has_read": version.acknowledgements.filter(person=person).exists(),
        }

    def _text(self, request: HttpRequest, version: SOPVersion) -> dict[str, Any]:
        person: Any = request.user
        before = version.process.versions.filter(effective_at__isnull=False, number__lt=version.number).first()
        requests: Any = access.visible(person, ApprovalRequest).filter(
            object_id=version.pk, content_type__app_label="processes", content_type__model="sopversion"
        )
        return {
            "template": "admin/processes/text_panel.html",
            "version": version,
            "html": render(version.body),
            "before": before,
            "lines": compare(before.body, version.body) if before else [],
            "step_lines": compare(outline(before.flow), outline(version.flow)) if before else [],
            "requests": requests.with_decisions().order_by("-pk"),
            "preview": reverse("admin:processes_sopversion_preview") if version.is_draft else "",
        }
