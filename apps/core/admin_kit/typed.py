"""What a person typed into a form that cannot be taken any more: shown to be copied, beside why it was refused.

Buttons, forms and pages of their own share it: a page left open while a colleague decides, sends or archives must not
cost the words that were written in it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.db import models
from django.forms.models import fields_for_model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.choices import flatten_choices
from django.utils.text import capfirst

from apps.core import access

OURS = ("csrfmiddlewaretoken", "opened", "opened_version")
LISTS = ("action", "select_across", "index", "bulk_apply", "bulk_step", "bulk_seen", "held", "next")  # of our own pages
COUNTERS = ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS", "ORDER", "id")
SECRET = ("password", "secret", "token")
PARTS = ("_0", "_1")  # a day and its hour come as two
MOST_OF_A_WORD = 300  # longer without a blank is something that a page keeps, not what somebody typed
MOST_DIGITS = 19  # longer ones are no keys


@dataclass(frozen=True)
class Typed:
    """One thing that was typed: what it was asked as, and what was given."""

    label: str
    text: str

    @property
    def rows(self) -> int:
        """How many lines to draw it in."""
        return min(20, sum(1 + len(line) // 80 for line in self.text.split("\n")))


def typed_in(
    request: HttpRequest, fields: Mapping[str, forms.Field] | None = None, thing: models.Model | None = None
) -> list[Typed]:
    """Return what a request typed, in words; secrets and what mops itself put into the form are left out.

    Args:
        request: the one that was refused.
        fields: the fields that were asked, by name, for their labels and choices.
        thing: a record the person sees: what it holds already is left out, and the columns hidden from them.
    """
    known = fields or {}
    hidden = access.hidden_columns(request.user, type(thing)) if thing is not None else frozenset()  # type: ignore[arg-type]  # a person
    found: dict[str, list[str]] = {}
    for name, given in request.POST.lists():
        stem = name[:-2] if name.endswith(PARTS) and name not in known else name
        shows = stem not in known or not known[stem].widget.is_hidden
        own = _is_ours(name) or (name in LISTS and name not in known)
        if shows and not own and stem not in hidden:
            found.setdefault(stem, []).extend(each.strip() for each in given if _says_something(each))
    named = ((name, known.get(name), values) for name, values in found.items() if values)
    changed = ((name, field, values) for name, field, values in named if not _holds(thing, name, field, values))
    texts: dict[str, list[str]] = {}
    for name, field, values in changed:
        label, of_row = _label(name, field)
        if words := _in_words(request, field, values):
            texts.setdefault(label, []).append(f"{of_row}{words}")
    return [Typed(label, "\n".join(lines)) for label, lines in texts.items()]


def fields_of(model: type[models.Model]) -> dict[str, forms.Field]:
    """Return the form fields of a kind of record, for what was typed into its form."""
    return dict(fields_for_model(model, formfield_callback=_asked))


def _asked(column: Any, **kwargs: Any) -> forms.Field | None:
    """The form field of a column; an address without its scheme is read as everywhere in the back office."""
    if isinstance(column, models.URLField):
        kwargs["assume_scheme"] = "https"
    return column.formfield(**kwargs)  # type: ignore[no-any-return]  # a column of any kind


def keep_typed(
    model_admin: Any, request: HttpRequest, sentence: str, typed: Iterable[Typed], *, back: str, status: int = 409
) -> HttpResponse:
    """Say why something was refused, with what was typed; where nothing was, back on the page it came from."""
    messages.error(request, sentence)
    kept = list(typed)
    if not kept:
        return HttpResponseRedirect(back)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "This was not done",
        "opts": model_admin.opts,
        "typed": kept,
        "files": [str(each) for each in request.FILES.values()],
        "back": back,
    }
    return TemplateResponse(request, "admin/mops/typed.html", context, status=status)


def _says_something(given: str) -> bool:
    return bool(given.strip()) and not (len(given) > MOST_OF_A_WORD and len(given.split()) == 1)


def _is_ours(name: str) -> bool:
    last = name.rpartition("-")[2]
    secret = any(word in name.lower() for word in SECRET)
    return name in OURS or name.startswith(("_", "initial-")) or last in COUNTERS or "__prefix__" in name or secret


def _label(name: str, field: forms.Field | None) -> tuple[str, str]:
    """The label of what was typed and, for one value of a row of a table, what goes before it: rows stay together."""
    if field is not None and field.label:
        return str(capfirst(field.label)), ""
    words = [
        str(int(part) + 1) if part.isdecimal() and len(part) < MOST_DIGITS else part.replace("_", " ")
        for part in name.split("-")
    ]
    if len(words) == 1:
        return str(capfirst(words[0])), ""
    return str(capfirst(" ".join(words[:-1]))), f"{capfirst(words[-1])}: "


def _holds(thing: models.Model | None, name: str, field: forms.Field | None, values: list[str]) -> bool:
    """Whether the record holds it already, so that nothing of it can be lost."""
    if thing is None or field is None:
        return False
    given: Any = values if isinstance(field, forms.ModelMultipleChoiceField) else " ".join(values)
    stored = thing._meta.get_field(name).value_from_object(thing)  # type: ignore[union-attr]  # it has a form field
    if isinstance(stored, str):
        return stored.replace("\r\n", "\n").strip() == str(given).replace("\r\n", "\n")
    return not bool(field.has_changed(field.prepare_value(stored), given))


def _in_words(request: HttpRequest, field: forms.Field | None, values: list[str]) -> str:
    """What was chosen by its name, where the person sees it; what was typed as it is."""
    if isinstance(field, forms.ModelChoiceField) and field.queryset is not None:
        person: Any = request.user
        keys = [each for each in values if each.isascii() and each.isdecimal() and len(each) < MOST_DIGITS]
        return ", ".join(str(each) for each in access.visible(person, field.queryset.model).filter(pk__in=keys))
    if isinstance(field, forms.ChoiceField):
        offered: Any = flatten_choices(field.choices)  # type: ignore[arg-type]  # its stubs know no plain pairs
        labels = {str(value): str(label) for value, label in offered}
        return ", ".join(labels.get(each, each) for each in values)
    if isinstance(field, forms.BooleanField):
        return "Yes"
    return " ".join(values)
