"""Boxes of a record's page that are fetched when they are opened; `?boxes=budget` draws one at once, `all` every one.

A folded box is a `<details>`: the keyboard opens it, and without a script it holds the link that draws it.
"""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

ASKED = "boxes"
EVERY = "all"


def is_asked_for(request: HttpRequest, name: str) -> bool:
    """Whether the address of a page wants this box drawn with it."""
    return request.GET.get(ASKED) in (name, EVERY)


def folded(name: str, title: str, *, url: str, panels: Sequence[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Return a folded box.

    Args:
        name: stands in the address and names the place on the page: `#box-budget`.
        title: what the box is called, what its first panel is headed with.
        url: answers the panels alone (`answer_boxes`).
        panels: what is in it, where it is drawn at once; it stands open then.
    """
    drawn = list(panels) if panels is not None else None
    return {"template": "admin/mops/folded.html", "name": name, "title": title, "url": url, "panels": drawn}


def answer_boxes(panels: Sequence[dict[str, Any]]) -> HttpResponse:
    """Return the panels of a box by themselves, to be put into a page that stands."""
    answer = HttpResponse(render_to_string("admin/mops/boxes.html", {"panels": panels}))
    answer["Cache-Control"] = "no-store"
    return answer


def moved_on(title: str, *, page: str) -> dict[str, Any]:
    """Return a panel for a box whose record went on while the page with the box stood open.

    Args:
        title: what the box is called.
        page: the address that draws the record as it is now.
    """
    return {"template": "admin/mops/moved_on.html", "title": title, "page": page}
