"""The box of the home page for who answers leads."""

from typing import Any

from django.http import HttpRequest

from apps.core import access, clock
from apps.leads.domain.waiting import leads_to_answer, offers_to
from apps.leads.models import Lead

SHOWN = 6


def my_leads_panel(request: HttpRequest) -> dict[str, Any] | None:
    """Return the offers and leads that wait for this person; None for people who answer none and have none."""
    person: Any = request.user
    if not access.has_model_permission(person, "change", Lead):
        return None
    offers, leads = list(offers_to(person)[: SHOWN + 1]), list(leads_to_answer(person)[: SHOWN + 1])
    if not offers and not leads and person.has_perm("leads.oversee_lead"):
        return None  # who looks after all of them gets leads of their own but seldom
    return {
        "offers": offers[:SHOWN],
        "leads": leads[:SHOWN],
        "more_offers": len(offers) > SHOWN,
        "more_leads": len(leads) > SHOWN,
        "now": clock.now(),
    }
