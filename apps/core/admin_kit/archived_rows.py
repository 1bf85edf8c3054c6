"""Archived rows: out of the list unless asked for, marked where they show, read-only until restored."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib.admin import display
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.contrib.filters.admin import RadioFilter
from unfold.views import ChangeList

from apps.core.admin_kit.kits import Kit, Rows
from apps.core.governed import GovernedBase

PARAMETER = "archived"
ONLY_ARCHIVED, EVERY_ROW = "yes", "all"


class ArchivedFilter(RadioFilter):  # type: ignore[misc]  # unfold ships no types
    """Rows in use unless the person asks for those put away."""

    title = "archived"
    parameter_name = PARAMETER
    all_option: ClassVar[list[str]] = ["", "No: rows in use"]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """Offer the two other answers."""
        return ((ONLY_ARCHIVED, "Yes: archived rows"), (EVERY_ROW, "All rows"))

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        """Hide archived rows unless they were asked for."""
        if self.value() == EVERY_ROW:
            return queryset
        return queryset.filter(archived_at__isnull=self.value() != ONLY_ARCHIVED)


@display(description="archived", ordering="archived_at")
def archived_chip(row: GovernedBase) -> str:
    """Mark an archived row in a list."""
    if row.archived_at is None:
        return ""
    return format_html('<span class="mops-chip mops-chip-warn">Archived {}</span>', f"{row.archived_at:%-d %b %Y}")


class ArchivedRowsKit(Kit):
    """Carried by every admin class of a governed model."""

    key = "archived"
    order = 0

    def applies(self, model_admin: Any) -> bool:
        """Whether rows of this kind can be archived."""
        return issubclass(model_admin.model, GovernedBase)

    def filters(self, model_admin: Any, request: HttpRequest) -> Sequence[Any]:
        """Offer the filter."""
        return (ArchivedFilter,)

    def columns(self, model_admin: Any, request: HttpRequest) -> Sequence[Any]:
        """Mark archived rows where they can be among the shown ones."""
        return (archived_chip,) if request.GET.get(PARAMETER) in (ONLY_ARCHIVED, EVERY_ROW) else ()

    def panels(self, model_admin: Any, request: HttpRequest, thing: Any) -> Sequence[dict[str, Any]]:
        """Say on the page of an archived record that it is one."""
        if not thing.is_archived:
            return ()
        restorable = any(
            button.name == "restore" and not button.refused(request.user, thing) for button in model_admin.buttons
        )
        banner = {"template": "admin/mops/archived_banner.html", "above": True}
        return ({**banner, "at": thing.archived_at, "restorable": restorable},)

    def strips(self, model_admin: Any, request: HttpRequest, changelist: ChangeList) -> Sequence[dict[str, Any]]:
        """Where nothing is left to show, say how many archived rows the list hides."""
        if changelist.result_count or request.GET.get(PARAMETER):
            return ()
        hidden = changelist.root_queryset.filter(archived_at__isnull=False).count()
        if not hidden:
            return ()
        show = changelist.get_query_string({PARAMETER: EVERY_ROW})
        return ({"template": "admin/mops/archived_hint.html", "hidden": hidden, "show": show},)
