"""Who gets a lead that its owner did not answer: the next of its pool, else who signs for sales."""

import datetime as dt

from apps.accounts.models import User
from apps.core.actors import system_principal
from apps.leads.domain.routing.pools import crews
from apps.leads.domain.routing.reassigning import reassign
from apps.leads.domain.routing.routing import lock_cursors
from apps.leads.domain.routing.turns import deal, slots_of
from apps.leads.enums import RoutedBy
from apps.leads.models import Lead, RoutingDecision

MOST = 3  # then people have to look themselves: a lead that goes round is nobody's
REASON = "The time to get in touch is over."


def give_to_next(lead: Lead, otherwise: User | None, *, at: dt.datetime) -> User | None:
    """Give a locked lead to somebody else, as its SLA says; return who has it now, None where it stays."""
    if RoutingDecision.objects.filter(lead=lead, routed_by=RoutedBy.SLA).count() >= MOST:
        return None
    person = _next_of_pool(lead, at) or (otherwise if otherwise is not None and otherwise.is_active else None)
    if person is None or person.pk == lead.owner_person_id:
        return None
    reassign(lead, person=person, reason=REASON, by=system_principal(), at=at, routed_by=RoutedBy.SLA)
    return person


def _next_of_pool(lead: Lead, at: dt.datetime) -> User | None:
    pool = (
        RoutingDecision.objects.filter(lead=lead, pool__isnull=False, pool__archived_at__isnull=True)
        .order_by("-at", "-pk")
        .values_list("pool", flat=True)
        .first()
    )
    if pool is None:
        return None
    cursor = lock_cursors([pool])[pool]
    able = {each.person: each for each in crews([pool], at=at)[pool].able if each.person != lead.owner_person_id}
    slots = slots_of({key: each.weight for key, each in able.items()})
    dealt, position = deal(slots, position=cursor.position, count=1, left={})
    if not dealt:
        return None
    cursor.position, cursor.given = position, cursor.given + 1
    cursor.save(update_fields=["position", "given"])
    return User.objects.get(pk=dealt[0][0])
