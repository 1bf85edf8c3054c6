"""What stands between a session and the pages: its limits, and the second factor that some roles need."""

import logging
from collections.abc import Callable
from typing import Any

import requests
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from apps.accounts.devices import remember_device
from apps.accounts.domain.rights import needs_mfa
from apps.core import clock
from apps.core.admin_kit.shut_doors import signed_out

Handler = Callable[[HttpRequest], HttpResponse]
SINCE, SEEN, ENROLLED = "mops_since", "mops_seen", "mops_enrolled"
NOTE_EVERY_SECONDS = 60
SIGN_ON_PAGES = ("openid_connect_login", "openid_connect_callback")
NO_ANSWER = (
    "Your company's sign-in does not answer. Try again in a few minutes, sign in with a password if you have one here, "
    "or tell your administrator."
)
log = logging.getLogger(__name__)
ENROL = (
    "Your role opens a great deal, so it needs a second factor: set up an authenticator app or a passkey. Until then "
    "nothing else is reachable."
)


class SessionLimitsMiddleware:
    """Ends a session that was idle too long or lasted too long; notes activity at most once a minute."""

    def __init__(self, get_response: Handler) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Let a living session pass."""
        if not request.user.is_authenticated:
            response = self.get_response(request)
            if request.user.is_authenticated:  # has just signed in
                remember_device(request, response, request.user)
            return response
        now = int(clock.now().timestamp())
        if (ended := _why_ended(request, now)) is not None:
            return _end(request, ended)
        if not _is_poll(request) and now - request.session.get(SEEN, 0) >= NOTE_EVERY_SECONDS:
            request.session.setdefault(SINCE, now)
            request.session[SEEN] = now
            UserSession.objects.create_from_request(request)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Say that the company's sign-in does not answer; whoever has a password can use it meanwhile."""
        match = request.resolver_match
        if not isinstance(error, requests.RequestException) or match is None or match.url_name not in SIGN_ON_PAGES:
            return None
        log.warning("single sign-on does not answer: %s", type(error).__name__)
        messages.error(request, NO_ANSWER)
        return HttpResponseRedirect(reverse("account_login"))


def _why_ended(request: HttpRequest, now: int) -> str | None:
    session = request.session
    if now - session.get(SINCE, now) >= settings.SESSION_COOKIE_AGE:
        return f"A session lasts {settings.SESSION_COOKIE_AGE // 3600} hours at most; please sign in again."
    if now - session.get(SEEN, now) >= settings.SESSION_IDLE_SECONDS:
        return f"You were signed out after {settings.SESSION_IDLE_SECONDS // 60} minutes without activity."
    return None


def _end(request: HttpRequest, sentence: str) -> HttpResponse:
    logout(request)
    if _is_poll(request):
        return HttpResponse(sentence, status=401, content_type="text/plain")
    where = request.get_full_path() if request.method == "GET" else reverse("admin:index")
    sign_in = f"{reverse('account_login')}?{urlencode({REDIRECT_FIELD_NAME: where})}"
    if (answer := signed_out(request, f"{sentence} Nothing was saved.", sign_in)) is not None:
        return answer
    messages.info(request, sentence)
    return HttpResponseRedirect(sign_in)


def _is_poll(request: HttpRequest) -> bool:
    """A page that asks for progress by itself is no sign of a person."""
    return request.headers.get("X-Requested-With") == "fetch"


class SecondFactorMiddleware:
    """Lets people whose role needs a second factor reach nothing but its set-up until they have one."""

    def __init__(self, get_response: Handler) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on; `process_view` decides once the address is known."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Lead to the enrolment, with the reason."""
        if not request.user.is_authenticated or not must_enrol(request) or _always_reachable(request):
            return None
        if _is_poll(request):
            return HttpResponse(ENROL, status=403, content_type="text/plain")
        messages.warning(request, ENROL)
        return HttpResponseRedirect(reverse("mfa_index"))


def must_enrol(request: HttpRequest) -> bool:
    """Whether this person needs a second factor and has none; remembered in the session once it is there."""
    if not settings.REQUIRE_MFA or request.session.get(ENROLLED) == request.user.pk:
        return False
    person: Any = request.user
    if not needs_mfa(person):
        return False
    factors = Authenticator.objects.filter(user_id=person.pk).exclude(type=Authenticator.Type.RECOVERY_CODES)
    if factors.exists():
        request.session[ENROLLED] = person.pk
        return False
    return True


def _always_reachable(request: HttpRequest) -> bool:
    name = request.resolver_match.view_name if request.resolver_match else ""
    fixed = {
        "account_logout",
        "account_reauthenticate",
        "account_login",
        "admin:logout",
        "admin:jsi18n",
        "healthz",
        "readyz",
    }
    return name in fixed or name.startswith("mfa_")
