"""Step-up: a sensitive operation wants proof that the person at the keyboard is still the one who signed in."""

import functools
from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from apps.core import clock


def authenticated_recently(request: HttpRequest) -> bool:
    """Whether the person signed in, or confirmed it, within STEP_UP_SECONDS."""
    moments = [record["at"] for record in get_authentication_records(request, request.user)]
    return bool(moments) and clock.now().timestamp() - max(moments) < settings.STEP_UP_SECONDS


def ask_for_recent_authentication(request: HttpRequest) -> None:
    """Return quietly when the person authenticated recently; else interrupt the request and come back to it later.

    Raises:
        ReauthenticationRequired: allauth's middleware asks for password, code or passkey, then resumes the request.
        ImmediateHttpResponse: for people who come through single sign-on: out, and in again.
    """
    if authenticated_recently(request):
        return
    if get_adapter().get_reauthentication_methods(request.user):
        raise ReauthenticationRequired
    where = request.get_full_path() if request.method == "GET" else reverse("admin:index")
    logout(request)
    messages.info(request, "This needs a fresh sign-in; please sign in again.")
    query = urlencode({REDIRECT_FIELD_NAME: where})
    raise ImmediateHttpResponse(HttpResponseRedirect(f"{reverse('account_login')}?{query}"))


def require_recent_authentication(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate a view that exports, grants, reveals or erases: it runs only after a recent authentication."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        ask_for_recent_authentication(request)
        return view(request, *args, **kwargs)

    return guarded
