"""What surrounds every request: its id, its headers, its author, its time zone."""

import uuid
import zoneinfo
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from apps.core.actors import Actor, Channel, reset_actor, set_actor

Handler = Callable[[HttpRequest], HttpResponse]
REQUEST_ID_LENGTH = 64


class RequestContextMiddleware:
    """Gives every request an id, taken over from a proxy that sent a sane one, and answers with it."""

    def __init__(self, get_response: Handler) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Bind the id to the logs of this request."""
        given = request.headers.get("X-Request-ID", "")
        sane = given.replace("-", "").isalnum() and len(given) <= REQUEST_ID_LENGTH
        request_id = given if sane else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        structlog.contextvars.clear_contextvars()
        return response


class SecurityHeadersMiddleware:
    """The headers Django does not set itself; pages of signed-in people are never stored by a cache."""

    def __init__(self, get_response: Handler) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add the headers."""
        response = self.get_response(request)
        response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            response["Cache-Control"] = "no-store, private"
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
