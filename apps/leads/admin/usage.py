"""The page of subscriptions and usage, and what a company's page shows of them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from unfold.decorators import display

from apps.core import access
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.locking import RowVersionForm
from apps.core.errors import InvalidInput
from apps.core.money import money
from apps.core.words import NOTHING
from apps.leads.domain.usage import FACTS, day_that_can_be, standing
from apps.leads.enums import SubscriptionStatus
from apps.leads.models import Company, CompanySnapshot

SHOWN, WIDTH, HEIGHT = 24, 260, 34


class SnapshotForm(RowVersionForm):
    """A snapshot by hand: of a day that has been."""

    def clean_taken_on(self) -> Any:
        """Refuse days to come and days before 2000."""
        try:
            return day_that_can_be(self.cleaned_data["taken_on"])
        except InvalidInput as refusal:
            raise forms.ValidationError(refusal.message) from refusal


@admin.register(CompanySnapshot)
class CompanySnapshotAdmin(MopsAdmin):
    """Subscriptions and usage of companies, day by day."""

    form = SnapshotForm
    list_display = ("of_company", "taken_on", "standing", "plan", "seats", "active_users", "worth", "source")
    list_filter = ("status", "source", "taken_on")
    search_fields = ("company__name", "company__domain", "plan")
    autocomplete_fields = ("company",)
    allowed_lookups = ("company",)
    fields = (
        ("company", "taken_on", "source"),
        ("status", "plan"),
        ("seats", "active_users", "actions"),
        ("monthly_value", "renews_on"),
    )
    buttons = ARCHIVE_BUTTONS
    empty_state = "Nothing is known yet. Import an export of billing or of the product (Work → Imports)."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the companies with the rows."""
        return super().get_queryset(request).select_related("company")

    @display(description="Value a month", ordering="monthly_value")
    def worth(self, row: CompanySnapshot) -> str:
        """What it paid."""
        return money(row.monthly_value)

    @display(description="Company", ordering="company__name")
    def of_company(self, row: CompanySnapshot) -> str:
        """Whose it is."""
        return str(row.company)

    @display(
        description="Subscription",
        ordering="status",
        label={
            SubscriptionStatus.ACTIVE.label: "success",
            SubscriptionStatus.TRIAL.label: "info",
            SubscriptionStatus.PAST_DUE.label: "warning",
            SubscriptionStatus.CANCELLED.label: "danger",
        },
    )
    def standing(self, row: CompanySnapshot) -> str:
        """How the subscription stands."""
        return row.get_status_display() or NOTHING


def usage_panel(request: HttpRequest, company: Company) -> dict[str, Any]:
    """Return the newest word on each thing with its day and source, and the active users as a small picture."""
    person: Any = request.user
    rows = access.visible(person, CompanySnapshot).filter(company=company, archived_at=None)
    series = list(rows.exclude(active_users=None).order_by("-taken_on")[:SHOWN])[::-1]
    now = standing(company)
    most = max((row.active_users or 0 for row in series), default=0) or 1
    step = WIDTH / SHOWN
    label = {field.name: str(field.verbose_name) for field in CompanySnapshot._meta.concrete_fields}
    shown = {"status": dict(SubscriptionStatus.choices)}
    return {
        "template": "admin/leads/usage_panel.html",
        "facts": [
            (
                label[name].capitalize(),
                shown.get(name, {}).get(now.facts[name].value, now.facts[name].value),
                now.facts[name],
            )
            for name in FACTS
            if name in now.facts
        ],
        "seat_use": f"{now.seat_use:.0%}" if now.seat_use is not None else "",
        "columns": [
            {
                "x": round(place * step, 1),
                "y": round(HEIGHT - HEIGHT * (row.active_users or 0) / most, 1),
                "n": row.active_users,
                "day": row.taken_on,
            }
            for place, row in enumerate(series)
        ],
        "column": round(step - 1.5, 1),
        "width": WIDTH,
        "height": HEIGHT,
        "all": f"{reverse('admin:leads_companysnapshot_changelist')}?company__id__exact={company.pk}",
    }
