"""What surrounds every request: its id and its line in the log, its headers, its author, its time zone."""

import re
import time
import uuid
import zoneinfo
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from apps.core import probes
from apps.core.actors import Actor, Channel, reset_actor, set_actor

Handler = Callable[[HttpRequest], HttpResponse]
REQUEST_ID_LENGTH = 64
PROBES: dict[str, Handler] = {"/healthz": probes.healthz, "/readyz": probes.readyz, "/metrics": probes.metrics}
HARMLESS_ARGUMENTS = {"object_id", "pk", "id", "app_label", "name", "kit", "verb", "item", "content_type_id", "path"}
access_log = structlog.get_logger("mops.access")
# where spaces are the text; elsewhere an indented line break between tags is none
_KEPT = re.compile(rb"(<(?:pre|textarea|script)\b.*?</(?:pre|textarea|script)>)", re.DOTALL)
_INDENT = re.compile(rb">[ \t\r]*\n\s*<")
_LONG = re.compile(r"[^/]{33,}")


class RequestContextMiddleware:
    """Gives every request an id, taken over from a proxy that sent a sane one, answers with it, and logs one line."""

    def __init__(self, get_response: Handler) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Bind the id to the logs of this request, and say in one line what became of it."""
        began = time.perf_counter()
        given = request.headers.get("X-Request-ID", "")
        sane = given.isascii() and given.replace("-", "").isalnum() and len(given) <= REQUEST_ID_LENGTH
        request_id = given if sane else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            _log_access(request, response, time.perf_counter() - began)
        finally:
            structlog.contextvars.clear_contextvars()
        return response


class ProbesMiddleware:
    """Answers probes before sessions, hosts and people are looked at: a load balancer asks by address, without any."""

    def __init__(self, get_response: Handler) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a probe, pass on everything else."""
        return PROBES.get(request.path_info, self.get_response)(request)


class SecurityHeadersMiddleware:
    """The headers Django does not set itself; pages of signed-in people are never stored by a cache."""

    def __init__(self, get_response: Handler) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add the headers."""
        response = self.get_response(request)
        response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        is_open = request.path_info.startswith(settings.FOR_OTHER_SITES)  # loaded by their pages
        response.setdefault("Cross-Origin-Resource-Policy", "cross-origin" if is_open else "same-origin")
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            response["Cache-Control"] = "no-store, private"
        return response


class LeanPagesMiddleware:
    """Sends pages without the indentation of the templates they come from: a list is a quarter smaller."""

    def __init__(self, get_response: Handler) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Leave one line break between two tags, and every text as it is."""
        response = self.get_response(request)
        if not response.streaming and response.get("Content-Type", "").startswith("text/html"):
            parts = _KEPT.split(response.content)
            parts[::2] = [_INDENT.sub(b">\n<", part) for part in parts[::2]]
            response.content = b"".join(parts)
        return response


class ActorMiddleware:
    """Makes the signed-in person the author of every write, and shows times in the person's own zone."""

    def __init__(self, get_response: Handler) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Set the actor for the time of the request."""
        user = request.user if request.user.is_authenticated else None
        request_id = getattr(request, "request_id", "")
        token = set_actor(Actor(user=user, channel=Channel.ADMIN, request_id=request_id))
        if user is not None and user.time_zone:
            timezone.activate(zoneinfo.ZoneInfo(user.time_zone))
        else:
            timezone.deactivate()
        try:
            return self.get_response(request)
        finally:
            reset_actor(token)
            timezone.deactivate()


def _log_access(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    """Log one line per request; what is asked every few seconds or is only a file is left out while it works."""
    quiet = request.path_info in PROBES or request.path_info.startswith(settings.STATIC_URL)
    if quiet and response.status_code < 400:
        return
    user = getattr(request, "_cached_user", None)  # asking request.user itself could cost a query
    match = getattr(request, "resolver_match", None)
    log = access_log.error if response.status_code >= 500 else access_log.info
    log(
        "request",
        method=request.method,
        path=path_of(request),
        view=match.view_name if match is not None else None,
        status=response.status_code,
        ms=round(seconds * 1000, 1),
        user_id=user.pk if user is not None else None,
        address=request.META.get("REMOTE_ADDR", ""),
    )


def path_of(request: HttpRequest) -> str:
    """Return the path to log: without query, and without the parts that may be one-time keys."""
    path = request.path
    match = getattr(request, "resolver_match", None)
    if match is None:
        return _LONG.sub("…", path)[:200]
    for name, value in match.kwargs.items():
        if name not in HARMLESS_ARGUMENTS and value:
            path = path.replace(str(value), f"<{name}>")
    for value in match.args:
        path = path.replace(str(value), "<…>")
    return path[:200]
