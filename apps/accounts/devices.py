"""Devices in which a person has signed in before, by a signed cookie: strangers' guesses never lock them out."""

import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from apps.accounts.models import User

COOKIE = "mops_device"
SALT = "mops.accounts.device"
MAX_AGE = 90 * 24 * 3600


def known_device(request: HttpRequest, login: str) -> str | None:
    """Return the device's id when this browser signed in with `login` within ninety days, else None."""
    try:
        email, device = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=MAX_AGE)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return str(device) if login and email == login else None


def remember_device(request: HttpRequest, response: HttpResponse, person: User) -> None:
    """Let this browser count as known to `person`; the cookie proves nothing but that."""
    device = known_device(request, person.email) or secrets.token_hex(16)
    response.set_cookie(
        COOKIE,
        signing.dumps([person.email, device], salt=SALT),
        max_age=MAX_AGE,
        secure=bool(settings.SESSION_COOKIE_SECURE),
        httponly=True,
        samesite="Lax",
        path="/accounts/",
    )
