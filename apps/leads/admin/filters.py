"""What the list of leads can be narrowed by beside their fields."""

from typing import Any

from django.contrib import admin
from django.contrib.postgres.aggregates import ArrayAgg
from django.db import models
from django.http import HttpRequest
from django.utils.timezone import localtime

from apps.core import clock
from apps.leads.domain.answer_clocks import unanswered
from apps.leads.domain.segmenting import stored_members
from apps.leads.domain.stages import stuck
from apps.leads.models import SegmentState
from apps.leads.segments import in_segment, segment_choices

LATEST = 10_000
LATEST_VALUES = ("origin", "source", "territory", "quality", "record_source")


class LatestValuesFilter(admin.AllValuesFieldListFilter):
    """The values of a column in the latest ten thousand leads one sees; another one is reached by its address.

    Django reads all leads once for each such filter: five times a million for a page. Here one question answers all.
    """

    def __init__(
        self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        """Offer what the latest leads hold, and what is chosen now."""
        super().__init__(field, request, params, model, model_admin, field_path)
        found = getattr(request, "latest_values_of_leads", None)
        if found is None:
            rows = model_admin.get_queryset(request).select_related(None).order_by("-pk")
            asked = {f"all_{name}": ArrayAgg(name, distinct=True) for name in LATEST_VALUES}
            found = rows.values(*LATEST_VALUES)[:LATEST].aggregate(**asked)
            request.latest_values_of_leads = found  # type: ignore[attr-defined]  # for the other filters of the page
        self.lookup_choices: Any = sorted({*(found[f"all_{field.name}"] or ()), *(self.lookup_val or ())})


class SegmentFilter(admin.SimpleListFilter):
    """The leads of one segment, as of its last comparison; where there was none yet, who fits its rules now."""

    title = "segment"
    parameter_name = "segment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The segments in use, each with as of when it holds."""
        told = dict(SegmentState.objects.values_list("document__key", "as_of"))
        return [
            (key, f"{title}, as of {localtime(told[key]):%H:%M}" if key in told else title)
            for key, title in segment_choices()
        ]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Narrow the list, which holds only what the person sees."""
        key = self.value()
        if not key:
            return queryset
        stored = stored_members(queryset, key)
        return in_segment(queryset, key) if stored is None else stored


class StuckFilter(admin.SimpleListFilter):
    """Leads on the way to sales that have not moved for a while."""

    title = "stuck"
    parameter_name = "stuck"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """For how long."""
        return [(str(days), f"MQL or SQL for more than {days} days") for days in (7, 30, 90)]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Narrow the list."""
        days = self.value()
        return stuck(queryset, int(days), now=clock.now()) if days in ("7", "30", "90") else queryset


class AnswerFilter(admin.SimpleListFilter):
    """Leads whose clocks run: late, due within a day, or waiting for a contact."""

    title = "answer"
    parameter_name = "answer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """How the clocks stand."""
        return [("late", "Late"), ("today", "Due within a day"), ("open", "Waits for a contact")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Narrow the list."""
        key = self.value()
        return unanswered(queryset, key, now=clock.now()) if key in ("late", "today", "open") else queryset


class ReadyFilter(admin.SimpleListFilter):
    """The leads that the rules of scoring call ready for sales, or not."""

    title = "score"
    parameter_name = "score"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """What a score says."""
        return [("ready", "Ready for sales"), ("hand", "Raised a hand"), ("not", "Not ready"), ("none", "Not scored")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Narrow the list."""
        asked = {
            "ready": {"score__is_ready": True},
            "hand": {"score__is_hand_raised": True},
            "not": {"score__is_ready": False},
            "none": {"score__isnull": True},
        }
        return queryset.filter(**asked[self.value()]) if self.value() in asked else queryset  # type: ignore[index]
