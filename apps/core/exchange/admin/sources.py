"""The pages of file sources and of their syncs."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Max
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from apps.core.admin_kit.base import MopsAdmin, ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button
from apps.core.admin_kit.links import url_of
from apps.core.exchange.admin import reports
from apps.core.exchange.admin.forms import FileSourceForm, usable_importers
from apps.core.exchange.domain import stewardship, syncing
from apps.core.exchange.domain.places import allowed_folders
from apps.core.exchange.enums import RunState
from apps.core.exchange.models import FileSource, SyncRun
from apps.core.exchange.permissions import refuse_import
from apps.core.exchange.registry import get_importer
from apps.core.jobs.api import JobRun
from apps.core.jobs.domain.watching import clusters_alive
from apps.core.jobs.models import OPEN_STATES
from apps.core.words import NOTHING

COLOURS = {"Under way": "info", "Done": "success", "Failed": "danger", "Cancelled": "warning"}
SHOWN_RUNS, ROWS_PER_PAGE = 10, 50


@admin.register(FileSource)
class FileSourceAdmin(MopsAdmin):
    """Files that are read again and again."""

    form = FileSourceForm
    list_display = ("name", "what", "path", "when", "enabled", "owner", "last_read")
    list_filter = ("enabled", "schedule")
    search_fields = ("name", "path")
    list_select_related = ("owner",)
    fieldsets = (
        (None, {"fields": ("name", "importer", "folder", "path")}),
        ("Schedule", {"fields": ("schedule", "every", "daily_at", "enabled")}),
        ("Runs in the name of", {"fields": ("owner",)}),
    )
    readonly_fields = ("owner",)
    conditional_fields = {
        "every": "schedule == 'minutes' || schedule == 'hours'",
        "daily_at": "schedule == 'daily'",
    }
    in_palette = True
    empty_state = (
        "No file source yet. A source is a file that another system puts into a folder; mops reads it on a schedule "
        "and brings in what differs."
    )
    buttons = (
        Button("sync", "Sync now", syncing.sync_now, syncing.refuse_sync, style="primary"),
        Button(
            "try",
            "Try without writing",
            syncing.try_out,
            syncing.refuse_sync,
            confirm="The file is read and compared; the result tells what a sync would do, and nothing is written.",
        ),
        Button(
            "archive",
            "Archive",
            stewardship.archive_source,
            stewardship.refuse_archive,
            confirm="It is not read any more and leaves the lists; its syncs stay, and it can be restored at any time.",
            icon="archive",
        ),
        Button(
            "restore",
            "Restore",
            stewardship.restore_source,
            stewardship.refuse_restore,
            icon="unarchive",
            on_archived=True,
        ),
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may add a source: it takes something that can be imported and a folder to read."""
        return bool(super().has_add_permission(request) and usable_importers(request.user) and allowed_folders())

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may change the source: who may not import what it brings may not steer it either."""
        if not super().has_change_permission(request, obj):
            return False
        user: Any = request.user
        return obj is None or refuse_import(user, get_importer(obj.importer)) is None

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Tell the form who saves."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.user = request.user
        return form

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load with each source when it was read last."""
        rows: Any = super().get_queryset(request).select_related("owner")
        annotated: models.QuerySet[Any] = rows.annotate(read_at=Max("runs__started_at"))
        return annotated

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the newest syncs above the form."""
        source = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if source is not None and self.has_view_permission(request, source):
            context["row_panels"] = [self._runs_panel(request, source)]
        return super().change_view(request, object_id, form_url, context)

    @display(description="what it holds")
    def what(self, source: FileSource) -> str:
        """Name what the source brings."""
        return get_importer(source.importer).title

    @display(description="when")
    def when(self, source: FileSource) -> str:
        """Tell the schedule."""
        return source.when

    @display(description="last read", ordering="read_at")
    def last_read(self, source: FileSource) -> Any:
        """Tell when it was read last."""
        return source.read_at or NOTHING  # type: ignore[attr-defined]  # annotated

    def _runs_panel(self, request: HttpRequest, source: FileSource) -> dict[str, Any]:
        runs = list(source.runs.select_related("acted_as")[: SHOWN_RUNS + 1])
        job = JobRun.objects.filter(key=syncing.SYNC_JOB, args__source_id=source.pk, state__in=OPEN_STATES).first()
        importable = refuse_import(request.user, get_importer(source.importer)) is None  # type: ignore[arg-type]
        page = reverse("admin:exchange_importbatch_add")
        more = f"{reverse('admin:exchange_syncrun_changelist')}?source__id__exact={source.pk}"
        return {
            "template": "admin/mops/source_runs.html",
            "runs": [{"run": run, "url": url_of(run), "label": RunState(run.state).label} for run in runs[:SHOWN_RUNS]],
            "more": more if len(runs) > SHOWN_RUNS else "",
            "job": job,
            "no_worker": job is not None and job.started_at is None and not clusters_alive(job.queue),
            "job_url": url_of(job) if job else "",
            "import_url": f"{page}?importer={source.importer}&source={source.pk}" if importable else "",
            "mapping": source.mapping,
        }


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    """What each reading of a source brought."""

    list_display = ("started_at", "source", "shown_state", "said", "dry_run", "acted_as")
    list_filter = ("state", "dry_run", "scheduled", ("started_at", admin.DateFieldListFilter))
    allowed_lookups = ("source",)
    search_fields = ("source__name", "said")
    list_select_related = ("source", "acted_as")
    fields = (
        "source",
        "started_at",
        "duration",
        "acted_as",
        "scheduled",
        "dry_run",
        "readable_notes",
        "digest",
    )
    empty_state = "No source has been read yet."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the names with the syncs."""
        return super().get_queryset(request).select_related("source", "acted_as")

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the report above the facts."""
        run = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if run is not None and self.has_view_permission(request, run):
            context["row_panels"] = [self._report_panel(request, run)]
        return super().change_view(request, object_id, form_url, context)

    @display(description="state", label=COLOURS)
    def shown_state(self, run: SyncRun) -> str:
        """Colour the state."""
        return RunState(run.state).label

    @display(description="duration")
    def duration(self, run: SyncRun) -> str:
        """Tell how long it took."""
        return f"{run.duration.total_seconds():,.1f} s" if run.duration is not None else NOTHING

    @display(description="SHA-256")
    def digest(self, run: SyncRun) -> str:
        """Show the digest so that it fits."""
        return format_html('<span class="mops-break">{}</span>', run.sha256) if run.sha256 else NOTHING

    @display(description="how it was read")
    def readable_notes(self, run: SyncRun) -> str:
        """Tell what was noted."""
        return " ".join(run.notes) or NOTHING

    def _report_panel(self, request: HttpRequest, run: SyncRun) -> dict[str, Any]:
        kind = request.GET.get("kind", "")
        page = Paginator(reports.rows(run, kind), ROWS_PER_PAGE).get_page(request.GET.get("p"))
        return {
            "template": "admin/mops/sync_report.html",
            "run": run,
            "tabs": reports.tabs(run, kind),
            "kind": kind,
            "page": page,
            "rows": reports.shown(run, page.object_list, request),
            "unit": "Row",
        }
