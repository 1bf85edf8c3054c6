"""The analytics page: where approvals wait, as figures and as a picture."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from apps.approvals.domain.analytics import REFUSED, Times, analyse
from apps.approvals.domain.seeing import has_to_do_with_policies
from apps.core import clock

SPANS = ((30, "30 days"), (90, "90 days"), (365, "a year"))
WIDTH, ROW, LEFT, RIGHT = 720, 30, 230, 60


@dataclass(frozen=True)
class Bar:
    """One line of the picture."""

    times: Times
    label: str
    y: int
    queue: float
    touch: float

    @property
    def middle(self) -> int:
        """Where its text stands."""
        return self.y + 15

    @property
    def top(self) -> int:
        """Where its bar begins."""
        return self.y + 5

    @property
    def turn(self) -> float:
        """Where queue time ends and touch time begins."""
        return LEFT + self.queue

    @property
    def end(self) -> float:
        """Where its figure stands."""
        return LEFT + self.queue + self.touch + 6


def bars(times: list[Times]) -> dict[str, Any]:
    """Return the picture of queue and touch time, to scale."""
    longest = max((each.whole for each in times), default=0) or 1
    scale = (WIDTH - LEFT - RIGHT) / longest
    lines = [
        Bar(
            each,
            each.name if len(each.name) <= 34 else f"{each.name[:33]}…",
            place * ROW,
            each.queue * scale,
            each.touch * scale,
        )
        for place, each in enumerate(times[:12])
    ]
    return {"bars": lines, "width": WIDTH, "height": max(len(lines), 1) * ROW + 4, "left": LEFT}


def rows_behind(lookups: dict[str, Any]) -> str:
    """Return the address of the list of requests, narrowed to those behind a figure."""
    return f"{reverse('admin:approvals_approvalrequest_changelist')}?{urlencode(lookups)}"


def analytics_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show the figures of the span that was asked for."""
    person: Any = request.user
    if not has_to_do_with_policies(person):
        raise PermissionDenied
    asked = request.GET.get("days", "")
    days = int(asked) if asked in {str(each) for each, _ in SPANS} else SPANS[1][0]
    until = clock.now()
    since = until - dt.timedelta(days=days)
    found = analyse(person, since=since, until=until)
    decided = {"decided_at__gte": since.isoformat(), "decided_at__lt": until.isoformat()}
    said = {"decisions__at__gte": since.isoformat(), "decisions__at__lt": until.isoformat()}
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Approval analytics",
        "opts": model_admin.opts,
        "found": found,
        "rework": round(100 * found.rework) if found.rework is not None else None,
        "picture": bars(found.stages),
        "stages": [(each, rows_behind({**each.lookups, **said})) for each in found.stages],
        "people": [(each, rows_behind({**each.lookups, **said})) for each in found.people],
        "settled_rows": rows_behind(decided),
        "refused_rows": rows_behind({**decided, "state__in": ",".join(REFUSED)}),
        "rework_rows": rows_behind({**decided, "round__gt": 1}),
        "days": days,
        "spans": SPANS,
        "media": model_admin.media,
    }
    return TemplateResponse(request, "admin/approvals/analytics.html", context)
