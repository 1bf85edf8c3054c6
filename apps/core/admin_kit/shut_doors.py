"""Pages that do not open to a form that was sent to them: the sentence, and what was typed, so that none is lost.

A right that ended, a record out of sight, a session that ended, a key of the form that is too old: whoever filled the
form in gets their words back. Only a form that came from mops itself is shown again, never one of another site.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import defaults

from apps.core import access
from apps.core.admin_kit.typed import Typed, fields_of, typed_in

FORBIDDEN, NOT_FOUND, SIGNED_OUT = 403, 404, 401
ACCOUNT = "/accounts/"  # passwords and codes: nothing of these pages is shown again


def page_not_opened(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403 with why, and with what was typed into a form that was sent there."""
    return _with_typed(request, "403.html", {"exception": str(exception)}, FORBIDDEN) or defaults.permission_denied(
        request, exception
    )


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404, with what was typed into a form that was sent there."""
    return _with_typed(request, "404.html", {}, NOT_FOUND) or defaults.page_not_found(request, exception)


def key_too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose key is missing, old or somebody else's: nothing was done, what was typed is shown.

    Args:
        request: the one that was refused.
        reason: Django's own words for it, for the log alone.
    """
    again = request.get_full_path() if came_from_here(request) else ""
    return _with_typed(request, "403_csrf.html", {"again": again}, FORBIDDEN) or render(
        request, "403_csrf.html", status=FORBIDDEN
    )


def signed_out(request: HttpRequest, sentence: str, sign_in: str) -> HttpResponse | None:
    """Answer a form that was sent after its session had ended: why, and what was typed; None where nothing was.

    Args:
        request: the one that was refused.
        sentence: why.
        sign_in: where to sign in again.
    """
    return _with_typed(request, "signed_out.html", {"sentence": sentence, "sign_in": sign_in}, SIGNED_OUT)


def came_from_here(request: HttpRequest) -> bool:
    """Whether the browser says that a page of mops sent this; a form on another site is never shown as ours."""
    origin = request.headers.get("Origin", "")
    if origin:
        parts = urlsplit(origin)
        return (parts.scheme, parts.netloc) == (request.scheme, request.get_host())
    came_from = request.headers.get("Referer", "")
    return url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure())


def _with_typed(request: HttpRequest, template: str, context: dict[str, Any], status: int) -> HttpResponse | None:
    typed = _typed(request)
    if not typed:
        return None
    files = [str(each) for each in request.FILES.values()]
    response = render(request, template, {**context, "typed": typed, "files": files}, status=status)
    add_never_cache_headers(response)
    return response


def _typed(request: HttpRequest) -> list[Typed]:
    by_person = request.method == "POST" and request.headers.get("X-Requested-With") != "fetch"
    if not by_person or request.path_info.startswith(ACCOUNT) or not came_from_here(request):
        return []
    return typed_in(request, _fields(request))


def _fields(request: HttpRequest) -> Mapping[str, forms.Field]:
    """The fields of the form that was sent, for their labels; none where the person may not open that kind."""
    match, person = request.resolver_match, getattr(request, "user", None)
    if match is None or person is None or not person.is_authenticated:
        return {}
    for model in admin.site._registry:
        kind = f"{model._meta.app_label}_{model._meta.model_name}"
        if match.url_name in (f"{kind}_add", f"{kind}_change") and access.may_open(person, "view", model):
            return fields_of(model)
    return {}
