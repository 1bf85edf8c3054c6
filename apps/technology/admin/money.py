"""The pages of contracts, costs, exchange rates and the stack policy."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.core import clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.money import figure, money
from apps.core.words import NOTHING
from apps.technology.admin.forms import (
    CloseCostForm,
    CorrectCostForm,
    CorrectRateForm,
    CostLineForm,
    CurrencyForm,
    NewPriceForm,
    RateForm,
)
from apps.technology.admin.renewal_panel import renewal_panel
from apps.technology.charts import step_chart
from apps.technology.domain.cost_lines import (
    change_price,
    close_cost,
    correct_cost,
    price_of,
    refuse_change,
    refuse_price_change,
    remove_cost,
)
from apps.technology.domain.costing import price_steps
from apps.technology.domain.rates import correct_rate, refuse_rate_change
from apps.technology.models import Contract, CostLine, ExchangeRate, StackPolicy


def _correct(line: CostLine, *, by: Any, reason: str, **values: Any) -> str:
    given = {name: value for name, value in values.items() if value not in (None, "")}
    return f"{correct_cost(line, by=by, reason=reason, **given)} is corrected."


class KnownFilter(admin.SimpleListFilter):
    """What counts now, or what was known before."""

    title, parameter_name = "known", "known"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer what was known before."""
        return [("now", "Now"), ("before", "Before, corrected since")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Show what counts now unless asked otherwise."""
        if self.value() == "before":
            return queryset.filter(retired_at__isnull=False)
        return queryset.filter(retired_at__isnull=True) if self.value() == "now" else queryset


class NeverOverwritten(MopsAdmin):
    """Rows that can be added, and changed by buttons alone."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Show the row, not a form: what it said stays."""
        return super().has_change_permission(request, obj) and obj is None


@admin.register(CostLine)
class CostLineAdmin(NeverOverwritten):
    """Costs."""

    form = CostLineForm
    list_display = ("label", "tool", "kind", "price", "since", "counts", "contract")
    list_filter = (KnownFilter, "cost_type", "basis", "period", "currency", "valid_from")
    search_fields = ("label", "tool__name", "note")
    autocomplete_fields = ("tool", "contract")
    list_select_related = ("tool", "contract")
    fieldsets = (
        (None, {"fields": ("tool", "label", "cost_type", "contract")}),
        ("Price", {"fields": (("amount", "currency"), ("basis", "quantity"), "period")}),
        ("When", {"fields": (("valid_from", "valid_to"), "note", ("recorded_at", "retired_at"))}),
    )
    readonly_fields = ("recorded_at", "retired_at")
    kits = ("custom-fields", "notes", "attachments")
    buttons = (
        Button(
            "new-price",
            "New price",
            change_price,
            refuse_price_change,
            form=NewPriceForm,
            confirm="The cost ends on the day before, and goes on at the new price. The old one stays in its history.",
            style="primary",
        ),
        Button(
            "close",
            "End it",
            close_cost,
            refuse_change,
            form=CloseCostForm,
            confirm="Nothing is paid after this day. What was known until now stays for who asks.",
        ),
        Button(
            "correct",
            "Correct",
            _correct,
            refuse_change,
            form=CorrectCostForm,
            confirm="For slips of the keyboard: the figures change for all its days. What was known until now stays.",
        ),
        Button(
            "remove",
            "Take back",
            remove_cost,
            refuse_change,
            form=ReasonForm,
            confirm="It counts no longer, as if it had never been; who asks what was known before still finds it.",
            style="danger",
        ),
    )
    empty_state = "No cost yet. Import them from a spreadsheet (Work → Imports), or add the first one."

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show how the price has risen."""
        line, extra = self.get_object(request, object_id), dict(extra_context or {})
        if line is not None:
            known = CostLine.objects.known().filter(series=line.series)
            steps = price_steps([price_of(each) for each in known])
            panel = {
                "template": "admin/technology/price_panel.html",
                "steps": list(reversed(steps)),
                "currency": line.currency,
                "chart": step_chart([(step.since, step.yearly) for step in steps], until=clock.today()),
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)

    @display(description="Type", ordering="cost_type")
    def kind(self, line: CostLine) -> str:
        """What it is for."""
        return line.get_cost_type_display()

    @display(description="Price", ordering="amount")
    def price(self, line: CostLine) -> str:
        """What is paid, per what, how often."""
        per = "" if line.quantity is None else f" × {line.quantity.normalize():f}"
        return f"{money(line.amount, line.currency, exact=True)}{per} {line.get_period_display()}"

    @display(description="In force", ordering="valid_from")
    def since(self, line: CostLine) -> str:
        """From when to when."""
        until = f" to {line.valid_to:%-d %b %Y}" if line.valid_to else " on"
        return f"{line.valid_from:%-d %b %Y}{'' if line.period == 'once' else until}"

    @display(description="Worth", ordering="rate")
    def worth(self, rate: ExchangeRate) -> str:
        """What one unit is worth."""
        return figure(rate.rate)

    @display(description="Known", ordering="retired_at", label={"now": "success", "before": "warning"})
    def counts(self, line: CostLine) -> str:
        """Whether it counts now."""
        return "before" if line.retired_at else "now"


@admin.register(ExchangeRate)
class ExchangeRateAdmin(NeverOverwritten):
    """Exchange rates."""

    form = RateForm
    list_display = ("pair", "on", "worth", "source", "counts")
    list_filter = (KnownFilter, "currency", "into", "on")
    search_fields = ("currency", "into", "source")
    date_hierarchy = "on"
    fieldsets = ((None, {"fields": (("currency", "into"), ("on", "rate"), "source", ("recorded_at", "retired_at"))}),)
    readonly_fields = ("recorded_at", "retired_at")
    kits = ()
    buttons = (
        Button(
            "correct",
            "Correct",
            correct_rate,
            refuse_rate_change,
            form=CorrectRateForm,
            confirm="Totals of that time are told with the right rate from now on; the old one stays for who asks.",
        ),
    )
    empty_state = "No rate yet. Without them costs in other currencies cannot be added up. Import a list, or add one."

    @display(description="Rate", ordering="currency")
    def pair(self, rate: ExchangeRate) -> str:
        """From which currency into which."""
        return f"{rate.currency} → {rate.into}"

    @display(description="Worth", ordering="rate")
    def worth(self, rate: ExchangeRate) -> str:
        """What one unit is worth."""
        return figure(rate.rate)

    @display(description="Known", ordering="retired_at", label={"now": "success", "before": "warning"})
    def counts(self, rate: ExchangeRate) -> str:
        """Whether it counts now."""
        return "before" if rate.retired_at else "now"


@admin.register(Contract)
class ContractAdmin(MopsAdmin):
    """Contracts."""

    list_display = ("name", "tool", "vendor", "starts_on", "ends_on", "notice", "auto_renew", "owned_by")
    list_filter = ("auto_renew", "ends_on", "vendor", "owner_team")
    search_fields = ("name", "reference", "tool__name", "vendor__name")
    autocomplete_fields = ("tool", "vendor", "owner_person", "owner_team", "backup_person", "backup_team")
    date_hierarchy = "ends_on"
    fieldsets = (
        (None, {"fields": ("tool", "vendor", ("name", "reference"))}),
        (
            "Term",
            {"fields": (("starts_on", "ends_on"), ("notice_length", "notice_unit"), ("auto_renew", "renewal_months"))},
        ),
        ("Who answers for it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"), "notes")}),
    )
    bulk_fields = (
        *("owner_person", "owner_team", "backup_person", "backup_team"),
        *("vendor", "notice_length", "notice_unit", "auto_renew"),
    )
    buttons = ARCHIVE_BUTTONS
    taggable = True
    in_palette = True
    empty_state = "No contract yet. Add the terms of what you pay for, so that no last day to cancel passes unseen."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load tools, vendors and owners with the rows."""
        return super().get_queryset(request).select_related("tool", "vendor", "owner_person", "owner_team")

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show until when it can be cancelled, who is reminded when, and what was decided."""
        found, extra = self.get_object(request, object_id), dict(extra_context or {})
        if found is not None and self.has_view_permission(request, found):
            extra["row_panels"] = [*extra.get("row_panels", []), *renewal_panel(request, found)]
        return super().change_view(request, object_id, form_url, extra)

    @display(description="Notice", ordering="notice_length")
    def notice(self, contract: Contract) -> str:
        """How long before the end."""
        return f"{contract.notice_length} {contract.get_notice_unit_display()}"

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, contract: Contract) -> str:
        """Who answers for it."""
        return str(contract.owner or NOTHING)


@admin.register(StackPolicy)
class StackPolicyAdmin(MopsAdmin):
    """The one row that steers the stack."""

    form = CurrencyForm
    list_display = ("__str__", "rate_days", "inactive_days", "low_use_percent", "attest_days", "calendar")
    list_select_related = ("calendar",)
    fieldsets = (
        ("Money", {"fields": ("currency", "rate_days")}),
        ("Seats", {"fields": (("inactive_days", "reclaim_days"),)}),
        ("Reviews", {"fields": (("low_use_percent", "attest_days"), "inventory_days")}),
        ("Buying", {"fields": ("evaluation_from",)}),
        ("Renewals", {"fields": ("calendar",)}),
    )
    kits = ()
    empty_state = "The stack is counted by the figures mops ships with. Add the row to tune them."

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Add the row where it is missing; there is one."""
        if not super().has_add_permission(request, obj):
            return False
        there: bool | None = getattr(request, "has_stack_policy", None)  # a page asks more than once
        if there is None:
            there = StackPolicy.objects.exists()
            request.has_stack_policy = there  # type: ignore[attr-defined]
        return not there
