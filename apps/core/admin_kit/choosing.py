"""Choosing another record in a form: who may not see one is not offered it, whatever an address or a form names."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.http import HttpRequest

from apps.core import access


class LoadedAutocompleteSelect(AutocompleteSelect):
    """The admin's box, which asks for the chosen row by its key, but not where the record brought it along."""

    loaded: models.Model | None = None

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> list[Any]:
        """Return the chosen row as the one option; what an address or a forged form names that is no key is none."""
        value = [each for each in value if each in (None, "") or self._is_key(each)]
        known, wanted = self.loaded, {str(each) for each in value if each not in (None, "")}
        if known is None or wanted != {str(known.pk)}:
            found: list[Any] = super().optgroups(name, value, attr)
            return found
        empty = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
        label: Any = self.choices.field.label_from_instance(known)  # type: ignore[union-attr]  # of a ModelChoiceField
        return [(None, [*empty, self.create_option(name, known.pk, label, True, len(empty))], 0)]

    def _is_key(self, given: Any) -> bool:
        model: type[models.Model] = self.choices.queryset.model  # type: ignore[union-attr]  # of a ModelChoiceField
        return _key(model, given) is not None


class OffersSeen:
    """The part of an admin class that offers records of a narrowed kind only to who sees them, and takes no others."""

    model: type[models.Model]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Leave out what this person does not see, except what is chosen now: that may stay as it is."""
        field: Any = super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]  # mixed in
        person: Any = request.user
        kind = db_field.related_model
        if field is not None and access.is_narrowed(person, kind):
            seen = access.visible(person, kind).order_by().values("pk")
            field.queryset = field.queryset.filter(Q(pk__in=seen) | Q(pk__in=self._chosen_now(request, db_field)))
        return field

    def _chosen_now(self, request: HttpRequest, db_field: Any) -> "models.QuerySet[Any]":
        """What the record of this page, or the rows inside its form, name in a field."""
        match, rows = request.resolver_match, self.model._base_manager.filter(**{f"{db_field.name}__isnull": False})
        home: Any = getattr(self, "parent_model", self.model)
        key = _key(home, unquote(str(match.kwargs.get("object_id", "")))) if match is not None else None
        if key is None:
            return rows.none().values(db_field.attname)
        if home is self.model:
            return rows.filter(pk=key).values(db_field.attname)
        ways = [each for each in self.model._meta.concrete_fields if each.is_relation and each.related_model is home]
        inside = Q(*((each.name, key) for each in ways), _connector=Q.OR) if ways else Q(pk__in=[])
        return rows.filter(inside).values(db_field.attname)


def _key(model: type[models.Model], given: Any) -> Any:
    """Return a key as `model` has them, None for what is none."""
    try:
        return model._meta.pk.to_python(given)
    except ValidationError:
        return None


def show_loaded(form: "forms.BaseModelForm[Any]") -> None:
    """Give every such box of `form` the row that the record has loaded (`select_related` in `get_queryset`)."""
    cached = form.instance._state.fields_cache
    for name, field in form.fields.items():
        inner = getattr(field.widget, "widget", field.widget)  # the admin wraps it in links to add and to change
        if isinstance(inner, LoadedAutocompleteSelect):
            inner.loaded = cached.get(name)
