"""The boxes on the page of a campaign: what a launch still needs is drawn, the others are fetched when opened."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse

from apps.approvals.models import ApprovalRequest
from apps.campaigns.admin.audiences import audience_panel
from apps.campaigns.admin.budget import budget_panel
from apps.campaigns.admin.performance import closing_panel, performance_panel
from apps.campaigns.admin.templates import tasks_panel
from apps.campaigns.admin.utm import utm_panel
from apps.campaigns.domain import approval, intervals, launch, looking
from apps.campaigns.domain.calendar import warnings_of
from apps.campaigns.enums import EDITABLE, NOT_YET_LIVE, VOIDABLE, CampaignState
from apps.campaigns.models import (
    Audience,
    BudgetEntry,
    Campaign,
    CampaignTask,
    ChecklistItem,
    Threshold,
    UtmLink,
)
from apps.core import access, clock
from apps.core.admin_kit.kits import Call, Kit, Verb, record_url, register_kit
from apps.core.admin_kit.later import answer_boxes, folded, is_asked_for, moved_on
from apps.core.admin_kit.links import url_of
from apps.core.asking import asking_once
from apps.core.gates import Checked
from apps.processes.admin.starting import runs_about_panel
from apps.processes.models import Run
from apps.technology.domain.notice import counting_calendar

Boxes = list[dict[str, Any]]
# where figures matter most they are drawn with the page
JUDGED = (CampaignState.LIVE, CampaignState.PAUSED, CampaignState.COMPLETED)
# condition of the launch → the box in which it is met
BOX_OF = {
    "approval": "approvals",
    "checklist": "checklist",
    "audience": "audiences",
    "audience_size": "audiences",
    "budget": "budget",
    "utm": "links",
    "monitoring": "figures",
    "blackout": "dates",
}


@dataclass(frozen=True)
class Box:
    """One folded box.

    Attributes:
        title: what it is called.
        draw: `draw(request, campaign)` returns its panels; asks the database.
        model: who sees no rows of it does not see the box; None for everybody who sees the campaign.
        suits: whether a campaign has it, as it stands; asks nothing.
    """

    title: str
    draw: Callable[[HttpRequest, Campaign], Boxes]
    model: type[models.Model] | None = None
    suits: Callable[[Campaign], object] = bool  # every campaign is true


def _figures(request: HttpRequest, campaign: Campaign) -> Boxes:
    models.prefetch_related_objects([campaign], "thresholds")
    return performance_panel(request, campaign)


def _dates(request: HttpRequest, campaign: Campaign) -> Boxes:
    reader: Any = request.user
    warnings = warnings_of(campaign, counting_calendar(), reader=reader)
    return [{"template": "admin/campaigns/dates_panel.html", "warnings": warnings}]


def _checklist(request: HttpRequest, campaign: Campaign) -> Boxes:
    lines = models.Prefetch("checklist", ChecklistItem.objects.select_related("settled_by"))
    models.prefetch_related_objects([campaign], lines)
    items, is_open = campaign.live_parts("checklist"), campaign.state in NOT_YET_LIVE
    return [{"template": "admin/campaigns/checklist_panel.html", "items": items, "campaign": campaign, "open": is_open}]


def _tasks(request: HttpRequest, campaign: Campaign) -> Boxes:
    rows = models.Prefetch("tasks", CampaignTask.objects.select_related("assignee"))
    models.prefetch_related_objects([campaign], rows)
    return tasks_panel(request, campaign)


def _runs(request: HttpRequest, campaign: Campaign) -> Boxes:
    return runs_about_panel(request, campaign, launch.LAUNCHED if campaign.state in NOT_YET_LIVE else "")


def _approvals(request: HttpRequest, campaign: Campaign) -> Boxes:
    person: Any = request.user
    requests: Any = approval.requests_of(campaign) & access.visible(person, ApprovalRequest)
    return [
        {
            "template": "admin/campaigns/approvals_panel.html",
            "is_fixed": campaign.state not in EDITABLE,
            "requests": list(requests.with_decisions()),
        }
    ]


def _trail(request: HttpRequest, campaign: Campaign) -> Boxes:
    return [
        {
            "template": "admin/campaigns/trail_panel.html",
            "intervals": intervals.intervals_of(campaign, clock.now()),
            "attempts": list(campaign.launch_attempts.all()[:5]),
        }
    ]


BOXES: dict[str, Box] = {
    "audiences": Box("Audiences", lambda request, campaign: [audience_panel(request, campaign)], Audience),
    "links": Box("Links and UTM tags", utm_panel, UtmLink),
    "budget": Box("Budget", budget_panel, BudgetEntry),
    "dates": Box("What speaks against its dates", _dates, suits=lambda campaign: campaign.state in NOT_YET_LIVE),
    "checklist": Box("Launch checklist", _checklist, ChecklistItem),
    "tasks": Box("Tasks", _tasks, CampaignTask),
    "runs": Box("Runs for this", _runs, Run),
    "figures": Box("How it does", _figures, Threshold),
    "approvals": Box("Approvals", _approvals),
    "trail": Box("How it got here", _trail),
}


def _boxes_open_to(request: HttpRequest) -> dict[str, Box]:
    """Return the boxes that this person may look into, whatever the campaign; asks nothing."""
    person: Any = request.user
    hidden = {"budget"} if "budget" in access.hidden_columns(person, Campaign) else set()
    return {
        name: box
        for name, box in BOXES.items()
        if name not in hidden and (box.model is None or access.has_model_permission(person, "view", box.model))
    }


def _boxes_for(request: HttpRequest, campaign: Campaign) -> dict[str, Box]:
    """Return the boxes that this person gets on the page of this campaign as it stands; asks nothing."""
    return {name: box for name, box in _boxes_open_to(request).items() if box.suits(campaign)}


def _answer(name: str, call: Call) -> HttpResponse:
    box = _boxes_open_to(call.request).get(name)
    if box is None:
        raise Http404
    if not box.suits(call.thing):  # the campaign went on since the page was drawn, by the clock for instance
        return answer_boxes([moved_on(box.title, page=url_of(call.thing))])
    with asking_once():
        return answer_boxes(box.draw(call.request, call.thing))


class CampaignBoxes(Kit):
    """The addresses of the boxes that are fetched when somebody opens them."""

    key = "boxes"
    record_verbs: ClassVar[Mapping[str, Verb]] = {name: Verb(partial(_answer, name), ("GET",)) for name in BOXES}


register_kit(CampaignBoxes())


def panels_of(request: HttpRequest, campaign: Campaign) -> Boxes:
    """Return what stands on the page of a campaign: what matters as it stands is drawn, the rest is folded below."""
    boxes, model_admin = _boxes_for(request, campaign), admin.site._registry[Campaign]
    shown = [*closing_panel(campaign), *_voiding(campaign), *_gate(request, campaign)]
    if campaign.state in JUDGED and "figures" in boxes:
        shown += boxes.pop("figures").draw(request, campaign)
    for name, box in boxes.items():
        drawn = box.draw(request, campaign) if is_asked_for(request, name) else None
        shown.append(folded(name, box.title, url=record_url(model_admin, campaign, "boxes", name), panels=drawn))
    return [*shown, {"template": "admin/mops/all_boxes.html"}]


def _gate_panel(request: HttpRequest, campaign: Campaign, conditions: list[Checked], at: Any) -> dict[str, Any]:
    there, page = _boxes_for(request, campaign), url_of(campaign)
    places = {key: f"{page}#box-{name}" for key, name in BOX_OF.items() if name in there}
    return {
        "template": "admin/campaigns/gate_panel.html",
        "conditions": [(each, "" if each.is_met else places.get(each.key, "")) for each in conditions],
        "unmet": sum(not each.is_met for each in conditions),
        "zone": settings.TIME_ZONE,
        "campaign": campaign,
        "looked_at": at,
        "has_heavy": any(each.is_heavy for each in conditions),
    }


def gate_panel(request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
    """Return the box with everything that must hold before a campaign goes live, each looked at now."""
    return _gate_panel(request, campaign, launch.launch_conditions(campaign, clock.today()), clock.now())


def _gate(request: HttpRequest, campaign: Campaign) -> Boxes:
    """Return the same box for the page, which shows what is heavy as it was found last; none once it is live."""
    if campaign.state not in NOT_YET_LIVE:
        return []
    look = looking.last_look(campaign)
    known = looking.known_conditions(campaign, clock.today())
    return [_gate_panel(request, campaign, known, look.at if look is not None else None)]


def _voiding(campaign: Campaign) -> Boxes:
    return [{"template": "admin/campaigns/voiding_panel.html"}] if campaign.state in VOIDABLE else []
