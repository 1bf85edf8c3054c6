"""Pages as a browser asks for them: through the whole WSGI stack, with a session, counted and timed."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.contrib.sessions.backends.db import SessionStore
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import connection, models
from django.test import RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import clear_url_caches, path
from unfold.admin import ModelAdmin
from unfold.sites import UnfoldAdminSite

from apps.core.bench.registry import Result, interleaved

QUERIES_ALLOWED = 30
BYTES_ALLOWED = 300_000
GOAL = f"at most {QUERIES_ALLOWED} queries and {BYTES_ALLOWED // 1000} kB without static files"


@dataclass(frozen=True)
class Page:
    """A page to measure, and the stock admin's page of the same rows where there is one."""

    name: str
    url: str
    stock: str | None = None


class Visitor:
    """A signed-in person's browser, without the network."""

    def __init__(self, person: Any) -> None:
        """Open a session for `person`."""
        self._handler = WSGIHandler()
        self._factory = RequestFactory()
        request = WSGIRequest(self._environ("/"))
        request.session = SessionStore()
        login(request, person, backend=settings.AUTHENTICATION_BACKENDS[0])
        request.session.save()
        self._cookie = f"{settings.SESSION_COOKIE_NAME}={request.session.session_key}"

    def get(self, url: str) -> bytes:
        """Return the body of a page.

        Raises:
            AssertionError: the page did not answer 200; a benchmark of an error page would be a lie.
        """
        told: list[str] = []
        environ = self._environ(url) | {"HTTP_COOKIE": self._cookie}

        def start(status: str, *_: Any) -> Any:
            told.append(status)

        response = self._handler(environ, start)
        body = b"".join(response)
        response.close()
        if not told[0].startswith("200"):
            raise AssertionError(f"{url} answered {told[0]}, so there is nothing to measure.")
        return body

    def _environ(self, url: str) -> dict[str, Any]:
        address, _, query = url.partition("?")
        environ: dict[str, Any] = self._factory.get(address, HTTP_HOST="localhost").environ
        return environ | {"QUERY_STRING": query}


def measure(pages: list[Page], *, person: Any, rows: int, stock_model: type[models.Model]) -> Iterator[Result]:
    """Time each page beside an empty view and, where named, the stock admin's page of the same model."""
    with override_settings(ROOT_URLCONF=_with_stock_admin(stock_model), ALLOWED_HOSTS=["localhost"]):
        clear_url_caches()
        visitor = Visitor(person)
        for page in pages:
            visitor.get(page.url)
            with CaptureQueriesContext(connection) as queries:
                size = len(visitor.get(page.url))
            asked = len(queries)  # now: the next request empties the log
            urls = [page.url, "/healthz", *([page.stock] if page.stock else [])]
            seconds, empty, *usual = interleaved(*(partial(visitor.get, url) for url in urls))
            met = asked <= QUERIES_ALLOWED and size <= BYTES_ALLOWED
            more = {"queries": asked, "bytes": size}
            yield Result(f"page {page.name}", rows, seconds, empty, usual[0] if usual else None, GOAL, met, more)
    clear_url_caches()


def _with_stock_admin(model: type[models.Model]) -> ModuleType:
    """Return our addresses and, under /stock/, the theme's own admin of the same model as it comes out of the box."""

    site = UnfoldAdminSite("stock")
    columns = [field.name for field in model._meta.concrete_fields][:6]
    site.register(model, type("Stock", (ModelAdmin,), {"list_display": columns}))
    ours = import_module(settings.ROOT_URLCONF)
    both = ModuleType("addresses_of_the_benchmark")
    both.urlpatterns = [path("stock/", site.urls), *ours.urlpatterns]  # type: ignore[attr-defined]
    return both


def superuser() -> Any:
    """Return somebody who may open every page, the stock admin's included."""
    person = get_user_model()(email="bench@example.com", full_name="Bench", is_staff=True, is_superuser=True)
    person.set_unusable_password()
    person.save()
    return person
