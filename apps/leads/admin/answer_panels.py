"""What the page of a lead shows about answering: its clocks, the contacts of sales, and its opportunities."""

from typing import Any

from django.http import HttpRequest

from apps.core import access
from apps.core.clocks.domain.explaining import clock_panel
from apps.leads.domain.sla_choice import why_under
from apps.leads.models import Lead, Opportunity


def answer_panels(request: HttpRequest, lead: Lead, *, has_deals: bool) -> list[dict[str, Any]]:
    """Return the clocks of a lead, and its opportunities; nothing where there is nothing."""
    person: Any = request.user
    deals = list(access.visible(person, Opportunity).filter(lead=lead, archived_at=None)) if has_deals else []
    clocks = clock_panel(lead, title="Waiting for sales")
    found = [{**clocks, "why": why_under(lead, person)}] if clocks["clocks"] else []
    if deals:
        found.append({"template": "admin/leads/sales_panel.html", "deals": deals})
    return found
