"""The calendar page of campaigns: a month or a quarter as bars by channel, moved by dragging through the operation."""

import calendar as months
import datetime as dt
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
)
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.campaigns.domain import calendar
from apps.campaigns.domain.feed import KEY, refuse_feed
from apps.campaigns.enums import Channel
from apps.campaigns.models import Blackout, Campaign
from apps.core import access, clock
from apps.core.admin_kit.buttons import Button
from apps.core.admin_kit.days import DayInput
from apps.core.errors import DomainError
from apps.technology.admin.renewals import feed_address
from apps.technology.domain.feeds import open_feed
from apps.technology.domain.notice import counting_calendar, months_before

DAY, LANE, HEAD, LEFT = {"month": 32, "quarter": 11}, 26, 40, 0
ROOM = 4  # days of a quarter that the name of a day takes


class DatesForm(forms.Form):
    """Asks for new dates."""

    starts_on = forms.DateField(label="New start", widget=DayInput())
    ends_on = forms.DateField(
        label="New end",
        required=False,
        widget=DayInput(),
        help_text="Empty: as long as before.",
    )
    reason = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))


RESCHEDULE = Button(
    "reschedule",
    "Move in time",
    calendar.reschedule,
    calendar.refuse_reschedule,
    form=DatesForm,
    confirm="The plan gets these dates; an approval it has is void by that.",
    icon="event",
)


@dataclass(frozen=True)
class Bar:
    """One campaign in the picture: where its bar stands, and whether it can be dragged."""

    campaign: Campaign
    x: int
    y: int
    width: int
    movable: bool


@admin.site.admin_view
def calendar_page(request: HttpRequest) -> HttpResponse:
    """Draw a month or a quarter.

    Raises:
        PermissionDenied: the person sees no campaigns.
    """
    person: Any = request.user
    if not access.has_model_permission(person, "view", Campaign):
        raise PermissionDenied
    today = clock.today()
    span = "quarter" if request.GET.get("span") == "quarter" else "month"
    first = _first(request.GET.get("from", ""), today, span)
    length = 3 if span == "quarter" else 1
    after = months_before(first, -length)
    channel = request.GET.get("channel", "") if request.GET.get("channel") in Channel.values else ""
    last = after - dt.timedelta(days=1)
    found = calendar.in_span(person, first, last, channel=channel)
    free = calendar.kept_free(person, first, last, channel=channel)
    context = {
        **admin.site.each_context(request),
        "title": "Calendar of campaigns",
        "span": span,
        "first": first,
        "last": last,
        "free": free,
        "shades": [_shade(each, first, last, DAY[span]) for each in free],
        "address": feed_address(request, KEY),
        "before": months_before(first, length),
        "after": after,
        "today": today,
        "channel": channel,
        "channels": Channel.choices,
        "campaigns": found[: calendar.MOST],
        "more": len(found) > calendar.MOST,
        **_picture(person, found[: calendar.MOST], first, after, span, today),
    }
    return TemplateResponse(request, "admin/campaigns/calendar.html", context)


def _shade(blackout: Blackout, first: dt.date, last: dt.date, wide: int) -> tuple[Blackout, int, int]:
    """Return where the shade of a blackout stands, and how wide it is."""
    begin, end = max(blackout.first_day, first), min(blackout.last_day, last)
    return blackout, (begin - first).days * wide, ((end - begin).days + 1) * wide


@admin.site.admin_view
def feed_page(request: HttpRequest) -> HttpResponse:
    """Make oneself an address for a calendar program, and show it in the calendar.

    Raises:
        PermissionDenied: the person sees no campaigns.
    """
    person: Any = request.user
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if refuse_feed(person):
        raise PermissionDenied
    open_feed(by=person, label="Campaigns")
    messages.success(request, "Your address stands below the calendar. Whoever has it sees what you see: keep it.")
    return HttpResponseRedirect(reverse("campaign-calendar"))


@admin.site.admin_view
def move_page(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Move a campaign by whole days, as it was dragged; answers with a sentence.

    Raises:
        Http404: the person does not see this campaign.
    """
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    person: Any = request.user
    campaign = access.visible(person, Campaign).filter(pk=campaign_id).first()
    if campaign is None:
        raise Http404
    text = request.POST.get("days", "")
    days = int(text) if text.removeprefix("-").isdecimal() and len(text) < 6 else 0
    try:
        if refused := calendar.refuse_reschedule(person, campaign):
            return JsonResponse({"said": refused}, status=409)
        start = (campaign.starts_on or clock.today()) + dt.timedelta(days=days)
        said = calendar.reschedule(campaign, by=person, starts_on=start, reason="Dragged in the calendar")
        campaign.refresh_from_db()
        said = " ".join((said, *calendar.warnings_of(campaign, counting_calendar(), reader=person)))
    except DomainError as refusal:
        return JsonResponse({"said": refusal.message}, status=refusal.status)
    return JsonResponse({"said": said})


def _first(text: str, today: dt.date, span: str) -> dt.date:
    try:
        day = dt.date.fromisoformat(f"{text}-01")
    except ValueError:
        day = today.replace(day=1)
    if not 1990 <= day.year <= 2200:
        day = today.replace(day=1)
    return day.replace(month=day.month - (day.month - 1) % 3) if span == "quarter" else day


def _picture(
    person: Any, campaigns: list[Campaign], first: dt.date, after: dt.date, span: str, today: dt.date
) -> dict[str, Any]:
    wide, days = DAY[span], (after - first).days
    lanes: list[tuple[str, int]] = []
    bars: list[Bar] = []
    y, named, may_move = HEAD, dict(Channel.choices), calendar.movable(person, campaigns)
    for campaign in campaigns:
        if not lanes or lanes[-1][0] != named[campaign.main_channel]:
            lanes.append((named[campaign.main_channel], y + 17))
            y += LANE
        start, end = campaign.starts_on or first, campaign.ends_on or first
        x = max((start - first).days, 0) * wide
        width = (min((end - first).days + 1, days)) * wide - x
        bars.append(Bar(campaign, x, y, max(width, wide), campaign.pk in may_move))
        y += LANE
    ticks = [first + dt.timedelta(days=number) for number in range(days)]
    shown = ticks if span == "month" else [day for day in ticks if _is_named(day)]
    return {
        "wide": wide,
        "width": wide * days,
        "height": y + 8,
        "lanes": lanes,
        "bars": bars,
        "movable": bool(may_move),
        "ticks": [(day, (day - first).days * wide) for day in shown],
        "now": (today - first).days * wide if first <= today < after else None,
    }


def _is_named(day: dt.date) -> bool:
    """Whether a quarter names a day: every first, and the Mondays whose names do not run into it."""
    is_free = day.day > ROOM and (day + dt.timedelta(days=ROOM)).month == day.month
    return day.day == 1 or (day.weekday() == months.MONDAY and is_free)
