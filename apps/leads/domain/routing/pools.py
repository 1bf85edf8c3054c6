"""Who of a pool can take leads now, and why the others cannot: two questions for all pools of a round."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Count, Q
from django.utils.timezone import get_default_timezone

from apps.accounts.models import User
from apps.approvals.models import Delegation
from apps.core.calendars.domain import business_time
from apps.core.calendars.domain.queries import schedule_for
from apps.core.calendars.models import BusinessCalendar
from apps.leads.domain.routing.turns import slots_of
from apps.leads.enums import OPEN_STAGES
from apps.leads.models import Lead, Pool, PoolMember, RoutingDecision


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
    def room(self) -> int | None:
        """How many leads the pool can take now; None for no limit."""
        lefts = [each.left for each in self.able]
        return None if None in lefts else sum(each for each in lefts if each is not None)

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
    return set(User.objects.working().values_list("pk", flat=True)) - set(away_now(at))


@dataclass(frozen=True)
class _Hours:
    """When a calendar is open, as far as a round of routing asks: now or not, and which day it is there."""

    is_open: bool
    today: dt.date
    midnight: dt.datetime


def crews(keys: Iterable[int], *, at: dt.datetime) -> dict[int, Crew]:
    """Return the pools with everybody in them, whether they can take leads at `at` and why not.

    A day is a day where the pool is: its calendar says in which time zone.
    """
    pools = Pool.objects.select_related("team", "calendar").in_bulk(list(keys))
    rows = PoolMember.objects.filter(pool__in=pools, archived_at__isnull=True).select_related("person", "calendar")
    members = list(rows.order_by("pool_id", "person_id"))  # as their turns are; names may sort otherwise
    hours: dict[int | None, _Hours] = {None: _hours(None, at)}
    for calendar in (*(each.calendar for each in pools.values()), *(each.calendar for each in members)):
        if calendar is not None and calendar.pk not in hours:
            hours[calendar.pk] = _hours(calendar, at)
    people = {each.person_id for each in members}
    held = _counted(Lead.objects.filter(owner_person__in=people, stage__in=OPEN_STAGES, archived_at__isnull=True))
    given = _given({key: hours[pool.calendar_id].midnight for key, pool in pools.items()}, people)
    away = away_now(at)
    found = {key: Crew(pool, []) for key, pool in pools.items()}
    for each in members:
        calendar = each.calendar or pools[each.pool_id].calendar
        there = hours[calendar.pk if calendar is not None else None]
        left, full = _left(each, held.get(each.person_id, 0), given.get((each.pool_id, each.person_id), 0))
        reason = _absent(each, away.get(each.person_id), there) or _closed(calendar, there) or full
        found[each.pool_id].candidates.append(Candidate(each.person_id, str(each.person), each.weight, left, reason))
    return found


def _hours(calendar: BusinessCalendar | None, at: dt.datetime) -> _Hours:
    schedule = schedule_for(calendar) if calendar is not None else None
    zone = get_default_timezone() if schedule is None else schedule.zone_at(at.astimezone(dt.UTC).replace(tzinfo=None))
    today = at.astimezone(zone).date()
    is_open = schedule is None or business_time.is_open(schedule, at)
    return _Hours(is_open, today, dt.datetime.combine(today, dt.time.min, zone))


def _counted(leads: Any) -> dict[int, int]:
    return dict(leads.order_by().values_list("owner_person").annotate(n=Count("pk")))


def _given(midnights: Mapping[int, dt.datetime], people: set[int]) -> dict[tuple[int, int], int]:
    """Return how many leads each pool gave to each person since its day began."""
    if not midnights:
        return {}
    today = Q()
    for moment in set(midnights.values()):
        today |= Q(pool__in=[key for key, begins in midnights.items() if begins == moment], at__gte=moment)
    rows = RoutingDecision.objects.filter(today, to_person__in=people)
    return {row[:2]: row[2] for row in rows.order_by().values_list("pool", "to_person").annotate(n=Count("pk"))}


def _absent(member: PoolMember, stands_in_until: dt.datetime | None, there: _Hours) -> str:
    if not member.person.is_active:
        return "has left"
    if stands_in_until is not None:
        return f"is away until {stands_in_until.astimezone(there.midnight.tzinfo):%-d %b}"
    if member.away_from is None or member.away_until is None:
        return ""
    return f"is away until {member.away_until:%-d %b}" if member.away_from <= there.today <= member.away_until else ""


def _closed(calendar: BusinessCalendar | None, there: _Hours) -> str:
    return "" if there.is_open else f"is outside their hours ({calendar})"


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
