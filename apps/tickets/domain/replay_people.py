"""Replay of persons: whom rules would have given the tickets of the past, by skill, load and turn.

Skills, limits and teams are those of today; who was away then is not known and left out. How much somebody had at a
moment is counted from the replay itself: a ticket weighs from its opening until it was resolved.
"""

import datetime as dt
import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from apps.accounts.models import Membership, Team, User
from apps.core import clock
from apps.tickets.domain.candidates import Candidate, Wanted, next_one
from apps.tickets.domain.queries import desk_people
from apps.tickets.models import DeskProfile, Queue, RoutingCursor, Skill, Ticket
from apps.tickets.routing_rules import STAYS

if TYPE_CHECKING:
    from apps.core.rules.bodies import Rule

ANYBODY, NOBODY = "Whoever takes it", "Nobody could take it"


@dataclass
class Desk:
    """The people of the desk as the replay knows them."""

    names: dict[int, str]
    works: set[int]
    limits: dict[int, int]
    skilled: dict[int, set[int]]
    members: dict[int, list[int]]
    queues: dict[int, Queue]
    teams: dict[int, Team]
    turns: dict[int, RoutingCursor] = field(default_factory=dict)
    loads: dict[int, list[dt.datetime]] = field(default_factory=dict)

    def load(self, person: int, at: dt.datetime) -> int:
        """How many tickets somebody had at a moment; moments are asked in order."""
        has = self.loads.setdefault(person, [])
        while has and has[0] <= at:
            heapq.heappop(has)
        return len(has)


def read_desk() -> Desk:
    """Return the desk of today: seven queries."""
    people = {each.pk: each for each in User.objects.working()}
    members: dict[int, list[int]] = {}
    for team, person in Membership.objects.filter(archived_at__isnull=True).values_list("team", "person"):
        if person in people:
            members.setdefault(team, []).append(person)
    skilled: dict[int, set[int]] = {}
    held = Skill.objects.filter(holders__archived_at__isnull=True).values_list("pk", "holders__person")
    for skill, person in held:
        skilled.setdefault(skill, set()).add(person)
    profiles = DeskProfile.objects.live().filter(most_open__isnull=False)
    return Desk(
        names={pk: str(each) for pk, each in people.items()},
        works=set(desk_people().values_list("pk", flat=True)),
        limits={each.person_id: each.most_open for each in profiles if each.most_open is not None},
        skilled=skilled,
        members={team: sorted(set(found)) for team, found in members.items()},
        queues=Queue.objects.select_related("team").in_bulk(),
        teams=Team.objects.in_bulk(),
    )


def replay_people(
    tickets: Sequence[Ticket], rules: "Mapping[int, Rule | None]", queues: Mapping[int, int | None]
) -> list[list[Any]]:
    """Return for each person how many tickets they would have been given, most first.

    Args:
        tickets: which.
        rules: for each ticket the rule that decides.
        queues: for each ticket the queue it goes to.
    """
    desk, counts = read_desk(), Counter[str]()
    for ticket in sorted(tickets, key=lambda each: (each.opened_at, each.pk)):
        rule = rules[ticket.pk]
        if rule is None:
            counts[ANYBODY] += 1
            continue
        counts[_given(desk, ticket, rule, queues[ticket.pk])] += 1
    return [[name, number] for name, number in counts.most_common()]


def _given(desk: Desk, ticket: Ticket, rule: "Rule", queue: int | None) -> str:
    outcome = rule.outcome
    wanted = Wanted(outcome["person"], outcome["skill"], outcome["spread"] or STAYS)
    if wanted.person is None and wanted.spread == STAYS:
        return ANYBODY
    goes_to = desk.queues.get(queue or 0)
    team = desk.teams.get(outcome["team"] or 0) or (goes_to.team if goes_to is not None else None)
    if team is None:
        return NOBODY
    people = [wanted.person] if wanted.person is not None else desk.members.get(team.pk, [])
    able = [
        Candidate(person, desk.names.get(person, ""), desk.load(person, ticket.opened_at), "")
        for person in people
        if _could(desk, person, ticket, wanted)
    ]
    if not able:
        return NOBODY
    turn = desk.turns.setdefault(team.pk, RoutingCursor(team=team))
    chosen = next_one(able, turn, wanted)
    turn.last_person_id = chosen.pk
    heapq.heappush(desk.loads[chosen.pk], ticket.resolved_at or clock.now() + dt.timedelta(days=1))
    return chosen.name


def _could(desk: Desk, person: int, ticket: Ticket, wanted: Wanted) -> bool:
    if person not in desk.works or person == ticket.requester_id:
        return False
    if wanted.skill is not None and person not in desk.skilled.get(wanted.skill, ()):
        return False
    limit = desk.limits.get(person)
    return limit is None or desk.load(person, ticket.opened_at) < limit
