"""Boxes to choose a record from by typing: what is chosen already is shown without asking for it once more."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.db import models


class LoadedAutocompleteSelect(AutocompleteSelect):
    """The admin's box, which asks for the chosen row by its key, but not where the record brought it along."""

    loaded: models.Model | None = None

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> list[Any]:
        """Return the chosen row as the one option."""
        known, wanted = self.loaded, {str(each) for each in value if each not in (None, "")}
        if known is None or wanted != {str(known.pk)}:
            found: list[Any] = super().optgroups(name, value, attr)
            return found
        empty = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
        label: Any = self.choices.field.label_from_instance(known)  # type: ignore[union-attr]  # of a ModelChoiceField
        return [(None, [*empty, self.create_option(name, known.pk, label, True, len(empty))], 0)]


def show_loaded(form: "forms.BaseModelForm[Any]") -> None:
    """Give every such box of `form` the row that the record has loaded (`select_related` in `get_queryset`)."""
    cached = form.instance._state.fields_cache
    for name, field in form.fields.items():
        inner = getattr(field.widget, "widget", field.widget)  # the admin wraps it in links to add and to change
        if isinstance(inner, LoadedAutocompleteSelect):
            inner.loaded = cached.get(name)
