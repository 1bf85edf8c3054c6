"""Who plays which role where, now and before: readable by auditors, changed by buttons alone."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from apps.accounts.domain.memberships import refuse_revoke, revoke_role
from apps.accounts.domain.territories import limit_role, refuse_limit
from apps.accounts.forms import TerritoryForm
from apps.accounts.models import Membership
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    """Roles held."""

    list_display = ("person", "role", "team", "territory", "created_at", "state", "archived_at")
    list_display_links = ("person",)
    list_filter = ("role", "team", "territory")
    search_fields = ("person__full_name", "person__email", "team__name")
    fields = ("person", "role", "team", "territory", "created_at", "archived_at")
    empty_state = "Nobody plays a role yet. Open a person or a team to grant one."
    buttons = (
        Button(
            "limit",
            "Limit to a territory",
            limit_role,
            refuse_limit,
            TerritoryForm,
            confirm="From the next request on the role opens only what belongs to the territory and its parts: in "
            "lists, searches, exports, histories and forms. Records without a territory stay closed. Leave it empty "
            "to open everything again.",
            icon="public",
            step_up=True,
        ),
        Button(
            "revoke",
            "Revoke",
            revoke_role,
            refuse_revoke,
            ReasonForm,
            confirm="What this role opens is refused from the next request on.",
            style="danger",
            step_up=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return roles with person and team in the same query."""
        return super().get_queryset(request).select_related("person", "team", "territory")

    @display(description="State", label={"held": "success", "revoked": "danger", "account closed": "warning"})  # type: ignore[untyped-decorator]
    def state(self, membership: Membership) -> str:
        """Whether the role opens anything now."""
        if membership.is_archived:
            return "revoked"
        return "held" if membership.person.is_active else "account closed"
