"""The inbox: what a person was told, unread first, with the way to the record; and how the person wants to be told."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.errors import DomainError
from apps.core.notifications.admin.preferences import PreferencesForm
from apps.core.notifications.domain import preferring, reading
from apps.core.notifications.domain.links import readable
from apps.core.notifications.kinds import label_of
from apps.core.notifications.models import Notification

PER_PAGE = 25
UNREAD, ALL = "unread", "all"


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """A person's own notifications."""

    search_fields = ("title", "body", "subject_label")
    list_filter = ("kind",)
    fields = ("title", "body", "created_at", "read_at")

    def get_urls(self) -> list[URLPattern]:
        """Add marking and preferences."""
        view = self.admin_site.admin_view
        own = [
            path("read-all/", view(self.read_all_view), name="notifications_notification_read_all"),
            path("preferences/", view(self.preferences_view), name="notifications_notification_preferences"),
            path("<int:pk>/read/", view(self.read_view), name="notifications_notification_read"),
            path("<int:pk>/unread/", view(self.unread_view), name="notifications_notification_unread"),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the inbox."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows: Any = self.get_queryset(request)
        number = reading.unread_count(request.user)
        shown = request.GET.get("show") if request.GET.get("show") in (UNREAD, ALL) else ALL
        kinds = sorted({(key, label_of(key)) for key in rows.order_by().values_list("kind", flat=True).distinct()})
        kind, term = request.GET.get("kind", ""), request.GET.get("q", "").strip()
        rows = rows.unread() if shown == UNREAD else rows
        rows = rows.filter(kind=kind) if kind else rows
        rows, _ = self.get_search_results(request, rows, term)
        page = Paginator(rows.select_related("by").unread_first(), PER_PAGE).get_page(request.GET.get("p"))
        asked = {"show": shown, "kind": kind, "q": term}
        context = {
            "page": page,
            "unread": number,
            "shown": shown,
            "kinds": kinds,
            "kind": kind,
            "term": term,
            "query": urlencode({name: value for name, value in asked.items() if value}),
            "is_filtered": bool(kind or term or shown == UNREAD),
        }
        return self._page(request, "Notifications", page.object_list, context | (extra_context or {}))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show one notification, in the same clothes."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return self._page(request, row.title, [row], {"single": True})

    def read_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Mark one as read."""
        return self._mark(request, pk, reading.mark_read)

    def unread_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put one back among the unread."""
        return self._mark(request, pk, reading.mark_unread)

    def read_all_view(self, request: HttpRequest) -> HttpResponse:
        """Mark everything as read."""
        person: Any = request.user
        return self._do(request, lambda: reading.mark_all_read(person, by=person))

    def preferences_view(self, request: HttpRequest) -> HttpResponse:
        """Show and keep how the person wants to be told."""
        person: Any = request.user
        if not self.has_view_permission(request):
            raise PermissionDenied
        refused = reading.refuse_mark_all(person)
        form = PreferencesForm(
            request.POST or None, choices=preferring.choices_of(person), hours=preferring.hours_of(person)
        )
        if request.method == "POST" and form.is_valid():
            try:
                messages.success(request, preferring.prefer(person, by=person, **form.wishes()))
                return HttpResponseRedirect(request.path)
            except DomainError as refusal:
                messages.error(request, refusal.message)
        context = {
            **self.admin_site.each_context(request),
            "title": "How you are told",
            "opts": self.opts,
            "form": form,
            "refused": refused and "Your role reads everything and changes nothing, preferences included.",
            "zone": person.time_zone,
        }
        return TemplateResponse(request, "admin/mops/notification_preferences.html", context)

    def _mark(self, request: HttpRequest, pk: int, operation: Any) -> HttpResponse:
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        return self._do(request, lambda: operation(row, by=request.user))

    def _do(self, request: HttpRequest, operation: Any) -> HttpResponse:
        """Carry out a POST and return to the inbox as it was filtered."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        quiet = request.headers.get("X-Requested-With") == "fetch"
        try:
            said = operation()
        except DomainError as refusal:
            if quiet:
                return HttpResponse(refusal.message, status=refusal.status, content_type="text/plain")
            messages.error(request, refusal.message)
        else:
            if quiet:
                return HttpResponse(status=204)
            messages.success(request, said)
        back = reverse("admin:notifications_notification_changelist")
        query = request.GET.urlencode()
        return HttpResponseRedirect(f"{back}?{query}" if query else back)

    def _page(self, request: HttpRequest, title: str, rows: Any, context: dict[str, Any]) -> HttpResponse:
        given = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "told": readable(request.user, rows),
            "may_mark": reading.refuse_mark_all(request.user) is None,
            **context,
        }
        return TemplateResponse(request, "admin/mops/inbox.html", given)
