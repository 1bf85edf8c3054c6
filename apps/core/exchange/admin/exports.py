"""Who took which list out, and the files of long ones."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import FileResponse, Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from unfold.decorators import display

from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.links import url_of
from apps.core.admin_kit.names import label_of
from apps.core.errors import DomainError
from apps.core.exchange.domain.exporting import fetch_file, model_of, refuse_download
from apps.core.exchange.enums import RunState
from apps.core.exchange.models import ExportRun
from apps.core.exchange.writing.tables import MEDIA
from apps.core.words import NOTHING

COLOURS = {"Under way": "info", "Done": "success", "Failed": "danger", "Cancelled": "warning"}


@admin.register(ExportRun)
class ExportRunAdmin(ReadOnlyAdmin):
    """Every list that was taken out."""

    list_display = ("started_at", "title", "format", "row_count", "requested_by", "shown_state")
    list_filter = ("title", "format", "state", ("started_at", admin.DateFieldListFilter))
    search_fields = ("title", "requested_by__full_name", "=sha256")
    list_select_related = ("requested_by",)
    fields = (
        "title",
        "requested_by",
        "started_at",
        "file",
        "row_count",
        "readable_size",
        "format",
        "readable_columns",
        "readable_filter",
        "digest",
        "shown_state",
        "problem",
    )
    empty_state = "Nobody has exported anything yet. Every list has “Export” above it."
    export_fields = ("started_at", "title", "format", "row_count", "requested_by", "filters", "sha256", "state")

    @display(description="state", label=COLOURS)
    def shown_state(self, run: ExportRun) -> str:
        """Colour the state."""
        return RunState(run.state).label

    @display(description="size")
    def readable_size(self, run: ExportRun) -> str:
        """Tell the size as people do."""
        return filesizeformat(run.size) if run.size is not None else NOTHING

    @display(description="columns")
    def readable_columns(self, run: ExportRun) -> str:
        """List the columns."""
        try:
            model = model_of(run)
        except DomainError:
            return ", ".join(run.columns)
        return ", ".join(label_of(model, name) for name in run.columns)

    @display(description="SHA-256")
    def digest(self, run: ExportRun) -> str:
        """Show the digest so that it fits."""
        return format_html('<span class="mops-break">{}</span>', run.sha256) if run.sha256 else NOTHING

    @display(description="filter")
    def readable_filter(self, run: ExportRun) -> str:
        """Say what was taken."""
        if run.selection:
            return f"{len(run.selection):,} chosen rows"
        pairs = [pair.partition("=")[::2] for pair in run.filters.split("&") if pair]
        return format_html_join(", ", "{} = {}", pairs) if pairs else "everything on the list"

    @display(description="file")
    def file(self, run: ExportRun) -> str:
        """Offer the file to the person who asked for it; to all others, say why not."""
        if refused := refuse_download(run.viewer, run):  # type: ignore[attr-defined]  # set by get_object
            return refused
        url = reverse("admin:exchange_exportrun_file", args=(run.pk,))
        return format_html('<a class="mops-link" href="{}" download>Download {}</a>', url, run.file_name)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> ExportRun | None:
        """Remember who looks: the file is for one person alone."""
        found: ExportRun | None = super().get_object(request, object_id, from_field)
        if found is not None:
            found.viewer = request.user  # type: ignore[attr-defined]
        return found

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the names with the runs."""
        return super().get_queryset(request).select_related("requested_by")

    def get_urls(self) -> list[URLPattern]:
        """Add the address of the file."""
        view = self.admin_site.admin_view(self.file_view)
        return [path("<int:object_id>/file/", view, name="exchange_exportrun_file"), *super().get_urls()]

    def file_view(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """Give the file."""
        run = self.get_object(request, str(object_id))
        if run is None:
            raise Http404
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        user: Any = request.user
        try:
            file = fetch_file(run, by=user)
        except DomainError as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(url_of(run))
        return FileResponse(file, as_attachment=True, filename=run.file_name, content_type=MEDIA[run.format])
