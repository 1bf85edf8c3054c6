"""A form whose save the database or a rule refuses comes back with the sentence and all that was typed."""

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect

from apps.core.actors import acting_as
from apps.core.admin_kit.given import forged_key
from apps.core.admin_kit.refusals import sentence_of

if TYPE_CHECKING:
    from unfold.admin import ModelAdmin
else:  # mixed into the real one
    ModelAdmin = object

REASON_LENGTH = 500


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
        except Exception as error:
            if (sentence := sentence_of(error)) is None:
                raise
        return self._once_more(request, sentence, *args, **kwargs)

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


class _Refused:
    """A form that is not saved, whatever it holds."""

    refused_with: str

    def clean(self) -> Any:
        """Add the sentence to what the form says itself."""
        cleaned = super().clean()  # type: ignore[misc]
        self.add_error(None, self.refused_with)  # type: ignore[attr-defined]
        return cleaned
