"""The pages of problems, and of what comes more often than it used to."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from unfold.decorators import display

from apps.core import access
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.admin_kit.links import link_to, url_of
from apps.core.errors import DomainError
from apps.core.markdown import render
from apps.processes.enums import ProcessFigure
from apps.tickets.admin.forms import AREA, TicketField
from apps.tickets.domain import problems
from apps.tickets.domain.trends import Trend, trends
from apps.tickets.enums import ProblemState
from apps.tickets.models import Problem, Ticket, TicketType

SHOWN = 50
BAR, HEIGHT = 9, 24


class KnownForm(forms.Form):
    """Asks for cause and way around."""

    root_cause = forms.CharField(widget=AREA, help_text="Why it happens.")
    workaround = forms.CharField(widget=AREA, help_text="What helps until it is solved; the desk reads it on tickets.")


class ImproveForm(forms.Form):
    """Asks by which figure of the process it will show that it got better."""

    figure = forms.ChoiceField(choices=ProcessFigure.choices, help_text="Captured before and after the change.")


class OneTicketForm(forms.Form):
    """Asks for a ticket."""

    ticket = TicketField(help_text="Its number, like T-12.")


@admin.register(Problem)
class ProblemAdmin(MopsAdmin):
    """Problems."""

    list_display = ("__str__", "standing", "type", "seen", "owner_person", "opened_at", "solved_at")
    list_filter = ("state", "type", "owner_person")
    search_fields = ("title", "description", "root_cause", "workaround")
    autocomplete_fields = ("type", "owner_person", "owner_team", "backup_person", "backup_team")
    list_before_template = "admin/tickets/problems_before.html"
    fieldsets = (
        (None, {"fields": ("title", "type", "description")}),
        ("What is known", {"fields": ("root_cause", "workaround")}),
        ("Who answers for it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
    )
    in_palette = True
    taggable = True
    empty_state = (
        "No problem yet. “Trends” shows what comes more often than usual; make a problem of what has one cause."
    )
    buttons = (
        Button(
            "known",
            "Call it a known error",
            problems.call_known,
            problems.refuse_known,
            form=KnownForm,
            confirm="Every ticket that belongs to it shows the way around.",
            style="primary",
        ),
        Button("ticket", "Add a ticket", problems.add_ticket, problems.refuse_work, form=OneTicketForm),
        Button(
            "improve",
            "Make an improvement of it",
            problems.improve,
            problems.refuse_improvement,
            form=ImproveForm,
            confirm="An improvement of the process is started, so that the cause goes away for good.",
        ),
        Button(
            "solve",
            "Solve",
            problems.solve,
            problems.refuse_active_work,
            form=ReasonForm,
            confirm="Say how it was solved; it no longer shows on tickets.",
        ),
        Button(
            "reopen", "Reopen", problems.reopen, problems.refuse_reopen, form=ReasonForm, confirm="It is open again."
        ),
        *ARCHIVE_BUTTONS,
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Count the tickets with the rows."""
        rows: models.QuerySet[Any] = super().get_queryset(request).select_related("type", "owner_person", "owner_team")
        counted: models.QuerySet[Any] = rows.annotate(ticket_count=models.Count("tickets", distinct=True))
        return counted

    def get_urls(self) -> list[URLPattern]:
        """Add the address of the trends."""
        return [
            path("trends/", self.admin_site.admin_view(self.trends_view), name="tickets_problem_trends"),
            *super().get_urls(),
        ]

    @display(description="State", ordering="state", label={"Known error": "warning", "Solved": "success"})
    def standing(self, problem: Problem) -> str:
        """Where it stands."""
        return ProblemState(problem.state).label

    @display(description="Tickets", ordering="ticket_count")
    def seen(self, problem: Any) -> int:
        """How many tickets show it."""
        return int(problem.ticket_count)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show what is known and the tickets it is seen in."""
        problem, extra = self.get_object(request, object_id), dict(extra_context or {})
        if problem is not None and request.method == "GET" and self.has_view_permission(request, problem):
            person: Any = request.user
            seen = access.visible(person, Ticket).filter(problems=problem).select_related("requester").order_by("-id")
            panel = {
                "template": "admin/tickets/problem_panel.html",
                "problem": problem,
                "cause": render(problem.root_cause),
                "workaround": render(problem.workaround),
                "solution": render(problem.solution),
                "improvement": link_to(problem.improvement) if problem.improvement_id else "",
                "tickets": [(link_to(each), each) for each in seen[:SHOWN]],
                "more": max(0, seen.count() - SHOWN),
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)

    def trends_view(self, request: HttpRequest) -> HttpResponse:
        """Show what comes more often than it used to, and make a problem of one of them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        person: Any = request.user
        found = trends(reader=person)
        if request.method == "POST":
            chosen = next((each for each in found if each.fingerprint == request.POST.get("trend")), None)
            return self._make(request, chosen)
        context = {
            **self.admin_site.each_context(request),
            "title": "Trends",
            "opts": self.opts,
            "rows": [(each, _bars(each), _list_of(each)) for each in found],
            "may_make": problems.refuse_opening(person) is None,
            "back": reverse("admin:tickets_problem_changelist"),
        }
        return TemplateResponse(request, "admin/tickets/trends.html", context)

    def _make(self, request: HttpRequest, trend: Trend | None) -> HttpResponse:
        person: Any = request.user
        here = HttpResponseRedirect(reverse("admin:tickets_problem_trends"))
        if trend is None:
            messages.error(request, "That trend is over; look again at what grows now.")
            return here
        try:
            problem = problems.open_problem(
                title=f"Many tickets about {trend.key}",
                description=trend.words,
                kind=access.visible(person, TicketType).filter(name=trend.key, archived_at__isnull=True).first()
                if trend.kind == "category"
                else None,
                tickets=list(access.visible(person, Ticket).filter(pk__in=trend.ids)),
                by=person,
            )
        except DomainError as refusal:
            messages.error(request, refusal.message)
            return here
        messages.success(request, f"{problem} was made of {len(trend.ids)} tickets. Give it a better name.")
        return HttpResponseRedirect(url_of(problem))


def _bars(trend: Trend) -> list[tuple[int, int, int]]:
    """Return the weeks as small bars: where each stands, how high it is."""
    top = max(*trend.weeks, 1)
    heights = [max(1, round(HEIGHT * week / top)) if week else 0 for week in trend.weeks]
    return [(number * (BAR + 3), HEIGHT - height, height) for number, height in enumerate(heights)]


def _list_of(trend: Trend) -> str:
    """Return the address of the list with the tickets behind a trend."""
    where = {"id__in": ",".join(map(str, trend.ids[:100]))}
    return f"{reverse('admin:tickets_ticket_changelist')}?{urlencode(where)}"
