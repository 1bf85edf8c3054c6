"""The pages of clients: where each stands, how healthy it is and why, today or as of any day."""

import datetime as dt
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.dateparse import parse_date
from unfold.decorators import display

from apps.core import access, clock
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.money import money
from apps.core.words import NOTHING
from apps.leads.client_rules import version_in_force
from apps.leads.domain.clients import judge
from apps.leads.domain.usage import OLDEST
from apps.leads.enums import ClientStage, SubscriptionStatus
from apps.leads.models import ChurnSign, Client

SHOWN = 20
STAGE_COLOURS = {
    ClientStage.TRIAL.label: "info",
    ClientStage.ONBOARDING.label: "info",
    ClientStage.ESTABLISHED.label: "success",
    ClientStage.AT_RISK.label: "danger",
    ClientStage.LEFT.label: "warning",
}
_UNITS = {"seat_use": " %", "users_change": " %", "actions_change": " %", "value_change": " %"}
_TOLD_BY = {"seat_use": "active_users", "users_change": "active_users", "actions_change": "actions"}


class HealthFilter(admin.SimpleListFilter):
    """By health, in three parts."""

    title = "health"
    parameter_name = "health"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Poor, middling, good."""
        return [("poor", "Below 50"), ("middling", "50 to 79"), ("good", "80 and more")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Narrow the list."""
        parts = {
            "poor": {"health__lt": 50},
            "middling": {"health__gte": 50, "health__lt": 80},
            "good": {"health__gte": 80},
        }
        return queryset.filter(**parts.get(self.value() or "", {}))


@admin.register(Client)
class ClientAdmin(ReadOnlyAdmin):
    """Clients, the least healthy first."""

    list_display = ("name", "standing", "healthy", "signs", "used", "change", "worth", "renews_on")
    list_filter = ("stage", HealthFilter, "plan", "status")
    search_fields = ("company__name", "company__domain")
    fields = (("stage", "stage_since"), ("since", "renews_on"))
    ordering = ("health", "company__name")
    empty_state = (
        "No client yet. They come from subscriptions and usage: import an export of billing (Work → Imports), and "
        "every night they are judged by the rules of client health."
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the companies and count the open signs with the rows."""
        open_signs = (
            ChurnSign.objects.filter(company=models.OuterRef("company"), closed_on=None)
            .order_by()
            .values("company")
            .annotate(n=models.Count("pk"))
            .values("n")
        )
        rows: models.QuerySet[Any] = super().get_queryset(request).select_related("company")
        counted: models.QuerySet[Any] = rows.annotate(open_signs=models.Subquery(open_signs))
        return counted

    @display(description="Client", ordering="company__name")
    def name(self, client: Client) -> str:
        """Which company."""
        return str(client.company)

    @display(description="Stage", ordering="stage", label=STAGE_COLOURS)
    def standing(self, client: Client) -> str:
        """Where it stands."""
        return ClientStage(client.stage).label

    @display(description="Health", ordering="health")
    def healthy(self, client: Client) -> str:
        """Of 100."""
        return NOTHING if client.health is None else f"{client.health:.0f}"

    @display(description="Signs", ordering="open_signs")
    def signs(self, client: Any) -> str:
        """How many signs of leaving stand open."""
        return str(client.open_signs or NOTHING)

    @display(description="Seats used", ordering="seat_use")
    def used(self, client: Client) -> str:
        """The share of them in use."""
        return NOTHING if client.seat_use is None else f"{client.seat_use:.0f} %"

    @display(description="Users, 90 days", ordering="users_change")
    def change(self, client: Client) -> str:
        """How the number of active users moved."""
        return NOTHING if client.users_change is None else _moved(round(client.users_change))

    @display(description="Value a month", ordering="monthly_value")
    def worth(self, client: Client) -> str:
        """What it pays."""
        return money(client.monthly_value)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show its health with the reasons, as of the day that is asked for."""
        client, extra = self.get_object(request, object_id), dict(extra_context or {})
        if client is not None and request.method == "GET" and self.has_view_permission(request, client):
            extra["row_panels"] = [*extra.get("row_panels", []), client_panel(request, client)]
        return super().change_view(request, object_id, form_url, extra)


def client_panel(request: HttpRequest, client: Client) -> dict[str, Any]:
    """Return how a client stood on a day: facts with their day and source, rules that fit, signs over time."""
    person: Any = request.user
    today, version = clock.today(), version_in_force()
    day = _day(request.GET.get("day", ""), today)
    judged = judge(day, version, [client.company_id]).get(client.company_id)
    signs = access.visible(person, ChurnSign).filter(company=client.company_id)[:SHOWN]
    seen = version is not None and access.can(person, "view", version)
    return {
        "template": "admin/leads/client_panel.html",
        "client": client,
        "company": reverse("admin:leads_company_change", args=(client.company_id,)),
        "judged": judged,
        "facts": _told(judged) if judged is not None else [],
        "day": day,
        "today": today,
        "version": version,
        "rules": reverse("admin:rules_ruleversion_change", args=(version.pk,)) if seen and version else "",
        "signs": list(signs),
    }


def _day(text: str, today: dt.date) -> dt.date:
    try:
        asked = parse_date(text)
    except ValueError:
        asked = None
    return today if asked is None else min(max(asked, OLDEST), today)


def _told(judged: Any) -> list[tuple[str, str, str]]:
    """Return label, value, and where it is from, of every fact that is known."""
    told = []
    for name, value in judged.facts.items():
        if value in (None, ""):
            continue
        column: Any = Client._meta.get_field(name)
        label = str(column.verbose_name)
        day, source = judged.evidence.get(_TOLD_BY.get(name, name), ("", ""))
        known = f"{dt.date.fromisoformat(day):%-d %b %Y}, {source}" if day else ""
        told.append((label[:1].upper() + label[1:], _said(name, value), known))
    return told


def _moved(percent: float) -> str:
    return f"{percent:+g} %" if percent else "0 %"


def _said(name: str, value: Any) -> str:
    if name == "status":
        return SubscriptionStatus(value).label
    if isinstance(value, dt.date):
        return f"{value:%-d %b %Y}"
    if name.endswith("_change"):
        return _moved(value)
    return f"{value:,}{_UNITS.get(name, '')}" if not isinstance(value, str) else value
