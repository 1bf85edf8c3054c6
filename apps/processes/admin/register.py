"""The register of processes, and the parts people play in them."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from apps.accounts.models import User
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, MopsTabularInline
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.admin_kit.consistency import Check
from apps.core.markdown import render
from apps.core.words import NOTHING
from apps.processes.admin import handbook
from apps.processes.admin.automations import automation_panel
from apps.processes.admin.compliance import compliance_panel
from apps.processes.admin.improvements import PROPOSE, improvements_panel
from apps.processes.admin.maps import map_panel
from apps.processes.admin.reviews import FeedbackForm, begin_review, review_panel
from apps.processes.admin.starting import START, runs_panel
from apps.processes.domain.feedback import give_feedback, refuse_feedback
from apps.processes.domain.publishing import refuse_draft, start_draft
from apps.processes.domain.reading import reading_progress
from apps.processes.domain.reviews import confirm_unchanged, refuse_start
from apps.processes.domain.skills import documented_share, standardised
from apps.processes.domain.triggers import occasions
from apps.processes.enums import OPEN_STATES, Family, VersionState
from apps.processes.models import Process, ProcessRole, SOPVersion, Stakeholder, TrainingRequirement


class DocumentedFilter(admin.SimpleListFilter):
    """Whether a process is standardised and documented, as the home page counts it."""

    title, parameter_name = "standardised and documented", "documented"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer yes and no."""
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Narrow to what was chosen."""
        if self.value() == "yes":
            return queryset.filter(standardised())
        return queryset.exclude(standardised()) if self.value() == "no" else queryset


STATE_COLOURS = {
    VersionState.DRAFT.label: "warning",
    VersionState.IN_REVIEW.label: "info",
    VersionState.APPROVED.label: "info",
    VersionState.EFFECTIVE.label: "success",
}


class StakeholderInline(MopsTabularInline):
    """Whom a process is open to where access is kept to stakeholders."""

    model = Stakeholder
    fields = ("person", "team", "role")
    autocomplete_fields = ("person", "team")


class RequirementInline(MopsTabularInline):
    """Who must have read the process before they carry it out."""

    model = TrainingRequirement
    fields = ("role", "quota")
    autocomplete_fields = ("role",)


@admin.register(ProcessRole)
class ProcessRoleAdmin(MopsAdmin):
    """The parts that people play in processes."""

    list_display = ("name", "description", "played_by")
    list_filter = ("team",)
    search_fields = ("name", "description")
    list_select_related = ("team",)
    autocomplete_fields = ("team", "people")
    fields = ("name", "description", "team", "people")
    buttons = ARCHIVE_BUTTONS
    empty_state = "No role yet. Add one, or bring in a handbook: the roles that its steps name come with it."
    consistency_checks = (Check("Nobody plays it", lambda rows: rows.unplayed()),)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load who plays the roles with the rows."""
        active = User.objects.filter(is_active=True)
        return (
            super().get_queryset(request).prefetch_related(models.Prefetch("people", active, to_attr="players_by_name"))
        )

    @display(description="Played by")
    def played_by(self, role: Any) -> str:
        """Its people, and its team."""
        team = [f"team {role.team}"] if role.team else []
        return ", ".join([*(str(each) for each in role.players_by_name), *team]) or "nobody yet"


@admin.register(Process)
class ProcessAdmin(MopsAdmin):
    """The register of procedures."""

    list_display = ("title", "kind", "in_force", "under_way", "owned_by", "review", "updated_at")
    list_filter = (
        "family",
        DocumentedFilter,
        "criticality",
        "classification",
        "review_every",
        "owner_team",
        "next_review_on",
    )
    search_fields = ("title", "summary")
    autocomplete_fields = ("owner_person", "owner_team", "backup_person", "backup_team", "tools")
    bulk_fields = (
        *("owner_person", "owner_team", "backup_person", "backup_team"),
        *("family", "criticality", "review_every", "classification"),
    )
    fieldsets = (
        (None, {"fields": ("title", ("family", "criticality"), "summary", ("review_every", "review"), "starts_with")}),
        ("Who answers for it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
        ("Who is asked and told", {"fields": (("consulted", "informed"),)}),
        ("What it touches", {"fields": (("tools", "channels"),)}),
        ("The document", {"fields": (("level", "persona"), ("classification", "stakeholder_access"))}),
    )
    inlines = (RequirementInline, StakeholderInline)
    readonly_fields = ("review",)
    in_palette = True
    list_before_template = "admin/processes/list_before.html"
    empty_state = "No process yet. Start from a template, bring in Markdown files, or add one and write it."
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
            "review",
            "Begin a review",
            begin_review,
            refuse_start,
            confirm="You see what changed since the last review, answer the feedback, and close it with an outcome.",
            icon="fact_check",
        ),
        Button(
            "reviewed",
            "Reviewed, no change",
            confirm_unchanged,
            refuse_start,
            form=ReasonForm,
            confirm="The version in force stays, and the next review is counted from today.",
            icon="task_alt",
        ),
        Button(
            "feedback",
            "Give feedback",
            give_feedback,
            refuse_feedback,
            form=FeedbackForm,
            confirm="It goes to who answers for the process, and is answered before the next review closes.",
            icon="rate_review",
        ),
        START,
        PROPOSE,
        *ARCHIVE_BUTTONS,
    )
    consistency_checks = (
        Check("Nobody answers for it", lambda rows: rows.without_owner()),
        Check("Nobody stands in", lambda rows: rows.without_backup()),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the occasions that are known."""
        if db_field.name == "starts_with":
            return forms.ChoiceField(
                choices=[("", "Nobody but people and recurrences start it"), *occasions()],
                required=False,
                label=db_field.verbose_name.capitalize(),
                help_text=db_field.help_text,
                widget=UnfoldAdminSelectWidget,
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Who adds a process answers for it until they name somebody else; so they see it however it is closed."""
        return {"owner_person": request.user.pk, **super().get_changeform_initial_data(request)}

    def get_urls(self) -> list[URLPattern]:
        """Add the templates, the way in and the way out as Markdown."""
        wrap = self.admin_site.admin_view
        pages: tuple[tuple[str, Any, str], ...] = (
            ("templates/", require_safe(partial(handbook.templates_page, self)), "templates"),
            ("templates/<slug:key>/", partial(handbook.template_page, self), "template"),
            ("bring-in/", partial(handbook.import_page, self), "import"),
            ("handbook.zip", require_safe(handbook.export_page), "handbook"),
        )
        own = [path(route, wrap(view), name=f"processes_process_{name}") for route, view, name in pages]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the version in force, the one under way and the owners with the rows."""
        open_one = SOPVersion.objects.filter(process=models.OuterRef("pk"), state__in=OPEN_STATES)
        rows = super().get_queryset(request).select_related("effective_version", "owner_person", "owner_team")
        annotated: models.QuerySet[Any] = rows.annotate(open_state=models.Subquery(open_one.values("state")[:1]))
        return annotated

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Say above the list how many are standardised and documented."""
        person: Any = request.user
        found = documented_share(person) if request.method == "GET" else {}
        percent = round(100 * found["share"]) if found.get("total") else 0
        extra = {**(extra_context or {}), "documented": {**found, "percent": percent}}
        return super().changelist_view(request, extra)

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
        return VersionState(process.open_state).label if process.open_state else NOTHING

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, process: Process) -> str:
        """Who answers for it."""
        return str(process.owner or NOTHING)

    @display(description="Next review", ordering="next_review_on", label={"danger": "danger"})
    def review(self, process: Process) -> Any:
        """When it has to be looked at again."""
        if process.next_review_on is None:
            return NOTHING
        day = f"{process.next_review_on:%-d %b %Y}"
        return ("danger", f"{day}, overdue") if process.is_due_for_review else day

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the map, the text in force, who has read it, the versions, the reviews and the feedback."""
        process, extra = self.get_object(request, object_id), dict(extra_context or {})
        if process is not None:
            extra["row_panels"] = [*extra.get("row_panels", []), *self._panels(request, process)]
        return super().change_view(request, object_id, form_url, extra)

    def _panels(self, request: HttpRequest, process: Process) -> list[dict[str, Any]]:
        in_force = process.effective_version
        text = {
            "template": "admin/processes/text_in_force.html",
            "in_force": in_force,
            "html": render(in_force.body) if in_force else "",
            "progress": reading_progress(in_force) if in_force else [],
        }
        versions = {
            "template": "admin/processes/versions_panel.html",
            "versions": process.versions.select_related("author"),
        }
        return [
            *map_panel(request, in_force),
            *runs_panel(request, process),
            text,
            versions,
            review_panel(request, process),
            *automation_panel(request, process),
            *compliance_panel(request, process),
            *improvements_panel(request, process),
        ]
