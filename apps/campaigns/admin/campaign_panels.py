"""The boxes on the page of a campaign: what a launch still needs, what was planned, and what became of it."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from apps.approvals.models import ApprovalRequest
from apps.campaigns.admin.audiences import audience_panel
from apps.campaigns.admin.budget import budget_panel
from apps.campaigns.admin.performance import closing_panel, performance_panel
from apps.campaigns.admin.templates import tasks_panel
from apps.campaigns.admin.utm import utm_panel
from apps.campaigns.domain import approval, intervals, launch
from apps.campaigns.domain.calendar import warnings_of
from apps.campaigns.enums import EDITABLE, NOT_YET_LIVE, VOIDABLE
from apps.campaigns.models import Campaign
from apps.core import access, clock
from apps.core.gates import Checked
from apps.processes.admin.starting import runs_about_panel
from apps.technology.domain.notice import counting_calendar


def seen_conditions(campaign: Campaign) -> list[Checked]:
    """Return what the gate says about the row this page shows, asked once for its button and its box."""
    seen: list[Checked] | None = getattr(campaign, "seen_conditions", None)
    if seen is None:
        seen = launch.launch_conditions(campaign, clock.today())
        campaign.seen_conditions = seen  # type: ignore[attr-defined]  # for this page alone
    return seen


def panels_of(request: HttpRequest, campaign: Campaign) -> list[dict[str, Any]]:
    """Return the boxes on the page of a campaign, in their order."""
    by_itself = launch.LAUNCHED if campaign.state in NOT_YET_LIVE else ""
    return [
        *closing_panel(campaign),
        *_gate(campaign, request),
        _checklist(campaign),
        *tasks_panel(request, campaign),
        audience_panel(request, campaign),
        *utm_panel(request, campaign),
        *budget_panel(request, campaign),
        *performance_panel(request, campaign),
        _approvals(request, campaign),
        *runs_about_panel(request, campaign, by_itself),
        _trail(campaign),
    ]


def _gate(campaign: Campaign, request: HttpRequest) -> list[dict[str, Any]]:
    if campaign.state not in NOT_YET_LIVE:
        return []
    reader: Any = request.user
    conditions = seen_conditions(campaign)
    return [
        {
            "template": "admin/campaigns/gate_panel.html",
            "conditions": conditions,
            "unmet": sum(not each.is_met for each in conditions),
            "warnings": warnings_of(campaign, counting_calendar(), reader=reader),
            "would_void": campaign.state in VOIDABLE,
            "zone": settings.TIME_ZONE,
            "campaign": campaign,
        }
    ]


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
