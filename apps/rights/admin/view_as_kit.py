"""“See mops as …” on a person's page, and the address that ends it."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from apps.accounts.domain.rights import is_administrator
from apps.accounts.models import User
from apps.core.admin_kit.buttons import ReasonForm
from apps.core.admin_kit.kits import Call, Kit, Verb, ask, record_url, register_kit, submit
from apps.core.admin_kit.step_up import ask_for_recent_authentication
from apps.core.errors import NotAllowed
from apps.rights.domain.view_as import refuse_view_as, start_view_as
from apps.rights.middleware import begin

KEY = "view-as"


def start(call: Call) -> HttpResponseBase | str:
    """Ask why, then begin to look on."""
    if refused := refuse_view_as(call.person, call.thing):
        raise NotAllowed(refused)
    ask_for_recent_authentication(call.request)
    form = ReasonForm(call.request.POST if call.request.method == "POST" else None)

    def carry_out(*, reason: str) -> str:
        return start_view_as(call.thing, by=call.person, reason=reason)

    if call.request.method == "POST" and submit(call, form, carry_out) is not None:
        begin(call.request, call.thing)
        return HttpResponseRedirect(reverse("admin:index"))
    lead = "You see what they see, for 15 minutes at most. Nothing can be changed, and every page is written down."
    return ask(call, form, title=f"See mops as {call.thing}", label="Look on", lead=lead)


@admin.site.admin_view
def stop_page(request: HttpRequest) -> HttpResponse:
    """Reached when nobody is looked on as any more; the middleware ends it before."""
    return HttpResponseRedirect(reverse("admin:index"))


class ViewAsKit(Kit):
    """Looking on as a person."""

    key = KEY
    order = 70
    record_verbs: ClassVar[dict[str, Verb]] = {"start": Verb(start, methods=("GET", "POST"))}

    def applies(self, model_admin: Any) -> bool:
        """People carry it."""
        return model_admin.model is User

    def panels(self, model_admin: Any, request: HttpRequest, thing: Any) -> Sequence[dict[str, Any]]:
        """Offer it to administrators, or say why not."""
        by: Any = request.user
        if by.pk == thing.pk or not is_administrator(by):
            return ()
        refused = refuse_view_as(by, thing)
        url = "" if refused else record_url(model_admin, thing, KEY, "start")
        return ({"template": "admin/rights/view_as.html", "url": url, "refused": refused, "person": thing},)


register_kit(ViewAsKit())
