"""Incidents of another service desk: what their file said, and what our clocks make of the same promises."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.decorators import display

from apps.core import access
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.links import link_to
from apps.core.calendars.models import BusinessCalendar
from apps.core.clocks.domain.wording import in_words
from apps.core.errors import DomainError
from apps.core.words import NOTHING
from apps.tickets.domain.comparing import ASSUMED, Comparison, compare
from apps.tickets.enums import TicketState
from apps.tickets.models import ImportedIncident, Ticket
from apps.tickets.targets import Targets, read_targets


class CompareForm(forms.Form):
    """Asks what is assumed of the other desk: the file does not say."""

    targets = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}),
        initial=ASSUMED,
        label="Assumed promises",
        help_text="As in an agreement; the solution by priority counts. A day (d) is eight working hours.",
    )
    calendar = forms.ModelChoiceField(
        BusinessCalendar.objects.none(), label="Counted in", help_text="Whose working time counts."
    )
    pauses = forms.BooleanField(
        required=False,
        initial=True,
        label="Time stands still while it waits",
        help_text="For its caller, a vendor, a problem or evidence.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the calendars, the default one first."""
        super().__init__(*args, **kwargs)
        offered = BusinessCalendar.objects.live()
        self.fields["calendar"].queryset = offered  # type: ignore[attr-defined]  # a ModelChoiceField
        self.fields["calendar"].initial = offered.filter(is_default=True).first()

    def clean_targets(self) -> Targets:
        """Read them."""
        try:
            return read_targets(self.cleaned_data["targets"])
        except DomainError as refusal:
            raise forms.ValidationError(refusal.message) from refusal


@admin.register(ImportedIncident)
class ImportedIncidentAdmin(ReadOnlyAdmin):
    """Incidents that a file brought in."""

    list_display = ("number", "about", "category", "group", "standing", "kept_promise", "reopened", "reassigned")
    list_filter = ("kept_promise", "ticket__state", "ticket__priority", "category", "group")
    search_fields = ("number", "category", "subcategory", "symptom", "group")
    fieldsets = (
        (None, {"fields": (("number", "system"), "about", ("category", "subcategory", "symptom"), "group")}),
        ("What the other desk says", {"fields": (("kept_promise", "reopened", "reassigned"), "zone")}),
    )
    list_before_template = "admin/tickets/incidents_before.html"
    empty_state = "No incident of another service desk yet. Import its change log; each incident becomes a ticket."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the tickets with the rows; only those whose ticket this person may see."""
        person: Any = request.user
        rows: models.QuerySet[Any] = super().get_queryset(request).select_related("ticket")
        return rows.filter(ticket__in=access.visible(person, Ticket))

    def get_urls(self) -> list[URLPattern]:
        """Add the address of the comparison."""
        view = self.admin_site.admin_view(self.compare_view)
        return [path("compare/", view, name="tickets_importedincident_compare"), *super().get_urls()]

    @display(description="Ticket", ordering="ticket")
    def about(self, incident: ImportedIncident) -> str:
        """The ticket made of it."""
        return format_html("{}", link_to(incident.ticket))

    @display(description="State", ordering="ticket__state")
    def standing(self, incident: ImportedIncident) -> str:
        """Where it stands."""
        return TicketState(incident.ticket.state).label

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the rows of the file."""
        incident, extra = self.get_object(request, object_id), dict(extra_context or {})
        if incident is not None and self.has_view_permission(request, incident):
            panel = {"template": "admin/tickets/incident_panel.html", "changes": list(incident.changes.all())}
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        """Put what the other desk says of its promises beside what our clocks make of them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_queryset(request)
        form = CompareForm(request.GET if "targets" in request.GET else None)
        given = _given(form)
        found = compare(rows, **given) if given is not None else None
        context = {
            **self.admin_site.each_context(request),
            "title": "Promises of imported incidents, by both desks",
            "opts": self.opts,
            "form": form,
            "found": found,
            "lines": _lines(found) if found is not None else [],
            "apart": _apart(found) if found is not None else [],
            "assumed": (form.data.get("targets") or ASSUMED).splitlines(),
            "back": reverse("admin:tickets_importedincident_changelist"),
        }
        return TemplateResponse(request, "admin/tickets/compare.html", context)


def _given(form: CompareForm) -> dict[str, Any] | None:
    """Return what is assumed: as asked for, or as the form starts; None where it cannot be read."""
    if not form.is_bound:
        calendar = form.fields["calendar"].initial
        return {"targets": read_targets(ASSUMED), "calendar": calendar, "pauses": True} if calendar else None
    return form.cleaned_data if form.is_valid() else None


def _lines(found: Comparison) -> list[dict[str, Any]]:
    told = []
    for line in found.lines:
        kept, late, theirs, ours = line.table
        best, share = line.best
        told.append(
            {
                "priority": line.priority.label,
                "target": in_words(line.target),
                "count": len(line.measured),
                "kept": kept,
                "late": late,
                "theirs": theirs,
                "ours": ours,
                "agreeing": f"{line.agreeing:.0%}",
                "best": f"{in_words(best)} ({share:.0%})" if best else f"none: all are late ({share:.0%})",
            }
        )
    return told


def _apart(found: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "link": link_to(each.incident.ticket),
            "priority": each.priority.label,
            "theirs": "kept" if each.theirs else "late",
            "ours": "kept" if each.ours else "late",
            "took": in_words(each.took),
            "waited": in_words(each.waited) if each.waited else NOTHING,
            "target": in_words(each.target),
        }
        for each in found.disagreements
    ]
