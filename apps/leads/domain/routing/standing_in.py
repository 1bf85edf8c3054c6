"""Who gets a lead that its owner did not answer: the next of its pool, else who signs for sales."""

import datetime as dt

from apps.accounts.models import User
from apps.core.actors import acting_as, system_principal
from apps.leads.domain.routing.pools import crews
from apps.leads.domain.routing.reassigning import give
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
    person, dealt = _next_of_pool(lead, at)
    if person is None and otherwise is not None and otherwise.is_active:
        person = otherwise
    if person is None or person.pk == lead.owner_person_id:
        return None
    by = system_principal()
    with acting_as(by, reason=REASON):
        give(lead, person, reason=REASON, by=by, at=at, routed_by=RoutedBy.SLA, dealt=dealt)
    return person


def _next_of_pool(lead: Lead, at: dt.datetime) -> tuple[User | None, tuple[int, int] | None]:
    """Return whose turn it is in the pool of a lead, its owner left out, with the pool and the turn."""
    pool = (
        RoutingDecision.objects.filter(lead=lead, pool__isnull=False, pool__archived_at__isnull=True)
        .order_by("-at", "-pk")
        .values_list("pool", flat=True)
        .first()
    )
    if pool is None:
        return None, None
    cursor = lock_cursors([pool])[pool]
    able = {each.person: each for each in crews([pool], at=at)[pool].able if each.person != lead.owner_person_id}
    slots = slots_of({key: each.weight for key, each in able.items()})
    dealt, position = deal(slots, position=cursor.position, count=1, left={})
    if not dealt:
        return None, None
    cursor.position, cursor.given = position, cursor.given + 1
    cursor.save(update_fields=["position", "given"])
    person, turn = dealt[0]
    return User.objects.get(pk=person), (pool, turn)
