"""The pages for territories: the tree, what is in it, and whose role is limited to it."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from apps.accounts.domain.territories import (
    archive_territory,
    limited_now,
    records_in,
    refuse_archive_territory,
    unknown_names,
)
from apps.accounts.models import Territory
from apps.core.admin_kit.archive import refuse_restore, restore
from apps.core.admin_kit.base import MopsAdmin
from apps.core.admin_kit.buttons import Button
from apps.core.words import NOTHING

SHOWN = 12


@admin.register(Territory)
class TerritoryAdmin(MopsAdmin):
    """Territories."""

    list_display = ("name", "parent", "other_names", "limited")
    list_filter = ("parent",)
    search_fields = ("name", "also_called")
    fields = ("name", "parent", "also_called")
    autocomplete_fields = ("parent",)
    list_before_template = "admin/accounts/territories_before.html"
    empty_state = (
        "No territory yet. Make one for each part of the market; a role is limited to it on the page of a person, of "
        "a team, or under Roles held."
    )
    buttons = (
        Button(
            "archive",
            "Archive",
            archive_territory,
            refuse_archive_territory,
            confirm="It leaves the lists and can be restored at any time; records keep its name.",
            icon="archive",
        ),
        Button("restore", "Restore", restore, refuse_restore, icon="unarchive", on_archived=True),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return territories with what they are part of, and how many roles are limited to each."""
        held = Q(membership__archived_at=None, membership__person__is_active=True)
        rows: QuerySet[Any] = super().get_queryset(request).select_related("parent")
        counted: QuerySet[Any] = rows.annotate(limited=Count("membership", held, distinct=True))
        return counted

    @display(description="Also called", ordering="also_called")  # type: ignore[untyped-decorator]
    def other_names(self, territory: Any) -> str:
        """Its other names, in a row."""
        return ", ".join(territory.also_called.splitlines()) or NOTHING

    @display(description="Roles limited to it", ordering="limited")  # type: ignore[untyped-decorator]
    def limited(self, territory: Any) -> int:
        """How many roles hold in it only."""
        return int(territory.limited)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show above the list the names of records that belong to no territory."""
        user: Any = request.user
        unknown = unknown_names(user) if request.method == "GET" else []
        shown = {"unknown": unknown[:SHOWN], "unknown_more": len(unknown) - SHOWN}
        return super().changelist_view(request, {**(extra_context or {}), **shown})

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show what is in the territory and who sees nothing else."""
        territory: Any = self.get_object(request, object_id) if request.method == "GET" else None
        user: Any = request.user
        extra, panels = dict(extra_context or {}), []
        if territory is not None:
            panels = [
                {
                    "template": "admin/accounts/territory_panel.html",
                    "carried": records_in(territory, user),
                    "limited": list(limited_now(territory)),
                }
            ]
        extra["row_panels"] = [*extra.get("row_panels", []), *panels]
        return super().change_view(request, object_id, form_url, extra)
