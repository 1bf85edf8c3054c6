"""Who of a pool can take leads now, and why the others cannot: two questions for all pools of a round."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Count
from django.utils.timezone import localdate

from apps.accounts.models import User
from apps.approvals.models import Delegation
from apps.core.calendars.domain import business_time
from apps.core.calendars.domain.queries import schedule_for
from apps.core.calendars.models import BusinessCalendar
from apps.leads.domain.routing.turns import slots_of
from apps.leads.enums import Stage
from apps.leads.models import Lead, Pool, PoolMember, RoutingDecision

OPEN_STAGES = (Stage.KNOWN_LEAD, Stage.MQL, Stage.SQL)


@dataclass
class Candidate:
    """Somebody of a pool: their weight, how many more they can take, and why they are passed over ("": they can)."""

    person: int
    name: str
    weight: int
    left: int | None
    passed_over: str

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return asdict(self)


@dataclass
class Crew:
    """A pool with its people as they are now."""

    pool: Pool
    candidates: list[Candidate]

    @property
    def able(self) -> list[Candidate]:
        """Those who can take leads."""
        return [each for each in self.candidates if not each.passed_over]

    @property
    def slots(self) -> list[int]:
        """One round of turns."""
        return slots_of({each.person: each.weight for each in self.able})

    @property
    def left(self) -> dict[int, int | None]:
        """How many more each can take."""
        return {each.person: each.left for each in self.able}


def away_now(at: dt.datetime) -> dict[int, dt.datetime]:
    """Return who is away because somebody stands in for them in everything, and until when."""
    rows = Delegation.objects.valid_at(at).filter(subject_kind="").values_list("from_person", "ends_at")
    return dict(rows)


def people_here(at: dt.datetime) -> set[int]:
    """Return everybody who can be given a lead at all: active people who are not away."""
    active = User.objects.filter(is_active=True, is_system=False).values_list("pk", flat=True)
    return set(active) - set(away_now(at))


def crews(keys: Iterable[int], *, at: dt.datetime) -> dict[int, Crew]:
    """Return the pools with everybody in them, whether they can take leads at `at` and why not."""
    pools = Pool.objects.select_related("team", "calendar").in_bulk(list(keys))
    rows = PoolMember.objects.filter(pool__in=pools, archived_at__isnull=True).select_related("person", "calendar")
    members = list(rows.order_by("pool", "person"))
    people = {each.person_id for each in members}
    held = _counted(Lead.objects.filter(owner_person__in=people, stage__in=OPEN_STAGES, archived_at__isnull=True))
    today = RoutingDecision.objects.filter(pool__in=pools, at__gte=_day_begins(at), to_person__in=people)
    given = {row[:2]: row[2] for row in today.order_by().values_list("pool", "to_person").annotate(n=Count("pk"))}
    away, here = away_now(at), {}
    found = {key: Crew(pool, []) for key, pool in pools.items()}
    for each in members:
        calendar = each.calendar or pools[each.pool_id].calendar
        if calendar is not None and calendar.pk not in here:
            here[calendar.pk] = business_time.is_open(schedule_for(calendar), at)
        left, full = _left(each, held.get(each.person_id, 0), given.get((each.pool_id, each.person_id), 0))
        reason = _absent(each, away.get(each.person_id), at) or _closed(calendar, here) or full
        found[each.pool_id].candidates.append(Candidate(each.person_id, str(each.person), each.weight, left, reason))
    return found


def _counted(leads: Any) -> dict[int, int]:
    return dict(leads.order_by().values_list("owner_person").annotate(n=Count("pk")))


def _day_begins(at: dt.datetime) -> dt.datetime:
    return at.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _absent(member: PoolMember, stands_in_until: dt.datetime | None, at: dt.datetime) -> str:
    if not member.person.is_active:
        return "has left"
    if stands_in_until is not None:
        return f"is away until {localdate(stands_in_until):%-d %b}"
    if member.away_from is None or member.away_until is None:
        return ""
    return f"is away until {member.away_until:%-d %b}" if member.away_from <= localdate(at) <= member.away_until else ""


def _closed(calendar: BusinessCalendar | None, here: dict[int, bool]) -> str:
    return "" if calendar is None or here[calendar.pk] else f"is outside their hours ({calendar})"


def _left(member: PoolMember, held: int, given: int) -> tuple[int | None, str]:
    """Return how many more somebody can take (None: no limit), and why none."""
    limits = []
    if member.most_a_day is not None:
        limits.append((member.most_a_day - given, f"got {given} of at most {member.most_a_day} today"))
    if member.most_open is not None:
        limits.append((member.most_open - held, f"has {held} of at most {member.most_open} leads"))
    if not limits:
        return None, ""
    left, words = min(limits)
    return max(left, 0), words if left <= 0 else ""
