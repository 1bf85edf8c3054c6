"""The pages of budgets: what is entered, what was proposed to move, and where a campaign stands."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.approvals.admin.simulator_page import route_panel
from apps.campaigns.domain import budget, shifting
from apps.campaigns.enums import Channel, Money, ShiftState
from apps.campaigns.models import BudgetEntry, BudgetShift, Campaign
from apps.core.access import has_model_permission, hidden_columns
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button, NoteForm, ReasonForm
from apps.core.admin_kit.days import DayInput
from apps.core.money import money
from apps.technology.admin.cases import approvals_panel


class MoneyForm(forms.Form):
    """Asks for an amount."""

    kind = forms.ChoiceField(choices=Money.choices, label="What it is")
    channel = forms.ChoiceField(choices=Channel.choices)
    month = forms.DateField(widget=DayInput(), help_text="Any day of the month it belongs to.")
    amount = forms.DecimalField(max_digits=14, decimal_places=4, help_text="Before tax; a credit is less than nothing.")
    currency = forms.CharField(max_length=3, required=False, help_text="Empty: that of the campaign.")
    reference = forms.CharField(
        max_length=100, required=False, help_text="Number of the order or invoice; an invoice pays the order it names."
    )
    note = forms.CharField(max_length=250, required=False)


ENTER_MONEY = Button(
    "money",
    "Enter money",
    budget.enter_from_page,
    budget.refuse_any_entry,
    form=MoneyForm,
    writes=lambda _: BudgetEntry,
    confirm="What is entered stays; a mistake is taken back and entered anew.",
    icon="payments",
)


@admin.register(BudgetEntry)
class BudgetEntryAdmin(MopsAdmin):
    """Entries of budgets."""

    list_display = ("campaign", "sort", "reach", "when", "money", "reference", "counts", "recorded_at")
    list_filter = ("kind", "spent_on", "month", "currency", "retired_at")
    search_fields = ("campaign__name", "reference", "note")
    allowed_lookups = ("campaign",)
    date_hierarchy = "month"
    kits = ("notes", "attachments")
    fieldsets = (
        (None, {"fields": ("campaign", ("kind", "spent_on", "month"), ("amount", "currency"), ("reference", "note"))}),
        ("Known", {"fields": (("recorded_at", "retired_at"), "shift")}),
    )
    readonly_fields = ("recorded_at", "retired_at", "shift")
    buttons = (
        Button(
            "take-back",
            "Take back",
            budget.take_back,
            budget.refuse_taking_back,
            form=ReasonForm,
            confirm="It counts no longer; that it was there stays.",
            style="danger",
        ),
    )
    empty_state = "No money entered yet. “Enter money” on the page of a campaign, or import invoices (Work → Imports)."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the campaigns with the rows."""
        return super().get_queryset(request).select_related("campaign", "shift__campaign")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Money is entered on the page of its campaign, where what is left is checked."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What is entered is taken back, not changed."""
        return super().has_change_permission(request, obj) and obj is None

    @display(
        description="What", ordering="kind", label={"Planned": "info", "Committed": "warning", "Actual": "success"}
    )
    def sort(self, entry: BudgetEntry) -> str:
        """Planned, committed or actual."""
        return entry.get_kind_display()

    @display(description="Channel", ordering="spent_on")
    def reach(self, entry: BudgetEntry) -> str:
        """What it is spent on."""
        return entry.get_spent_on_display()

    @display(description="Month", ordering="month")
    def when(self, entry: BudgetEntry) -> str:
        """The month it belongs to."""
        return f"{entry.month:%B %Y}"

    @display(description="Amount", ordering="amount")
    def money(self, entry: BudgetEntry) -> str:
        """How much."""
        return money(entry.amount, entry.currency)

    @display(description="Counts", ordering="retired_at", label={"yes": "success", "taken back": "warning"})
    def counts(self, entry: BudgetEntry) -> str:
        """Whether it counts."""
        return "taken back" if entry.retired_at else "yes"


@admin.register(BudgetShift)
class BudgetShiftAdmin(MopsAdmin):
    """Proposals to move budget."""

    list_display = ("summary", "campaign", "stage", "requester", "updated_at")
    list_filter = ("state", "from_channel", "to_channel")
    search_fields = ("campaign__name", "reason", "evidence")
    autocomplete_fields = ("campaign",)
    fieldsets = (
        (None, {"fields": ("campaign", "amount", ("from_channel", "from_month"), ("to_channel", "to_month"))}),
        ("Why", {"fields": ("reason", "evidence")}),
        ("What came of it", {"fields": ("stage", "requester")}),
    )
    readonly_fields = ("stage", "requester")
    buttons = (
        Button(
            "submit",
            "Send for approval",
            shifting.submit_shift,
            shifting.refuse_submission,
            form=NoteForm,
            confirm="The proposal is fixed as it is saved now until somebody else has decided about it.",
            panel=route_panel,
            style="primary",
            hide_when_refused=False,
        ),
        *ARCHIVE_BUTTONS,
    )
    empty_state = "Nobody has proposed to move budget. Add a proposal with amount, from, to, reason and evidence."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load campaigns and people with the rows."""
        return super().get_queryset(request).select_related("campaign", "requester")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A proposal is fixed while it is decided about, and once it is decided."""
        return super().has_change_permission(request, obj) and (obj is None or obj.is_editable)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show where the budget stands, and the approvals."""
        shift, extra = self.get_object(request, object_id), dict(extra_context or {})
        if shift is not None:
            panels = [*budget_panel(request, shift.campaign), approvals_panel(request, shift)]
            extra["row_panels"] = [*extra.get("row_panels", []), *panels]
        return super().change_view(request, object_id, form_url, extra)

    @display(description="Proposal", ordering="amount")
    def summary(self, shift: BudgetShift) -> str:
        """What moves from where to where."""
        return str(shift)

    @display(
        description="State", ordering="state", label={"In approval": "info", "Approved": "success", "Refused": "danger"}
    )
    def stage(self, shift: BudgetShift) -> str:
        """Where it stands."""
        return ShiftState(shift.state).label


def budget_panel(request: HttpRequest, campaign: Campaign) -> list[dict[str, Any]]:
    """Return the box with the budget of a campaign; none for people who do not see money."""
    person: Any = request.user
    if not has_model_permission(person, "view", BudgetEntry) or "budget" in hidden_columns(person, Campaign):
        return []
    now = budget.standing(campaign)
    channels = dict(Channel.choices)
    return [
        {
            "template": "admin/campaigns/budget_panel.html",
            "standing": now,
            "cells": [(month, channels[channel], sums) for month, channel, sums in now.cells],
            "campaign": campaign,
        }
    ]
