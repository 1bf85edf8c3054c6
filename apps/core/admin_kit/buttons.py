"""Declared buttons: each POSTs to its own address and calls one domain operation; refusals become messages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.core.actors import acting_as
from apps.core.admin_kit.doors import not_shown
from apps.core.admin_kit.refusals import sentence_of
from apps.core.admin_kit.step_up import ask_for_recent_authentication
from apps.core.admin_kit.typed import Typed, keep_typed, typed_in
from apps.core.errors import DomainError
from apps.core.reasons import demanded_reason
from apps.core.uploads import upload_refusal

Refusal = Callable[[Any, Any], str | None]


@dataclass(frozen=True)
class Button:
    """One thing a person can do with a row.

    Attributes:
        name: part of the address, for instance "approve".
        label: what the button says, a verb.
        operation: `operation(thing, *, by, **form_data)` from a domain module; may return a sentence for the person.
        refusal: `refusal(user, thing)` returns why the button does not work now, None when it does. The same
            function the operation asks, so that what is shown and what is refused never differ.
        form: what the operation needs to be told, for instance a reason.
        confirm: what will happen, in a sentence, shown before it does; "" acts at once when there is no form.
        style: "primary", "default" or "danger".
        hide_when_refused: leave the button out instead of showing it disabled with its reason.
        explains: `explains(user, thing)` says of a button that is left out when refused whether this row is about to
            need it: then it is shown disabled with its reason.
        on_archived: whether it also works on an archived row; all others refuse there.
        panel: `panel(request, thing)` returns {"template": …, …} drawn above the form: what the deed will touch.
        form_for: `form_for(thing)` returns the form where what is asked depends on the row, in place of `form`.
        back_to: `back_to(thing)` returns the record whose page comes next; the row itself when not given.
        step_up: ask for password, code or passkey again where the sign-in is not recent.
        writes: `writes(thing)` returns the kind of record it writes where that is another one, whose rules on reasons
            count then.
    """

    name: str
    label: str
    operation: Callable[..., Any]
    refusal: Refusal
    form: type[forms.Form] | None = None
    confirm: str = ""
    style: str = "default"
    icon: str = ""
    hide_when_refused: bool = True
    explains: Callable[[Any, Any], bool] | None = None
    on_archived: bool = False
    panel: Callable[[HttpRequest, Any], dict[str, Any]] | None = None
    step_up: bool = False
    writes: Callable[[Any], type[models.Model]] | None = None
    form_for: Callable[[Any], type[forms.Form]] | None = None
    back_to: Callable[[Any], models.Model] | None = None

    def refused(self, user: Any, thing: Any) -> str | None:
        """Return why the button does not work now, None when it does."""
        if not self.on_archived and getattr(thing, "archived_at", None) is not None:
            return self.refusal(user, thing) or f"{thing} is archived and read-only; restore it first."
        return self.refusal(user, thing)

    def tells_why(self, user: Any, thing: Any) -> bool:
        """Whether it is shown though it does not work now, with its reason."""
        return not self.hide_when_refused or (self.explains is not None and self.explains(user, thing))

    @property
    def asks_first(self) -> bool:
        """Whether a page with a form or a sentence comes before the deed."""
        return bool(self.form or self.form_for or self.confirm or self.panel)


@dataclass(frozen=True)
class ShownButton:
    """A button as one person sees it on one row."""

    button: Button
    url: str
    refused: str | None


def shown_buttons(model_admin: Any, request: HttpRequest, thing: models.Model) -> list[ShownButton]:
    """Return the buttons this person gets on this row, the refused ones with their reason or not at all."""
    opts = model_admin.opts
    shown = []
    for button in model_admin.buttons:
        refused = button.refused(request.user, thing)
        if refused and not button.tells_why(request.user, thing):
            continue
        url = reverse(
            f"admin:{opts.app_label}_{opts.model_name}_button", kwargs={"object_id": thing.pk, "name": button.name}
        )
        shown.append(ShownButton(button, url, refused))
    return shown


def run_button(model_admin: Any, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
    """Show what a button will do (GET) or do it (POST), then return to the row.

    Raises:
        Http404: no such button, or the row is not among those this person sees.
        PermissionDenied: the person may not even view rows of this kind.
    """
    button = next((each for each in model_admin.buttons if each.name == name), None)
    if button is None:
        raise Http404
    thing = model_admin.get_object(request, object_id)
    if thing is None:
        return _out_of_sight(model_admin, request, button, object_id)
    if not model_admin.has_view_permission(request, thing):
        raise PermissionDenied
    next_one = button.back_to(thing) if button.back_to else thing
    opts = next_one._meta
    back = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=(next_one.pk,))
    if refused := button.refused(request.user, thing) or upload_refusal(request):
        return keep_typed(model_admin, request, refused, _typed(request, button), back=back)
    if button.step_up:
        ask_for_recent_authentication(request)
    kind = form_of(button, type(thing), button.form_for(thing) if button.form_for else button.form, thing)
    form = kind(request.POST or None, request.FILES or None) if kind else None
    if request.method == "POST" and (form is None or form.is_valid()):
        done, said = carry_out(button, thing, by=request.user, given=form.cleaned_data if form else {})
        if not done:
            return _not_done(model_admin, request, button, object_id, form, said, back)
        messages.success(request, said)
        return HttpResponseRedirect(back)
    return _ask(model_admin, request, button, thing, form, back)


def _typed(request: HttpRequest, button: Button, form: forms.Form | None = None) -> list[Typed]:
    """What a press of the button brought along; a button that asks nothing loses nothing."""
    if not (button.form or button.form_for or form):
        return []
    return typed_in(request, form.fields if form else button.form.base_fields if button.form else None)


def _out_of_sight(model_admin: Any, request: HttpRequest, button: Button, object_id: str) -> HttpResponse:
    """Answer for a row that is not, or no longer, among those this person sees, in one sentence for both."""
    if not (typed := _typed(request, button)):
        raise Http404
    said = not_shown(model_admin.model, object_id)
    return keep_typed(model_admin, request, said, typed, back=reverse("admin:index"), status=404)


def _not_done(
    model_admin: Any,
    request: HttpRequest,
    button: Button,
    object_id: str,
    form: forms.Form | None,
    said: str,
    back: str,
) -> HttpResponse:
    """Say what refused the deed: in its form where the button still works, else beside what was typed."""
    typed = _typed(request, button, form)
    thing = model_admin.get_object(request, object_id)
    if not typed or thing is None or button.refused(request.user, thing):
        return keep_typed(model_admin, request, said, typed, back=back)
    messages.error(request, said)
    return _ask(model_admin, request, button, thing, form, back)


def form_of(
    button: Button, model: type[models.Model], given: type[forms.Form] | None, thing: models.Model | None
) -> type[forms.Form] | None:
    """Return the form of a button; where a rule wants a reason and it asks for none, with a field for it.

    Args:
        button: the button.
        model: of what it works on.
        given: the form it declares.
        thing: the row, None where it is for many rows.
    """
    asks = given is not None and {"reason", "note"} & set(given.base_fields)
    written = button.writes(thing) if button.writes else None
    demanded = demanded_reason(model, "update") or (
        written and (demanded_reason(written, "insert") or demanded_reason(written, "update"))
    )
    if asks or not demanded:
        return given
    field = forms.CharField(label="Reason for this change", widget=forms.Textarea(attrs={"rows": 3}))
    return type("ReasonedForm", (given or forms.Form,), {"change_reason": field})


def carry_out(button: Button, thing: Any, *, by: Any, given: Mapping[str, Any]) -> tuple[bool, str]:
    """Do what a button does with a row, and return whether it was done and what is said of it.

    Args:
        button: the button.
        thing: the row.
        by: who presses it.
        given: what its form asked; `change_reason`, `reason` or `note` is kept with the change.
    """
    data = dict(given)
    why = str(data.pop("change_reason", "") or data.get("reason") or data.get("note") or "")
    try:
        with acting_as(by, reason=why):
            said = button.operation(thing, by=by, **data)
    except DomainError as refusal:
        refusal.settle()
        return False, refusal.message
    except models.ProtectedError:
        return False, "Other records still need this one; archive it instead."
    except Exception as error:
        if (sentence := sentence_of(error)) is None:
            raise
        return False, sentence
    return True, said if isinstance(said, str) else f"{button.label}: done."


def _ask(
    model_admin: Any, request: HttpRequest, button: Button, thing: models.Model, form: forms.Form | None, back: str
) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"{button.label}: {thing}",
        "opts": model_admin.opts,
        "original": thing,
        "button": button,
        "form": form,
        "back": back,
        "panel": button.panel(request, thing) if button.panel else None,
        "media": model_admin.media + (form.media if form else forms.Media()),
    }
    return TemplateResponse(request, "admin/mops/button.html", context)


class ReasonForm(forms.Form):
    """Asks why."""

    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}), help_text="Kept with the change, for whoever asks later."
    )


class NoteForm(forms.Form):
    """Leaves room for a remark."""

    note = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="Optional; kept with the decision."
    )
