"""The pages of renewals: decisions, the calendar, the preview of alerts, calendar addresses."""

import calendar as months
import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSingleDateWidget

from apps.core import access, clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button, NoteForm
from apps.technology.admin.cases import CaseAdmin
from apps.technology.admin.forms import CurrencyForm
from apps.technology.domain import renewals
from apps.technology.domain.feeds import (
    RENEWALS,
    calendar_named,
    feed_of,
    newest_feed,
    open_feed,
    refuse_feed,
    refuse_revocation,
    revoke_feed,
    token_of,
)
from apps.technology.domain.notice import counting_calendar, last_day_to_cancel, months_before
from apps.technology.models import CalendarFeed, Contract, RenewalDecision

MOST = 2_000  # contracts drawn on one page


@admin.register(RenewalDecision)
class RenewalDecisionAdmin(CaseAdmin):
    """Renewal decisions."""

    form = CurrencyForm
    list_display = ("contract", "tool", "what", "stage", "requester", "decided_at")
    list_filter = ("state", "verdict", "decided_at")
    search_fields = ("contract__name", "contract__tool__name", "reason")
    autocomplete_fields = ("contract",)
    fieldsets = (
        (None, {"fields": ("contract", "verdict", "reason", ("expected_yearly", "currency"), "stage")}),
        ("What came of it", {"fields": (("requester", "decided_at"), "next_contract")}),
    )
    readonly_fields = ("stage", "requester", "decided_at", "next_contract")
    buttons = (
        Button(
            "submit",
            "Send for approval",
            renewals.submit_decision,
            renewals.refuse_submission,
            form=NoteForm,
            confirm="The decision is fixed as it is saved now until somebody else has approved it.",
            style="primary",
            hide_when_refused=False,
        ),
        *ARCHIVE_BUTTONS,
    )
    empty_state = "No decision yet. Decide about a contract before its last day to cancel: renew, renegotiate or drop."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load contracts and tools with the rows."""
        rows = MopsAdmin.get_queryset(self, request)
        return rows.select_related("contract__tool__owner_person", "contract__tool__owner_team", "requester")

    @display(description="Tool", ordering="contract__tool__name")
    def tool(self, decision: RenewalDecision) -> str:
        """Which tool it is about."""
        return str(decision.contract.tool)

    @display(
        description="Decision",
        ordering="verdict",
        label={"Renew": "success", "Renegotiate": "warning", "Drop": "danger"},
    )
    def what(self, decision: RenewalDecision) -> str:
        """Renew, renegotiate or drop."""
        return decision.get_verdict_display()


@admin.register(CalendarFeed)
class CalendarFeedAdmin(MopsAdmin):
    """Calendar addresses."""

    list_display = ("person", "label", "created_at", "stands")
    list_select_related = ("person",)
    search_fields = ("person__full_name", "label")
    fieldsets = ((None, {"fields": ("person", "label", "created_at", "revoked_at")}),)
    readonly_fields = ("person", "created_at", "revoked_at")
    kits = ()
    buttons = (
        Button(
            "revoke",
            "End this address",
            revoke_feed,
            refuse_revocation,
            confirm="Calendar programs that use it get nothing any more. A new address can be made at any time.",
            style="danger",
        ),
    )
    empty_state = "No calendar address yet. Make yours on the page of renewals."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the people with the rows."""
        return super().get_queryset(request).select_related("person")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """One makes an address for oneself, on the page of renewals."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An address is ended, not edited."""
        return super().has_change_permission(request, obj) and obj is None

    @display(description="State", label={"in use": "success", "ended": "info"})
    def stands(self, feed: CalendarFeed) -> str:
        """In use, or ended."""
        return "ended" if feed.revoked_at else "in use"


class SpanForm(forms.Form):
    """From when to when the ladder is looked at."""

    start = forms.DateField(required=False, label="From", widget=UnfoldAdminSingleDateWidget)
    end = forms.DateField(required=False, label="To", widget=UnfoldAdminSingleDateWidget)


@admin.site.admin_view
def renewals_page(request: HttpRequest) -> HttpResponse:
    """Show the last days to cancel and the ends of terms of a month, what comes next, and the alerts of a span.

    Raises:
        PermissionDenied: the person sees no contracts.
    """
    person: Any = request.user
    if refuse_feed(person):
        raise PermissionDenied
    today = clock.today()
    if request.method == "POST":
        open_feed(by=person, label=request.POST.get("label", "")[:100])
    month = _month(request.GET.get("month", ""), today)
    rows = access.visible(person, Contract).filter(
        archived_at__isnull=True, ends_on__gte=today - dt.timedelta(days=400)
    )
    contracts = list(renewals.undecided(rows).select_related("tool").order_by("ends_on")[:MOST])
    calendar = counting_calendar()
    days = _days(contracts, calendar)
    span = SpanForm(request.GET if "start" in request.GET else None)
    given = span.cleaned_data if span.is_bound and span.is_valid() else {}
    start = given.get("start") or today - dt.timedelta(days=30)
    end = min(given.get("end") or today + dt.timedelta(days=90), start + dt.timedelta(days=1500))
    context = {
        **admin.site.each_context(request),
        "title": "Renewals",
        "month": month,
        "before": months_before(month, 1),
        "after": months_before(month, -1),
        "today": today,
        "weeks": _weeks(month, days),
        "weekdays": months.day_abbr,
        "agenda": [entry for entry in sorted(days, key=lambda each: each["on"]) if entry["on"] >= today][:60],
        "span": SpanForm(initial={"start": start, "end": end}) if not span.is_bound else span,
        "fired": renewals.would_fire(contracts, calendar, start, end)[:300],
        "start": start,
        "end": end,
        "feed": (feed := newest_feed(person)),
        "feed_url": _address(request, feed, RENEWALS),
        "may_decide": access.has_model_permission(person, "add", RenewalDecision),
    }
    return TemplateResponse(request, "admin/technology/renewals.html", context)


def calendar_view(request: HttpRequest, token: str, key: str = RENEWALS) -> HttpResponse:
    """Answer a calendar program with a calendar its person may see; the address is all it shows.

    Raises:
        Http404: there is no such calendar, the address was made up or has ended, or its person may not see it.
    """
    calendar = calendar_named(key)
    feed = feed_of(token, calendar) if calendar is not None else None
    if calendar is None or feed is None:
        raise Http404
    text = calendar.text(feed.person, clock.today(), clock.now(), request.build_absolute_uri)
    headers = {"Content-Disposition": f'inline; filename="{key}.ics"', "Cache-Control": "private, max-age=3600"}
    return HttpResponse(text, content_type="text/calendar; charset=utf-8", headers=headers)


def feed_address(request: HttpRequest, key: str = RENEWALS) -> str:
    """Return one's own newest address for a calendar, "" where there is none in use."""
    person: Any = request.user
    return _address(request, newest_feed(person), key)


def _address(request: HttpRequest, feed: CalendarFeed | None, key: str) -> str:
    return request.build_absolute_uri(reverse("calendar-feed", args=(token_of(feed), key))) if feed else ""


def _month(text: str, today: dt.date) -> dt.date:
    try:
        month = dt.date.fromisoformat(f"{text}-01")
    except ValueError:
        return today.replace(day=1)
    return month if 1990 <= month.year <= 2200 else today.replace(day=1)


def _days(contracts: list[Contract], calendar: Any) -> list[dict[str, Any]]:
    found = []
    for contract in contracts:
        found.append({"on": last_day_to_cancel(contract, calendar), "contract": contract, "kind": "cancel"})
        found.append({"on": contract.ends_on, "contract": contract, "kind": "end"})
    return found


def _weeks(month: dt.date, days: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    by_day: dict[dt.date, list[dict[str, Any]]] = {}
    for entry in days:
        by_day.setdefault(entry["on"], []).append(entry)
    weeks = months.Calendar().monthdatescalendar(month.year, month.month)
    return [
        [{"day": day, "within": day.month == month.month, "entries": by_day.get(day, [])} for day in week]
        for week in weeks
    ]
