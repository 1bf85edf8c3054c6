"""Two pages for who leads the desk: pauses that look like hiding from the clock, and demand against capacity."""

import datetime as dt
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from apps.core import access, clock
from apps.core.clocks.domain.wording import in_words
from apps.technology.charts import bar_chart
from apps.tickets.domain import demand, pauses
from apps.tickets.enums import Tier
from apps.tickets.models import Ticket

DAYS = (30, 90, 365)


@require_safe
def _pauses_page(request: HttpRequest) -> HttpResponse:
    """Show who lets time stand still, and which pauses are worth a look."""
    person = _reader(request)
    wanted = request.GET.get("days", "")
    days = int(wanted) if wanted in [str(each) for each in DAYS] else DAYS[0]
    now = clock.now()
    rows = pauses.pauses_of(person, since=now - dt.timedelta(days=days), now=now)
    context = {
        **admin.site.each_context(request),
        "title": "Pauses",
        "days": days,
        "choices": DAYS,
        "lines": [(each, in_words(each.worked)) for each in pauses.lines(rows)],
        "odd": [(each, in_words(each.worked)) for each in pauses.odd_ones(rows)],
    }
    return TemplateResponse(request, "admin/tickets/pauses.html", context)


@require_safe
def _demand_page(request: HttpRequest) -> HttpResponse:
    """Show what came, what is expected, and whether the desk can work it off."""
    person = _reader(request)
    found, capacity, people = demand.demand(person, now=clock.now())
    hours = [each.hours for each in found if each.hours is not None]
    context = {
        **admin.site.each_context(request),
        "title": "Demand and capacity",
        "tiers": [
            (each, Tier(each.tier).label, bar_chart([(_ago(place, each.came), n) for place, n in enumerate(each.came)]))
            for each in found
            if any(each.came)
        ],
        "ahead": demand.AHEAD,
        "few": demand.FEWEST,
        "capacity": capacity,
        "people": people,
        "needed": sum(hours) if hours else None,
        "share": f"{sum(hours) / capacity:.0%}" if hours and capacity else "",
        "figures": reverse("tickets-figures"),
    }
    return TemplateResponse(request, "admin/tickets/demand.html", context)


def _ago(place: int, counts: tuple[int, ...]) -> str:
    return f"−{len(counts) - place}" if place % 5 == 0 or place == len(counts) - 1 else ""


def _reader(request: HttpRequest) -> Any:
    person: Any = request.user
    if not access.has_model_permission(person, "view", Ticket):
        raise PermissionDenied
    return person


pauses_page = admin.site.admin_view(_pauses_page)
demand_page = admin.site.admin_view(_demand_page)
