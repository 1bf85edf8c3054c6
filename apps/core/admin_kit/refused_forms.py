"""A form whose save the database or a rule refuses comes back with the sentence and all that was typed."""

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from apps.core import access
from apps.core.actors import acting_as
from apps.core.admin_kit.given import forged_key
from apps.core.admin_kit.refusals import sentence_of
from apps.core.admin_kit.typed import fields_of, keep_typed, typed_in

if TYPE_CHECKING:
    from unfold.admin import ModelAdmin
else:  # mixed into the real one
    ModelAdmin = object

REASON_LENGTH, FORBIDDEN = 500, 403
NOT_OFFERED = "Your roles do not give the right to do this with the chosen rows, or no longer; nothing was done."


class KeepsTyped(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """The part of an admin class that saves forms and answers what is refused on the way."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> type[Any]:
        """Let the form that was just refused say so."""
        form: type[Any] = super().get_form(request, obj, change=change, **kwargs)
        said = getattr(request, "_refused_with", None)
        return form if said is None else type(form.__name__, (_Refused, form), {"refused_with": said})

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Save a form; what the database refuses comes back as a sentence, never as a server error."""
        person: Any = request.user
        if request.method == "POST" and (sentence := forged_key(self.model, request.POST)):
            messages.error(request, sentence)
            return HttpResponseRedirect(request.get_full_path())
        try:
            with acting_as(person, reason=request.POST.get("change_reason", "").strip()[:REASON_LENGTH] or None):
                return super().changeform_view(request, *args, **kwargs)
        except PermissionDenied as denied:
            return self._closed(request, denied, *args, **kwargs)
        except Exception as error:
            if (sentence := sentence_of(error)) is None:
                raise
        return self._once_more(request, sentence, *args, **kwargs)

    def keep_form(self, request: HttpRequest, thing: Any, sentence: str, status: int) -> HttpResponse:
        """Say why a form is not taken, with what was typed into it and is not in the record."""
        typed = typed_in(request, fields_of(self.model), thing)
        return keep_typed(self, request, sentence, typed, back=request.get_full_path(), status=status)

    def _closed(
        self, request: HttpRequest, denied: PermissionDenied, object_id: str | None = None, *_: Any, **__: Any
    ) -> HttpResponse:
        """Answer for a form that was open to the person and no longer is: why, and what was typed.

        Raises:
            PermissionDenied: as it came, where the person does not see the record or typed nothing.
        """
        if object_id is None:
            return self._not_added(request, denied)
        thing: Any = self.get_object(request, unquote(object_id))
        sees = thing is not None and self.has_view_permission(request, thing)
        if request.method != "POST" or not sees or not typed_in(request, fields_of(self.model), thing):
            raise denied
        person: Any = request.user
        verdict = access.can(person, "change", thing)
        return self.keep_form(request, thing, standing_of(thing) if verdict else verdict.reason, FORBIDDEN)

    def _not_added(self, request: HttpRequest, denied: PermissionDenied) -> HttpResponse:
        """Answer for a form of a new record by somebody who may add it no longer, but still sees such records.

        Raises:
            PermissionDenied: as it came, where the person sees none of them or typed nothing.
        """
        typed = typed_in(request, fields_of(self.model))
        if request.method != "POST" or not typed or not self.has_view_permission(request):
            raise denied
        person: Any = request.user
        kind = self.opts.verbose_name_plural
        said = f"No role of {person} gives the right to add {kind}; nothing was saved."
        if access.has_model_permission(person, "add", self.model):
            said = f"Nothing was saved: {kind} are not added here."
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return keep_typed(self, request, said, typed, back=back, status=FORBIDDEN)

    def response_action(self, request: HttpRequest, queryset: Any) -> Any:
        """Refuse in words what a list offered when its page was opened and offers no longer.

        Raises:
            PermissionDenied: the action is none of those that this person has here.
            BadRequest: what was chosen are no rows of any list.
        """
        wanted = request.POST.get("action", "")
        if wanted and wanted not in self.get_actions(request):
            raise PermissionDenied(NOT_OFFERED)
        pk = self.opts.pk.target_field if self.opts.pk.is_relation else self.opts.pk
        try:
            for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
                pk.clean(key, None)
        except ValidationError as error:
            raise BadRequest("A row is chosen by its key.") from error
        return super().response_action(request, queryset)

    def _once_more(self, request: HttpRequest, sentence: str, *args: Any, **kwargs: Any) -> Any:
        """Draw the same form again, with nothing saved and what was typed; else the page as it stands."""
        if request.method == "POST" and not hasattr(request, "_refused_with"):
            request._refused_with = sentence  # type: ignore[attr-defined]
            try:
                return super().changeform_view(request, *args, **kwargs)
            except Exception as error:
                if sentence_of(error) is None:
                    raise
        messages.error(request, sentence)
        return HttpResponseRedirect(request.get_full_path())


def standing_of(thing: Any) -> str:
    """Return why a record is not edited by somebody who may: it stands elsewhere than when the form was opened."""
    name = next((each for each in ("state", "status") if hasattr(thing, f"get_{each}_display")), None)
    now = f" is now “{getattr(thing, f'get_{name}_display')()}” and" if name else ""
    return f"Nothing was saved: {thing}{now} is not edited any more. Its page shows what can be done with it."


class _Refused:
    """A form that is not saved, whatever it holds."""

    refused_with: str

    def clean(self) -> Any:
        """Add the sentence to what the form says itself."""
        cleaned = super().clean()  # type: ignore[misc]
        self.add_error(None, self.refused_with)  # type: ignore[attr-defined]
        return cleaned
