"""Business calendars in the back office: the list, and a page with versions, the year, a try-out and publishing."""

import datetime as dt
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Count, OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.decorators import display

from apps.core import clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button
from apps.core.admin_kit.consistency import Check
from apps.core.calendars.domain.definition import read_week, week_in_words
from apps.core.calendars.domain.explaining import Tried, coming_closed_days, try_out, year_picture
from apps.core.calendars.domain.public_holidays import public_holidays_of_years
from apps.core.calendars.domain.publishing import make_default, publish_version, refuse_make_default, refuse_publish
from apps.core.calendars.domain.queries import schedule_for, version_in_force, without_newer_holidays
from apps.core.calendars.domain.schedule import CalendarError, Timeline
from apps.core.calendars.forms import NewVersionForm, TryOutForm
from apps.core.calendars.models import BusinessCalendar, CalendarVersion
from apps.core.errors import DomainError

IN_FORCE = ("number", "zone", "weekly_hours", "country", "subdivision")


@admin.register(BusinessCalendar)
class BusinessCalendarAdmin(MopsAdmin):
    """Who works when."""

    list_display = ("name", "week", "zone", "holidays", "versions_published", "is_default")
    search_fields = ("name", "slug", "description")
    list_filter = ("is_default",)
    prepopulated_fields: ClassVar[dict[str, tuple[str, ...]]] = {"slug": ("name",)}
    fields = ("name", "slug", "description")
    in_palette = True
    empty_state = "A business calendar says when time counts: hours, holidays and half days. Add the first one."
    change_form_outer_after_template = "admin/calendars/calendar_page.html"
    buttons = (
        Button("make-default", "Make default", make_default, refuse_make_default, icon="star"),
        *ARCHIVE_BUTTONS,
    )
    consistency_checks = (Check("Holidays announced since the last version was published", without_newer_holidays),)

    class Media:
        css: ClassVar[dict[str, tuple[str, ...]]] = {"all": ("calendars/calendars.css",)}

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Bring each calendar with its version in force."""
        in_force = CalendarVersion.objects.filter(calendar=OuterRef("pk"), effective_from__lte=clock.today()).order_by(
            "-number"
        )
        columns = {f"now_{name}": Subquery(in_force.values(name)[:1]) for name in IN_FORCE}
        rows: models.QuerySet[Any] = super().get_queryset(request).annotate(published=Count("versions"), **columns)
        return rows

    @display(description="Hours")  # type: ignore[untyped-decorator]  # unfold ships no types
    def week(self, calendar: Any) -> str:
        """The week in force."""
        return week_in_words(read_week(calendar.now_weekly_hours)) if calendar.now_weekly_hours else "Not published yet"

    @display(description="Time zone", ordering="now_zone")  # type: ignore[untyped-decorator]  # unfold ships no types
    def zone(self, calendar: Any) -> str:
        """The zone in force."""
        return calendar.now_zone or ""

    @display(description="Holidays of", ordering="now_country")  # type: ignore[untyped-decorator]  # unfold ships no types
    def holidays(self, calendar: Any) -> str:
        """The country in force, with its subdivision."""
        return "-".join(filter(None, (calendar.now_country, calendar.now_subdivision)))

    @display(description="Versions", ordering="published")  # type: ignore[untyped-decorator]  # unfold ships no types
    def versions_published(self, calendar: Any) -> int:
        """How many versions there are."""
        return int(calendar.published)

    def get_urls(self) -> list[URLPattern]:
        """Add the page on which a version is published."""
        view = self.admin_site.admin_view(self.new_version_view)
        address = path("<path:object_id>/new-version/", view, name="calendars_businesscalendar_new_version")
        return [address, *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the calendar with its versions, its year and the try-out."""
        calendar = self.get_object(request, object_id)
        shown = _calendar_page(request, calendar) if calendar is not None and request.method == "GET" else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def new_version_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for a new version, show the holidays it would have, and publish it on the word."""
        calendar, person = self.get_object(request, object_id), _person(request)
        if calendar is None:
            raise Http404
        if refuse_publish(person, calendar):
            raise PermissionDenied
        last = calendar.versions.order_by("-number").first()
        form = NewVersionForm(request.POST or None, last=last, now=clock.now(), zone=settings.TIME_ZONE)
        if request.method == "POST" and form.is_valid() and "publish" in request.POST:
            try:
                version = publish_version(calendar, by=person, **form.cleaned_data)
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(
                    request, f"Version {version.number} takes effect on {version.effective_from:%-d %B %Y}."
                )
                return HttpResponseRedirect(_address(calendar))
        context = {
            **self.admin_site.each_context(request),
            "title": f"New version of {calendar}",
            "opts": self.opts,
            "original": calendar,
            "form": form,
            "coming": _coming(form),
            "back": _address(calendar),
            "media": self.media,
        }
        return TemplateResponse(request, "admin/calendars/new_version.html", context)


def _calendar_page(request: HttpRequest, calendar: BusinessCalendar) -> dict[str, Any]:
    may_publish = refuse_publish(_person(request), calendar) is None
    context = {"may_publish": may_publish, "versions": _version_lines(calendar), "today": clock.today()}
    try:
        timeline = schedule_for(calendar)
    except CalendarError as refusal:
        return {**context, "no_hours": refusal.message}
    today = clock.today(timeline.zone_at(clock.now().replace(tzinfo=None)))
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isdecimal() and 2000 <= int(asked) <= 2099 else today.year
    form, tried = _tried(request, timeline)
    return {**context, "picture": year_picture(timeline, year), "try_form": form, "tried": tried, "today": today}


def _version_lines(calendar: BusinessCalendar) -> list[dict[str, Any]]:
    now = version_in_force(calendar, clock.today())
    return [
        {"version": each, "week": week_in_words(read_week(each.weekly_hours)), "is_now": each == now}
        for each in calendar.versions.select_related("author").order_by("-number")
    ]


def _tried(request: HttpRequest, timeline: Timeline) -> tuple[TryOutForm, Tried | None]:
    zone = timeline.zone_at(clock.now().replace(tzinfo=None))
    if "start" not in request.GET:
        return TryOutForm(initial={"start": clock.now().astimezone(zone).replace(tzinfo=None)}), None
    form = TryOutForm(request.GET)
    with timezone.override(zone):  # what is typed stands on the calendar's wall clock, not the reader's
        if not form.is_valid():
            return form, None
    try:
        amount = dt.timedelta(hours=float(form.cleaned_data["hours"]))
        return form, try_out(timeline, form.cleaned_data["start"], amount)
    except CalendarError as refusal:
        form.add_error(None, refusal.message)
        return form, None


def _coming(form: NewVersionForm) -> list[Any]:
    start = form.cleaned_data.get("effective_from") if form.is_bound and form.is_valid() else None
    if start is None or form.definition is None:
        return []
    said = form.definition
    years = range(start.year, start.year + 2)
    written = public_holidays_of_years(said.country, said.subdivision, years[0], years[-1])
    return list(coming_closed_days(said.schedule(said.book(written, years)), start))


def _person(request: HttpRequest) -> Any:
    """Who is signed in: behind the admin nobody is anonymous."""
    return request.user


def _address(calendar: BusinessCalendar) -> str:
    return reverse("admin:calendars_businesscalendar_change", args=(calendar.pk,))
