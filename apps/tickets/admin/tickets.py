"""The pages of tickets: the queues as one list, and the page an agent works on."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Case, OuterRef, Subquery, When
from django.forms import Script
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.views.decorators.http import require_POST
from unfold.decorators import display

from apps.core import clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.consistency import Check
from apps.core.admin_kit.counting import KeysFirstPaginator
from apps.core.admin_kit.links import url_of
from apps.core.clocks.models import Clock
from apps.core.errors import DomainError
from apps.core.records import kind_of
from apps.tickets.admin import forms
from apps.tickets.admin.desk import desk_panel
from apps.tickets.admin.facts import FactsForm
from apps.tickets.admin.filters import WhereFilter, WhoseFilter
from apps.tickets.admin.ticket_buttons import BUTTONS
from apps.tickets.domain import about, linking
from apps.tickets.domain.conversation import reply
from apps.tickets.domain.intake import open_ticket
from apps.tickets.domain.search import tickets_with
from apps.tickets.domain.whole import whole
from apps.tickets.enums import ACTIVE, Priority, TicketState
from apps.tickets.models import ReplyTemplate, Ticket, TicketType

STATES = {
    TicketState.NEW.label: "info",
    TicketState.WAITING_REQUESTER.label: "warning",
    TicketState.WAITING_VENDOR.label: "warning",
    TicketState.ON_HOLD.label: "warning",
    TicketState.RESOLVED.label: "success",
}
CHANGE, NO_BREAK = "tickets_ticket_change", "\N{NO-BREAK SPACE}"
PRIORITIES = {Priority.CRITICAL.label: "danger", Priority.HIGH.label: "warning"}


@admin.register(Ticket)
class TicketAdmin(MopsAdmin):
    """Tickets."""

    list_display = ("subject", "standing", "matters", "with_whom", "due", "word")
    list_display_links = ("subject",)
    list_filter = (WhoseFilter, WhereFilter, "priority", "queue", "assignee", "type", "intake", "resolution")
    search_fields = ("title", "requester__full_name", "requester_email", "requester_name")
    autocomplete_fields = ("type", "requester", "watchers")
    allowed_lookups = ("id", "opened_at", "resolved_at", "reopened", "reassigned")  # figures and trends lead here
    fieldsets = (
        ("Facts", {"fields": ("title", "type", "requester", ("requester_name", "requester_email"), "watchers")}),
    )
    form = FactsForm
    ordering = ("-opened_at", "-pk")  # an import of old incidents does not bury what came today
    paginator = KeysFirstPaginator
    in_palette = True
    taggable = True
    empty_state = "No ticket yet. Colleagues open them on the page “Get help”; write one down for somebody with “Add”."
    buttons = (*BUTTONS, *ARCHIVE_BUTTONS)
    consistency_checks = (
        Check("Nobody has taken it", lambda rows: rows.unassigned()),
        Check("Nobody has answered it", lambda rows: rows.without_a_word()),
        Check("Its assignee is deactivated", lambda rows: rows.active().filter(assignee__is_active=False)),
    )

    class Media:
        js = (Script("tickets/tickets.js", defer=True),)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load people and queue with the rows."""
        clocks = Clock.objects.filter(content_type=kind_of(Ticket), object_id=OuterRef("pk"), closed_at__isnull=True)
        rows: models.QuerySet[Any] = super().get_queryset(request)
        found: models.QuerySet[Any] = rows.select_related("requester", "assignee", "queue__team", "type", "agreement")
        soonest = Subquery(clocks.filter(due_at__isnull=False).order_by("due_at").values("due_at")[:1])
        # only what is still to be done is promised: of the others, which are most, no clock is looked for
        due: models.QuerySet[Any] = found.annotate(next_due=Case(When(state__in=ACTIVE, then=soonest)))
        match = request.resolver_match
        return whole(due, _person(request)) if match is not None and match.url_name == CHANGE else due

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """Find by number, by who asked, and by the words of title, answers and notes."""
        return tickets_with(queryset, search_term, internal=True), False

    @display(description="Ticket", ordering="id")
    def subject(self, ticket: Ticket) -> str:
        """What it is about, its number and who asks."""
        return _two_lines(ticket.title, f"{ticket.ref} · {ticket.asked_by}")

    @display(description="State", ordering="state", label=STATES)
    def standing(self, ticket: Ticket) -> str:
        """Where it stands."""
        return TicketState(ticket.state).label

    @display(description="Priority", ordering="priority", label=PRIORITIES)
    def matters(self, ticket: Ticket) -> str:
        """How much it matters."""
        return Priority(ticket.priority).label

    @display(description="Works on it", ordering="assignee__full_name")
    def with_whom(self, ticket: Ticket) -> str:
        """Who works on it, and in which queue it is."""
        nobody = "Nobody yet" if ticket.is_active else "Nobody"
        return _two_lines(str(ticket.assignee or nobody), str(ticket.queue))

    @display(description="Due", ordering="next_due", label={"late": "danger"})
    def due(self, ticket: Any) -> Any:
        """What is promised next; time that stands still has no end."""
        if ticket.next_due is None:
            return None
        words = f"{localtime(ticket.next_due):%-d %b %H:%M}"
        return ("late", f"{words}, late") if ticket.next_due < clock.now() else words

    @display(description="Last word", ordering="last_word_at")
    def word(self, ticket: Ticket) -> str:
        """When something was said last."""
        moment = localtime(ticket.last_word_at)
        words = f"{moment:%-d %b, %H:%M}" if moment.year == clock.today().year else f"{moment:%-d %b %Y}"
        return words.replace(" ", NO_BREAK)

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses of the page's own forms."""
        answer = self.admin_site.admin_view(require_POST(self.reply_view))
        tick = self.admin_site.admin_view(require_POST(self.tick_view))
        away = self.admin_site.admin_view(require_POST(self.unlink_view))
        return [
            path("<int:object_id>/reply/", answer, name="tickets_ticket_reply"),
            path("<int:object_id>/unlink/<str:kind>/<int:key>/", away, name="tickets_ticket_unlink"),
            path("<int:object_id>/tick/<int:point_id>/", tick, name="tickets_ticket_tick"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Write down a ticket for somebody: choose its type, then answer what it asks."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        kind = forms.types_to_ask().filter(pk=_number(request.GET.get("type", ""))).first()
        version = kind.current_form if kind is not None else None
        form = forms.DeskForm(request.POST or None, version=version)
        if request.method == "POST" and form.is_valid() and (ticket := _open(request, form, kind)) is not None:
            messages.success(request, f"{ticket.ref} waits in {ticket.queue}.")
            return HttpResponseRedirect(url_of(ticket))
        context = {
            **self.admin_site.each_context(request),
            "title": f"New ticket: {kind}" if kind is not None else "New ticket",
            "opts": self.opts,
            "form": form,
            "types": forms.types_to_ask(),
            "chosen": kind,
            "back": reverse("admin:tickets_ticket_changelist"),
            "media": self.media,
        }
        return TemplateResponse(request, "admin/tickets/new_ticket.html", context)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the conversation, the reply box and the facts beside it."""
        ticket, extra = self.get_object(request, object_id), dict(extra_context or {})
        if ticket is not None and request.method == "GET" and self.has_view_permission(request, ticket):
            extra["row_panels"] = [*extra.get("row_panels", []), desk_panel(request, ticket)]
        return super().change_view(request, object_id, form_url, extra)

    def reply_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Take an answer or a note."""
        ticket, person = self._ticket(request, object_id), _person(request)
        template = ReplyTemplate.objects.filter(pk=_number(request.POST.get("template", "")) or 0).first()
        then = request.POST.get("then", "")
        internal = then == "internal"
        try:
            said = reply(
                ticket,
                body=request.POST.get("body", ""),
                by=person,
                internal=internal,
                template=None if internal else template,
                then="" if internal else then,
            )
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, said)
        return HttpResponseRedirect(f"{url_of(ticket)}#answer")

    def tick_view(self, request: HttpRequest, object_id: int, point_id: int) -> HttpResponse:
        """Tick a point of the checklist, or take the tick away."""
        ticket = self._ticket(request, object_id)
        point = ticket.checklist.live().filter(pk=point_id).first()
        if point is None:
            raise Http404
        try:
            linking.tick(ticket, by=_person(request), point=point, done=point.done_at is None)
        except DomainError as refusal:
            messages.error(request, refusal.message)
        return HttpResponseRedirect(f"{url_of(ticket)}#checklist")

    def unlink_view(self, request: HttpRequest, object_id: int, kind: str, key: int) -> HttpResponse:
        """Take back a link to another ticket or to a record."""
        ticket = self._ticket(request, object_id)
        try:
            messages.success(request, about.unlink(ticket, by=_person(request), kind=kind, key=key))
        except DomainError as refusal:
            messages.error(request, refusal.message)
        return HttpResponseRedirect(f"{url_of(ticket)}#tickets-links")

    def _ticket(self, request: HttpRequest, pk: int) -> Ticket:
        ticket: Ticket | None = self.get_queryset(request).filter(pk=pk).first()
        if ticket is None:
            raise Http404
        return ticket


def _open(request: HttpRequest, form: forms.DeskForm, kind: TicketType | None) -> Ticket | None:
    """Open the ticket; None when it was refused, and then the form says why."""
    given = {name: value for name, value in form.cleaned_data.items() if not name.startswith("answer_")}
    try:
        return open_ticket(by=_person(request), kind=kind, answers=form.answers, **given)
    except DomainError as refusal:
        form.blame(refusal.fields or {"": refusal.message})
        return None


def _two_lines(first: str, second: str) -> str:
    return format_html('{}<span class="tickets-second">{}</span>', first, second)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 12 else None


def _person(request: HttpRequest) -> Any:
    """Who is signed in: behind the admin nobody is anonymous."""
    return request.user
