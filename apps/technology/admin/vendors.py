"""The pages of vendors and capabilities."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Count, Q
from django.http import HttpRequest
from unfold.decorators import display

from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, MopsTabularInline
from apps.core.admin_kit.consistency import Check
from apps.core.words import NOTHING
from apps.technology.admin.use_panel import capability_panel
from apps.technology.enums import IN_USE, Health, Known
from apps.technology.models import Capability, ToolCapability, Vendor, VendorContact


class VendorContactInline(MopsTabularInline):
    """People at the vendor."""

    model = VendorContact
    fields = ("name", "role", "email", "phone")


@admin.register(Vendor)
class VendorAdmin(MopsAdmin):
    """Vendors."""

    list_display = ("name", "stands", "agreement", "tools_in_use", "owned_by", "health_on")
    list_filter = ("health", "processing_agreement", "owner_team")
    search_fields = ("name", "website", "notes")
    autocomplete_fields = ("owner_person", "owner_team", "backup_person", "backup_team")
    fieldsets = (
        (None, {"fields": ("name", "website", "processing_agreement")}),
        ("Health", {"fields": (("health", "health_on"), "health_note")}),
        ("Who looks after it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"), "notes")}),
    )
    bulk_fields = ("owner_person", "owner_team", "backup_person", "backup_team", "processing_agreement")
    inlines = (VendorContactInline,)
    buttons = ARCHIVE_BUTTONS
    consistency_checks = (
        Check("Poor or watched, and nobody looks after it", lambda rows: _shaky(rows).filter(_nobody())),
        Check("No data processing agreement on record", lambda rows: rows.exclude(processing_agreement=Known.YES)),
    )
    taggable = True
    in_palette = True
    empty_state = "No vendor yet. They come with the inventory, or add the first one by hand."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the owners and count the tools with the rows."""
        rows = super().get_queryset(request).select_related("owner_person", "owner_team")
        in_use = Q(tools__lifecycle__in=IN_USE, tools__archived_at__isnull=True)
        counted: models.QuerySet[Any] = rows.annotate(tool_count=Count("tools", filter=in_use))
        return counted

    @display(description="Health", ordering="health", label={"Good": "success", "Watch": "warning", "Poor": "danger"})
    def stands(self, vendor: Vendor) -> str:
        """How it stands."""
        return Health(vendor.health).label

    @display(description="Processing agreement", ordering="processing_agreement")
    def agreement(self, vendor: Vendor) -> str:
        """Whether one is signed."""
        return Known(vendor.processing_agreement).label

    @display(description="Tools in use", ordering="tool_count")
    def tools_in_use(self, vendor: Any) -> int:
        """How many of its tools we use."""
        return int(vendor.tool_count)

    @display(description="Looked after by", ordering="owner_person__full_name")
    def owned_by(self, vendor: Vendor) -> str:
        """Who looks after it."""
        return str(vendor.owner or NOTHING)


def _nobody() -> Q:
    return Q(owner_person__isnull=True, owner_team__isnull=True)


def _shaky(rows: Any) -> Any:
    return rows.filter(health__in=(Health.POOR, Health.WATCH))


class FittingToolInline(MopsTabularInline):
    """Tools that do it, and how well."""

    model = ToolCapability
    fields = ("tool", "fit", "note")
    autocomplete_fields = ("tool",)


@admin.register(Capability)
class CapabilityAdmin(MopsAdmin):
    """Capabilities."""

    list_display = ("name", "parent", "needed", "served_by")
    list_filter = ("required", "parent")
    search_fields = ("name", "description")
    autocomplete_fields = ("parent",)
    fieldsets = ((None, {"fields": ("name", "parent", "required", "description")}),)
    inlines = (FittingToolInline,)
    buttons = ARCHIVE_BUTTONS
    in_palette = True
    empty_state = "No capability yet. Add what the stack must be able to do; gaps and overlaps follow from it."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the parents and count the tools that fit with the rows."""
        serving = Q(
            fits__fit__gte=3,
            fits__archived_at__isnull=True,
            fits__tool__lifecycle__in=IN_USE,
            fits__tool__archived_at__isnull=True,
        )
        rows = super().get_queryset(request).select_related("parent")
        counted: models.QuerySet[Any] = rows.annotate(serving=Count("fits", filter=serving))
        return counted

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show what it costs."""
        capability, extra = self.get_object(request, object_id), dict(extra_context or {})
        if capability is not None and (panel := capability_panel(request, capability)) is not None:
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)

    @display(description="Needed", ordering="required", label={"gap": "danger", "required": "info"})
    def needed(self, capability: Any) -> str:
        """Whether we need it, and whether anything serves it."""
        if not capability.required:
            return NOTHING
        return "required" if capability.serving else "gap"

    @display(description="Served by", ordering="serving")
    def served_by(self, capability: Any) -> str:
        """How many tools in use do it well enough."""
        return f"{capability.serving} tool{'' if capability.serving == 1 else 's'}" if capability.serving else "no tool"


@admin.register(ToolCapability)
class ToolCapabilityAdmin(MopsAdmin):
    """What each tool can do, and how well."""

    list_display = ("tool", "capability", "fit", "note")
    list_display_links = ("tool", "capability")
    list_filter = ("capability", "fit")
    search_fields = ("tool__name", "capability__name")
    autocomplete_fields = ("tool", "capability")
    list_select_related = ("tool", "capability")
    fieldsets = ((None, {"fields": ("tool", "capability", "fit", "note")}),)
    kits = ()
    buttons = ARCHIVE_BUTTONS
    empty_state = "No tool is rated yet. Say what each can do and how well; gaps and overlaps follow from it."
