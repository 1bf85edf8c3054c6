"""The page with the figures of the desk, each leading to its rows, and the monthly report as a file."""

import datetime as dt
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.timezone import get_current_timezone, localtime

from apps.core import access, clock
from apps.core.access_log import log_access
from apps.core.clocks.domain.wording import in_words
from apps.core.exchange.writing.tables import MEDIA
from apps.core.packs import can_print
from apps.technology.charts import bar_chart
from apps.tickets.domain.analytics import Figures, Period, figures
from apps.tickets.domain.service import TITLES
from apps.tickets.models import Queue, Ticket
from apps.tickets.report_files import UP_TO, document, tables_of, workbook

PERIODS = (30, 90, 365)


@admin.site.admin_view
def figures_page(request: HttpRequest) -> HttpResponse:
    """Show how the desk does, over the last days or in one month."""
    person = _reader(request)
    period, month = _period(request)
    found = figures(person, period, now=clock.now())
    context = {
        **admin.site.each_context(request),
        "title": f"Tickets in {month:%B %Y}" if month else "Tickets in figures",
        "found": found,
        "days": 0 if month else period.days,
        "periods": PERIODS,
        "month": month,
        "months": _months(),
        "queue": period.queue,
        "queues": list(_queues(request)),
        "chosen": urlencode(_chosen(month, period)),
        "opened_chart": bar_chart([(f"{localtime(step):%-d %b}", opened) for step, opened, _ in found.volume][-31:]),
        "solved_chart": bar_chart([(f"{localtime(step):%-d %b}", solved) for step, _, solved in found.volume][-31:]),
        "ages_chart": bar_chart([(label, count) for label, count, *_ in found.ages]),
        "ages": [(label, count, _aged(low, high)) for label, count, low, high in found.ages],
        "times": [("First answer", _times(found.first)), ("Solution", _times(found.solution))],
        "up_to": UP_TO,
        "kept": [(each, TITLES.get(each.metric, each.metric), f"{each.share:.0%}") for each in found.kept],
        "types": [(name, count, _of_type(pk, period)) for name, pk, count in found.types],
        "load": [
            (each, in_words(each.capacity), f"{each.used:.0%}", _of_person(each.person_id)) for each in found.load
        ],
        "opened_url": _between("opened_at", period),
        "solved_url": _between("resolved_at", period),
        "reopened_url": _between("resolved_at", period, reopened__gt=0),
        "reassigned_url": _between("resolved_at", period, reassigned__gt=0),
        "report": tables_of(found)[0][2],
    }
    return TemplateResponse(request, "admin/tickets/figures.html", context)


@admin.site.admin_view
def report_file(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Give the report of a month as a document or a workbook."""
    person = _reader(request)
    if kind not in ("pdf", "xlsx"):
        raise Http404
    period, month = _period(request)
    month = month or localtime(period.since).date().replace(day=1)
    if kind == "pdf" and not can_print():
        messages.error(request, "This installation cannot write PDF files; take the Excel file instead.")
        return HttpResponseRedirect(reverse("tickets-figures"))
    found = figures(person, period, now=clock.now())
    log_access("export", by=person, thing=None, detail={"report": "tickets", "format": kind, "month": f"{month:%Y-%m}"})
    headers = {"Content-Disposition": f'attachment; filename="tickets-{month:%Y-%m}.{kind}"'}
    if kind == "xlsx":
        return StreamingHttpResponse(workbook(found), content_type=MEDIA["xlsx"], headers=headers)
    return HttpResponse(
        document(found, f"Tickets, {_named(period)}", _told(found)), content_type="application/pdf", headers=headers
    )


def _reader(request: HttpRequest) -> Any:
    person: Any = request.user
    if not access.has_model_permission(person, "view", Ticket):
        raise PermissionDenied
    return person


def _queues(request: HttpRequest) -> Any:
    person: Any = request.user
    return access.visible(person, Queue).filter(archived_at__isnull=True).order_by("name")


def _period(request: HttpRequest) -> tuple[Period, dt.date | None]:
    """Read the month, or the number of days, and the queue that were asked for."""
    asked = request.GET.get("queue", "")
    queue = _queues(request).filter(pk=int(asked)).first() if asked.isdecimal() and len(asked) < 12 else None
    zone = get_current_timezone()
    try:
        month = dt.datetime.strptime(request.GET.get("month", ""), "%Y-%m").replace(tzinfo=zone)
        following = (month.replace(day=28) + dt.timedelta(days=4)).replace(day=1)
    except (ValueError, OverflowError):
        days = request.GET.get("days", "")
        now = clock.now()
        length = int(days) if days in {str(each) for each in PERIODS} else PERIODS[0]
        return Period(now - dt.timedelta(days=length), now, queue), None
    return Period(month, following, queue), month.date()


def _months() -> list[dt.date]:
    month, found = clock.today().replace(day=1), []
    for _ in range(13):
        found.append(month)
        month = (month - dt.timedelta(days=1)).replace(day=1)
    return found


def _chosen(month: dt.date | None, period: Period) -> dict[str, Any]:
    chosen: dict[str, Any] = {"month": f"{month:%Y-%m}"} if month else {"days": period.days}
    return chosen | ({"queue": period.queue.pk} if period.queue else {})


def _times(found: Any) -> list[tuple[str, int, list[str]]]:
    return [(each.label, each.count, [in_words(amount) for amount in each.at]) for each in found]


def _list(**where: Any) -> str:
    return f"{reverse('admin:tickets_ticket_changelist')}?{urlencode(where)}"


def _between(name: str, period: Period, **more: Any) -> str:
    queue = {"queue__id__exact": period.queue.pk} if period.queue else {}
    moments = {f"{name}__gte": period.since.isoformat(), f"{name}__lt": period.until.isoformat()}
    return _list(**moments, **queue, **more)


def _aged(low: int, high: int | None) -> str:
    now, day = clock.now(), dt.timedelta(days=1)
    since = {"opened_at__gt": (now - high * day).isoformat()} if high else {}
    return _list(stands="active", opened_at__lte=(now - low * day).isoformat(), **since)


def _of_type(pk: int | None, period: Period) -> str:
    where: dict[str, Any] = {"type__id__exact": pk} if pk else {"type__isnull": "True"}
    return _between("opened_at", period, **where)


def _of_person(pk: int) -> str:
    return _list(stands="active", assignee__id__exact=pk)


def _named(period: Period) -> str:
    last = localtime(period.until - dt.timedelta(seconds=1))
    return f"{localtime(period.since):%-d %B %Y} to {last:%-d %B %Y}"


def _told(found: Figures) -> str:
    of = f" in {found.period.queue}" if found.period.queue else ""
    return (
        f"{found.opened:,} tickets came{of}, {found.solved:,} were solved, {found.active:,} are still to be done. "
        "Times are working time: by the clock of the promise, which leaves pauses out, else in the default calendar. "
        "Imported incidents count for volume, not for times."
    )
