"""Looking on as somebody else: swaps the person for the time of one reading request, and undoes whatever it wrote."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse

from apps.accounts.models import User
from apps.core import clock
from apps.rights.domain.view_as import VIEW_AS_SECONDS, look_at, refuse_view_as, stop_view_as

Handler = Callable[[HttpRequest], HttpResponse]
KEY = "mops_view_as"
READING = ("GET", "HEAD", "OPTIONS")


def begin(request: HttpRequest, person: User) -> None:
    """Remember in the session whom its owner looks on as, and since when."""
    request.session[KEY] = {"person": person.pk, "since": int(clock.now().timestamp())}


class ViewAsMiddleware:
    """Answers as the other person sees it; comes after the checks of whoever is really there."""

    def __init__(self, get_response: Handler) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on, as the person looked on as where there is one."""
        kept = request.session.get(KEY) if request.user.is_authenticated else None
        if not kept:
            return self.get_response(request)
        real: Any = request.user
        person = User.objects.get(pk=kept["person"])
        over = int(clock.now().timestamp()) - kept["since"] >= VIEW_AS_SECONDS
        why = f"{VIEW_AS_SECONDS // 60} minutes are over." if over else refuse_view_as(real, person)
        if why is not None or _asks_to_stop(request):
            return self._end(request, real, person, why)
        if not request.path_info.startswith(reverse("admin:index")) or request.path_info == reverse("admin:logout"):
            return self._outside(request)
        if request.method not in READING:
            raise PermissionDenied(f"You look on as {person}: nothing can be changed. Stop looking on first.")
        return self._look(request, real, person)

    def _end(self, request: HttpRequest, real: User, person: User, why: str | None) -> HttpResponse:
        del request.session[KEY]
        stop_view_as(person, by=real, why=why or "Ended by the button.")
        messages.info(request, f"You see mops as yourself again. {why or ''}".strip())
        return HttpResponseRedirect(reverse("admin:index"))

    def _outside(self, request: HttpRequest) -> HttpResponse:
        """Signing out works; nobody's account pages are opened for somebody else, one's own only after stopping."""
        if request.path_info in (reverse("account_logout"), reverse("admin:logout"), "/"):
            return self.get_response(request)
        raise PermissionDenied("You look on as somebody else: only the back office is shown. Stop looking on first.")

    def _look(self, request: HttpRequest, real: User, person: User) -> HttpResponse:
        look_at(person, request.get_full_path(), by=real)
        request.user = person
        try:
            with transaction.atomic():
                response = self.get_response(request)
                transaction.set_rollback(True)  # what a page notes while it is read is not the other person's doing
        finally:
            request.user = real
        if response.streaming or "attachment" in response.get("Content-Disposition", ""):
            response.close()
            raise PermissionDenied(f"You look on as {person}: files are not handed out. Stop looking on first.")
        return _with_banner(request, response, person)


def _asks_to_stop(request: HttpRequest) -> bool:
    return request.method == "POST" and request.path_info == reverse("rights-view-as-stop")


def _with_banner(request: HttpRequest, response: HttpResponse, person: User) -> HttpResponse:
    """Put the banner into every page, whichever template drew it."""
    html = response.get("Content-Type", "").startswith("text/html")
    end = response.content.rfind(b"</body>") if html else -1
    if end >= 0:
        banner = render_to_string("admin/rights/view_as_banner.html", {"person": person}, request).encode()
        response.content = response.content[:end] + banner + response.content[end:]
    return response
