"""What the pages of roles and of records that people ask for have in common."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import display

from apps.accounts.models import User
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button
from apps.core.admin_kit.links import url_of
from apps.core.errors import DomainError
from apps.rights.enums import Asked


class AskedAdmin(ReadOnlyAdmin):
    """Requests that “Add” sends to whoever decides, and that nobody edits.

    Attributes:
        ask: the button whose operation sends a request; its `refused` says who may not ask at all.
        ask_for: the form.
        ask_title: what stands above the form.
    """

    readonly_fields: Any = ("standing",)
    ask: Button
    ask_for: type[forms.Form]
    ask_title = ""

    def ask_form(self, request: HttpRequest, by: User) -> forms.Form:
        """Return the form, filled with what was sent, or with what the address says."""
        return self.ask_for(request.POST or None, initial=request.GET.dict())

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever works with mops may ask."""
        return self.ask.refused(request.user, None) is None

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask, and send it to whoever decides.

        Raises:
            PermissionDenied: the person may not ask.
        """
        person: Any = request.user
        if refused := self.ask.refused(person, None):
            raise PermissionDenied(refused)
        form = self.ask_form(request, person)
        if request.method == "POST" and form.is_valid():
            try:
                row = self.ask.operation(**form.cleaned_data, by=person)
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, f"Asked for: {row}. You are told what is decided.")
                return HttpResponseRedirect(url_of(row))
        context = {
            **self.admin_site.each_context(request),
            "title": self.ask_title,
            "opts": self.opts,
            "button": self.ask,
            "form": form,
            "media": self.media + form.media,
            "back": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
        }
        return TemplateResponse(request, "admin/mops/button.html", context)

    @display(
        description="State",
        ordering="state",
        label={Asked.IN_REVIEW.label: "info", Asked.GRANTED.label: "success", Asked.REFUSED.label: "danger"},
    )
    def standing(self, row: Any) -> str:
        """What became of it."""
        return Asked(row.state).label
