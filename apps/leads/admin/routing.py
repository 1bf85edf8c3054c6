"""The pages of routing: pools with their people and load, why each lead went where it went, and a lead's own panel."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from unfold.decorators import display

from apps.core import access, clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, MopsStackedInline, ReadOnlyAdmin
from apps.leads.domain.routing.load import load_of
from apps.leads.domain.routing.reassigning import why_routed
from apps.leads.enums import RoutedBy
from apps.leads.models import Lead, Pool, PoolMember, RoutingDecision

HOW = {
    RoutedBy.RULE.label: "success",
    RoutedBy.HAND.label: "info",
    RoutedBy.FALLBACK.label: "warning",
    RoutedBy.WAITING.label: "warning",
    RoutedBy.SLA.label: "danger",
}


class PoolMemberInline(MopsStackedInline):
    """The people of a pool, each in three lines: seven columns of fields do not fit a page."""

    model = PoolMember
    verbose_name, verbose_name_plural = "person", "people of this pool"
    fields = ("person", ("weight", "most_a_day", "most_open"), ("calendar", "away_from", "away_until"))
    autocomplete_fields = ("person", "calendar")
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Leave out who was taken out of the pool."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        return rows.filter(archived_at__isnull=True).select_related("person", "calendar")


@admin.register(Pool)
class PoolAdmin(MopsAdmin):
    """Pools of people who take leads in turns."""

    list_display = ("name", "people", "team", "calendar", "waiting_now", "purpose")
    list_filter = ("team", "calendar")
    search_fields = ("name", "purpose")
    autocomplete_fields = ("team", "calendar")
    fields = ("name", "purpose", ("team", "calendar"))
    inlines = (PoolMemberInline,)
    empty_state = (
        "A pool shares leads among people, each by their weight. Make one, then let a rule of routing name it."
    )
    buttons = ARCHIVE_BUTTONS

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Count people and waiting leads with the rows."""
        member = models.Q(members__archived_at__isnull=True)
        rows: models.QuerySet[Any] = super().get_queryset(request).select_related("team", "calendar")
        counted: models.QuerySet[Any] = rows.annotate(
            people_in_it=models.Count("members", filter=member, distinct=True),
            leads_waiting=models.Count("waiting", distinct=True),
        )
        return counted

    @display(description="People", ordering="people_in_it")
    def people(self, pool: Any) -> int:
        """How many are in it."""
        return int(pool.people_in_it)

    @display(description="Waiting", ordering="leads_waiting")
    def waiting_now(self, pool: Any) -> int:
        """How many leads wait for somebody of it."""
        return int(pool.leads_waiting)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show who takes leads now, who is passed over and why, and who got how many."""
        pool, extra = self.get_object(request, object_id), dict(extra_context or {})
        if pool is not None and request.method == "GET" and self.has_view_permission(request, pool):
            panel = {"template": "admin/leads/pool_panel.html", "load": load_of(pool, at=clock.now())}
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)


@admin.register(PoolMember)
class PoolMemberAdmin(MopsAdmin):
    """Members of pools; found from the page of their pool."""

    list_display = ("person", "pool", "weight", "most_a_day", "most_open", "calendar", "away_from", "away_until")
    list_filter = ("pool",)
    search_fields = ("person__full_name", "pool__name")
    autocomplete_fields = ("pool", "person", "calendar")
    fields = (
        ("pool", "person"),
        ("weight", "calendar"),
        ("most_a_day", "most_open"),
        ("away_from", "away_until"),
    )
    empty_state = "Nobody is in a pool yet. Add people on the page of the pool."
    buttons = ARCHIVE_BUTTONS

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load pool and person with the rows."""
        return super().get_queryset(request).select_related("pool", "person", "calendar")


@admin.register(RoutingDecision)
class RoutingDecisionAdmin(ReadOnlyAdmin):
    """Why leads went where they went."""

    list_display = ("at", "of_lead", "how", "rule_number", "pool", "given_to", "from_person", "reason")
    list_filter = ("routed_by", "pool", "at")
    search_fields = ("lead__name", "lead__email", "reason")
    allowed_lookups = ("lead",)
    fields = (
        ("lead", "at"),
        ("routed_by", "rule_number"),
        ("pool", "turn"),
        ("to_person", "to_team"),
        ("from_person", "reason"),
    )
    empty_state = (
        "No lead was routed yet. Write rules of the kind “Lead routing” with the key “lead-routing”, have them "
        "approved and activate them; each lead then leaves its reasons here."
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load lead, pool and people with the rows."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("lead", "pool", "to_person", "to_team", "from_person")

    @display(description="Lead", ordering="lead")
    def of_lead(self, decision: RoutingDecision) -> str:
        """Which lead."""
        return str(decision.lead)

    @display(description="Decided by", ordering="routed_by", label=HOW)
    def how(self, decision: RoutingDecision) -> str:
        """What gave it away."""
        return RoutedBy(decision.routed_by).label

    @display(description="To", ordering="to_person")
    def given_to(self, decision: RoutingDecision) -> str:
        """Who got it."""
        return str(decision.to_person or f"{decision.to_team} (queue)")

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the rules tried and the people considered."""
        decision, extra = self.get_object(request, object_id), dict(extra_context or {})
        if decision is not None and self.has_view_permission(request, decision):
            panel = _panel(request, decision.lead, decision)
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)


def routing_panel(request: HttpRequest, lead: Lead) -> dict[str, Any]:
    """Return who looks after a lead and why."""
    return _panel(request, lead, None)


def _panel(request: HttpRequest, lead: Lead, decision: RoutingDecision | None) -> dict[str, Any]:
    person: Any = request.user
    why = why_routed(lead, decision=decision)
    version = why.decision.batch.version if why is not None and why.decision.batch is not None else None
    seen = version is not None and access.can(person, "view", version)
    return {
        "template": "admin/leads/routing_panel.html",
        "lead": lead,
        "why": why,
        "rules": reverse("admin:rules_ruleversion_change", args=(version.pk,)) if version is not None and seen else "",
        "all": f"{reverse('admin:leads_routingdecision_changelist')}?lead__id__exact={lead.pk}",
    }
