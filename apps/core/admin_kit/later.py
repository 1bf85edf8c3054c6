"""Boxes of a record's page that take long are fetched once the page stands; `?boxes=all` draws them at once."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string

ALL = "boxes"


def later(url: str, waiting: str) -> dict[str, Any]:
    """Return the place on a page where boxes will stand.

    Args:
        url: answers the boxes alone (`answer_boxes`).
        waiting: what the place says until they are there.
    """
    return {"template": "admin/mops/later.html", "url": url, "waiting": waiting, "all": f"?{ALL}=all"}


def answer_boxes(panels: Sequence[dict[str, Any]]) -> HttpResponse:
    """Return the boxes by themselves, to be put into a page that stands."""
    answer = HttpResponse(render_to_string("admin/mops/boxes.html", {"panels": panels}))
    answer["Cache-Control"] = "no-store"
    return answer
