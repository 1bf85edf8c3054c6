"""The way on from a record that does not open: who came to its address may ask for it, whether it is there or not."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse
from django.utils.html import format_html

Door = Callable[[Any, type[models.Model], int], str]
_doors: list[Door] = []


def register_door(door: Door) -> None:
    """Let `door(person, model, number)` return where a person asks for a record of that number, "" for nowhere.

    It must not look the record up: what it answers is shown to people who are not to know whether there is one.
    """
    _doors.append(door)


def door_to(person: Any, model: type[models.Model], key: str) -> str:
    """Return where `person` asks for the record that an address names, "" where nobody asks for such."""
    if not (key.isascii() and key.isdecimal()):
        return ""
    return next((url for door in _doors if (url := door(person, model, int(key)))), "")


def door_of_page(request: HttpRequest) -> str:
    """Return where to ask for the record whose page was asked for, "" where the address is not one of a record."""
    person = getattr(request, "user", None)
    if person is None or not person.is_authenticated:
        return ""
    named = record_at(request.path_info)
    return door_to(person, *named) if named is not None else ""


def record_at(path: str) -> tuple[type[models.Model], str] | None:
    """Return the kind and the key that the address of a record's page names, None for any other address."""
    try:
        match = resolve(path)
    except Resolver404:
        return None
    key = match.kwargs.get("object_id")
    models_here = (each for each in admin.site._registry if (match.url_name or "").startswith(_prefix(each)))
    # of two kinds whose names begin alike the longer name is meant
    model = max(models_here, key=lambda each: len(_prefix(each)), default=None)
    return (model, str(key)) if model is not None and key is not None and match.namespace == "admin" else None


def _prefix(model: type[models.Model]) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}_"


def not_shown(model: type[models.Model], key: str) -> str:
    """Return the sentence about a record that is not there or not shown: the same for both."""
    return f"There is no {model._meta.verbose_name} “{key[:40]}”, or your roles do not show it."


def send_home(request: HttpRequest, model: type[models.Model], key: str) -> HttpResponseRedirect:
    """Answer for a record that is not there or not shown, in one sentence for both, with the way to ask for it."""
    said = not_shown(model, key)
    if ask := door_to(request.user, model, key):
        messages.warning(request, format_html('{} <a class="mops-link" href="{}">Ask for access to it</a>', said, ask))
    else:
        messages.warning(request, said)
    return HttpResponseRedirect(reverse("admin:index"))
