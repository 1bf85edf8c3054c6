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
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, MopsTabularInline
from apps.core.admin_kit.buttons import Button, NoteForm, ReasonForm
from apps.core.admin_kit.consistency import Check
from apps.core.markdown import render
from apps.core.text_diff import compare
from apps.processes.domain.effect import call_off, refuse_call_off
from apps.processes.domain.publishing import refuse_draft, refuse_submission, start_draft, submit_for_approval
from apps.processes.domain.reviews import confirm_unchanged, refuse_review
from apps.processes.enums import OPEN_STATES, Family, VersionState
from apps.processes.models import Process, ProcessRole, SOPVersion, Stakeholder, Step

STATE_COLOURS = {
    VersionState.DRAFT.label: "warning",
    VersionState.IN_REVIEW.label: "info",
    VersionState.APPROVED.label: "info",
    VersionState.EFFECTIVE.label: "success",
}


class StakeholderInline(MopsTabularInline):
    """Whom a process is open to where access is kept to stakeholders."""

    model = Stakeholder
    extra = 0
    fields = ("person", "team", "role")
    autocomplete_fields = ("person", "team")


@admin.register(ProcessRole)
class ProcessRoleAdmin(MopsAdmin):
    """The parts that people play in processes."""

    list_display = ("name", "description", "team")
    list_filter = ("team",)
    search_fields = ("name", "description")
    list_select_related = ("team",)
    autocomplete_fields = ("team", "people")
    fields = ("name", "description", "team", "people")
    buttons = ARCHIVE_BUTTONS
    empty_state = "No role yet. Add one, or write steps: a role that a step names appears here by itself."


@admin.register(Step)
class StepAdmin(MopsAdmin):
    """Every step of every version; written on the page of its version."""

    list_display = ("title", "document", "position", "kind", "mode", "role", "minutes", "is_blocking")
    list_filter = ("kind", "mode", "role", "is_blocking", "version__state", "version__process__family")
    search_fields = ("title", "instructions", "version__process__title")
    fields = (
        *("document", "title", "key", ("kind", "mode"), ("role", "accountable"), ("minutes", "is_blocking")),
        *("instructions", "links", ("consulted", "informed")),
    )
    list_select_related = ("version__process", "role", "accountable")
    empty_state = "No step yet. Open a draft and write its steps."
    kits = ()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Steps are written on the page of their version."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Steps are written on the page of their version."""
        return False

    @display(description="Version", ordering="version__process__title")
    def document(self, step: Step) -> str:
        """Which version it belongs to."""
        return str(step.version)


@admin.register(Process)
class ProcessAdmin(MopsAdmin):
    """The register of procedures."""

    list_display = ("title", "kind", "in_force", "under_way", "owned_by", "review", "updated_at")
    list_filter = ("family", "review_every", "owner_team", "next_review_on")
    search_fields = ("title", "summary")
    autocomplete_fields = ("owner_person", "owner_team", "backup_person", "backup_team", "tools")
    fieldsets = (
        (None, {"fields": ("title", ("family", "criticality"), "summary", ("review_every", "review"))}),
        ("Who answers for it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
        ("Who is asked and told", {"fields": (("consulted", "informed"),)}),
        ("What it touches", {"fields": (("tools", "channels"),)}),
        ("The document", {"fields": (("level", "persona"), ("classification", "stakeholder_access"))}),
    )
    inlines = (StakeholderInline,)
    readonly_fields = ("review",)
    in_palette = True
    empty_state = "No process yet. Add one, write its first version and send it for approval."
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
        open_one = SOPVersion.objects.filter(process=models.OuterRef("pk"), state__in=OPEN_STATES)
        rows = super().get_queryset(request).select_related("effective_version", "owner_person", "owner_team")
        annotated: models.QuerySet[Any] = rows.annotate(open_state=models.Subquery(open_one.values("state")[:1]))
        return annotated

    @display(description="Family", ordering="family")
    def kind(self, process: Process) -> str:
        """Which family of processes it belongs to."""
        return Family(process.family).label

    @display(description="In force", ordering="effective_version__number")
    def in_force(self, process: Process) -> str:
        """Which version people follow."""
        return f"Version {process.effective_version.number}" if process.effective_version else "None yet"

    @display(description="Under way", label=STATE_COLOURS)
    def under_way(self, process: Any) -> str:
        """What becomes the next version."""
        return VersionState(process.open_state).label if process.open_state else "—"

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, process: Process) -> str:
        """Who answers for it."""
        return str(process.owner or "—")

    @display(description="Next review", ordering="next_review_on", label={"danger": "danger"})
    def review(self, process: Process) -> Any:
        """When it has to be looked at again."""
        if process.next_review_on is None:
            return "—"
        day = f"{process.next_review_on:%-d %b %Y}"
        return ("danger", f"{day}, overdue") if process.is_due_for_review else day

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the text in force and the list of versions."""
        process, extra = self.get_object(request, object_id), dict(extra_context or {})
        if process is not None:
            panel = {
                "template": "admin/processes/versions_panel.html",
                "versions": process.versions.select_related("author"),
                "in_force": process.effective_version,
                "html": render(process.effective_version.body) if process.effective_version else "",
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)


@admin.register(SOPVersion)
class SOPVersionAdmin(MopsAdmin):
    """Versions: written as drafts, read for good."""

    list_display = ("document", "number", "standing", "author", "effective_at", "updated_at")
    list_filter = ("state", "process__family", "author")
    search_fields = ("process__title", "change_log", "body")
    fields = ("document", "standing", "author", ("is_material", "effective_from"), "change_log", "body")
    readonly_fields = ("document", "standing", "author")
    empty_state = "No version yet. Open a process and press “Write a new version”."
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
        """Leave out the raw text where it can only be read: how it reads stands above."""
        return self.fields if self.has_change_permission(request, obj) else self.fields[:-1]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Versions are started from their process."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only drafts are edited."""
        return super().has_change_permission(request, obj) and (obj is None or obj.is_draft)

    @display(description="Process", ordering="process__title")
    def document(self, version: SOPVersion) -> str:
        """The procedure it is a version of."""
        return version.process.title

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
        before = version.process.versions.filter(effective_at__isnull=False, number__lt=version.number).first()
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
