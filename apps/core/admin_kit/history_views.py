"""Beside an object's history: two versions compared, the record as it was at a moment, and a version brought back."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from apps.core.access_log import note_read
from apps.core.admin_kit.history import Change, Names, changes_between
from apps.core.admin_kit.refusals import sentence_of
from apps.core.admin_kit.restore import refuse_restore_version, restorable_fields, restore_version
from apps.core.errors import DomainError


class RestoreForm(forms.Form):
    """Asks why a version is brought back."""

    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept with the change, for whoever asks later.",
    )


def version_page(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show two versions side by side (`?a=…&b=…`), or the record as it was (`?at=2026-05-03T12:00`).

    Raises:
        Http404: the row, or a version of it, is not among those this person sees.
        PermissionDenied: the person may not view rows of this kind.
    """
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    thing = _seen(model_admin, request, object_id)
    note_read(request.user, thing, "history")
    hidden = set(model_admin.history_hidden_fields(request, thing))
    if "at" in request.GET:
        return _as_of(model_admin, request, thing, hidden)
    one, other = (_version(thing, request.GET.get(name, "")) for name in ("a", "b"))
    older, newer = sorted((one, other), key=lambda version: version.history_id)
    names = Names(thing, [older, newer])
    context = {
        "title": f"Two versions of {thing}",
        "older": older,
        "newer": newer,
        "changes": changes_between(newer, older, names, hidden),
    }
    return _page(model_admin, request, thing, "admin/mops/version_compare.html", context)


def _as_of(model_admin: Any, request: HttpRequest, thing: Any, hidden: set[str]) -> HttpResponse:
    back = _address(model_admin, "history", thing)
    try:
        moment = _moment(request.GET["at"])
    except (ValueError, OverflowError):
        messages.error(request, "Give the moment as a date and a time, for instance 2026-05-03T12:00.")
        return HttpResponseRedirect(back)
    version = thing.history.filter(history_date__lte=moment).order_by("-history_id").first()
    if version is None or version.history_type == "-":
        when = timezone.localtime(moment)
        messages.warning(
            request, f"On {when:%d %B %Y at %H:%M} there was no {model_admin.opts.verbose_name} like this."
        )
        return HttpResponseRedirect(back)
    names = Names(thing, [version])
    values = [
        Change(label, "", names.show(field, getattr(version, field.attname), version))
        for field in version.tracked_fields
        if field.name not in hidden and field.name not in ("id", "uuid", "row_version")
        for label in [str(field.verbose_name)[:1].upper() + str(field.verbose_name)[1:]]
    ]
    refused = refuse_restore_version(request.user, thing, version, hidden=hidden)
    context = {
        "title": f"{thing} as of {timezone.localtime(moment):%d %B %Y, %H:%M}",
        "version": version,
        "values": values,
        "restore_url": "" if refused else _address(model_admin, "restore", thing, version.history_id),
        "refused": refused,
    }
    return _page(model_admin, request, thing, "admin/mops/version_as_of.html", context)


def _moment(given: str) -> dt.datetime:
    """Return a moment in UTC: a zone of its own can be one that PostgreSQL does not know.

    Raises:
        ValueError, OverflowError: it cannot be read, or no calendar reaches so far.
    """
    moment = dt.datetime.fromisoformat(given)
    moment = timezone.make_aware(moment) if timezone.is_naive(moment) else moment
    timezone.localtime(moment)  # as it will be shown
    return moment.astimezone(dt.UTC)


def restore_page(model_admin: Any, request: HttpRequest, object_id: str, version_id: int) -> HttpResponse:
    """Show what bringing a version back will change (GET), or do it (POST).

    Raises:
        Http404: the row, or that version of it, is not among those this person sees.
        PermissionDenied: the person may not view rows of this kind.
    """
    thing = _seen(model_admin, request, object_id)
    version = _version(thing, str(version_id))
    hidden = set(model_admin.history_hidden_fields(request, thing))
    if refused := refuse_restore_version(request.user, thing, version, hidden=hidden):
        messages.error(request, refused)
        return HttpResponseRedirect(_address(model_admin, "history", thing))
    form = RestoreForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            said = restore_version(thing, version, by=request.user, reason=form.cleaned_data["reason"], hidden=hidden)
        except Exception as error:
            if (sentence := error.message if isinstance(error, DomainError) else sentence_of(error)) is None:
                raise
            messages.error(request, sentence)
        else:
            messages.success(request, said)
            return HttpResponseRedirect(_address(model_admin, "change", thing))
    names = Names(thing, [version, thing], version.tracked_fields)
    changes = [
        Change(
            str(field.verbose_name)[:1].upper() + str(field.verbose_name)[1:],
            names.show(field, getattr(thing, field.attname), thing),
            names.show(field, getattr(version, field.attname), version),
        )
        for field in restorable_fields(thing, version, hidden=hidden)
    ]
    context = {
        "title": f"Bring back: {thing}",
        "version": version,
        "changes": changes,
        "form": form,
        "back": _address(model_admin, "history", thing),
    }
    return _page(model_admin, request, thing, "admin/mops/version_restore.html", context)


def _seen(model_admin: Any, request: HttpRequest, object_id: str) -> Any:
    thing = model_admin.get_object(request, object_id)
    if thing is None or not hasattr(thing, "history"):
        raise Http404
    if not model_admin.has_view_permission(request, thing):
        raise PermissionDenied
    note_read(request.user, thing, "history")
    return thing


def _version(thing: Any, key: str) -> Any:
    version = thing.history.filter(history_id=int(key)).first() if key.isdecimal() and len(key) < 10 else None
    if version is None:
        raise Http404
    return version


def _address(model_admin: Any, page: str, thing: models.Model, *more: Any) -> str:
    opts = model_admin.opts
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_{page}", args=(thing.pk, *more))


def _page(
    model_admin: Any, request: HttpRequest, thing: models.Model, template: str, context: dict[str, Any]
) -> HttpResponse:
    common = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts, "original": thing}
    return TemplateResponse(request, template, {**common, **context})
