"""Who of a team is given a ticket: everybody is considered, and who is passed over is told why."""

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Count, Q
from django.utils.timezone import localdate

from apps.accounts.models import Team, User
from apps.approvals.models import Delegation
from apps.tickets.domain.queries import desk_people
from apps.tickets.models import DeskProfile, RoutingCursor, Skill, Ticket
from apps.tickets.routing_rules import LOAD


@dataclass(frozen=True)
class Wanted:
    """Whom a rule asks for: one person, or somebody with a skill, in turn or by load."""

    person: int | None
    skill: int | None
    spread: str


@dataclass
class Candidate:
    """Somebody who was considered: how much they have, and why they were passed over ("" where they could take it)."""

    pk: int
    name: str
    open: int
    passed_over: str
    chosen: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return asdict(self)


def choose(ticket: Ticket, team: Team, wanted: Wanted, *, at: dt.datetime) -> tuple[list[Candidate], User | None, str]:
    """Return everybody who was considered, who is given the ticket (None: nobody can), and that in words.

    Locks the team's turn until the transaction ends: whoever routes next sees what was given here.
    """
    cursor = _locked_turn(team)
    people = _people(team, wanted)
    considered = _considered(ticket, people, wanted, at)
    able = [each for each in considered if not each.passed_over]
    if not able:
        who = "The person it is for" if wanted.person is not None else f"Nobody of {team}"
        reason = considered[0].passed_over if wanted.person is not None and considered else "can take it now"
        return considered, None, f"{who} {reason}; whoever takes it from the queue works on it."
    chosen = next_one(able, cursor, wanted)
    chosen.chosen = True
    person = next(each for each in people if each.pk == chosen.pk)
    cursor.last_person, cursor.given = person, cursor.given + 1
    cursor.save(update_fields=["last_person", "given"])
    return considered, person, _words(person, chosen, len(able), len(considered), wanted)


def _locked_turn(team: Team) -> RoutingCursor:
    RoutingCursor.objects.bulk_create([RoutingCursor(team=team)], ignore_conflicts=True)
    return RoutingCursor.objects.select_for_update(of=("self",)).get(team=team)


def _people(team: Team, wanted: Wanted) -> list[User]:
    if wanted.person is not None:
        return list(User.objects.filter(pk=wanted.person))
    member = Q(memberships__team=team, memberships__archived_at__isnull=True)
    return list(User.objects.working().filter(member).distinct().order_by("pk"))


def _considered(ticket: Ticket, people: list[User], wanted: Wanted, at: dt.datetime) -> list[Candidate]:
    keys = [each.pk for each in people]
    counted = Ticket.objects.active().filter(assignee__in=keys).exclude(pk=ticket.pk).values_list("assignee")
    load = dict(counted.annotate(open=Count("pk")).values_list("assignee", "open"))
    profiles = {each.person_id: each for each in DeskProfile.objects.live().filter(person__in=keys)}
    skill = Skill.objects.filter(pk=wanted.skill).first() if wanted.skill is not None else None
    skilled = set(skill.holders.live().values_list("person", flat=True)) if skill is not None else set()
    desk = set(desk_people().filter(pk__in=keys).values_list("pk", flat=True))
    away = {
        each.from_person_id: each.ends_at
        for each in Delegation.objects.valid_at(at).filter(from_person__in=keys, subject_kind="")
    }
    found = []
    for person in people:
        profile, count = profiles.get(person.pk), load.get(person.pk, 0)
        reason = ""
        if person.pk not in desk:
            reason = "does not work at the desk"
        elif person.pk == ticket.requester_id:
            reason = "asks for it"
        elif until := _away_until(profile, away.get(person.pk), at):
            reason = f"is away until {until:%-d %b}"
        elif skill is not None and person.pk not in skilled:
            reason = f"does not have the skill {skill}"
        elif profile is not None and profile.most_open is not None and count >= profile.most_open:
            reason = f"has {count} of at most {profile.most_open} tickets"
        found.append(Candidate(person.pk, str(person), count, reason))
    return found


def _away_until(profile: DeskProfile | None, delegated_until: dt.datetime | None, at: dt.datetime) -> dt.date | None:
    """Return the last day somebody is away, by their profile or because somebody stands in for them; None: there."""
    if delegated_until is not None:
        return localdate(delegated_until)
    if profile is None or profile.away_from is None or profile.away_until is None:
        return None
    return profile.away_until if profile.away_from <= localdate(at) <= profile.away_until else None


def next_one(able: list[Candidate], cursor: RoutingCursor, wanted: Wanted) -> Candidate:
    """Return the next after the last one in turn; by load, the turn decides among those with the fewest."""
    last = cursor.last_person_id or 0
    pool = able
    if wanted.spread == LOAD:
        fewest = min(each.open for each in able)
        pool = [each for each in able if each.open == fewest]
    return next((each for each in pool if each.pk > last), pool[0])


def _words(person: User, chosen: Candidate, able: int, considered: int, wanted: Wanted) -> str:
    if wanted.person is not None:
        return f"{person} was named by the rule."
    why = f"has the fewest active tickets ({chosen.open})" if wanted.spread == LOAD else "is next in turn"
    return f"{person} {why} among {able} of {considered} who could take it."
