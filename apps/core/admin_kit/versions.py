"""The pages of templates and of their versions: what is the same whoever's templates they are."""

from collections.abc import Callable
from typing import Any

from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.core.admin_kit.base import MopsAdmin, VersionAdmin
from apps.core.admin_kit.buttons import Button, NoteForm, Refusal
from apps.core.words import NOTHING

STATES = {"Draft": "warning", "In review": "info", "In force": "success"}


def next_version_button(operation: Callable[..., Any], refuse: Refusal) -> Button:
    """Return the button of a template that starts its next version."""
    return Button(
        "version",
        "Write a new version",
        operation,
        refuse,
        confirm="A draft that says what is in force; it stands in the list of versions.",
        style="primary",
        icon="edit_document",
    )


def submit_button(operation: Callable[..., Any], refuse: Refusal, **more: Any) -> Button:
    """Return the button of a version that sends it for approval."""
    return Button(
        "submit",
        "Send for approval",
        operation,
        refuse,
        form=NoteForm,
        confirm="It is fixed as it is saved now. Who wrote or edited it cannot approve it.",
        style="primary",
        icon="send",
        **more,
    )


class TemplateAdmin(MopsAdmin):
    """Templates whose text stands in versions, one of them `approved`."""

    search_fields = ("name", "guidelines")
    autocomplete_fields = ("owner_person", "owner_team", "backup_person", "backup_team")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the owner, and which version is in force."""
        rows: models.QuerySet[Any] = super().get_queryset(request).select_related("owner_person", "owner_team")
        versions: Any = self.model._meta.get_field("versions").related_model
        current = versions._default_manager.filter(template=models.OuterRef("pk"), state="approved")
        annotated: models.QuerySet[Any] = rows.annotate(in_force=models.Subquery(current.values("number")[:1]))
        return annotated

    @display(description="Says", ordering="in_force", label={"nothing yet": "warning"})
    def says(self, template: Any) -> str:
        """Which version is in force."""
        return f"version {template.in_force}" if template.in_force else "nothing yet"

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, template: Any) -> str:
        """Who answers for it."""
        return str(template.owner or NOTHING)


class TemplateVersionAdmin(VersionAdmin):
    """Versions of templates."""

    list_display = ("template", "number", "standing", "author", "in_force_at")
    readonly_fields = ("template", "standing", "author")
    empty_state = "No version yet. Open a template and press “Write a new version”."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load template and author with the rows."""
        found: models.QuerySet[Any] = super().get_queryset(request).select_related("template", "author")
        return found

    @display(description="State", ordering="state", label=STATES)
    def standing(self, version: Any) -> str:
        """Where it stands."""
        return str(version.get_state_display())
