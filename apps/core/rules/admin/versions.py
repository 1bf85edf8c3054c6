"""The pages of versions: the builder, the words, the simulation, comparisons, and the buttons of their states."""

import json
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.decorators import display

from apps.core import access
from apps.core.admin_kit.base import VersionAdmin
from apps.core.admin_kit.buttons import Button, NoteForm, ReasonForm
from apps.core.rules import panels
from apps.core.rules.admin.shared import KindFilter, kind_title
from apps.core.rules.buttons import restore_as_draft, simulate_now
from apps.core.rules.domain.reviews import note_review, refuse_review
from apps.core.rules.domain.versions import (
    activate,
    refuse_activation,
    refuse_draft,
    refuse_retirement,
    refuse_sending,
    refuse_simulation,
    retire,
    send_for_approval,
)
from apps.core.rules.enums import VersionState
from apps.core.rules.forms import ReviewForm, VersionForm, catalog_for
from apps.core.rules.kinds import kind_named
from apps.core.rules.models import RuleVersion

STATE_COLOURS = {
    VersionState.DRAFT.label: "warning",
    VersionState.IN_REVIEW.label: "info",
    VersionState.APPROVED.label: "info",
    VersionState.ACTIVE.label: "success",
}
LARGEST_PREVIEW = 500_000


@admin.register(RuleVersion)
class RuleVersionAdmin(VersionAdmin):
    """Versions of rules: built as drafts, read for good."""

    form = VersionForm
    list_display = ("rules", "number", "kind_title", "standing", "simulated", "author", "activated_at", "review_on")
    list_filter = ("state", KindFilter, "review_on", ("author", admin.RelatedOnlyFieldListFilter))
    search_fields = ("document__title", "document__key", "words", "change_note")
    readonly_fields = ("rules", "standing", "author")
    empty_state = "No version yet. Open a rule document and press “Write a new version”."
    buttons = (
        Button("simulate", "Simulate", simulate_now, refuse_simulation),
        Button(
            "send",
            "Send for approval",
            send_for_approval,
            refuse_sending,
            form=NoteForm,
            confirm="The rules are frozen as they are saved now. Who wrote them cannot approve them.",
            style="primary",
        ),
        Button(
            "activate",
            "Activate",
            activate,
            refuse_activation,
            form=ReasonForm,
            confirm="These rules decide from now on; the active version retires.",
            style="primary",
        ),
        Button(
            "reviewed",
            "Reviewed",
            note_review,
            refuse_review,
            form=ReviewForm,
            confirm="The rules stay as they are, and the owner is reminded again in time.",
        ),
        Button(
            "again", "Start a new draft from this", restore_as_draft, lambda who, row: refuse_draft(who, row.document)
        ),
        Button(
            "retire",
            "Retire",
            retire,
            refuse_retirement,
            form=ReasonForm,
            confirm="An active version stops deciding and nothing decides in its place; a draft is put away.",
            style="danger",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the document and the people with the rows."""
        return super().get_queryset(request).select_related("document", "author", "simulated_by", "activated_by")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Offer the rules where they can be edited; elsewhere they stand above, in words."""
        own = ("rules", "standing", "author")
        may = obj is not None and self.has_change_permission(request, obj)
        return (*own, *(("body",) if may else ()), "change_note", "effective_from", "review_on")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Tell the form who builds, and where it counts."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.person = request.user
        form.preview = reverse("admin:rules_ruleversion_preview", args=(obj.pk,)) if obj is not None else ""
        return form

    @display(description="Document", ordering="document__title")
    def rules(self, version: RuleVersion) -> str:
        """The document it is a version of."""
        return version.document.title

    @display(description="Kind", ordering="document__kind")
    def kind_title(self, version: RuleVersion) -> str:
        """What its rules decide about."""
        return kind_title(version.document.kind)

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def standing(self, version: RuleVersion) -> str:
        """Where it stands."""
        return VersionState(version.state).label

    @display(description="Simulated", ordering="simulated_at", boolean=True)
    def simulated(self, version: RuleVersion) -> bool:
        """Whether exactly these rules were simulated."""
        return version.is_simulated

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses that count while somebody builds, and that try the rules on a record."""
        counting = self.admin_site.admin_view(require_POST(self.preview_view))
        trying = self.admin_site.admin_view(self.try_view)
        return [
            path("<int:object_id>/preview/", counting, name="rules_ruleversion_preview"),
            path("<int:object_id>/try/", trying, name="rules_ruleversion_try"),
            *super().get_urls(),
        ]

    def _seen(self, request: HttpRequest, object_id: int) -> RuleVersion:
        if not self.has_view_permission(request):
            raise PermissionDenied
        version: RuleVersion | None = self.get_object(request, str(object_id))
        if version is None:
            raise Http404
        return version

    def preview_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Answer rules under construction with their words, the number of rows and what is wrong; keeps nothing."""
        version, person = self._seen(request, object_id), request.user
        text = request.POST.get("body", "")
        if not access.can(person, "change", version) or len(text) > LARGEST_PREVIEW:  # type: ignore[arg-type]
            raise PermissionDenied
        kind = kind_named(version.document.kind)
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            return JsonResponse({"words": "", "live": "The rules are no valid JSON.", "findings": [], "problems": []})
        rule = request.POST.get("rule", "")
        return JsonResponse(panels.preview(kind, body, catalog_for(kind.body, person), person, rule))

    def try_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Show what the rules say about one record, and why."""
        version = self._seen(request, object_id)
        kind = kind_named(version.document.kind)
        if kind.body.model is None or kind.body.problems(version.body):
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            **panels.try_page(request, version),
            "title": f"Try {version} on a record",
            "opts": self.opts,
            "original": version,
            "back": reverse("admin:rules_ruleversion_change", args=(version.pk,)),
            "media": self.media,
        }
        return TemplateResponse(request, "admin/rules/try.html", context)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the rules in words, what would come of them, and what differs from the version before."""
        version, extra = self.get_object(request, object_id), dict(extra_context or {})
        if version is not None and request.method == "GET":
            shown = (
                panels.words_panel(request, version),
                panels.simulation_panel(request, version),
                panels.compare_panel(version, request.GET.get("with", "")),
            )
            extra["row_panels"] = [*extra.get("row_panels", []), *(each for each in shown if each)]
        return super().change_view(request, object_id, form_url, extra)
