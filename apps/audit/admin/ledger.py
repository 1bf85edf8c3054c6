"""The auditor's desk: the ledger in words, filtered by person, kind, door and period."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime
from unfold.contrib.filters.admin import AutocompleteSelectFilter, FieldTextFilter
from unfold.decorators import display
from unfold.views import ChangeList

from apps.accounts.models import User
from apps.audit import standalone
from apps.audit.admin.coverage_page import coverage_page
from apps.audit.admin.desk_kit import timeline_url
from apps.audit.admin.evidence_page import evidence_page
from apps.audit.admin.period_filter import PARAMETERS, PeriodFilter
from apps.audit.admin.proof_page import proof_page
from apps.audit.admin.searching import SearchesLedger
from apps.audit.admin.timeline_page import timeline_page
from apps.audit.domain.news import news_for
from apps.audit.domain.people import about_person
from apps.audit.domain.personal import values_behind
from apps.audit.domain.reading import Things, changed_fields, changes_of, holds_personal, kinds
from apps.audit.domain.verifying import seal_of
from apps.audit.kinds import kind_of
from apps.audit.models import AuditEvent
from apps.audit.related import related_to
from apps.core import access
from apps.core.access_log import note_read
from apps.core.actors import Channel
from apps.core.admin_kit.base import MopsAdmin, ReadOnlyAdmin
from apps.core.admin_kit.counting import CappedPaginator
from apps.core.admin_kit.links import link_to, url_of
from apps.core.words import NOTHING

AROUND = 12


class KindFilter(admin.SimpleListFilter):
    """Entries about one kind of record."""

    title = "kind"
    parameter_name = "table_name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the kinds that have entries."""
        return kinds()

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Narrow the list."""
        return queryset.filter(table_name=self.value()) if self.value() else queryset


class PersonFilter(admin.SimpleListFilter):
    """Entries that a person made or that are about that person; set by links, so only who is chosen is offered."""

    title = "did or had done"
    parameter_name = "person"

    def _person(self, request: HttpRequest) -> User | None:
        reader: Any = request.user
        chosen = str(self.value() or "")
        return access.visible(reader, User).filter(pk=chosen).first() if chosen.isdecimal() else None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the person who is chosen; nobody is a choice too, or the list would not be narrowed at all."""
        chosen = str(self.value() or "")
        return [(chosen, str(self._person(request) or "nobody whom you may see"))] if chosen else []

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Narrow the list."""
        if not self.value():
            return queryset
        person = self._person(request)
        if person is None:
            return queryset.none()
        return queryset.filter(models.Q(actor=person) | about_person(person))


class LedgerPage(ChangeList):  # type: ignore[misc]  # unfold ships no types
    """One page of the ledger, its entries beside the records they are about."""

    def get_results(self, request: HttpRequest) -> None:
        """Fetch the records of the page, one query for each kind."""
        super().get_results(request)
        self.result_list: Any = _beside_their_records(self.result_list, request)


def _beside_their_records(entries: Any, request: HttpRequest) -> list[Any]:
    person: Any = request.user
    listed: list[Any] = list(entries)
    things = Things(listed, person)
    for event in listed:
        event.thing = things.of(event)
    for kind in {type(event.thing) for event in listed if event.thing is not None}:
        note_read(person, kind, "ledger")  # the names of leads, for one, stand beside their entries
    return listed


def _named(event: Any) -> str:
    return str(event.thing) if event.thing is not None else event.object_label or f"#{event.object_id}"


@admin.register(AuditEvent)
class AuditEventAdmin(SearchesLedger, ReadOnlyAdmin):
    """Who changed what, when, through which door and why."""

    list_display = ("when", "who", "did", "kind", "what", "fields_changed", "door", "reason")
    list_filter = (
        ("actor", AutocompleteSelectFilter),
        KindFilter,
        "action",
        "channel",
        ("at", PeriodFilter),
        ("reason", FieldTextFilter),
        PersonFilter,
    )
    allowed_lookups = ("object_id", "txid", "request_id", "job_id", *PARAMETERS)
    search_fields = ("object_label", "actor_label", "reason", "object_id", "request_id")
    search_help_text = "The name of a person or a record; what, why, a record's number or a request's id."
    kits = ("desk",)
    fields = (
        "when",
        "who",
        "did",
        "kind",
        "record",
        "reason",
        "door",
        "job",
        "request_id",
        "on_behalf_of_label",
        "db_role",
    )
    readonly_fields = ("when", "who", "did", "kind", "record", "door", "job")
    list_select_related = ("actor",)
    list_per_page = 30
    paginator = CappedPaginator
    empty_state = "Nothing has been changed yet."

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Bring each entry of a page with its record."""
        return LedgerPage

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of the desk."""
        pages: dict[str, tuple[Callable[..., Any], str]] = {
            "evidence/": (evidence_page, "evidence"),
            "timeline/": (timeline_page, "timeline"),
            "coverage/": (coverage_page, "coverage"),
            "verifier/": (_verifier, "verifier"),
            "<int:object_id>/proof/": (proof_page, "proof"),
        }
        return [
            path(where, self.admin_site.admin_view(partial(page, self)), name=f"audit_auditevent_{name}")
            for where, (page, name) in pages.items()
        ] + super().get_urls()

    @display(description="When", ordering="id")
    def when(self, event: AuditEvent) -> str:
        """The moment, to the second."""
        return date_format(localtime(event.at), "j M Y, H:i:s")

    @display(description="Who", ordering="actor_label")
    def who(self, event: AuditEvent) -> str:
        """Who did it: the name of today, else the label kept with the entry."""
        return str(event.actor) if event.actor is not None else event.actor_label

    @display(description="Did", ordering="action", label={"Created": "success", "Changed": "info", "Deleted": "danger"})
    def did(self, event: AuditEvent) -> str:
        """What was done."""
        return AuditEvent.Action(event.action).label

    @display(description="Kind", ordering="table_name")
    def kind(self, event: AuditEvent) -> str:
        """What people call such records."""
        return kind_of(event.table_name)

    @display(description="What", ordering="object_label")
    def what(self, event: Any) -> str:
        """The record by its name of today, else by what it was called then."""
        return _named(event)

    @display(description="Fields")
    def fields_changed(self, event: AuditEvent) -> str:
        """Which fields changed, a few of them."""
        return changed_fields(event) if event.action == AuditEvent.Action.UPDATE else ""

    @display(description="Through", ordering="channel")
    def door(self, event: AuditEvent) -> str:
        """Through which door it came."""
        return Channel(event.channel).label

    @display(description="Record")
    def record(self, event: Any) -> str:
        """The record itself, with a link where the person may see it, and everything that ever happened to it."""
        return format_html(
            '{} <a class="mops-link" href="{}">everything that happened to it</a>',
            link_to(event.thing) if event.thing is not None else _named(event),
            timeline_url(kind=event.table_name, record=event.object_id),
        )

    @display(description="Job")
    def job(self, event: AuditEvent) -> str:
        """The run of the job that did it."""
        if not event.job_id:
            return NOTHING
        if not event.job_id.isdecimal():
            return event.job_id
        link = reverse("admin:jobs_jobrun_change", args=(event.job_id,))
        return format_html('<a class="mops-link" href="{}">Run {}</a>', link, event.job_id)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Bring the entry with its record."""
        event: Any = super().get_object(request, object_id, from_field)
        if event is not None:
            _beside_their_records([event], request)
        return event

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the change field by field, what else happened in the same transaction, and to the record."""
        event, extra = self.get_object(request, object_id), dict(extra_context or {})
        if event is not None and self.has_view_permission(request, event):
            extra["row_panels"] = [*extra.get("row_panels", []), _entry_panel(request, event)]
        return super().change_view(request, object_id, form_url, extra)


def _verifier(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Hand out the script that verifies evidence without mops."""
    text = Path(standalone.__file__).read_text()
    disposition = 'attachment; filename="verify_evidence.py"'
    return HttpResponse(text, content_type="text/x-python", headers={"Content-Disposition": disposition})


def _entry_panel(request: HttpRequest, event: AuditEvent) -> dict[str, Any]:
    person: Any = request.user
    near = (event.pk - AROUND, event.pk + AROUND)  # one transaction writes its entries close together
    together = AuditEvent.objects.filter(txid=event.txid, id__range=near).exclude(pk=event.pk)
    record = AuditEvent.objects.filter(table_name=event.table_name, object_id=event.object_id)
    reveal = "personal" in request.GET and holds_personal(event) and person.has_perm("audit.view_personalvalue")
    if reveal and request.method == "GET":
        values_behind(event, by=person)  # writes down that it was read
    thing = Things([event], person).of(event)
    return {
        "template": "admin/audit/entry_panel.html",
        "event": event,
        "who": str(event.actor) if event.actor is not None else event.actor_label,
        "kind": kind_of(event.table_name),
        "what": str(thing) if thing is not None else event.object_label or f"#{event.object_id}",
        "url": url_of(thing) if thing is not None else "",
        "changes": changes_of(event, person, reveal=reveal),
        "may_reveal": not reveal and holds_personal(event) and person.has_perm("audit.view_personalvalue"),
        "seal": seal_of(event),
        "related": [(each, url_of(each.thing)) for each in related_to(event, person)],
        "together": _told(together.select_related("actor").order_by("id"), request),
        "record": _told(record.select_related("actor").order_by("-id"), request),
    }


def _told(entries: models.QuerySet[AuditEvent], request: HttpRequest) -> list[dict[str, Any]]:
    return [
        {
            "event": event,
            "kind": kind_of(event.table_name),
            "what": _named(event),
            "who": str(event.actor) if event.actor is not None else event.actor_label,
            "fields": changed_fields(event) if event.action == AuditEvent.Action.UPDATE else "",
        }
        for event in _beside_their_records(entries[:AROUND], request)
    ]


def news_panel(request: HttpRequest) -> dict[str, Any] | None:
    """Return what changed lately of what people look up by name and this person may see; None when that is nothing."""
    person: Any = request.user
    looked_up: list[type[models.Model]] = [
        model for model, page in admin.site._registry.items() if isinstance(page, MopsAdmin) and page.in_palette
    ]
    news = news_for(person, looked_up)
    if not news:
        return None
    return {"news": [{"line": line, "link": url_of(line.thing)} for line in news]}
