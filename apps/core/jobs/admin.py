"""The pages of background jobs: what ran, what runs, what comes next."""

import datetime as dt
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from unfold.decorators import display

from apps.core import access, clock
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.jobs.domain import runs, scheduling, watching
from apps.core.jobs.models import JobRun, RunState, ScheduleState
from apps.core.jobs.registry import all_jobs, find_job
from apps.core.words import NOTHING

STATES = {
    "Queued": "default",
    "Running": "info",
    "Succeeded": "success",
    "Failed": "danger",
    "Timed out": "danger",
    "Skipped, was running": "default",
    "Dead": "danger",
    "Cancelled": "warning",
}
CHIPS = {
    RunState.SUCCEEDED: "good",
    RunState.CANCELLED: "warn",
    RunState.FAILED: "bad",
    RunState.TIMED_OUT: "bad",
    RunState.DEAD: "bad",
}
LINES_SHOWN = 200


class JobFilter(SimpleListFilter):
    """Runs of one job, by the title people know."""

    title = "job"
    parameter_name = "job"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the jobs of this version."""
        return sorted(((job.key, job.title) for job in all_jobs()), key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Narrow the list."""
        return queryset.filter(key=self.value()) if self.value() else queryset


class OriginFilter(SimpleListFilter):
    """Runs that people asked for, without the many of the clock, or those alone."""

    title = "asked for by"
    parameter_name = "origin"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer both."""
        return [("people", "People"), ("mops", "mops itself")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Narrow the list."""
        if self.value() not in {"people", "mops"}:
            return queryset
        return queryset.filter(requested_by__isnull=self.value() == "mops")


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin):
    """Runs of background jobs; people without the right to see all of them see those they asked for."""

    list_display = ("title_and_number", "state_chip", "who", "queued_at", "took", "tried")
    list_filter = ("state", JobFilter, OriginFilter)
    search_fields = ("=id", "key", "error", "requested_by__full_name", "requested_by__email")
    list_select_related = ("requested_by",)
    list_before_template = "admin/mops/jobs_before.html"
    readonly_fields = (
        *("title_and_number", "who", "arguments", "asked_at", "began_at", "ended_at"),
        *("took", "tried", "limit"),
    )
    empty_state = "Nothing has run in the background yet. Imports, syncs and scheduled work show up here."
    buttons = (
        Button(
            "cancel",
            "Cancel",
            runs.cancel,
            runs.refuse_cancel,
            confirm="A run that waits is dropped at once; one that is running stops at its next safe point, and what "
            "it has finished stays done.",
            style="danger",
            icon="cancel",
        ),
        Button(
            "retry",
            "Run again",
            runs.retry,
            runs.refuse_retry,
            ReasonForm,
            confirm="It is queued once more with the same arguments, for the same person. Jobs are made so that doing "
            "them twice does no harm.",
            style="primary",
            icon="replay",
        ),
    )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let everybody at the list: it shows each person at least their own runs."""
        if obj is None:
            return bool(request.user.is_authenticated)
        return super().has_view_permission(request, obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[tuple[str | None, dict[str, Any]]]:
        """Keep the inner workings for those who look after jobs."""
        facts = ["title_and_number", "who", "arguments", "asked_at", "began_at", "ended_at", "took", "tried"]
        shown: list[tuple[str | None, dict[str, Any]]] = [(None, {"fields": facts})]
        if access.has_model_permission(_person(request), "view", JobRun):
            inner = ["key", "queue", "worker", "limit", "available_at", "heartbeat_at", "idempotency_key"]
            shown.append(("Inner workings", {"fields": inner, "classes": ["collapse"]}))
        return shown

    def get_urls(self) -> list[URLPattern]:
        """Add the piece of page that shows progress."""
        view = self.admin_site.admin_view(self.progress_view)
        own = path("<path:object_id>/progress/", view, name="jobs_jobrun_progress")
        return [own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Say so above the list when no worker is there to run anything."""
        return super().changelist_view(request, {"no_worker": not watching.clusters_alive(), **(extra_context or {})})

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Put progress, result and log above the facts."""
        run = self.get_object(request, unquote(object_id))
        panels: list[dict[str, Any]] = []
        if run is not None:
            address = reverse("admin:jobs_jobrun_progress", args=(run.pk,))
            traceback = run.traceback if access.has_model_permission(_person(request), "view", JobRun) else ""
            panels = [
                {"template": "admin/mops/job_panel.html", "poll": address, "traceback": traceback, **_progress(run)}
            ]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "row_panels": panels})

    def progress_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer with how far the run is, for the page to put in.

        Raises:
            Http404: the run is not among those this person sees.
        """
        run = self.get_object(request, unquote(object_id))
        if run is None or not self.has_view_permission(request, run):
            raise Http404
        return TemplateResponse(request, "admin/mops/job_progress.html", {"panel": _progress(run)})

    @display(description="job", ordering="key")
    def title_and_number(self, run: JobRun) -> str:
        """Show the job by its title."""
        return str(run)

    @display(description="state", label=STATES, ordering="state")
    def state_chip(self, run: JobRun) -> str:
        """Show where it stands."""
        return run.get_state_display()

    @display(description="asked for by", ordering="requested_by")
    def who(self, run: JobRun) -> str:
        """Show for whom it runs."""
        return str(run.requested_by or "mops")

    @display(description="queued")
    def asked_at(self, run: JobRun) -> str:
        """Show when it was asked for, to the second."""
        return _to_the_second(run.queued_at)

    @display(description="began")
    def began_at(self, run: JobRun) -> str:
        """Show when the last attempt began."""
        return _to_the_second(run.started_at)

    @display(description="ended")
    def ended_at(self, run: JobRun) -> str:
        """Show when it was over."""
        return _to_the_second(run.finished_at)

    @display(description="took", empty_value=NOTHING)
    def took(self, run: JobRun) -> str | None:
        """Show how long it took, or has been running."""
        return _in_words(run.duration)

    @display(description="attempts", ordering="attempts")
    def tried(self, run: JobRun) -> str:
        """Show how often it was begun, of how many times."""
        return f"{run.attempts} of {run.attempt_limit}"

    @display(description="time limit")
    def limit(self, run: JobRun) -> str:
        """Show after how long it is stopped."""
        return _in_words(dt.timedelta(seconds=run.timeout)) or ""

    @display(description="arguments", empty_value=NOTHING)
    def arguments(self, run: JobRun) -> str:
        """Show what it was given."""
        return ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in run.args.items())


@admin.register(ScheduleState)
class ScheduleAdmin(ReadOnlyAdmin):
    """What runs when, and who works on it: the table in code, with what became of it."""

    list_display = ("name", "last_due_at", "last_run")
    list_select_related = ("last_run",)
    fields = ("name", "last_due_at", "last_run")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show the whole table of `mops/schedules.py`, also what never ran, and the workers.

        Raises:
            PermissionDenied: the person may not see schedules.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        planned = [
            (row, CHIPS.get(RunState(row.last_run.state), "plain") if row.last_run else "")
            for row in scheduling.planned(clock.now())
        ]
        context = {
            **self.admin_site.each_context(request),
            "title": "Schedules and workers",
            "opts": self.opts,
            "planned": planned,
            "clusters": watching.clusters(),
        }
        return TemplateResponse(request, "admin/mops/schedules.html", context)


def _person(request: HttpRequest) -> Any:
    return request.user


def _progress(run: JobRun) -> dict[str, Any]:
    lines = list(run.lines.order_by("-id")[: LINES_SHOWN + 1])
    job = find_job(run.key)
    return {
        "run": run,
        "chip": CHIPS.get(RunState(run.state), "plain"),
        "waits_until": run.available_at if run.available_at > clock.now() else None,
        "no_worker": not run.is_over and not watching.clusters_alive(run.queue),
        "in_the_way": _in_the_way(run),
        "job_is_gone": job is None,
        "running_for": _in_words(run.duration),
        "counts": [(name.replace("_", " "), number) for name, number in run.counts.items()],
        "lines": lines[:LINES_SHOWN][::-1],
        "more_lines": len(lines) > LINES_SHOWN,
    }


def _in_the_way(run: JobRun) -> JobRun | None:
    """The run that does the same work at the moment, for which this one waits."""
    if run.state != RunState.QUEUED or run.overlap_key is None:
        return None
    return JobRun.objects.filter(state=RunState.RUNNING, overlap_key=run.overlap_key).first()


def _to_the_second(moment: dt.datetime | None) -> str:
    return date_format(localtime(moment), "j M Y, H:i:s") if moment else NOTHING


def _in_words(span: dt.timedelta | None) -> str | None:
    """A duration as people say it: 0.4 s, 12 s, 3 min 5 s, 2 h 10 min."""
    if span is None:
        return None
    seconds = span.total_seconds()
    if seconds < 10:  # below that tenths matter
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
