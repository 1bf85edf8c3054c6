"""The boxes on the page of a campaign: what a launch still needs, what was planned, and what became of it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse

from apps.approvals.models import ApprovalRequest
from apps.campaigns.admin.audiences import audience_panel
from apps.campaigns.admin.budget import budget_panel
from apps.campaigns.admin.performance import closing_panel, performance_panel
from apps.campaigns.admin.templates import tasks_panel
from apps.campaigns.admin.utm import utm_panel
from apps.campaigns.domain import approval, intervals, launch
from apps.campaigns.domain.calendar import warnings_of
from apps.campaigns.enums import EDITABLE, NOT_YET_LIVE, VOIDABLE
from apps.campaigns.models import Campaign, CampaignTask, ChecklistItem
from apps.core import access, clock
from apps.core.admin_kit.kits import Call, Kit, Verb, record_url, register_kit
from apps.core.admin_kit.later import ALL, answer_boxes, later
from apps.core.asking import asking_once
from apps.processes.admin.starting import runs_about_panel
from apps.technology.domain.notice import counting_calendar

Boxes = list[dict[str, Any]]


def _plan(request: HttpRequest, campaign: Campaign) -> Boxes:
    """Return the boxes about what is planned, and what a launch still needs."""
    models.prefetch_related_objects([campaign], *launch.READ)
    return [
        *_gate(request, campaign),
        audience_panel(request, campaign),
        *utm_panel(request, campaign),
        *budget_panel(request, campaign),
    ]


def _work(request: HttpRequest, campaign: Campaign) -> Boxes:
    """Return the boxes about the work on it."""
    lines = models.Prefetch("checklist", ChecklistItem.objects.select_related("settled_by"))
    tasks = models.Prefetch("tasks", CampaignTask.objects.select_related("assignee"))
    models.prefetch_related_objects([campaign], lines, tasks)
    by_itself = launch.LAUNCHED if campaign.state in NOT_YET_LIVE else ""
    return [
        *_dates(request, campaign),
        _checklist(campaign),
        *tasks_panel(request, campaign),
        *runs_about_panel(request, campaign, by_itself),
    ]


def _record(request: HttpRequest, campaign: Campaign) -> Boxes:
    """Return the boxes about what became of it."""
    models.prefetch_related_objects([campaign], "thresholds")
    return [*performance_panel(request, campaign), _approvals(request, campaign), _trail(campaign)]


# address → what the page says while it waits, and the boxes; each is fetched by itself once the page stands
BOXES: dict[str, tuple[str, Callable[[HttpRequest, Campaign], Boxes]]] = {
    "plan": ("Checking what a launch needs …", _plan),
    "work": ("Fetching checklist, tasks and runs …", _work),
    "record": ("Fetching figures and approvals …", _record),
}


def _answer(name: str, call: Call) -> HttpResponse:
    with asking_once():
        return answer_boxes(BOXES[name][1](call.request, call.thing))


class CampaignBoxes(Kit):
    """The addresses of the boxes that are fetched once the page of a campaign stands."""

    key = "boxes"
    record_verbs: ClassVar[Mapping[str, Verb]] = {name: Verb(partial(_answer, name), ("GET",)) for name in BOXES}


register_kit(CampaignBoxes())


def panels_of(request: HttpRequest, campaign: Campaign) -> Boxes:
    """Return the boxes on the page of a campaign: the heavy ones come when the page stands, or at once when asked."""
    first = [*closing_panel(campaign), *_voiding(campaign)]
    if request.GET.get(ALL) == "all":
        return [*first, *(box for _, draw in BOXES.values() for box in draw(request, campaign))]
    model_admin = admin.site._registry[Campaign]
    return [*first, *(later(record_url(model_admin, campaign, "boxes", name), say) for name, (say, _) in BOXES.items())]


def gate_panel(request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
    """Return the box with everything that must hold before a campaign goes live, and who can meet what is open."""
    conditions = launch.launch_conditions(campaign, clock.today())
    return {
        "template": "admin/campaigns/gate_panel.html",
        "conditions": conditions,
        "unmet": sum(not each.is_met for each in conditions),
        "zone": settings.TIME_ZONE,
        "campaign": campaign,
    }


def _gate(request: HttpRequest, campaign: Campaign) -> Boxes:
    return [gate_panel(request, campaign)] if campaign.state in NOT_YET_LIVE else []


def _dates(request: HttpRequest, campaign: Campaign) -> Boxes:
    reader: Any = request.user
    warnings = warnings_of(campaign, counting_calendar(), reader=reader)
    return [{"template": "admin/campaigns/dates_panel.html", "warnings": warnings}] if warnings else []


def _voiding(campaign: Campaign) -> Boxes:
    return [{"template": "admin/campaigns/voiding_panel.html"}] if campaign.state in VOIDABLE else []


def _checklist(campaign: Campaign) -> dict[str, Any]:
    return {
        "template": "admin/campaigns/checklist_panel.html",
        "items": campaign.live_parts("checklist"),
        "campaign": campaign,
        "open": campaign.state in NOT_YET_LIVE,
    }


def _approvals(request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
    person: Any = request.user
    requests: Any = approval.requests_of(campaign) & access.visible(person, ApprovalRequest)
    return {
        "template": "admin/campaigns/approvals_panel.html",
        "is_fixed": campaign.state not in EDITABLE,
        "requests": list(requests.with_decisions()),
    }


def _trail(campaign: Campaign) -> dict[str, Any]:
    return {
        "template": "admin/campaigns/trail_panel.html",
        "intervals": intervals.intervals_of(campaign, clock.now()),
        "attempts": list(campaign.launch_attempts.all()[:5]),
    }
