"""The pages of licences, seats, reclaim tasks and utilisation samples."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import Count, Q
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.core import clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button, NoteForm, ReasonForm
from apps.core.admin_kit.consistency import Check
from apps.core.money import money
from apps.core.words import NOTHING
from apps.technology.domain import seats
from apps.technology.domain.rates import policy
from apps.technology.domain.use import percent
from apps.technology.enums import Metric, ReclaimState
from apps.technology.models import Licence, ReclaimTask, Seat, UtilisationSample
from apps.technology.use_imports import refuse_sample


class AssignForm(forms.Form):
    """Asks who gets the seat."""

    holder = forms.CharField(
        max_length=200,
        label="Who",
        widget=UnfoldAdminTextInputWidget,
        help_text="The e-mail address or name the tool knows them by.",
    )


def _assign(licence: Licence, *, by: Any, holder: str) -> str:
    return f"{seats.assign_seat(licence, holder=holder, by=by).holder} has a seat on {licence}."


@admin.register(Licence)
class LicenceAdmin(MopsAdmin):
    """Licences."""

    list_display = ("name", "tool", "counts", "taken", "contract")
    list_filter = ("metric", "tool__vendor")
    search_fields = ("name", "tool__name", "place")
    autocomplete_fields = ("tool", "contract")
    list_select_related = ("tool", "contract")
    fieldsets = ((None, {"fields": ("tool", "name", ("metric", "quantity"), "place", "contract", "notes")}),)
    buttons = (
        Button(
            "assign",
            "Assign a seat",
            _assign,
            seats.refuse_assignment,
            form=AssignForm,
            confirm="The seat is taken from today on.",
            style="primary",
            hide_when_refused=False,
        ),
        *ARCHIVE_BUTTONS,
    )
    consistency_checks = (
        Check("More seats taken than there are", lambda rows: rows.filter(quantity__lt=models.F("seat_count"))),
    )
    in_palette = True
    empty_state = "No licence yet. Add what you may use: so many seats, a site, or without limit."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Count the seats with the rows."""
        taken = Count("seats", filter=Q(seats__released_on__isnull=True, seats__archived_at__isnull=True))
        rows = super().get_queryset(request).select_related("tool", "contract")
        counted: models.QuerySet[Any] = rows.annotate(seat_count=taken)
        return counted

    @display(description="Counts", ordering="metric")
    def counts(self, licence: Licence) -> str:
        """What it counts."""
        if licence.metric == Metric.SEAT:
            return f"{licence.quantity} seats"
        return licence.place or "a site" if licence.metric == Metric.SITE else "unlimited"

    @display(description="Taken", ordering="seat_count")
    def taken(self, licence: Any) -> str:
        """How many seats are taken."""
        if licence.quantity:
            return f"{licence.seat_count} of {licence.quantity}, {100 * licence.seat_count // licence.quantity} %"
        return str(licence.seat_count or NOTHING)


class InactiveFilter(admin.SimpleListFilter):
    """Seats nobody uses."""

    title, parameter_name = "activity", "activity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer what matters about a seat."""
        return [("inactive", "Inactive"), ("taken", "Taken"), ("released", "Released")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Narrow the seats."""
        if self.value() == "inactive":
            days = policy().inactive_days
            return queryset.filter(pk__in=seats.inactive_seats(clock.today(), days).values("pk"))
        if self.value() in ("taken", "released"):
            return queryset.filter(released_on__isnull=self.value() == "taken")
        return queryset


def _release(seat: Seat, *, by: Any, note: str = "") -> str:
    return seats.release_seat(seat, by=by, reason=note)


@admin.register(Seat)
class SeatAdmin(MopsAdmin):
    """Seats."""

    list_display = ("holder", "licence", "assigned_on", "last_active_on", "stands")
    list_filter = (InactiveFilter, "licence__tool", "last_active_on")
    search_fields = ("holder", "licence__name", "licence__tool__name")
    autocomplete_fields = ("person",)
    fieldsets = (
        (None, {"fields": ("licence", "holder", "person")}),
        ("Use", {"fields": (("assigned_on", "last_active_on"), "activity_source", "released_on")}),
    )
    readonly_fields = ("licence", "released_on")
    kits = ("notes",)
    buttons = (
        Button(
            "release",
            "Release the seat",
            _release,
            seats.refuse_release,
            form=NoteForm,
            confirm="The seat is free from today on. Take the access away in the tool itself, too.",
            style="danger",
        ),
    )
    empty_state = "No seat yet. Import the user list of a tool (Work → Imports), or assign seats from a licence."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load licences and tools with the rows."""
        return super().get_queryset(request).select_related("licence__tool", "person")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Seats are assigned from their licence, which knows how many there are."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A released seat is a thing of the past."""
        return super().has_change_permission(request, obj) and (obj is None or obj.released_on is None)

    @display(description="State", label={"taken": "success", "released": "info"})
    def stands(self, seat: Seat) -> str:
        """Taken or released."""
        return "released" if seat.released_on else "taken"


@admin.register(ReclaimTask)
class ReclaimTaskAdmin(MopsAdmin):
    """Seats to take back."""

    list_display = ("seat", "assignee", "inactive_since", "due_on", "saves", "stands")
    list_filter = ("state", "due_on", "assignee")
    search_fields = ("seat__holder", "seat__licence__tool__name")
    fieldsets = (
        (None, {"fields": ("seat", "assignee", ("inactive_since", "due_on"), ("saving", "currency"))}),
        ("Decision", {"fields": ("stands", ("decided_by", "decided_at"), "note")}),
    )
    readonly_fields = ("stands", "decided_by", "decided_at", "note", "seat", "inactive_since", "saving", "currency")
    autocomplete_fields = ("assignee",)
    kits = ("notes",)
    buttons = (
        Button(
            "reclaim",
            "Reclaim the seat",
            seats.reclaim,
            seats.refuse_decision,
            form=NoteForm,
            confirm="The seat is released from today on. Take the access away in the tool itself, too.",
            style="primary",
        ),
        Button(
            "keep",
            "Leave it",
            seats.keep,
            seats.refuse_decision,
            form=ReasonForm,
            confirm="The seat stays with its holder, and is not asked about again for a while.",
        ),
    )
    empty_state = "Nothing to reclaim. Every morning mops looks for seats nobody has used for long."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load seats, tools and people with the rows."""
        return super().get_queryset(request).select_related("seat__licence__tool", "assignee", "decided_by")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """They come from the activity of seats."""
        return False

    @display(description="Saves a year", ordering="saving")
    def saves(self, task: ReclaimTask) -> str:
        """What taking it back saves."""
        return money(task.saving, task.currency) if task.saving is not None else "not known"

    @display(description="State", ordering="state", label={"Open": "warning", "Reclaimed": "success", "Kept": "info"})
    def stands(self, task: ReclaimTask) -> str:
        """Where it stands."""
        return ReclaimState(task.state).label


class SampleForm(forms.ModelForm):  # type: ignore[type-arg]  # the class takes no parameter at run time
    """A measurement."""

    def clean(self) -> dict[str, Any]:
        """Refuse what cannot be measured."""
        cleaned = super().clean() or {}
        wanted = ("numerator", "denominator", "period_from", "period_to")
        if all(cleaned.get(name) is not None for name in wanted) and (refused := refuse_sample(cleaned)):
            raise forms.ValidationError(refused)
        return cleaned


@admin.register(UtilisationSample)
class UtilisationSampleAdmin(ReadOnlyAdmin):
    """Measurements of use."""

    form = SampleForm
    list_display = ("tool", "metric", "share", "measured", "period_to", "source", "method")
    list_filter = ("metric", "period_to", "source")
    search_fields = ("tool__name", "source")
    autocomplete_fields = ("tool",)
    list_select_related = ("tool",)
    date_hierarchy = "period_to"
    fieldsets = (
        (None, {"fields": ("tool", "metric", ("numerator", "denominator"), ("period_from", "period_to"))}),
        ("Where it comes from", {"fields": ("source", "method")}),
    )
    empty_state = "No measurement yet. Import what your tools report, or add the first one by hand."

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A measurement is added and never changed."""
        return self._may(request, "add", None)

    @display(description="Used")
    def share(self, sample: UtilisationSample) -> str:
        """How much, in per cent."""
        return f"{percent(sample)} %"

    @display(description="Measured")
    def measured(self, sample: UtilisationSample) -> str:
        """The two figures."""
        return f"{sample.numerator.normalize():,f} of {sample.denominator.normalize():,f}"
