"""Content: filed as briefs, then written in versions."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.content.domain import figures, writing
from apps.content.domain.templates import in_force_for
from apps.content.enums import Stage
from apps.content.models import ContentAsset, ContentVersion
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button
from apps.core.admin_kit.consistency import Check
from apps.core.admin_kit.links import link_to
from apps.core.markdown import render
from apps.core.words import NOTHING

STAGES = {
    Stage.BRIEF.label: "warning",
    Stage.QA.label: "info",
    Stage.IN_REVIEW.label: "info",
    Stage.APPROVED.label: "success",
    Stage.PUBLISHED.label: "success",
    Stage.EXPIRED.label: "danger",
}


def draft_form(asset: ContentAsset) -> type[forms.Form]:
    """Return what is asked before a version is started: of an A/B test which variant, and what to begin with."""
    return type(
        "DraftForm",
        (forms.Form,),
        {
            "variant": forms.CharField(
                required=False, max_length=20, help_text="Of an A/B test: A, B… Empty where there is only one."
            ),
            "template": forms.ModelChoiceField(
                in_force_for(asset.kind),
                required=False,
                empty_label="The newest version, or an empty page",
                help_text="Templates of this kind that are in force.",
                label="Begin with",
            ),
        },
    )


@admin.register(ContentAsset)
class ContentAssetAdmin(MopsAdmin):
    """Content."""

    list_display = ("title", "stands", "kind", "main_channel", "region", "owned_by", "due_on")
    list_filter = ("stage", "kind", "main_channel", "region", "language")
    search_fields = ("title", "product", "audience")
    autocomplete_fields = ("owner_person", "owner_team", "backup_person", "backup_team")
    fieldsets = (
        (None, {"fields": ("title", ("kind", "main_channel"), ("region", "language"), ("product", "audience"))}),
        ("Brief", {"fields": ("brief", "due_on")}),
        ("Who answers for it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
    )
    empty_state = "No content yet. Add a brief: what is needed, for whom, by when. Somebody takes it from there."
    in_palette = True
    taggable = True
    show_full_result_count = False
    buttons = (
        Button(
            "write",
            "Write a version",
            writing.start_draft,
            writing.refuse_draft,
            form_for=draft_form,
            style="primary",
            icon="edit_document",
            writes=lambda _: ContentVersion,
        ),
        *ARCHIVE_BUTTONS,
    )
    consistency_checks = (Check("Nobody answers for it", lambda rows: rows.filter(owner_person=None, owner_team=None)),)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the owner with the rows."""
        found: models.QuerySet[Any] = super().get_queryset(request).select_related("owner_person", "owner_team")
        return found

    @display(description="Stands", ordering="stage", label=STAGES)
    def stands(self, asset: ContentAsset) -> str:
        """Where it stands."""
        return Stage(asset.stage).label

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, asset: ContentAsset) -> str:
        """Who answers for it."""
        return str(asset.owner or NOTHING)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Propose that who asks answers for it."""
        return {**super().get_changeform_initial_data(request), "owner_person": request.user.pk}

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """Remember who asked."""
        made = super().save_form(request, form, change)
        if not change:
            made.requested_by = request.user
        return made

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the brief as it reads, and the versions."""
        asset, extra = self.get_object(request, object_id), dict(extra_context or {})
        if asset is not None and request.method == "GET":
            links = asset.links.live().select_related("content_type")
            panel = {
                "template": "admin/content/asset_panel.html",
                "asset": asset,
                "brief": render(asset.brief),
                "variants": figures.by_variant(asset),
                "links": [(each, link_to(each.record)) for each in links[:20]],
                "versions": asset.versions.select_related("author", "asset").order_by("-number")[:50],
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)
