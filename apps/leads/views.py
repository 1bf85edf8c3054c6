"""What the internet reaches: web forms, the next questions of a form, and visits. No sign-in; limited by address."""

import json
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from apps.core.actors import system_principal
from apps.core.errors import DomainError
from apps.core.guessing import too_many_guesses
from apps.core.storable import no_number
from apps.leads.domain.machines import machine_reason, refuses_tracking
from apps.leads.domain.profiling import next_questions
from apps.leads.domain.visits import is_agreed, keep_visits
from apps.leads.domain.web_forms import is_allowed, known_visitor, source_of, take_form
from apps.leads.models import IntakeSource

LARGEST = 64_000  # bytes of one form or one delivery of visits


@csrf_exempt  # forms stand on other sites; what they may do is their contract, their origin and their rate
@never_cache
@require_http_methods(["POST", "OPTIONS"])
def form_page(request: HttpRequest, key: str) -> HttpResponse:
    """Take a web form in; answers in JSON, or with a page where a browser sent a plain form."""
    source = _source(key)
    if not source.is_web_form:
        raise Http404("No form is taken at this address.")
    if (early := _early(request, source, "lead-form")) is not None:
        return early
    try:
        answer = take_form(source, _fields(request), by=system_principal())
        taken, sentence, status = answer.is_taken, answer.sentence, 200 if answer.is_taken else 422
    except DomainError as refusal:
        taken, sentence, status = False, refusal.message, 400
    if _wants_page(request):
        headline = "Thank you" if taken else "This could not be taken in"
        context = {"headline": headline, "sentence": sentence, "source": source}
        return _open(request, source, render(request, "leads/form_answer.html", context, status=status))
    return _said(request, source, {"taken": taken, "sentence": sentence}, status=status)


@never_cache
@require_http_methods(["GET", "OPTIONS"])
def questions_page(request: HttpRequest, key: str) -> HttpResponse:
    """Say what a form asks next, of whoever sits at this browser; names of fields alone, no values."""
    source = _source(key)
    if (early := _early(request, source, "lead-questions")) is not None:
        return early
    try:
        lead = known_visitor(request.GET.get("visitor", ""))
    except DomainError as refusal:
        return _said(request, source, {"sentence": refusal.message}, status=400)
    asked = next_questions(source, lead if lead is not None and is_agreed(lead) else None)
    return _said(request, source, {"ask": [{"field": each.field, "label": each.label} for each in asked]})


@csrf_exempt
@never_cache
@require_http_methods(["POST", "OPTIONS"])
def visits_page(request: HttpRequest, key: str) -> HttpResponse:
    """Keep what a visitor did, where they agreed and their browser does not forbid it."""
    source = _source(key)
    if (early := _early(request, source, "lead-visits")) is not None:
        return early
    if refuses_tracking(request.headers):
        return _said(request, source, {"sentence": "Nothing is kept: this browser asks not to be tracked."})
    try:
        given = _json(request)
        events = given.get("events")
        machine = machine_reason(request.headers, events=len(events) if isinstance(events, list) else 0)
        kept = keep_visits(source, given, by=system_principal(), machine=machine)
    except DomainError as refusal:
        return _said(request, source, {"sentence": refusal.message}, status=400)
    return _said(request, source, {"sentence": kept.sentence})


def _source(key: str) -> IntakeSource:
    source = source_of(key)
    if source is None:
        raise Http404("No form is taken at this address.")
    return source


def _early(request: HttpRequest, source: IntakeSource, what: str) -> HttpResponse | None:
    """Return the answer where nothing is looked at: another origin, a preflight, too often, too large."""
    origin = request.headers.get("Origin", "")
    if not is_allowed(source, origin) and (origin or source.origins):
        return JsonResponse({"sentence": "Pages of this site may not send to this form."}, status=403)
    if request.method == "OPTIONS":
        return _open(request, source, HttpResponse(status=204))
    if too_many_guesses(request, f"{what}:{source.pk}", most=source.per_minute):
        sentence = f"At most {source.per_minute} a minute come from one address; try again in a minute."
        return _said(request, source, {"sentence": sentence}, status=429)
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
        return _said(request, source, {"sentence": "That is too large for a form."}, status=413)
    return None


def _fields(request: HttpRequest) -> Mapping[str, Any]:
    if request.content_type not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return _json(request, unreadable="replace")  # shown as �, which the contract refuses: the lead is not lost
    try:
        return {name: request.POST[name] for name in request.POST}
    except (BadRequest, MultiPartParserError, SuspiciousOperation) as error:
        raise _Unreadable("The form cannot be read: it is sent in UTF-8, with the fields people fill in.") from error


def _json(request: HttpRequest, *, unreadable: str = "strict") -> Mapping[str, Any]:
    try:
        given = json.loads(request.body.decode("utf-8", unreadable), parse_constant=no_number)
    except (ValueError, RecursionError) as error:  # no UTF-8, no JSON, a number of thousands of digits; too deep
        raise _Unreadable("What came is no JSON in UTF-8.") from error
    if not isinstance(given, dict):
        raise _Unreadable("What comes is an object: names with their values.")
    return given


class _Unreadable(DomainError):
    """What came cannot be read."""


def _wants_page(request: HttpRequest) -> bool:
    return request.content_type != "application/json" and "text/html" in request.headers.get("Accept", "")


def _said(request: HttpRequest, source: IntakeSource, told: dict[str, Any], *, status: int = 200) -> HttpResponse:
    return _open(request, source, JsonResponse(told, status=status))


def _open(request: HttpRequest, source: IntakeSource, response: HttpResponse) -> HttpResponse:
    """Let the page that asked read the answer."""
    origin = request.headers.get("Origin", "")
    if origin and is_allowed(source, origin):
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        response["Access-Control-Allow-Headers"] = "Content-Type"
        response["Vary"] = "Origin"
    return response
