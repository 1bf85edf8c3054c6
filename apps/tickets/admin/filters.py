"""The filters of the ticket list: whose, and where it stands."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db import models
from django.http import HttpRequest

from apps.tickets.enums import ACTIVE, WAITING, TicketState


class WhoseFilter(SimpleListFilter):
    """Mine, nobody's, or my teams'."""

    title = "whose"
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer three."""
        return [("mine", "Mine"), ("nobody", "Nobody's"), ("teams", "In queues of my teams"), ("watched", "Watched")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Narrow."""
        person: Any = request.user
        if self.value() == "mine":
            return queryset.filter(assignee=person)
        if self.value() == "nobody":
            return queryset.filter(assignee__isnull=True)
        if self.value() == "teams":
            teams = person.team_keys()
            return queryset.filter(queue__team__in=teams)
        return queryset.filter(watchers=person) if self.value() == "watched" else queryset


class WhereFilter(SimpleListFilter):
    """To be done, waiting, or a single state."""

    title = "state"
    parameter_name = "stands"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer groups, then the states."""
        return [("active", "Still to be done"), ("waiting", "Waiting"), *TicketState.choices]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Narrow."""
        groups: dict[str, Any] = {"active": ACTIVE, "waiting": WAITING}
        chosen = self.value()
        return queryset.filter(state__in=groups.get(chosen, (chosen,))) if chosen else queryset
