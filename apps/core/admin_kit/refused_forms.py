"""A form whose save the database or a rule refuses comes back with the sentence and all that was typed."""

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

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
        thing: Any = self.get_object(request, unquote(object_id)) if object_id else None
        sees = thing is not None and self.has_view_permission(request, thing)
        if request.method != "POST" or not sees or not typed_in(request, fields_of(self.model), thing):
            raise denied
        person: Any = request.user
        verdict = access.can(person, "change", thing)
        return self.keep_form(request, thing, standing_of(thing) if verdict else verdict.reason, FORBIDDEN)

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
