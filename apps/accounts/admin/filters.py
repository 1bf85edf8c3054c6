"""Filters of the People list: by what people play now, not by what they once played."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from apps.accounts.enums import Role
from apps.accounts.models import Membership, Team


class RoleFilter(DropdownFilter):  # type: ignore[misc]  # unfold ships no types
    """People who play a role somewhere."""

    title = "role"
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """Offer every role."""
        return tuple(Role.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to who plays it now."""
        if not self.value():
            return queryset
        return queryset.filter(pk__in=Membership.objects.live().filter(role=self.value()).values("person"))


class TeamFilter(DropdownFilter):  # type: ignore[misc]  # unfold ships no types
    """People who play a role in a team."""

    title = "team"
    parameter_name = "team"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """Offer the teams in use."""
        return [(str(pk), name) for pk, name in Team.objects.live().values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to who plays a role in it now."""
        if not (value := self.value()) or not value.isdecimal():
            return queryset
        return queryset.filter(pk__in=Membership.objects.live().filter(team=value).values("person"))
