"""The admin site: one site class, its badge, its assets, and a palette that shows only what the person may see."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from unfold.dataclasses import SearchResult
from unfold.sites import UnfoldAdminSite

from apps.core.words import NOTHING

PALETTE_ROWS_PER_MODEL = 5
PALETTE_MINIMUM = 2


@dataclass(frozen=True)
class Panel:
    """One box of the home page: who sees it, and what it shows."""

    key: str
    order: int
    template: str
    context: Callable[[HttpRequest], dict[str, Any] | None]


_panels: dict[str, Panel] = {}


def register_panel(panel: Panel) -> None:
    """Add a box to the home page; its `context` returns None for people it does not concern."""
    _panels[panel.key] = panel


class MopsAdminSite(UnfoldAdminSite):
    """The back office."""

    site_title = "mops"
    site_header = "mops"
    index_title = "Home"
    empty_value_display = NOTHING
    site_url = None  # there is no other site to view
    index_template = "admin/mops/home.html"
    enable_nav_sidebar = True

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register pages built on our own base; pages that packages bring know no row rights and stay out."""
        if getattr(admin_class, "asks_row_rights", False):
            super().register(model_or_iterable, admin_class, **options)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Return the kinds of records, worked out only when a template asks: every page carries them, few show them."""
        return SimpleLazyObject(lambda: super(MopsAdminSite, self).get_app_list(request, app_label))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Leave signing in to the one page that knows second factors and rate limits."""
        index = reverse(f"{self.name}:index")
        wanted = request.GET.get(REDIRECT_FIELD_NAME) or request.POST.get(REDIRECT_FIELD_NAME) or index
        local = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
        target = wanted if local else index
        if not request.user.is_authenticated:
            query = urlencode({REDIRECT_FIELD_NAME: target})
            return HttpResponseRedirect(f"{reverse('account_login')}?{query}")
        if not self.has_permission(request):
            raise PermissionDenied("Your account does not open the back office. Ask an administrator for a role.")
        return HttpResponseRedirect(target)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Leave the password to the page with the rate limit."""
        return HttpResponseRedirect(reverse("account_change_password"))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show the home page: the boxes that concern this person, most urgent first."""
        panels = []
        for panel in sorted(_panels.values(), key=lambda each: each.order):
            context = panel.context(request)
            if context is not None:
                panels.append({"template": panel.template, "key": panel.key, **context})
        response: TemplateResponse = super().index(request, {**(extra_context or {}), "panels": panels})
        return response

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Answer the palette from each admin's own rows, a few per model, never from a cache.

        unfold walks every match of every model and caches the answer for five minutes, past a loss of rights.
        """
        term = request.GET.get("s", "").strip()
        if len(term) < PALETTE_MINIMUM:
            return HttpResponse()
        extended = "extended" in request.GET or not _menu_has_a_search()
        results = self._search_apps(super().get_app_list(request), term.lower())
        if extended:
            results = [*self._matching_rows(request, term), *results]
        template = "unfold/helpers/command_results.html" if extended else "unfold/helpers/search_results.html"
        return _palette_answer(request, template, results)

    def _matching_rows(self, request: HttpRequest, term: str) -> list[Any]:
        found = []
        for model, model_admin in self._registry.items():
            if not getattr(model_admin, "in_palette", False) or not model_admin.has_view_permission(request):
                continue
            rows, _ = model_admin.get_search_results(request, model_admin.get_queryset(request), term)
            for row in rows[:PALETTE_ROWS_PER_MODEL]:
                link = reverse(f"{self.name}:{model._meta.app_label}_{model._meta.model_name}_change", args=(row.pk,))
                found.append(_result(str(row), str(model._meta.verbose_name).capitalize(), link))
        return found


@cache
def _menu_has_a_search() -> bool:
    """Whether the theme searches in the menu as well; its newer versions have the palette alone, which asks plainly."""
    try:
        get_template("unfold/helpers/search_results.html")
    except TemplateDoesNotExist:
        return False
    return True


def _result(title: str, description: str, link: str) -> Any:
    return SearchResult(title=title, description=description, link=link, icon="arrow_forward")


def _palette_answer(request: HttpRequest, template: str, results: list[Any]) -> TemplateResponse:
    paginator = Paginator(results, 100)
    context = {
        "page_obj": paginator,
        "results": paginator.page(1),
        "page_counter": 0,
        "execution_time": 0,
        "command_show_history": False,
    }
    return TemplateResponse(request, template, context, headers={"HX-Trigger": "search"})


class MopsAdminConfig(AdminConfig):
    """Makes `MopsAdminSite` the default site."""

    default_site = "apps.core.admin_kit.site.MopsAdminSite"


def environment_badge(request: HttpRequest) -> list[str] | None:
    """Return the badge beside the title, so that nobody takes a demo for production."""
    badge = settings.BADGE
    return [badge, "warning" if settings.DEBUG else "info"] if badge else None


def stylesheet(request: HttpRequest) -> str:
    """Return the address of the one stylesheet of our own."""
    return static("mops/mops.css")


def script(request: HttpRequest) -> str:
    """Return the address of the script that every page of the back office loads."""
    return static("mops/mops.js")


def keys(request: HttpRequest) -> str:
    """Return the address of the script that keeps the keyboard where it belongs."""
    return static("mops/keys.js")


def favicon(request: HttpRequest) -> str:
    """Return the address of the icon in the browser's tab."""
    return static("mops/favicon.svg")
