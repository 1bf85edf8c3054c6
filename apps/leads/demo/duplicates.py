"""Duplicates of the demo company: people who filled in two forms, one of them merged, one found to be two people."""

import random
from typing import Any

from apps.core.actors import acting_as
from apps.leads.domain.duplicates import merging
from apps.leads.domain.duplicates.finding import find_duplicates
from apps.leads.enums import Stage
from apps.leads.models import DuplicatePair, Lead

AGAIN = 5
ANSWERED = 3  # the rest waits to be looked at


def tell(company: Any) -> None:
    """Let some people come in a second time, find them, merge one pair and keep one apart."""
    specialist, dice = company.people["specialist"], random.Random(7)  # noqa: S311  # the same every time
    rows = Lead.objects.live().filter(stage=Stage.KNOWN_LEAD).exclude(name="").exclude(email=None).exclude(company="")
    first = list(rows.order_by("external_id")[:AGAIN])
    with acting_as(specialist):
        for number, lead in enumerate(first, 1):
            lead.phone = f"+49309018{20 + number}"
            lead.save(update_fields=["phone"])
            local, _, domain = (lead.email or "").partition("@")
            Lead.objects.create(
                name=lead.name if number % 2 else " ".join(reversed(lead.name.split())),
                email=f"{local}+{dice.choice(('news', 'webinar', 'fair'))}@{domain}",
                company=lead.company,
                account=lead.account,
                country=lead.country,
                job_title=lead.job_title or "Manager",
                origin="Webinar",
                owner_person=lead.owner_person,
                owner_team=lead.owner_team,
            )
        find_duplicates()
    pairs = list(DuplicatePair.objects.filter(one__in=first).select_related("one", "two").order_by("pk"))
    if len(pairs) >= ANSWERED:
        merging.merge(pairs[0].one, pairs[0].two, by=specialist, reason="Same mailbox, with the tag of the fair.")
        undone = merging.merge(pairs[1].one, pairs[1].two, by=specialist, reason="Same name and company.")
        merging.undo(undone, by=specialist, reason="Father and son, they told us at the fair.")
