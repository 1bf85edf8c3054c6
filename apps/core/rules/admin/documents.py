"""The pages of rule documents: which version decides, which one is coming, when somebody has to look again."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import HttpRequest
from unfold.decorators import display

from apps.core import clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button
from apps.core.admin_kit.consistency import Check
from apps.core.rules.admin.shared import KindFilter, kind_title
from apps.core.rules.buttons import start_draft_by_button
from apps.core.rules.domain.versions import (
    refuse_draft,
)
from apps.core.rules.enums import COMING, VersionState
from apps.core.rules.forms import DocumentForm
from apps.core.rules.models import RuleDocument, RuleVersion
from apps.core.words import NOTHING


@admin.register(RuleDocument)
class RuleDocumentAdmin(MopsAdmin):
    """Sets of rules."""

    form = DocumentForm
    list_display = ("title", "kind_title", "active_version", "coming", "owned_by", "review", "updated_at")
    list_filter = (KindFilter, ("owner", admin.RelatedOnlyFieldListFilter))
    search_fields = ("title", "key", "description")
    autocomplete_fields = ("owner",)
    fields = ("title", "key", "kind", "description", "owner")
    prepopulated_fields: ClassVar[dict[str, tuple[str, ...]]] = {"key": ("title",)}
    in_palette = True
    empty_state = "No rules yet. Add a document, write its first version, simulate it and send it for approval."
    buttons = (
        Button("draft", "Write a new version", start_draft_by_button, refuse_draft, style="primary"),
        *ARCHIVE_BUTTONS,
    )
    consistency_checks = (
        Check(
            "No version of it is active",
            lambda rows: rows.filter(archived_at__isnull=True).exclude(versions__state=VersionState.ACTIVE),
        ),
        Check(
            "Active, but nobody has to review it",
            lambda rows: rows.filter(versions__state=VersionState.ACTIVE, versions__review_on__isnull=True),
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load what is active and what is coming with the rows."""
        active = RuleVersion.objects.filter(document=OuterRef("pk"), state=VersionState.ACTIVE)
        rows: models.QuerySet[Any] = super().get_queryset(request).select_related("owner")
        annotated: models.QuerySet[Any] = rows.annotate(
            now_number=Subquery(active.values("number")[:1]),
            now_review=Subquery(active.values("review_on")[:1]),
            drafts=Count("versions", filter=Q(versions__state__in=COMING)),
        )
        return annotated

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Key and kind are chosen once."""
        fixed = ("key", "kind_title") if obj is not None else ()
        return (*super().get_readonly_fields(request, obj), *fixed)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the kind in words where it is fixed."""
        return self.fields if obj is None else ("title", "key", "kind_title", "description", "owner")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Propose whoever adds the document as its owner."""
        return {"owner": request.user.pk, **super().get_changeform_initial_data(request)}

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Propose a key for a new document."""
        return self.prepopulated_fields if obj is None else {}

    @display(description="Kind", ordering="kind")
    def kind_title(self, document: RuleDocument) -> str:
        """What its rules decide about."""
        return kind_title(document.kind)

    @display(description="Active", ordering="now_number")
    def active_version(self, document: Any) -> str:
        """Which version decides."""
        return f"Version {document.now_number}" if document.now_number else "None yet"

    @display(description="Coming", ordering="drafts", label={"": None})
    def coming(self, document: Any) -> str:
        """What may become the next version."""
        return f"{document.drafts} on the way" if document.drafts else NOTHING

    @display(description="Owner", ordering="owner__full_name")
    def owned_by(self, document: RuleDocument) -> str:
        """Who answers for it."""
        return str(document.owner)

    @display(description="Next review", ordering="now_review", label={"danger": "danger"})
    def review(self, document: Any) -> Any:
        """When somebody has to look again."""
        if document.now_review is None:
            return NOTHING
        day = f"{document.now_review:%-d %b %Y}"
        return ("danger", f"{day}, overdue") if document.now_review <= clock.today() else day

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the versions."""
        document, extra = self.get_object(request, object_id), dict(extra_context or {})
        if document is not None:
            panel = {
                "template": "admin/rules/versions_panel.html",
                "versions": document.versions.select_related("author", "activated_by"),
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)
