"""The boxes on the page of a lead that are fetched when somebody opens them: what explains, not what is acted upon."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse

from apps.core.admin_kit.kits import Call, Kit, Verb, record_url, register_kit
from apps.core.admin_kit.later import answer_boxes, folded, is_asked_for
from apps.core.asking import asking_once
from apps.leads.admin.panels import curve_panels, values_panel
from apps.leads.domain.timeline.standing import Standing
from apps.leads.models import Lead

Boxes = list[dict[str, Any]]


@dataclass(frozen=True)
class Box:
    """One folded box.

    Attributes:
        title: what it is called.
        draw: `draw(lead, person)` returns its panels for who reads them; asks the database.
        suits: whether a lead has it, as it stands; asks nothing. Every lead has it where it is left out.
    """

    title: str
    draw: Callable[[Lead, Any], Boxes]
    suits: Callable[[Standing], bool] = bool


BOXES: dict[str, Box] = {
    "curve": Box("Its score over the last months", curve_panels, lambda now: now.score is not None),
    "values": Box("Where its values come from", lambda lead, person: [values_panel(lead, person)]),
}


def _answer(name: str, call: Call) -> HttpResponse:
    if name not in BOXES:
        raise Http404
    with asking_once():
        return answer_boxes(BOXES[name].draw(call.thing, call.person))


class LeadBoxes(Kit):
    """The addresses of these boxes."""

    key = "lead-boxes"
    record_verbs: ClassVar[Mapping[str, Verb]] = {name: Verb(partial(_answer, name), ("GET",)) for name in BOXES}


register_kit(LeadBoxes())


def boxes_of(request: HttpRequest, lead: Lead, now: Standing) -> Boxes:
    """Return the folded boxes of a lead as it stands; one that the address asks for is drawn."""
    model_admin = admin.site._registry[Lead]
    return [
        folded(
            name,
            box.title,
            url=record_url(model_admin, lead, LeadBoxes.key, name),
            panels=box.draw(lead, request.user) if is_asked_for(request, name) else None,
        )
        for name, box in BOXES.items()
        if box.suits(now)
    ]
