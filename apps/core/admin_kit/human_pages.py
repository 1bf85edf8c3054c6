"""Pages for people where Django would show its inside: the demo runs with DEBUG, and people look at it.

With DEBUG off Django itself answers with the same pages. `TECHNICAL_PAGES=1` gives developers Django's own.
"""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils.log import log_response
from django.views import defaults


class HumanPagesMiddleware:
    """Answers addresses that lead nowhere, requests that cannot be read and errors with the pages of the product."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer an address that no page has; the middleware around it may still find its slash missing."""
        if self._is_off():
            return self.get_response(request)
        try:
            resolve(request.path_info, getattr(request, "urlconf", None))
        except Resolver404 as error:
            return defaults.page_not_found(request, error)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer what a page raised; an error goes to the logs with its traceback, as it does with DEBUG off."""
        if self._is_off():
            return None
        if isinstance(error, Http404):
            return defaults.page_not_found(request, error)
        if isinstance(error, (BadRequest, SuspiciousOperation)):
            return defaults.bad_request(request, error)
        if isinstance(error, PermissionDenied):
            return None  # Django shows 403.html whatever DEBUG says
        return _broken(request, error)

    def _is_off(self) -> bool:
        return not settings.DEBUG or settings.TECHNICAL_PAGES


def _broken(request: HttpRequest, error: Exception) -> HttpResponse:
    got_request_exception.send(sender=HumanPagesMiddleware, request=request)
    response = defaults.server_error(request)
    log_response("%s: %s", response.reason_phrase, request.path, response=response, request=request, exception=error)
    return response
