"""Get help: the catalogue, and one's own tickets, for everybody who is signed in, whatever their role."""

from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.core.attachments.views import as_download
from apps.core.errors import DomainError
from apps.core.markdown import render
from apps.tickets.admin.forms import AskForm
from apps.tickets.domain.catalogue import catalogue_for, promise_of
from apps.tickets.domain.conversation import answer_as_requester, refuse_answer
from apps.tickets.domain.forms import answered
from apps.tickets.domain.intake import open_ticket
from apps.tickets.domain.knowledge import articles_for, suggest
from apps.tickets.domain.queries import own_tickets
from apps.tickets.domain.requester_files import files_of, send_files
from apps.tickets.domain.search import found_among_own
from apps.tickets.domain.surveys import record_score, survey_for
from apps.tickets.domain.trail import trail_of
from apps.tickets.enums import Intake, Tier
from apps.tickets.models import Ticket, TicketType
from apps.tickets.views import ScoreForm

SHOWN = 50


@admin.site.admin_view
def home_page(request: HttpRequest) -> HttpResponse:
    """Show what can be done alone or asked for, and one's own tickets."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    words = request.GET.get("q", "")
    mine = list(found_among_own(_person(request), words)[: SHOWN + 1])
    person = _person(request)
    context = {
        "groups": catalogue_for(person),
        "articles": articles_for(person).order_by("process__title")[:SHOWN],
        "tickets": mine[:SHOWN],
        "more": len(mine) > SHOWN,
        "words": words.strip(),
    }
    return _page(request, "home", "Get help", context)


@admin.site.admin_view
def ask_page(request: HttpRequest, type_id: int | None = None) -> HttpResponse:
    """Ask for something of the catalogue, or for help in one's own words."""
    kind = TicketType.objects.live().filter(pk=type_id, in_catalogue=True).first() if type_id else None
    if type_id and kind is None:
        raise Http404
    version = kind.current_form if kind is not None else None
    form = AskForm(request.POST or None, request.FILES or None, version=version)
    form.offer_files()
    if request.method == "POST" and form.is_valid():
        ticket = _ask(request, form, kind)
        if ticket is not None:
            _keep_files(request, ticket, form.cleaned_data["files"])
            messages.success(request, f"{ticket.ref} is with {ticket.queue}. You read every answer here.")
            return HttpResponseRedirect(reverse("portal-ticket", args=(ticket.pk,)))
    context = {
        "form": form,
        "kind": kind,
        "guide": render(kind.guide) if kind is not None and kind.guide else "",
        "promise": promise_of(kind, _person(request)) if kind is not None else "",
        "articles": suggest(_person(request), "", kind=kind) if kind is not None else [],
        "alone": kind is not None and kind.tier == Tier.SELF_SERVICE,
    }
    return _page(request, "ask", str(kind) if kind is not None else "Ask for help", context)


@admin.site.admin_view
def ticket_page(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Show one's own ticket, and take a word on it."""
    ticket: Ticket | None = own_tickets(_person(request)).filter(pk=ticket_id).first()
    if ticket is None:
        raise Http404
    typed = ""
    survey = survey_for(_person(request), ticket)
    score = ScoreForm(request.POST if "score" in request.POST else None, auto_id="score_%s")
    if request.method == "POST" and "score" in request.POST:
        if survey is not None and score.is_valid():
            try:
                messages.success(request, record_score(survey, person=_person(request), **score.cleaned_data))
            except DomainError as refusal:
                messages.error(request, refusal.message)
            return HttpResponseRedirect(request.path)
    elif request.method == "POST":
        typed = request.POST.get("body", "")
        try:
            said = answer_as_requester(ticket, body=typed, by=_person(request))
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            _keep_files(request, ticket, request.FILES.getlist("files"))
            messages.success(request, said)
            return HttpResponseRedirect(request.path)
    context = {
        "ticket": ticket,
        "files": files_of(_person(request), ticket),
        "trail": trail_of(ticket, public_only=True),
        "answers": answered(ticket.form_version, ticket.answers),
        "refused": refuse_answer(_person(request), ticket),
        "typed": typed,
        "score": score if survey is not None else None,
        "scored": ticket.surveys.filter(round=ticket.reopened, answered_at__isnull=False).first(),
    }
    return _page(request, "ticket", str(ticket), context)


@admin.site.admin_view
def file_page(request: HttpRequest, ticket_id: int, file_id: int) -> HttpResponseBase:
    """Give a requester a file they sent, as a download."""
    ticket: Ticket | None = own_tickets(_person(request)).filter(pk=ticket_id).first()
    file = files_of(_person(request), ticket).filter(pk=file_id).first() if ticket is not None else None
    if file is None:
        raise Http404
    try:
        return as_download(file)
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return HttpResponseRedirect(reverse("portal-ticket", args=(ticket_id,)))


def _keep_files(request: HttpRequest, ticket: Ticket, sent: list[Any]) -> None:
    for sentence in send_files(ticket, sent, by=_person(request)):
        messages.warning(request, sentence)


def _ask(request: HttpRequest, form: AskForm, kind: TicketType | None) -> Ticket | None:
    """Open the ticket; None when it was refused, and then the form says why."""
    try:
        return open_ticket(
            title=form.cleaned_data["title"],
            body=form.cleaned_data["body"],
            by=_person(request),
            kind=kind,
            answers=form.answers,
            channel=Intake.PORTAL,
        )
    except DomainError as refusal:
        form.blame(refusal.fields or {"": refusal.message})
        return None


def _page(request: HttpRequest, name: str, title: str, context: dict[str, Any]) -> HttpResponse:
    whole = {**admin.site.each_context(request), "title": title, **context}
    return TemplateResponse(request, f"admin/tickets/portal_{name}.html", whole)


def _person(request: HttpRequest) -> Any:
    """Who is signed in: behind the admin nobody is anonymous."""
    return request.user
