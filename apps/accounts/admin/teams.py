"""The pages for teams."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from apps.accounts.admin.panels import members
from apps.accounts.domain.memberships import archive_team, grant_role, refuse_archive_team, refuse_grant_in
from apps.accounts.forms import GrantInTeamForm
from apps.accounts.models import Team, User
from apps.core.admin_kit.archive import refuse_restore, restore
from apps.core.admin_kit.base import MopsAdmin
from apps.core.admin_kit.buttons import Button


def _grant(team: Team, *, by: User, person: User, role: str, reason: str, territory: Any = None) -> str:
    membership = grant_role(person, team, role, by=by, reason=reason, territory=territory)
    only = f", for {territory} only" if territory else ""
    return f"{person} is now {membership.get_role_display()} in {team}{only}."


@admin.register(Team)
class TeamAdmin(MopsAdmin):
    """Teams."""

    list_display = ("name", "purpose", "people")
    search_fields = ("name", "purpose")
    fields = ("name", "purpose")
    in_palette = True
    taggable = True
    empty_state = "No team yet. A team owns processes, tools and campaigns; people get their role in it."
    buttons = (
        Button("grant", "Grant a role", _grant, refuse_grant_in, GrantInTeamForm, style="primary", step_up=True),
        Button(
            "archive",
            "Archive",
            archive_team,
            refuse_archive_team,
            confirm="It leaves the lists and can be restored at any time; nothing is deleted.",
            icon="archive",
        ),
        Button("restore", "Restore", restore, refuse_restore, icon="unarchive", on_archived=True),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return teams with the number of people who play a role in them now."""
        playing = Q(memberships__archived_at=None, memberships__person__is_active=True)
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(people=Count("memberships__person", playing, distinct=True))
        return counted

    @display(description="People", ordering="people")  # type: ignore[untyped-decorator]
    def people(self, team: Any) -> int:
        """How many people play a role in it."""
        return int(team.people)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the team with its members."""
        team = self.get_object(request, object_id) if request.method == "GET" else None
        panels = [] if team is None else [members(request, team)]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "row_panels": panels})
