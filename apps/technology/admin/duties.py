"""The pages of owner duties, standards of administration, targets and measurements of availability."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.core import access, clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button
from apps.core.admin_kit.consistency import Check
from apps.core.money import figure
from apps.core.words import NOTHING
from apps.technology.domain import availability, duties
from apps.technology.enums import Duty, Known, Standard
from apps.technology.models import (
    AdminStandard,
    AvailabilitySample,
    DutyDone,
    OwnerDuty,
    ServiceTarget,
    StandardCheck,
)

_VERDICTS = {"met": "success", "missed": "danger"}


def evidence_form(duty: OwnerDuty) -> type[forms.Form]:
    """Return the form that asks what shows that a duty was done."""
    words = duties.WORDS[duty.kind]
    field = forms.CharField(label="Evidence", widget=forms.Textarea(attrs={"rows": 5}), help_text=words)
    return type("DutyForm", (forms.Form,), {"reason": field})


@admin.register(OwnerDuty)
class OwnerDutyAdmin(MopsAdmin):
    """Owner duties."""

    list_display = ("duty", "tool", "who", "stands", "due_on", "last_done_on", "every_months")
    list_filter = ("kind", "due_on", "person", "tool__lifecycle")
    search_fields = ("tool__name",)
    autocomplete_fields = ("tool", "person")
    fieldsets = ((None, {"fields": (("tool", "kind"), "person", ("every_months", "due_on"), "last_done_on")}),)
    readonly_fields = ("last_done_on",)
    buttons = (
        Button(
            "done",
            "Done",
            duties.do_duty,
            duties.refuse_done,
            form_for=evidence_form,
            confirm="What you write stays as the evidence, and the next time is due by itself.",
            style="primary",
            icon="task_alt",
        ),
        *ARCHIVE_BUTTONS,
    )
    empty_state = "No duty yet. Every tool in use gets its five each morning: health, training, vendor, backup, access."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load tools and people with the rows."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("tool__owner_person", "tool__owner_team", "tool__technical_owner", "person")

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the times it was done."""
        found, extra = self.get_object(request, object_id), dict(extra_context or {})
        if found is not None and self.has_view_permission(request, found):
            person: Any = request.user
            times = access.visible(person, DutyDone).filter(duty=found).select_related("by")
            panel = {"template": "admin/technology/duty_panel.html", "times": list(times[:20])}
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)

    @display(description="Duty", ordering="kind")
    def duty(self, found: OwnerDuty) -> str:
        """Which one."""
        return Duty(found.kind).label

    @display(description="Who", ordering="person__full_name")
    def who(self, found: OwnerDuty) -> str:
        """Who does it."""
        return str(found.person or found.tool.technical_owner or found.tool.owner or "nobody")

    @display(description="State", ordering="due_on", label={"Late": "danger", "Soon": "warning"})
    def stands(self, found: OwnerDuty) -> str:
        """Whether it is late."""
        ahead = (found.due_on - clock.today()).days
        return "Late" if ahead < 0 else "Soon" if ahead <= duties.REMIND_DAYS[0] else "Later"


@admin.register(DutyDone)
class DutyDoneAdmin(ReadOnlyAdmin):
    """Duties done."""

    list_display = ("at", "duty", "by", "was_due_on", "begins")
    list_filter = ("duty__kind", "at", "by")
    search_fields = ("duty__tool__name", "evidence")
    fieldsets = ((None, {"fields": ("duty", ("at", "by"), "was_due_on", "evidence")}),)
    empty_state = "Nothing done yet. Open a duty and press “Done”."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load what a row names."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("duty__tool", "by")

    @display(description="Evidence")
    def begins(self, found: DutyDone) -> str:
        """The beginning of the evidence."""
        return found.evidence[:100]


@admin.register(AdminStandard)
class AdminStandardAdmin(MopsAdmin):
    """Administration standards."""

    list_display = ("title", "about", "followed", "broken", "unknown", "owned_by")
    list_filter = ("kind",)
    search_fields = ("title", "text")
    autocomplete_fields = ("owner_person", "owner_team", "backup_person", "backup_team", "naming_rule")
    fieldsets = (
        (None, {"fields": (("kind", "title"), "text", "naming_rule")}),
        ("Who looks after it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
    )
    buttons = ARCHIVE_BUTTONS
    empty_state = "No standard yet. Write down how things are named, filed, opened to people and backed up."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Count the tools that follow it."""
        rows: Any = super().get_queryset(request)
        kept = models.Q(checks__archived_at=None)
        counted: models.QuerySet[Any] = rows.select_related("owner_person", "owner_team").annotate(
            **{
                f"says_{known.value}": models.Count("checks", filter=kept & models.Q(checks__follows=known))
                for known in Known
            }
        )
        return counted

    @display(description="About", ordering="kind")
    def about(self, found: AdminStandard) -> str:
        """What it is about."""
        return Standard(found.kind).label

    @display(description="Tools that follow it", ordering="says_yes")
    def followed(self, found: Any) -> int:
        """How many follow it."""
        return int(found.says_yes)

    @display(description="that do not", ordering="says_no")
    def broken(self, found: Any) -> int:
        """How many do not."""
        return int(found.says_no)

    @display(description="not known", ordering="says_unknown")
    def unknown(self, found: Any) -> int:
        """Of how many nobody has said."""
        return int(found.says_unknown)

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, found: AdminStandard) -> str:
        """Who looks after it."""
        return str(found.owner or NOTHING)


@admin.register(StandardCheck)
class StandardCheckAdmin(MopsAdmin):
    """Checks of standards."""

    list_display = ("tool", "standard", "says", "checked_on")
    list_filter = ("follows", "standard", "checked_on")
    search_fields = ("tool__name", "standard__title", "evidence")
    autocomplete_fields = ("tool", "standard")
    fieldsets = ((None, {"fields": (("standard", "tool"), ("follows", "checked_on"), "evidence")}),)
    buttons = ARCHIVE_BUTTONS
    empty_state = "No tool has been checked against a standard yet."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load what a row names."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("tool", "standard")

    @display(description="Follows it", ordering="follows", label={"Yes": "success", "No": "danger"})
    def says(self, found: StandardCheck) -> str:
        """Whether the tool follows it."""
        return Known(found.follows).label


@admin.register(ServiceTarget)
class ServiceTargetAdmin(MopsAdmin):
    """Targets of availability."""

    list_display = ("tool", "at_least", "response_ms", "last_days", "verdict")
    list_filter = ("availability",)
    search_fields = ("tool__name", "source")
    autocomplete_fields = ("tool",)
    fieldsets = ((None, {"fields": ("tool", ("availability", "response_ms"), "source")}),)
    buttons = ARCHIVE_BUTTONS
    consistency_checks = (Check("No measurement at all", lambda rows: rows.filter(tool__availability__isnull=True)),)
    empty_state = "No target yet. 99.5 % fits most tools; 99.9 % where work stands still without them."

    @display(description="Available (%)", ordering="availability")
    def at_least(self, target: ServiceTarget) -> str:
        """The share of time it is to be available."""
        return figure(target.availability)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Sum the measurements of the last days with the rows."""
        rows: Any = super().get_queryset(request)
        now = clock.now()
        start = now - dt.timedelta(days=availability.DAYS)
        samples = AvailabilitySample.objects.filter(
            tool=models.OuterRef("tool"), starts_at__gte=start, ends_at__lte=now
        ).order_by()
        sums = {
            name: models.Subquery(samples.values("tool").annotate(total=models.Sum(field)).values("total"))
            for name, field in (("up", "up_minutes"), ("down", "down_minutes"))
        }
        found: models.QuerySet[Any] = rows.select_related("tool").annotate(**sums)
        return found

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the measurements."""
        found, extra = self.get_object(request, object_id), dict(extra_context or {})
        if found is not None and self.has_view_permission(request, found):
            person: Any = request.user
            known = _known(found)
            panel = {
                "template": "admin/technology/availability_panel.html",
                "target": found,
                "known": known,
                "verdict": availability.verdict(known, found.availability),
                "days": availability.DAYS,
                "samples": list(access.visible(person, AvailabilitySample).filter(tool=found.tool)[:20]),
                "may_add": availability.refuse_sample(person) is None,
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)

    @display(description=f"Known up, last {availability.DAYS} days")
    def last_days(self, found: Any) -> str:
        """How available it was known to be."""
        percent = _known(found).percent
        return "not measured" if percent is None else f"{percent:.2f} %"

    @display(description="Target", label=_VERDICTS)
    def verdict(self, found: Any) -> str:
        """Whether the target is met."""
        return availability.verdict(_known(found), found.availability)


def _known(found: Any) -> availability.Availability:
    up, down = int(found.up or 0), int(found.down or 0)
    return availability.Availability(up, down, max(availability.DAYS * 24 * 60 - up - down, 0))


class SampleForm(forms.ModelForm):  # type: ignore[type-arg]  # django-stubs wants a model
    """A measurement."""

    def clean(self) -> dict[str, Any]:
        """Refuse what the rules refuse, field by field."""
        cleaned: dict[str, Any] = super().clean() or {}
        wanted = ("tool", "starts_at", "ends_at", "up_minutes", "down_minutes")
        if not self.errors and all(cleaned.get(name) is not None for name in wanted):
            sample = AvailabilitySample(**{name: cleaned.get(name) for name in (*wanted, "response_ms")})
            for name, sentence in availability.refuse_values(sample, clock.now()).items():
                self.add_error(name, sentence)
        return cleaned


@admin.register(AvailabilitySample)
class AvailabilitySampleAdmin(MopsAdmin):
    """Measurements of availability."""

    form = SampleForm
    kits = ()
    list_display = ("tool", "starts_at", "ends_at", "up_minutes", "down_minutes", "response_ms", "source")
    list_filter = ("tool", "ends_at", "source")
    search_fields = ("tool__name", "source")
    autocomplete_fields = ("tool",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "tool",
                    ("starts_at", "ends_at"),
                    ("up_minutes", "down_minutes"),
                    "response_ms",
                    "source",
                )
            },
        ),
    )
    empty_state = "No measurement yet. What nobody measures counts as unknown, never as up."

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A measurement stays as it was taken."""
        return False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the tools with the rows."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("tool")
