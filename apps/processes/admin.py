"""The pages of processes: the register of SOPs, and the versions with their text, preview and differences."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.decorators import display

from apps.approvals.models import ApprovalRequest
from apps.core import access
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button, NoteForm, ReasonForm
from apps.core.admin_kit.consistency import Check
from apps.core.markdown import render
from apps.core.text_diff import compare
from apps.processes.domain.publishing import refuse_draft, refuse_submission, start_draft, submit_for_approval
from apps.processes.domain.reviews import confirm_unchanged, refuse_review
from apps.processes.enums import Family, VersionState
from apps.processes.models import SOP, SOPVersion

STATE_COLOURS = {
    VersionState.DRAFT.label: "warning",
    VersionState.IN_REVIEW.label: "info",
    VersionState.EFFECTIVE.label: "success",
}


@admin.register(SOP)
class SOPAdmin(MopsAdmin):
    """The register of procedures."""

    list_display = ("title", "kind", "in_force", "under_way", "owned_by", "review", "updated_at")
    list_filter = ("family", "review_every", "owner_team", "next_review_on")
    search_fields = ("title", "summary")
    autocomplete_fields = ("owner_person", "owner_team", "backup_person", "backup_team")
    fieldsets = (
        (None, {"fields": ("title", "family", "summary", "review_every", "review")}),
        ("Who answers for it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
    )
    readonly_fields = ("review",)
    in_palette = True
    empty_state = "No SOP yet. Add one, write its first version and send it for approval."
    buttons = (
        Button(
            "draft",
            "Write a new version",
            start_draft,
            refuse_draft,
            style="primary",
            icon="edit_document",
        ),
        Button(
            "reviewed",
            "Reviewed, no change",
            confirm_unchanged,
            refuse_review,
            form=ReasonForm,
            confirm="The version in force stays, and the next review is counted from today.",
            icon="task_alt",
        ),
        *ARCHIVE_BUTTONS,
    )
    consistency_checks = (
        Check("Nobody answers for it", lambda rows: rows.without_owner()),
        Check("Nobody stands in", lambda rows: rows.without_backup()),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the version in force, the one under way and the owners with the rows."""
        open_one = SOPVersion.objects.filter(sop=models.OuterRef("pk"), state__in=("draft", "in_review"))
        rows = super().get_queryset(request).select_related("effective_version", "owner_person", "owner_team")
        annotated: models.QuerySet[Any] = rows.annotate(open_state=models.Subquery(open_one.values("state")[:1]))
        return annotated

    @display(description="Family", ordering="family")
    def kind(self, sop: SOP) -> str:
        """Which family of processes it belongs to."""
        return Family(sop.family).label

    @display(description="In force", ordering="effective_version__number")
    def in_force(self, sop: SOP) -> str:
        """Which version people follow."""
        return f"Version {sop.effective_version.number}" if sop.effective_version else "None yet"

    @display(description="Under way", label=STATE_COLOURS)
    def under_way(self, sop: Any) -> str:
        """What becomes the next version."""
        return VersionState(sop.open_state).label if sop.open_state else "—"

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, sop: SOP) -> str:
        """Who answers for it."""
        return str(sop.owner or "—")

    @display(description="Next review", ordering="next_review_on", label={"danger": "danger"})
    def review(self, sop: SOP) -> Any:
        """When it has to be looked at again."""
        if sop.next_review_on is None:
            return "—"
        day = f"{sop.next_review_on:%-d %b %Y}"
        return ("danger", f"{day}, overdue") if sop.is_due_for_review else day

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the text in force and the list of versions."""
        sop, extra = self.get_object(request, object_id), dict(extra_context or {})
        if sop is not None:
            panel = {
                "template": "admin/processes/versions_panel.html",
                "versions": sop.versions.select_related("author"),
                "in_force": sop.effective_version,
                "html": render(sop.effective_version.body) if sop.effective_version else "",
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)


@admin.register(SOPVersion)
class SOPVersionAdmin(MopsAdmin):
    """Versions: written as drafts, read for good."""

    list_display = ("document", "number", "standing", "author", "effective_at", "updated_at")
    list_filter = ("state", "sop__family", "author")
    search_fields = ("sop__title", "change_log", "body")
    fields = ("document", "standing", "author", "change_log", "body")
    readonly_fields = ("document", "standing", "author")
    empty_state = "No version yet. Open an SOP and press “Write a new version”."
    buttons = (
        Button(
            "submit",
            "Send for approval",
            submit_for_approval,
            refuse_submission,
            form=NoteForm,
            confirm="The text is frozen as it is saved now. You cannot approve it yourself, nor can who edited it.",
            style="primary",
            icon="send",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the SOP and the author with the rows."""
        return super().get_queryset(request).select_related("sop__effective_version", "author")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out the raw text where it can only be read: how it reads stands above."""
        return self.fields if self.has_change_permission(request, obj) else self.fields[:-1]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Versions are started from their SOP."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only drafts are edited."""
        return super().has_change_permission(request, obj) and (obj is None or obj.is_draft)

    @display(description="SOP", ordering="sop__title")
    def document(self, version: SOPVersion) -> str:
        """The procedure it is a version of."""
        return version.sop.title

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def standing(self, version: SOPVersion) -> str:
        """Where it stands."""
        return VersionState(version.state).label

    def get_urls(self) -> list[URLPattern]:
        """Add the address that shows a text as it would look."""
        view = self.admin_site.admin_view(require_POST(self.preview_view))
        return [path("preview/", view, name="processes_sopversion_preview"), *super().get_urls()]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """Answer a text in Markdown with what readers will see; keeps nothing."""
        person: Any = request.user
        if not access.has_model_permission(person, "view", SOPVersion):
            return HttpResponse(status=403)
        return HttpResponse(render(request.POST.get("text", "")))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show how the text reads, what differs from the version in force, and its approvals."""
        version, extra = self.get_object(request, object_id), dict(extra_context or {})
        if version is not None:
            extra["row_panels"] = [*extra.get("row_panels", []), self._panel(request, version)]
        return super().change_view(request, object_id, form_url, extra)

    def _panel(self, request: HttpRequest, version: SOPVersion) -> dict[str, Any]:
        person: Any = request.user
        before = version.sop.versions.filter(effective_at__isnull=False, number__lt=version.number).first()
        requests = access.visible(person, ApprovalRequest).filter(
            object_id=version.pk, content_type__app_label="processes", content_type__model="sopversion"
        )
        return {
            "template": "admin/processes/text_panel.html",
            "version": version,
            "html": render(version.body),
            "before": before,
            "lines": compare(before.body, version.body) if before else [],
            "requests": requests.order_by("-pk"),
            "preview": reverse("admin:processes_sopversion_preview") if version.is_draft else "",
        }
