"""The pages of tickets: the queues as one list, and the page an agent works on."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import OuterRef, Subquery
from django.forms import Script
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.timezone import localtime
from django.views.decorators.http import require_POST
from unfold.decorators import display

from apps.core import clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button, NoteForm, ReasonForm
from apps.core.admin_kit.consistency import Check
from apps.core.admin_kit.links import url_of
from apps.core.clocks.models import Clock
from apps.core.errors import DomainError
from apps.core.records import kind_of
from apps.tickets.admin import forms
from apps.tickets.admin.desk import desk_panel
from apps.tickets.admin.filters import WhereFilter, WhoseFilter
from apps.tickets.domain import escalation, follow_ups, linking, moves, problems, procedure, routing
from apps.tickets.domain.conversation import reply
from apps.tickets.domain.intake import open_ticket
from apps.tickets.domain.rows import refuse_active_work, refuse_work
from apps.tickets.domain.search import tickets_with
from apps.tickets.domain.whole import whole
from apps.tickets.enums import Priority, TicketState
from apps.tickets.models import ReplyTemplate, Ticket, TicketType

STATES = {
    TicketState.NEW.label: "info",
    TicketState.WAITING_REQUESTER.label: "warning",
    TicketState.WAITING_VENDOR.label: "warning",
    TicketState.ON_HOLD.label: "warning",
    TicketState.RESOLVED.label: "success",
}
PRIORITIES = {Priority.CRITICAL.label: "danger", Priority.HIGH.label: "warning"}


@admin.register(Ticket)
class TicketAdmin(MopsAdmin):
    """Tickets."""

    list_display = ("number", "subject", "who", "standing", "matters", "queue", "assignee", "due", "last_word_at")
    list_display_links = ("number", "subject")
    list_filter = (WhoseFilter, WhereFilter, "priority", "queue", "assignee", "type", "intake", "resolution")
    search_fields = ("title", "requester__full_name", "requester_email", "requester_name")
    autocomplete_fields = ("type", "requester", "watchers")
    allowed_lookups = ("id", "opened_at", "resolved_at", "reopened", "reassigned")  # figures and trends lead here
    fieldsets = (
        ("Facts", {"fields": ("title", "type", "requester", ("requester_name", "requester_email"), "watchers")}),
    )
    in_palette = True
    taggable = True
    empty_state = "No ticket yet. Colleagues open them on the page “Get help”; write one down for somebody with “Add”."
    buttons = (
        Button("take", "Take it", moves.take, moves.refuse_take, style="primary"),
        Button("go-on", "Go on", moves.go_on, moves.refuse_going_on),
        Button(
            "wait", "Let it wait", moves.wait, moves.refuse_wait, form=forms.WaitForm, confirm="Its time stands still."
        ),
        Button(
            "resolve",
            "Resolve",
            moves.resolve,
            moves.refuse_resolve,
            form=forms.ResolveForm,
            confirm="The requester is told and asked how it was, and may come back for the days its queue allows.",
            style="primary",
        ),
        Button("close", "Close", moves.close, moves.refuse_close, form=NoteForm, confirm="It is closed."),
        Button(
            "reopen",
            "Reopen",
            moves.reopen,
            moves.refuse_reopen,
            form=ReasonForm,
            confirm="It is open again and counts as reopened.",
        ),
        Button("assign", "Hand over", moves.assign, refuse_active_work, form=forms.AssignForm),
        Button(
            "route",
            "Route again",
            routing.route_again,
            routing.refuse_routing,
            form=ReasonForm,
            confirm="The rules in force decide anew about its queue and its person; the reason is shown here.",
        ),
        Button(
            "priority",
            "Change priority",
            moves.set_priority,
            moves.refuse_priority,
            form=forms.PriorityForm,
            confirm="The priority follows from both, and its promised times with it.",
        ),
        Button(
            "escalate",
            "Escalate",
            escalation.escalate_by_hand,
            escalation.refuse_escalation,
            form=forms.EscalateForm,
            confirm="The whole team, its assignee's manager and the owner of its agreement are told at once.",
        ),
        Button(
            "merge",
            "Merge",
            linking.merge_into,
            linking.refuse_merge,
            form=forms.MergeForm,
            confirm="This ticket is closed as a duplicate; both keep their trails, and the other shows both.",
        ),
        Button("link", "Link", linking.link_tickets, refuse_work, form=forms.LinkForm),
        Button("problem", "Name its problem", problems.name_problem, problems.refuse_naming, form=forms.ProblemForm),
        Button("points", "Add to checklist", linking.add_points, refuse_active_work, form=forms.PointsForm),
        Button("time", "Add time", linking.spend_time, refuse_work, form=forms.TimeForm),
        Button(
            "procedure",
            "Start its procedure",
            procedure.start_procedure,
            procedure.refuse_run,
            confirm="A run of the process that its type names starts for this ticket; its steps stand under the run.",
        ),
        Button("follow-up", "Plan a follow-up", follow_ups.plan_follow_up, refuse_work, form=forms.FollowUpForm),
        Button("watch", "Watch", linking.watch, linking.refuse_watch),
        Button("unwatch", "Stop watching", linking.unwatch, linking.refuse_unwatch),
        *ARCHIVE_BUTTONS,
    )
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
        due: models.QuerySet[Any] = found.annotate(
            next_due=Subquery(clocks.filter(due_at__isnull=False).order_by("due_at").values("due_at")[:1])
        )
        match = request.resolver_match
        return whole(due) if match is not None and match.url_name == "tickets_ticket_change" else due

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Read the ticket once for the whole page."""
        if request.method != "GET":
            return super().get_object(request, object_id, from_field)
        known = request.__dict__.setdefault("mops_tickets", {})
        if object_id not in known:
            known[object_id] = super().get_object(request, object_id, from_field)
        return known[object_id]

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """Find by number, by who asked, and by the words of title, answers and notes."""
        return tickets_with(queryset, search_term, internal=True), False

    @display(description="Ticket", ordering="id")
    def number(self, ticket: Ticket) -> str:
        """Its number."""
        return ticket.ref

    @display(description="About", ordering="title")
    def subject(self, ticket: Ticket) -> str:
        """What it is about."""
        return ticket.title

    @display(description="From", ordering="requester__full_name")
    def who(self, ticket: Ticket) -> str:
        """Who asks."""
        return ticket.asked_by

    @display(description="State", ordering="state", label=STATES)
    def standing(self, ticket: Ticket) -> str:
        """Where it stands."""
        return TicketState(ticket.state).label

    @display(description="Priority", ordering="priority", label=PRIORITIES)
    def matters(self, ticket: Ticket) -> str:
        """How much it matters."""
        return Priority(ticket.priority).label

    @display(description="Due", ordering="next_due", label={"late": "danger"})
    def due(self, ticket: Any) -> Any:
        """What is promised next; time that stands still has no end."""
        if ticket.next_due is None:
            return "—"
        words = f"{localtime(ticket.next_due):%-d %b %H:%M}"
        return ("late", f"{words}, late") if ticket.next_due < clock.now() else words

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses of the page's own forms."""
        answer = self.admin_site.admin_view(require_POST(self.reply_view))
        tick = self.admin_site.admin_view(require_POST(self.tick_view))
        return [
            path("<int:object_id>/reply/", answer, name="tickets_ticket_reply"),
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


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 12 else None


def _person(request: HttpRequest) -> Any:
    """Who is signed in: behind the admin nobody is anonymous."""
    return request.user
