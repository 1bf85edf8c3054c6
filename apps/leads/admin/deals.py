"""The pages of opportunities, and the pipeline they make."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.timezone import localtime
from unfold.decorators import display

from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button, NoteForm, ReasonForm
from apps.core.admin_kit.days import DayInput
from apps.core.money import money
from apps.core.words import NOTHING
from apps.leads.domain.opportunities import lose, refuse_move, refuse_step, step_on, win
from apps.leads.enums import LossReason, OpportunityStage
from apps.leads.models import Opportunity

STAGES = {
    OpportunityStage.DISCOVERY.label: "info",
    OpportunityStage.PROPOSAL.label: "info",
    OpportunityStage.NEGOTIATION.label: "warning",
    OpportunityStage.WON.label: "success",
    OpportunityStage.LOST.label: "danger",
}


class OpportunityForm(forms.Form):
    """Asks what a lead may buy."""

    name = forms.CharField(label="What it is about", max_length=150)
    amount = forms.DecimalField(max_digits=12, decimal_places=2, min_value=0)
    currency = forms.RegexField(r"^[A-Z]{3}$", initial="EUR", help_text="Three capital letters, like EUR.")
    expected_on = forms.DateField(label="Decided by", required=False, widget=DayInput(), help_text="If it is known.")


class LossForm(forms.Form):
    """Asks why an opportunity was lost."""

    loss = forms.ChoiceField(label="Why", choices=LossReason.choices)
    reason = forms.CharField(label="What decided it", widget=forms.Textarea(attrs={"rows": 3}))


@admin.register(Opportunity)
class OpportunityAdmin(MopsAdmin):
    """What leads may buy."""

    list_display = ("name", "of_lead", "standing", "worth", "expected_on", "seller", "opened_on", "closed_on")
    list_filter = ("stage", "loss", "expected_on", "owner_person", "owner_team")
    search_fields = ("name", "lead__name", "outcome")
    autocomplete_fields = ("owner_person", "owner_team", "backup_person", "backup_team")
    fieldsets = (
        (None, {"fields": ("name", ("lead", "standing"), ("amount", "currency"), "expected_on")}),
        ("Who looks after it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
        ("How it ended", {"fields": (("opened_at", "closed_at"), ("loss", "outcome"))}),
    )
    readonly_fields = ("lead", "standing", "opened_at", "closed_at", "loss", "outcome")
    in_palette = True
    empty_state = "No opportunity yet. Open one on the page of an SQL or a customer."
    buttons = (
        Button("step", "Next step", step_on, refuse_step, form=NoteForm, style="primary"),
        Button(
            "win",
            "Won",
            win,
            refuse_move,
            form=ReasonForm,
            confirm="It is closed. An SQL becomes a customer.",
            style="primary",
        ),
        Button(
            "lose",
            "Lost",
            lose,
            refuse_move,
            form=LossForm,
            confirm="It is closed. An SQL without another open opportunity is recycled.",
            style="danger",
        ),
        *ARCHIVE_BUTTONS,
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load lead and owner with the rows."""
        return super().get_queryset(request).select_related("lead", "owner_person")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: they are opened on the page of a lead."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What is closed is no longer edited."""
        return super().has_change_permission(request, obj) and (obj is None or obj.is_open)

    @display(description="Lead", ordering="lead")
    def of_lead(self, opportunity: Opportunity) -> str:
        """Whose it is."""
        return str(opportunity.lead)

    @display(description="Stage", ordering="stage", label=STAGES)
    def standing(self, opportunity: Opportunity) -> str:
        """How far it is."""
        return OpportunityStage(opportunity.stage).label

    @display(description="Owner", ordering="owner_person")
    def seller(self, opportunity: Opportunity) -> str:
        """Who looks after it."""
        return str(opportunity.owner_person or NOTHING)

    @display(description="Opened", ordering="opened_at")
    def opened_on(self, opportunity: Opportunity) -> dt.date:
        """Its first day; the hour stands on its page."""
        return localtime(opportunity.opened_at).date()

    @display(description="Closed", ordering="closed_at")
    def closed_on(self, opportunity: Opportunity) -> dt.date | None:
        """Its last day."""
        return localtime(opportunity.closed_at).date() if opportunity.closed_at else None

    @display(description="Amount", ordering="amount")
    def worth(self, opportunity: Opportunity) -> str:
        """For how much."""
        return money(opportunity.amount, opportunity.currency)
