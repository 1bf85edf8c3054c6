"""Saved views: the strip above every list, and the page that lists a person's views of all lists."""

from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from unfold.decorators import display
from unfold.views import ChangeList

from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.kits import Call, Kit, Verb, ask, list_url, register_kit, submit
from apps.core.errors import InvalidInput
from apps.core.records import kind_of
from apps.core.words import NOTHING
from apps.core.workspace.domain import saved_views
from apps.core.workspace.models import DefaultView, SavedView
from apps.core.workspace.models.saved_view import NAME_LENGTH

KEY = "views"
ALL_ROWS = "?p=1"  # a query, so that the default view is not opened; it filters nothing
_PAGE = "p"


class RenameForm(forms.Form):
    """Asks for another name."""

    name = forms.CharField(max_length=NAME_LENGTH)


def cleaned(model_admin: Any, request: HttpRequest, query: str) -> tuple[str, list[str]]:
    """Return what of a kept query this list lets this person use now, and the names of what it does not."""

    def allowed(lookup: str, value: str) -> bool:
        return bool(model_admin.lookup_allowed(lookup, value, request))

    return saved_views.cleaned_query(query, allowed)


def _view(call: Call) -> SavedView:
    usable = SavedView.objects.usable_by(call.person).filter(content_type=kind_of(call.model_admin.model))
    number = int(call.item) if call.item.isascii() and call.item.isdigit() and len(call.item) < 19 else 0
    found = usable.filter(pk=number).select_related("owner").first()
    if found is None:
        raise Http404
    return found


def _sent_query(call: Call) -> str:
    query = urlsplit(f"?{call.request.POST.get('query', '')}").query
    kept, _ = cleaned(call.model_admin, call.request, query)
    return kept


def _open(model_admin: Any, request: HttpRequest, view: SavedView, back: str) -> HttpResponseBase:
    query, dropped = cleaned(model_admin, request, view.query)
    if dropped:
        left_out = ", ".join(f"“{name}”" for name in dropped)
        messages.warning(request, f"The view “{view}” uses what this list no longer offers: {left_out} was left out.")
    return HttpResponseRedirect(f"{back}?{query}" if query else back + ALL_ROWS)


def open_view(call: Call) -> HttpResponseBase:
    """Go to the list as the view has it."""
    return _open(call.model_admin, call.request, _view(call), call.back)


def save(call: Call) -> HttpResponseBase:
    """Keep what the list shows under a name."""
    sent = call.request.POST
    team = None
    if (wanted := sent.get("team", "")) != "":
        team = next((each for each in _teams(call.person) if str(each.pk) == wanted), None)
        if team is None:
            raise InvalidInput("You can share a view only with a team you are in.")
    kind = kind_of(call.model_admin.model)
    view = saved_views.save_view(kind, sent.get("name", ""), _sent_query(call), by=call.person, team=team)
    if sent.get("default"):
        saved_views.choose_default(kind, view, by=call.person)
    messages.success(call.request, f"The view “{view}” is saved{f' and shared with {team}' if team else ''}.")
    return _open(call.model_admin, call.request, view, call.back)


def rename(call: Call) -> HttpResponseBase | str:
    """Ask for another name, then use it."""
    view = _view(call)
    if refused := saved_views.refuse_change_view(call.person, view):
        raise InvalidInput(refused)
    form = RenameForm(call.request.POST or None, initial={"name": view.name})
    if call.request.method == "POST":

        def give(name: str) -> None:
            saved_views.rename_view(view, name, by=call.person)

        if submit(call, form, give) is not None:
            return f"The view is called “{form.cleaned_data['name']}” now."
    return ask(call, form, title=f"Rename the view {view}", label="Rename")


def update(call: Call) -> HttpResponseBase:
    """Let a view keep what the list shows now."""
    view = saved_views.update_view(_view(call), _sent_query(call), by=call.person)
    messages.success(call.request, f"The view “{view}” keeps what the list shows now.")
    return _open(call.model_admin, call.request, view, call.back)


def remove(call: Call) -> HttpResponseBase | str:
    """Ask, then remove a view for good."""
    view = _view(call)
    if refused := saved_views.refuse_change_view(call.person, view):
        raise InvalidInput(refused)
    if call.request.method == "POST":
        saved_views.remove_view(view, by=call.person)
        return f"The view “{view}” is removed."
    shared = f" It also goes for the people of {view.team}." if view.team else ""
    lead = f"The view is removed for good; the records stay as they are.{shared}"
    return ask(call, None, title=f"Remove the view {view}", label="Remove", lead=lead, style="danger")


def choose(call: Call) -> str:
    """Open the list with this view from now on; without a view, with all rows."""
    kind = kind_of(call.model_admin.model)
    view = _view(call) if call.item else None
    saved_views.choose_default(kind, view, by=call.person)
    name = call.model_admin.opts.verbose_name_plural
    return f"The list of {name} opens with “{view}” now." if view else f"The list of {name} opens with all rows now."


def _teams(person: Any) -> list[Any]:
    mine = person.memberships.filter(archived_at__isnull=True, team__archived_at__isnull=True).select_related("team")
    return sorted({membership.team for membership in mine}, key=str)


def _as_set(query: str) -> set[tuple[str, str]]:
    return {(name, value) for name, value in parse_qsl(query) if name != _PAGE}


class SavedViewsKit(Kit):
    """Carried by every list."""

    key = KEY
    order = 5
    list_verbs: ClassVar[dict[str, Verb]] = {
        "open": Verb(open_view, methods=("GET",)),
        "save": Verb(save),
        "rename": Verb(rename, methods=("GET", "POST")),
        "update": Verb(update),
        "remove": Verb(remove, methods=("GET", "POST")),
        "default": Verb(choose),
    }

    def applies(self, model_admin: Any) -> bool:
        """Every list has views, except the list of views."""
        return model_admin.model is not SavedView

    def arrive(self, model_admin: Any, request: HttpRequest) -> HttpResponseBase | None:
        """Open the list with the person's default view, except when they come from the list itself."""
        if urlsplit(request.headers.get("Referer", "")).path == request.path:
            return None
        user: Any = request.user
        chosen = DefaultView.objects.filter(owner=user, content_type=kind_of(model_admin.model)).values("view")
        view = SavedView.objects.usable_by(user).filter(pk__in=chosen).first()
        return _open(model_admin, request, view, request.path) if view else None

    def strips(self, model_admin: Any, request: HttpRequest, changelist: ChangeList) -> Sequence[dict[str, Any]]:
        """Show the views as chips, and the form to save what is shown."""
        user: Any = request.user
        kind = kind_of(model_admin.model)
        views = list(SavedView.objects.usable_by(user).filter(content_type=kind).select_related("owner", "team"))
        may_write = saved_views.refuse_save_view(user) is None
        query, _ = cleaned(model_admin, request, request.GET.urlencode())
        if not views and not (query and may_write):
            return ()
        default = DefaultView.objects.filter(owner=user, content_type=kind).values_list("view", flat=True).first()
        shown = _as_set(query)
        strip = {
            "template": "admin/mops/saved_views.html",
            "all": ALL_ROWS,
            "all_shown": not shown,
            "views": [self._chip(model_admin, view, user, default, shown) for view in views],
            "query": query,
            "teams": _teams(user) if may_write and query else (),
            "save": list_url(model_admin, KEY, "save") if may_write and query else "",
            "no_default": list_url(model_admin, KEY, "default") if may_write and default else "",
            "may_write": may_write,
            "longest": NAME_LENGTH,
        }
        return (strip,)

    def _chip(self, model_admin: Any, view: SavedView, user: Any, default: Any, shown: set[Any]) -> dict[str, Any]:
        number = str(view.pk)
        return {
            "view": view,
            "open": list_url(model_admin, KEY, "open", number),
            "shown": bool(shown) and _as_set(view.query) == shown,
            "mine": view.owner_id == user.pk,
            "is_default": view.pk == default,
            **{verb: list_url(model_admin, KEY, verb, number) for verb in ("rename", "update", "remove", "default")},
        }


@admin.register(SavedView)
class SavedViewAdmin(ReadOnlyAdmin):
    """A person's own views and those shared with the person's teams, over all lists."""

    list_display = ("name", "list_name", "open_link", "shared_with", "owner")
    list_display_links = None
    search_fields = ("name",)
    list_select_related = ("content_type", "owner", "team")
    fields = ("name", "list_name", "open_link", "shared_with", "owner", "created_at")
    empty_state = "No view yet. Filter, search or sort any list, then save what it shows under a name above the list."

    @display(description="list", ordering="content_type")
    def list_name(self, view: SavedView) -> str:
        """Name the list."""
        model = view.content_type.model_class()
        return str(model._meta.verbose_name_plural).capitalize() if model else NOTHING

    @display(description="")
    def open_link(self, view: SavedView) -> str:
        """Lead to the list as the view has it."""
        kind = view.content_type
        try:
            url = reverse(
                f"admin:{kind.app_label}_{kind.model}_list_kit", kwargs={"kit": KEY, "verb": "open", "item": view.pk}
            )
        except NoReverseMatch:
            return "The list is gone."
        return format_html('<a class="mops-link" href="{}">Open</a>', url)

    @display(description="shared with", ordering="team")
    def shared_with(self, view: SavedView) -> str:
        """Name the team."""
        return str(view.team) if view.team else "Private"


register_kit(SavedViewsKit())
