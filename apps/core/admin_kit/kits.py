"""Kits: what every kind of record gets without programming — panels on its page, filters and strips on its list.

A kit is declared once, in its own app, and registered; an admin class names the kits it carries. The kit answers for
its panel, its list filters and columns, and its own addresses below the record's or the list's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.views import ChangeList

from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import DomainError
from apps.core.uploads import upload_refusal

Rows = models.QuerySet[Any]


@dataclass(frozen=True)
class Call:
    """What a view of a kit is told: on which list, by whom, about which record (None on list addresses)."""

    model_admin: Any
    request: HttpRequest
    thing: Any
    item: str
    back: str

    @property
    def person(self) -> Any:
        """Who asks."""
        return self.request.user

    @property
    def top(self) -> str:
        """The top of the page, where messages stand: a refusal must not be scrolled past."""
        return self.back.partition("#")[0]


@dataclass(frozen=True)
class Verb:
    """One address of a kit. `view` may return a response, a sentence for the person, or None; then back to the page."""

    view: Callable[[Call], HttpResponseBase | str | None]
    methods: tuple[str, ...] = ("POST",)


class Kit:
    """The base of a kit: answers nothing; a subclass overrides what it has."""

    key: ClassVar[str] = ""
    order: ClassVar[int] = 50
    record_verbs: ClassVar[Mapping[str, Verb]] = {}
    list_verbs: ClassVar[Mapping[str, Verb]] = {}

    def applies(self, model_admin: Any) -> bool:
        """Whether this admin class carries the kit."""
        return self.key in model_admin.kits

    def panels(self, model_admin: Any, request: HttpRequest, thing: Any) -> Sequence[dict[str, Any]]:
        """Return boxes for a record's page: `template`, optional `above` (the form), and what the template reads."""
        return ()

    def filters(self, model_admin: Any, request: HttpRequest) -> Sequence[Any]:
        """Return list filters."""
        return ()

    def columns(self, model_admin: Any, request: HttpRequest) -> Sequence[Any]:
        """Return columns that go behind the declared ones."""
        return ()

    def annotate(self, model_admin: Any, request: HttpRequest, rows: Rows) -> Rows:
        """Load with the rows of a list what `columns` shows."""
        return rows

    def arrive(self, model_admin: Any, request: HttpRequest) -> HttpResponseBase | None:
        """Return where somebody who opens the bare list goes instead."""
        return None

    def strips(self, model_admin: Any, request: HttpRequest, changelist: ChangeList) -> Sequence[dict[str, Any]]:
        """Return boxes above a list: `template` and what it reads."""
        return ()

    def actions(self, model_admin: Any, request: HttpRequest) -> Mapping[str, tuple[Any, str, str]]:
        """Return what can be done with chosen rows of a list, as Django keeps it: name → (function, name, label)."""
        return {}

    def companions(self, model_admin: Any, request: HttpRequest, thing: Any) -> Sequence[Any]:
        """Return what the record's history page tells besides its own versions (`history.Companion`)."""
        return ()


_kits: dict[str, Kit] = {}


def register_kit(kit: Kit) -> None:
    """Make a kit available to every admin class that names its key."""
    _kits[kit.key] = kit


def kits_of(model_admin: Any) -> list[Kit]:
    """Return the kits an admin class carries, in their order."""
    return [kit for kit in sorted(_kits.values(), key=lambda each: each.order) if kit.applies(model_admin)]


def record_url(model_admin: Any, thing: models.Model, kit: str, verb: str, item: str = "") -> str:
    """Return the address of a kit's view for one record."""
    given = {"object_id": thing.pk, "kit": kit, "verb": verb} | ({"item": item} if item else {})
    return reverse(f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_kit", kwargs=given)


def list_url(model_admin: Any, kit: str, verb: str, item: str = "") -> str:
    """Return the address of a kit's view for a list."""
    given = {"kit": kit, "verb": verb} | ({"item": item} if item else {})
    return reverse(f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_list_kit", kwargs=given)


class KitChangeList(ChangeList):  # type: ignore[misc]  # unfold ships no types
    """A list whose rows carry what the kits' columns show."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Rows:
        """Let every kit load what it shows, in the same query."""
        rows: Rows = super().get_queryset(request, exclude_parameters)
        for kit in kits_of(self.model_admin):
            rows = kit.annotate(self.model_admin, request, rows)
        return rows


class CarriesKits:
    """The part of an admin class that draws kits and answers their addresses."""

    kits: ClassVar[Sequence[str]] = ()
    opts: Any
    admin_site: Any

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Use the list that carries kits."""
        return KitChangeList

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Add the kits' filters behind the declared ones."""
        own: list[Any] = list(super().get_list_filter(request))  # type: ignore[misc]  # a mix-in of ModelAdmin
        return [*own, *(each for kit in kits_of(self) for each in kit.filters(self, request))]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Add the kits' columns behind the declared ones."""
        own: list[Any] = list(super().get_list_display(request))  # type: ignore[misc]  # a mix-in of ModelAdmin
        return [*own, *(each for kit in kits_of(self) for each in kit.columns(self, request))]

    def kit_urls(self) -> list[URLPattern]:
        """Return the addresses of kits, below a record and below the list."""
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        record, rows = self.admin_site.admin_view(self.kit_view), self.admin_site.admin_view(self.list_kit_view)
        return [
            path("kits/<slug:kit>/<slug:verb>/", rows, name=f"{name}_list_kit"),
            path("kits/<slug:kit>/<slug:verb>/<str:item>/", rows, name=f"{name}_list_kit"),
            path("<path:object_id>/kits/<slug:kit>/<slug:verb>/", record, name=f"{name}_kit"),
            path("<path:object_id>/kits/<slug:kit>/<slug:verb>/<str:item>/", record, name=f"{name}_kit"),
        ]

    def kit_view(self, request: HttpRequest, object_id: str, kit: str, verb: str, item: str = "") -> HttpResponseBase:
        """Answer a kit's address below a record that this person sees."""
        found = _verb(self, kit, verb, "record_verbs")
        admin: Any = self
        thing = admin.get_object(request, unquote(object_id))
        if thing is None:
            raise Http404
        if not admin.has_view_permission(request, thing):
            raise PermissionDenied
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=(thing.pk,))
        return _answer(found, Call(self, request, thing, item, f"{back}#kit-{kit}"))

    def list_kit_view(self, request: HttpRequest, kit: str, verb: str, item: str = "") -> HttpResponseBase:
        """Answer a kit's address below the list."""
        found = _verb(self, kit, verb, "list_verbs")
        admin: Any = self
        if not admin.has_view_permission(request):
            raise PermissionDenied
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return _answer(found, Call(self, request, None, item, back))

    def kit_panels(self, request: HttpRequest, thing: Any) -> dict[str, Any]:
        """Return the context for a record's page: the boxes above and below the form."""
        boxes = [box for kit in kits_of(self) for box in kit.panels(self, request, thing)]
        return {
            "kit_panels_above": [box for box in boxes if box.get("above")],
            "kit_panels_below": [box for box in boxes if not box.get("above")],
        }

    def arrival(self, request: HttpRequest) -> HttpResponseBase | None:
        """Return where a kit sends somebody who opens the bare list, None to stay."""
        if request.method != "GET" or request.GET:
            return None
        answers = (kit.arrive(self, request) for kit in kits_of(self))
        return next((answer for answer in answers if answer is not None), None)

    def add_strips(self, request: HttpRequest, response: Any) -> Any:
        """Put the kits' boxes above a list that is about to be drawn."""
        changelist = (getattr(response, "context_data", None) or {}).get("cl")
        if changelist is not None:
            strips = [strip for kit in kits_of(self) for strip in kit.strips(self, request, changelist)]
            response.context_data["kit_strips"] = strips
        return response


def _verb(model_admin: Any, key: str, verb: str, where: str) -> Verb:
    for kit in kits_of(model_admin):
        if kit.key == key and verb in getattr(kit, where):
            found: Verb = getattr(kit, where)[verb]
            return found
    raise Http404


def _answer(verb: Verb, call: Call) -> HttpResponseBase:
    allowed = (*verb.methods, "HEAD") if "GET" in verb.methods else verb.methods
    if call.request.method not in allowed:
        return HttpResponseNotAllowed(allowed)
    if refused := upload_refusal(call.request):
        messages.error(call.request, refused)
        return HttpResponseRedirect(call.top)
    try:
        said = verb.view(call)
    except Exception as error:
        if (sentence := sentence_of(error)) is None:
            raise
        messages.error(call.request, sentence)
        return HttpResponseRedirect(call.top)
    if isinstance(said, HttpResponseBase):
        return said
    if said:
        messages.success(call.request, said)
    return HttpResponseRedirect(call.back)


def ask(
    call: Call, form: forms.BaseForm | None, *, title: str, label: str, lead: str = "", style: str = "primary"
) -> HttpResponseBase:
    """Show a page that asks for what a kit's view needs; what was typed before a refusal is still there."""
    opts = call.model_admin.opts
    context = {
        **call.model_admin.admin_site.each_context(call.request),
        "title": title,
        "opts": opts,
        "original": call.thing,
        "button": {"confirm": lead, "style": style, "label": label},
        "form": form,
        "back": call.back,
        "media": call.model_admin.media + (form.media if form else forms.Media()),
    }
    return TemplateResponse(call.request, "admin/mops/button.html", context)


def submit(call: Call, form: forms.Form, operation: Callable[..., Any]) -> str | None:
    """Call `operation(**cleaned)` when the form is valid; a refusal lands in the form, and None is returned.

    Returns:
        What the operation said, or "Done.".
    """
    if not form.is_valid():
        return None
    try:
        with transaction.atomic():
            said = operation(**form.cleaned_data)
    except DomainError as refusal:
        for name, sentence in refusal.fields.items():
            form.add_error(name if name in form.fields else None, sentence)
        if not refusal.fields:
            form.add_error(None, refusal.message)
        return None
    return said if isinstance(said, str) else "Done."
