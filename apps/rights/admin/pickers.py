"""Choosing a person by typing a few letters: a list of everybody would be too long."""

from typing import Any

from django import forms
from django.contrib import admin

from apps.accounts.models import User
from apps.core import access
from apps.core.admin_kit.choosing import LoadedAutocompleteSelect
from apps.rights.models import AccessGrant


def let_type(form: forms.Form, name: str, people: Any, *, by: User) -> None:
    """Let `by` find one of `people` in a field by typing, through the search of the list of people.

    Who may not open that list gets a plain choice: it holds whom they may name anyway.
    """
    field: Any = form.fields[name]
    if access.may_open(by, "view", User):
        field.widget = LoadedAutocompleteSelect(AccessGrant._meta.get_field("person"), admin.site)
    field.queryset = people
