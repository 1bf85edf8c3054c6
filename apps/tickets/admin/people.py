"""The pages of skills, and of what routing knows about the people of the desk."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from unfold.decorators import display

from apps.core import access, clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.consistency import Check
from apps.tickets.enums import ACTIVE
from apps.tickets.models import DeskProfile, Skill, Ticket


@admin.register(Skill)
class SkillAdmin(MopsAdmin):
    """Skills."""

    list_display = ("name", "purpose", "people")
    search_fields = ("name", "purpose")
    fields = ("name", "purpose")
    empty_state = "A skill is what somebody must know to take certain tickets. Add one, then give it in desk profiles."
    buttons = ARCHIVE_BUTTONS
    consistency_checks = (
        Check("Nobody has it", lambda rows: rows.exclude(holders__archived_at=None, holders__person__is_active=True)),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Count who has each."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        having = Q(holders__archived_at=None, holders__person__is_active=True)
        counted: models.QuerySet[Any] = rows.annotate(having=Count("holders", filter=having))
        return counted

    @display(description="People", ordering="having")
    def people(self, skill: Any) -> int:
        """How many have it."""
        return int(skill.having)


@admin.register(DeskProfile)
class DeskProfileAdmin(MopsAdmin):
    """Desk profiles."""

    list_display = ("person", "presence", "has_open", "most_open")
    list_filter = ("skills",)
    search_fields = ("person__full_name", "person__email")
    autocomplete_fields = ("person", "skills")
    fields = ("person", "skills", "most_open", ("away_from", "away_until"))
    empty_state = (
        "A profile tells routing what somebody can do, how much they take and when they are away. "
        "Without one a person has no skills and no limit."
    )
    buttons = ARCHIVE_BUTTONS

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the people, and count what each works on."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        person: Any = request.user
        seen = access.visible(person, Ticket).filter(state__in=ACTIVE, archived_at__isnull=True)
        active = seen.filter(assignee=OuterRef("person")).order_by().values("assignee")
        counted: models.QuerySet[Any] = rows.select_related("person").annotate(
            working=Coalesce(Subquery(active.annotate(number=Count("pk")).values("number")), 0)
        )
        return counted

    @display(description="There", label={"away": "warning"})
    def presence(self, profile: DeskProfile) -> Any:
        """Whether routing gives them tickets today."""
        if profile.away_from is None or profile.away_until is None or profile.away_until < clock.today():
            return "yes"
        words = f"{profile.away_from:%-d %b} to {profile.away_until:%-d %b}"
        return ("away", f"away {words}") if profile.away_from <= clock.today() else f"yes, away {words}"

    @display(description="Active tickets", ordering="working")
    def has_open(self, profile: Any) -> int:
        """How many they work on now."""
        return int(profile.working)
