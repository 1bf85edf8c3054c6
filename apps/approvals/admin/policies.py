"""Policies: who decides about what, in which stages; drafted as rows, tried out, and approved before they count."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST
from unfold.decorators import display

from apps.approvals import registry
from apps.approvals.admin import decision_table
from apps.approvals.domain import policies
from apps.approvals.domain.definition import definition_of, escalation_in_words, in_words
from apps.approvals.domain.facts import condition_words, facts_catalog
from apps.approvals.enums import Mode, PolicyState
from apps.approvals.models import ApprovalPolicy, PolicyStage, PolicyVersion, StageApprover
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, MopsStackedInline
from apps.core.admin_kit.buttons import Button, NoteForm
from apps.core.admin_kit.consistency import Check
from apps.core.admin_kit.locking import RowVersionForm

STATE_COLOURS = {
    PolicyState.DRAFT.label: "warning",
    PolicyState.IN_REVIEW.label: "info",
    PolicyState.ACTIVE.label: "success",
}


class PolicyForm(RowVersionForm):
    """A policy decides about one of the kinds that can be approved."""

    subject_kind = forms.ChoiceField(
        choices=registry.kinds,
        label="What it decides about",
        help_text="Each kind has one policy in force; archive it to replace it.",
    )

    class Meta:
        model = ApprovalPolicy
        fields = ("name", "subject_kind")


@admin.register(ApprovalPolicy)
class ApprovalPolicyAdmin(MopsAdmin):
    """Policies: who decides about what."""

    form = PolicyForm
    list_display = ("name", "kind", "stages", "version", "in_force")
    search_fields = ("name",)
    fields = ("name", "subject_kind")
    buttons = (
        Button(
            "new-version",
            "New version",
            policies.start_version,
            policies.refuse_version,
            confirm="A draft starts with what the active version says. It counts once it has been approved.",
            style="primary",
            icon="edit_note",
        ),
        *ARCHIVE_BUTTONS,
    )
    consistency_checks = (Check("In force, but some stage could never be decided", policies.naming_nobody),)
    empty_state = "No policy yet: nothing can be approved. Add one for each kind of thing that needs a decision."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the active version."""
        return super().get_queryset(request).select_related("active_version")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep the kind once there is a version about it."""
        fixed = obj is not None and obj.versions.exists()
        return (*super().get_readonly_fields(request, obj), *(("kind",) if fixed else ()))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the kind as text once it is fixed."""
        return ("name", "kind") if "kind" in self.get_readonly_fields(request, obj) else self.fields

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Leave the question for the kind out once it is fixed."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if "kind" in self.get_readonly_fields(request, obj):
            form.base_fields.pop("subject_kind", None)
        return form

    @display(description="What it decides about", ordering="subject_kind")
    def kind(self, policy: ApprovalPolicy) -> str:
        """The kind, by its name."""
        return dict(registry.kinds()).get(policy.subject_kind, policy.subject_kind)

    @display(description="Stages")
    def stages(self, policy: ApprovalPolicy) -> str | None:
        """The names of its stages."""
        if policy.active_version is None:
            return None
        return " → ".join(each["name"] for each in policy.active_version.definition["stages"])

    @display(description="Active version", ordering="active_version__number")
    def version(self, policy: ApprovalPolicy) -> int | None:
        """The number of the active version."""
        return policy.active_version.number if policy.active_version else None

    @display(description="In force", boolean=True)
    def in_force(self, policy: ApprovalPolicy) -> bool:
        """Whether new requests follow it."""
        return not policy.is_archived and policy.active_version_id is not None

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show what the active version says, and all versions."""
        row = self.get_object(request, object_id)
        extra = dict(extra_context or {})
        if row is not None:
            shown = {"template": "admin/approvals/policy_panel.html", "policy": row}
            shown["versions"] = list(row.versions.order_by("-number"))
            shown["says"] = says(row.active_version) if row.active_version else None
            extra["row_panels"] = [*extra.get("row_panels", []), shown]
        return super().change_view(request, object_id, form_url, extra)


class PartOfVersion:
    """Rows of a version: edited, added and taken away while it is a draft, looked at afterwards."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether rows can be added."""
        return _is_draft(obj) and super().has_add_permission(request, obj)  # type: ignore[misc]  # a mixin

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether rows can be changed."""
        return _is_draft(obj) and super().has_change_permission(request, obj)  # type: ignore[misc]  # a mixin

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether rows can be taken away: those of a draft have never decided anything."""
        return self.has_change_permission(request, obj)


def _is_draft(version: Any) -> bool:
    return isinstance(version, PolicyVersion) and version.is_draft


class StageInline(PartOfVersion, MopsStackedInline):
    """The stages of a version."""

    model = PolicyStage
    fields = (
        ("number", "name"),
        ("mode", "needed"),
        ("veto", "allow_delegates"),
        ("due_hours", "checks"),
        ("escalate_role", "escalate_person"),
    )
    autocomplete_fields = ("escalate_person",)


class ApproverInline(PartOfVersion, MopsStackedInline):
    """Whom the stages name."""

    model = StageApprover
    fields = (("stage_number", "part"), ("via", "role"), ("team", "group"), ("person", "field"))
    autocomplete_fields = ("team", "person")
    verbose_name_plural = "approvers of the stages"


class RuleInline(PartOfVersion, decision_table.RuleInline):
    """The decision table of a version."""


@admin.register(PolicyVersion)
class PolicyVersionAdmin(MopsAdmin):
    """One version of a policy."""

    list_display = ("__str__", "standing", "author", "activated_at", "retired_at")
    list_filter = ("policy", "state")
    list_select_related = ("policy", "author")
    search_fields = ("policy__name", "change_log")
    fields = ("policy", "standing", "change_log", ("distinct_stages", "expires_after_days"))
    readonly_fields = ("policy", "standing")
    inlines = (StageInline, ApproverInline, RuleInline)
    kits = ("notes",)
    buttons = (
        Button(
            "submit",
            "Send for approval",
            policies.submit_version,
            policies.refuse_submission,
            form=NoteForm,
            confirm="It is fixed until that is decided; approved, it decides where new requests go.",
            style="primary",
            icon="send",
            hide_when_refused=False,
        ),
    )
    empty_state = "No version yet. Open a policy and start one."

    def get_urls(self) -> list[URLPattern]:
        """Add the address that counts while somebody builds a condition."""
        counting = self.admin_site.admin_view(require_POST(self.count_view))
        return [path("<int:object_id>/count/", counting, name="approvals_policyversion_count"), *super().get_urls()]

    def count_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Say what a condition under construction means."""
        return decision_table.count_view(self, request, object_id)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Versions start from their policy."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only drafts are edited."""
        return (obj is None or _is_draft(obj)) and super().has_change_permission(request, obj)

    def get_inlines(self, request: HttpRequest, obj: Any) -> tuple[Any, ...]:
        """Leave the rows to drafts: what is fixed stands in words above, and its rows are those of the draft."""
        return self.inlines if obj is None or _is_draft(obj) else ()

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def standing(self, version: PolicyVersion) -> str:
        """Where it stands."""
        return PolicyState(version.state).label

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show what it says in words, and what is wrong with it."""
        row = self.get_object(request, object_id)
        extra = dict(extra_context or {})
        if row is not None:
            problems = policies.problems(row) if row.state != PolicyState.RETIRED else []
            shown = {"template": "admin/approvals/version_panel.html", "version": row, "problems": problems}
            extra["row_panels"] = [*extra.get("row_panels", []), {**shown, "says": says(row)}]
        return super().change_view(request, object_id, form_url, extra)


def says(version: PolicyVersion) -> dict[str, Any]:
    """Return what a version says, in words."""
    definition = definition_of(version)
    numbers = {stage.number: stage.name for stage in definition.stages}
    catalog = facts_catalog(version.policy.subject_kind)
    return {
        "stages": [
            {
                "stage": stage,
                "how": f"{stage.needed} of them" if stage.mode == Mode.SOME else Mode(stage.mode).label.lower(),
                "whom": in_words(stage.approvers),
                "then": escalation_in_words(stage.escalate),
            }
            for stage in definition.stages
        ],
        "rows": [
            {
                "row": row,
                # what ships with mops says its conditions as predicates alone
                "condition": row.condition or condition_words(row.when, catalog),
                "stages": " → ".join(numbers.get(number, f"stage {number}?") for number in row.stages),
            }
            for row in definition.rows
        ],
        "definition": definition,
    }
