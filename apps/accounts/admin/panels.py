"""Boxes above the form of a person or a team: roles held, and what somebody answers for."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from apps.accounts.domain.memberships import refuse_revoke
from apps.accounts.domain.ownership import holdings_of
from apps.accounts.domain.rights import is_administrator
from apps.accounts.enums import Role
from apps.accounts.models import Membership, Team, User


def held_roles(request: HttpRequest, person: User) -> dict[str, Any]:
    """Return the box with the roles a person plays."""
    rows = Membership.objects.live().filter(person=person).select_related("team", "person", "territory")
    return _roles_box(request, rows, "Roles", "No role yet: this person sees nothing but the home page.", by_team=False)


def members(request: HttpRequest, team: Team) -> dict[str, Any]:
    """Return the box with the people who play a role in a team."""
    rows = (
        Membership.objects.live()
        .filter(team=team)
        .select_related("team", "person", "territory")
        .order_by("person__full_name")
    )
    return _roles_box(request, rows, "Members", "Nobody plays a role in this team yet.", by_team=True)


def _roles_box(
    request: HttpRequest, rows: QuerySet[Membership], title: str, empty: str, *, by_team: bool
) -> dict[str, Any]:
    user: Any = request.user
    administers = is_administrator(user)
    listed = [
        {
            "membership": each,
            "role": Role(each.role).label,
            "territory": each.territory,
            "where": each.person if by_team else each.team,
            "where_url": address(each.person if by_team else each.team),
            "inactive": by_team and not each.person.is_active,
            "revoke_url": _revoke_address(user, each) if administers else None,
        }
        for each in rows
    ]
    return {"template": "admin/accounts/roles_panel.html", "title": title, "rows": listed, "empty": empty}


def _revoke_address(user: User, membership: Membership) -> str | None:
    if membership.person_id == user.pk or refuse_revoke(user, membership):
        return None
    return reverse("admin:accounts_membership_button", kwargs={"object_id": membership.pk, "name": "revoke"})


def holdings_panel(request: HttpRequest, person: User, title: str) -> dict[str, Any]:
    """Return the box with everything a person answers for, with links, and the roles nobody else plays."""
    user: Any = request.user
    groups = [
        {
            "title": holding.title,
            "rows": [{"label": str(row), "url": address(row)} for row in holding.shown],
            "hidden": holding.hidden,
        }
        for holding in holdings_of(person, seen_by=user)
    ]
    return {
        "template": "admin/accounts/holdings_panel.html",
        "title": title,
        "groups": groups,
        "alone": _alone_in(person) if person.is_active else [],
        "person": person,
    }


def _alone_in(person: User) -> list[str]:
    held = Membership.objects.live().filter(person=person).select_related("team")
    others = set(
        Membership.objects.live()
        .filter(team__in=[each.team_id for each in held], person__is_active=True)
        .exclude(person=person)
        .values_list("team_id", "role")
    )
    return [f"{each.get_role_display()} in {each.team}" for each in held if (each.team_id, each.role) not in others]


def address(row: Any) -> str | None:
    """Return the admin page of a row, None where it has none."""
    if type(row) not in admin.site._registry:
        return None
    try:
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=(row.pk,))
    except NoReverseMatch:
        return None
