"""The pages of an import: upload, matching, preview, progress, report."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import display

from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.buttons import shown_buttons
from apps.core.admin_kit.links import url_of
from apps.core.errors import DomainError, InvalidInput, NotAllowed
from apps.core.exchange.admin import reports, steps
from apps.core.exchange.admin.forms import MOST_MEGABYTES, ReadingForm, UploadForm, column_choices, usable_importers
from apps.core.exchange.domain import rejects, running
from apps.core.exchange.domain.matching import map_columns, refuse_map
from apps.core.exchange.domain.receiving import read_again, receive_file, receive_from_source, sample_of
from apps.core.exchange.enums import BatchState
from apps.core.exchange.models import ImportBatch
from apps.core.exchange.permissions import refuse_import
from apps.core.exchange.registry import get_importer
from apps.core.exchange.writing.tables import MEDIA, write_csv
from apps.core.uploads import upload_refusal
from apps.core.words import NOTHING

COLOURS = {
    "Columns to match": "info",
    "Preview under way": "info",
    "Preview ready": "warning",
    "Running": "info",
    "Done": "success",
    "Failed": "danger",
    "Cancelled": "warning",
}
ROWS_PER_PAGE = 50


@admin.register(ImportBatch)
class ImportBatchAdmin(ReadOnlyAdmin):
    """Imports; adding one is uploading a file."""

    list_display = ("file_name", "what", "shown_state", "result", "requested_by", "created_at")
    list_filter = ("state", ("created_at", admin.DateFieldListFilter))
    search_fields = ("file_name", "requested_by__full_name", "=sha256")
    list_select_related = ("requested_by",)
    export_fields = (
        "created_at",
        "file_name",
        "importer",
        "requested_by",
        "state",
        "row_count",
        "counts",
        "finished_at",
        "sha256",
    )
    empty_state = "Nothing has been imported yet. Bring a file: mops shows what it would change before it does."
    buttons = steps.BUTTONS

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may bring any file."""
        return bool(request.user.is_authenticated and usable_importers(request.user))

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the names with the imports."""
        return super().get_queryset(request).select_related("requested_by")

    @display(description="what")
    def what(self, batch: ImportBatch) -> str:
        """Name what was brought."""
        return get_importer(batch.importer).title

    @display(description="state", label=COLOURS)
    def shown_state(self, batch: ImportBatch) -> str:
        """Colour the state."""
        return BatchState(batch.state).label

    @display(description="result")
    def result(self, batch: ImportBatch) -> str:
        """Tell the result."""
        before = "If imported: " if batch.state == BatchState.PREVIEWED else ""
        return batch.problem or f"{before}{running.said(batch) or NOTHING}"

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses of the progress bar, the report and the template file."""

        def named(route: str, view: Any, name: str) -> URLPattern:
            found: URLPattern = path(route, self.admin_site.admin_view(view), name=f"exchange_importbatch_{name}")
            return found

        return [
            named("template/<str:key>/", self.template_view, "template"),
            named("<int:object_id>/progress/", self.progress_view, "progress"),
            named("<int:object_id>/report/", self.report_view, "report"),
            named("<int:object_id>/refused/", self.refused_view, "refused"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponseBase:
        """Receive a file."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        asked = {"importer": request.GET.get("importer"), "source": request.GET.get("source")}
        form = UploadForm(request.POST or None, request.FILES or None, user=request.user, initial=asked)
        if request.method == "POST":
            if refused := upload_refusal(request):
                form.add_error("file", refused)
            elif form.is_valid() and (batch := self._receive(request, form)) is not None:
                return HttpResponseRedirect(url_of(batch))
        context = {"form": form, "importers": usable_importers(request.user), "most_megabytes": MOST_MEGABYTES}
        return self._page(request, None, steps.UPLOAD, "import_upload.html", "Import a file", context)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the step the import is at."""
        batch = self.get_object(request, object_id)
        if batch is None or not self.has_view_permission(request, batch):
            return super().change_view(request, object_id, form_url, extra_context)
        if request.method == "POST":
            return self._match(request, batch)
        step = steps.step_of(batch)
        if request.GET.get("step") == "match" and refuse_map(request.user, batch) is None:  # type: ignore[arg-type]
            step = steps.MATCH
        return self._matching_page(request, batch) if step == steps.MATCH else self._report_page(request, batch, step)

    def progress_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Draw the bar anew."""
        batch = self._seen(request, object_id)
        return TemplateResponse(request, "admin/mops/import_progress.html", {"progress": steps.progress_of(batch)})

    def report_view(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """Give the report as CSV."""
        batch = self._seen(request, object_id)
        names, rows = reports.lines(batch, request.GET.get("kind", ""), reports.run_of(batch, request))
        name = f"report-{batch.pk}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(write_csv(names, names, rows), content_type=MEDIA["csv"], headers=headers)

    def refused_view(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """Give the refused rows as they came, each with its reason, to be corrected and brought again."""
        batch, person = self._seen(request, object_id), request.user
        try:
            names, rows = rejects.rejects_of(batch, by=person)  # type: ignore[arg-type]
        except NotAllowed as refusal:
            raise PermissionDenied(refusal.message) from refusal
        except DomainError as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(url_of(batch))
        headers = {"Content-Disposition": f'attachment; filename="refused-{batch.pk}.csv"'}
        return StreamingHttpResponse(write_csv(names, names, rows), content_type=MEDIA["csv"], headers=headers)

    def template_view(self, request: HttpRequest, key: str) -> HttpResponseBase:
        """Give an empty file with the right header and an example."""
        try:
            importer = get_importer(key)
        except InvalidInput as refusal:
            raise Http404 from refusal
        if refuse_import(request.user, importer):  # type: ignore[arg-type]
            raise PermissionDenied
        titles = [column.title for column in importer.columns]
        example = [[column.example for column in importer.columns]]
        content = b"".join(write_csv(titles, titles, example if any(example[0]) else []))
        headers = {"Content-Disposition": f'attachment; filename="{key.replace(".", "-")}.csv"'}
        return HttpResponse(content, content_type=MEDIA["csv"], headers=headers)

    def _seen(self, request: HttpRequest, object_id: int) -> ImportBatch:
        batch = self.get_object(request, str(object_id))
        if batch is None:
            raise Http404
        if not self.has_view_permission(request, batch):
            raise PermissionDenied
        return batch  # type: ignore[no-any-return]

    def _receive(self, request: HttpRequest, form: UploadForm) -> ImportBatch | None:
        data, person = form.cleaned_data, request.user
        try:
            if data.get("source"):
                return receive_from_source(data["source"], by=person)  # type: ignore[arg-type]
            return receive_file(data["file"], by=person, importer=data["importer"])  # type: ignore[arg-type]
        except DomainError as refusal:
            form.add_error("source" if data.get("source") else "file", refusal.message)
        return None

    def _match(self, request: HttpRequest, batch: ImportBatch) -> HttpResponseBase:
        """Read the file another way, or keep the matching and make the preview."""
        person: Any = request.user
        again = f"{url_of(batch)}?step=match"
        try:
            if "read-again" in request.POST:
                reading = ReadingForm(request.POST, batch=batch)
                if not reading.is_valid():
                    return self._matching_page(request, batch, reading=reading)
                read_again(batch, by=person, **reading.options())
                return HttpResponseRedirect(again)
            names = [column.name for column in get_importer(batch.importer).columns]
            chosen = {name: request.POST.get(f"column-{name}", "") for name in names}
            batch = map_columns(batch, chosen, by=person)
            running.preview_batch(batch, by=person)
        except DomainError as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(again)
        return HttpResponseRedirect(url_of(batch))

    def _matching_page(
        self, request: HttpRequest, batch: ImportBatch, reading: ReadingForm | None = None
    ) -> HttpResponseBase:
        importer, person = get_importer(batch.importer), request.user
        refused = refuse_map(person, batch)  # type: ignore[arg-type]
        context = {
            "batch": batch,
            "importer": importer,
            "columns": column_choices(importer, batch.headers, batch.mapping, sample_of(batch)),
            "unmatched": [header for header in batch.headers if header not in batch.mapping.values()],
            "reading": reading or ReadingForm(batch=batch),
            "refused": refused,
        }
        return self._page(request, batch, steps.MATCH, "import_match.html", f"Import {batch.file_name}", context)

    def _report_page(self, request: HttpRequest, batch: ImportBatch, step: int) -> HttpResponseBase:
        kind, run = request.GET.get("kind", ""), reports.run_of(batch, request)
        rows = reports.rows(batch, kind, run)
        page = Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("p"))
        state, problem = running.standing(batch)
        person: Any = request.user
        context = {
            "batch": batch,
            "importer": get_importer(batch.importer),
            "progress": steps.progress_of(batch) if running.is_under_way(batch) else None,
            "problem": problem,
            "state": state,
            "state_label": state.label,
            "said": running.said(batch),
            "tabs": reports.tabs(batch, kind, run),
            "run": run,
            "runs": range(1, batch.run_number + 1) if batch.run_number > 1 else (),
            "kind": kind,
            "page": page,
            "rows": reports.shown(batch, page.object_list, request),
            "unit": "No." if running.unit_of(batch.kind) == "Record" else "Line",
            "may_match": refuse_map(person, batch) is None and not running.is_under_way(batch),
            "shown_buttons": shown_buttons(self, request, batch),
            "report_url": reverse("admin:exchange_importbatch_report", args=(batch.pk,)),
            "refused_url": reverse("admin:exchange_importbatch_refused", args=(batch.pk,))
            if rejects.refuse_take_out(person, batch) is None and reports.counts(batch).get("refused")
            else "",
        }
        return self._page(request, batch, step, "import_report.html", f"Import {batch.file_name}", context)

    def _page(
        self, request: HttpRequest, batch: ImportBatch | None, step: int, template: str, title: str, extra: Any
    ) -> HttpResponseBase:
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "original": batch,
            "steps": [
                {"name": name, "now": number == step, "over": number < step} for number, name in enumerate(steps.STEPS)
            ],
            "media": self.media,
            **extra,
        }
        return TemplateResponse(request, f"admin/mops/{template}", context)
