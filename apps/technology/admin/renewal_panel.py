"""The box on the page of a contract: until when it can be cancelled, when who is reminded, and what was decided."""

from typing import Any

from django.http import HttpRequest

from apps.core import access, clock
from apps.technology.domain.notice import counting_calendar, ladder, last_day_to_cancel, notice_day
from apps.technology.models import Contract, RenewalAlert, RenewalDecision


def renewal_panel(request: HttpRequest, contract: Contract) -> list[dict[str, Any]]:
    """Return the box; none for a contract without an end."""
    if contract.ends_on is None:
        return []
    person: Any = request.user
    calendar, today = counting_calendar(), clock.today()
    last = last_day_to_cancel(contract, calendar)
    told = {
        alert.days_before: alert
        for alert in access.visible(person, RenewalAlert).filter(contract=contract, last_day=last)
    }
    decisions = access.visible(person, RenewalDecision).filter(contract=contract, archived_at=None)
    found = list(decisions.select_related("requester").order_by("-pk")[:5])
    return [
        {
            "template": "admin/technology/renewal_panel.html",
            "contract": contract,
            "last": last,
            "wording": notice_day(contract),
            "days": (last - today).days,
            "rungs": [
                {"rung": rung, "alert": told.get(rung.days_before), "is_past": rung.on < today}
                for rung in ladder(contract, calendar)
            ],
            "missed": told.get(0),
            "decisions": found,
            "may_decide": access.has_model_permission(person, "add", RenewalDecision)
            and not any(each.is_editable or each.state in ("in_approval", "approved") for each in found),
        }
    ]
