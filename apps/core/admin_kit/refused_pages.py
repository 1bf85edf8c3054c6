"""The last resort against a server error: what no page has caught itself, a rule's or the database's refusal.

Forms, buttons and kits say refusals beside what was typed. A page of its own that loses a race (a deadlock, a failed
serialization) or meets a rule answers with the sentence, and with a status that a program understands.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import defaults

from apps.core.admin_kit.refusals import sentence_of
from apps.core.admin_kit.shut_doors import signed_out
from apps.core.errors import DomainError

CONFLICT = 409
READ = ("GET", "HEAD", "OPTIONS")
NO_DOOR = "Your account does not open the back office. Ask an administrator for a role."


class RefusedPagesMiddleware:
    """Answers refusals that came through every page above them with one page that says them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on what can be read; an address may hold the character that no text of the database may hold."""
        if "\0" in request.path_info or any(
            "\0" in text for each in request.GET.lists() for text in (each[0], *each[1])
        ):
            return defaults.bad_request(request, BadRequest("An address holds a character that no text has."))
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Keep what was typed into a form that is sent after its session, or the way in, has ended.

        Pages are read and sent; the framework would draw one for any other method as if it were read.

        Raises:
            PermissionDenied: the person is signed in, and the back office is not theirs to enter any more.
        """
        if request.method in READ or not request.path_info.startswith(home := reverse("admin:index")):
            return None
        if request.method != "POST":
            return HttpResponseNotAllowed([*READ, "POST"])
        if not request.user.is_authenticated:
            return signed_out(request, "Nothing was saved: nobody is signed in here any more.", home)
        inside = request.resolver_match is not None and request.resolver_match.namespace == admin.site.name
        if inside and not _leads_out(request) and not admin.site.has_permission(request):
            raise PermissionDenied(NO_DOOR)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Say the refusal; what is none stays an error, for the logs."""
        if (sentence := sentence_of(error)) is None:
            return None
        status = CONFLICT
        if isinstance(error, DomainError):
            error.settle()
            status = error.status
        came_from = request.headers.get("Referer", "")
        ours = url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure())
        context = {"sentence": sentence, "code": status, "back": came_from if ours else ""}
        return render(request, "409.html", context, status=status)


def _leads_out(request: HttpRequest) -> bool:
    """Signing in and out is open to everybody."""
    return request.resolver_match is not None and request.resolver_match.url_name in ("login", "logout")
