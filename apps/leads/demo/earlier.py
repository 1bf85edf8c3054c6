"""The demo's leads of the CRM before this one: what they did, when they qualified, and what came of them since.

Invented people, the same every time. Who is keen does more and is accepted more often, with much chance in both: a
model has something to learn, and nothing is certain.
"""

import datetime as dt
import random
from math import exp
from typing import Any

from apps.core.actors import Channel, acting_as
from apps.core.transitions import transition
from apps.leads.demo.people import COMPANY, FIRST, ORIGINS, PLACES, SELLERS, SOURCES, TRADE
from apps.leads.domain.past import Told, tell_past
from apps.leads.domain.touches import Touch, take_touches
from apps.leads.enums import Stage
from apps.leads.models import Lead

SYSTEM, NUMBER, SEED = "former-crm", 520, 20260105
OLDEST, NEWEST = 300, 66  # days since they came in
LAST = (
    *("Abelsen", "Brandt", "Cervantes", "Dorsey", "Engel", "Fontaine", "Galvão", "Hallberg", "Iversen", "Jelinek"),
    *("Keller", "Laurent", "Mancini", "Novák", "Osborne", "Petrov", "Quiroga", "Rossi", "Sørensen", "Toivonen"),
)
TITLES = ("Chief Marketing Officer", "Director of Operations", "Head of Digital", "Marketing Manager", "Analyst", "")
KEEN = {"download": 0.22, "webinar": 0.14, "demo": 0.08, "trial": 0.05, "visit": 0.37, "email": 0.14}
IDLE = {"download": 0.08, "webinar": 0.04, "demo": 0.01, "trial": 0.01, "visit": 0.5, "email": 0.36}
CAME_BACK = ("No budget this year.", "Another project comes first.", "Too early; they asked to be called next year.")
MOVES = {
    Stage.KNOWN_LEAD: "Came in.",
    Stage.MQL: "Reached the scoring threshold.",
    Stage.SQL: "Sales accepted it after a first call.",
}


class _Earlier:
    """One lead as the dice made it: how keen it is, when it came in, and when sales accepted it (0: never)."""

    def __init__(self, number: int, name: str, dice: random.Random) -> None:
        self.number, self.name = number, name
        self.title = dice.choices(TITLES, weights=(8, 14, 14, 24, 28, 12))[0]
        self.keenness = dice.gauss(0, 1) + (0.6 if TITLES.index(self.title) < 3 else 0)
        self.came = dice.randint(NEWEST, OLDEST)
        chance = 1 / (1 + exp(-(2.2 * self.keenness - 0.5)))
        wait = int(dice.triangular(10, 180, 70))
        self.accepted = self.came - wait if dice.random() < chance and self.came - wait > 2 else 0
        self.qualified = self.accepted + dice.randint(1, 8) if self.accepted else 0
        if not self.accepted and dice.random() < 0.4:
            self.qualified = dice.randint(20, self.came - 5)

    @property
    def stage(self) -> Stage:
        """Where it stands today: sales gave back whom it had accepted, some of them for good."""
        if not self.qualified:
            return Stage.KNOWN_LEAD
        return Stage.DISQUALIFIED if self.accepted and self.number % 9 == 0 else Stage.RECYCLED

    def past(self, lead: int, company: Any) -> list[Told]:
        """Return the stages it went through, counted from today."""
        steps = [(Stage.KNOWN_LEAD, self.came), (Stage.MQL, self.qualified), (Stage.SQL, self.accepted)]
        told = [Told(lead, stage, company.at(days, 11), MOVES[stage]) for stage, days in steps if days]
        if self.qualified:
            left = self.accepted or self.qualified
            told.append(Told(lead, self.stage, company.at(left // 2, 16), CAME_BACK[self.number % 3]))
        return told


def _all() -> tuple[list[_Earlier], random.Random]:
    dice = random.Random(SEED)  # noqa: S311  # the same people every time, no secret
    names = [f"{first} {last}" for first in FIRST for last in LAST]  # each once: nobody looks like a duplicate
    dice.shuffle(names)
    return [_Earlier(number, names[number - 1], dice) for number in range(1, NUMBER + 1)], dice


def bring_leads(company: Any) -> None:
    """Bring the leads in as they stand today, with the stages they went through."""
    people, dice = _all()
    specialist, nurture = company.people["specialist"], company.teams["Demand Generation"]
    rows = []
    for each in people:
        territory = dice.choices(list(PLACES), weights=(30, 18, 17, 10, 12, 13))[0]
        seller = SELLERS.get(territory, "") if each.accepted else ""
        rows.append(
            Lead(
                external_id=f"{70_000 + each.number}",
                record_source=SYSTEM,
                name=each.name,
                email=f"contact{each.number}@example.net",
                job_title=each.title,
                company=f"{dice.choice(COMPANY)} {dice.choice(TRADE)}",
                country=dice.choice(PLACES[territory]),
                territory=territory,
                origin=dice.choice(ORIGINS),
                source=dice.choice(SOURCES),
                stage=each.stage,
                owner_person=company.people[seller] if seller else None,
                owner_team=company.teams["Sales"] if seller else nurture,
            )
        )
    with acting_as(specialist, channel=Channel.SYNC, reason="Brought over from the CRM before"), transition(Lead):
        Lead.objects.bulk_create(rows)
    told = [step for each, lead in zip(people, rows, strict=True) for step in each.past(lead.pk, company)]
    tell_past(told, by=specialist)


def bring_touches(company: Any) -> None:
    """Bring in what the leads did while they were with marketing."""
    people, dice = _all()
    leads = dict(Lead.objects.filter(record_source=SYSTEM).values_list("external_id", "pk"))
    touches = [
        touch
        for each in people
        for touch in _touches(each, leads[f"{70_000 + each.number}"], dice, company)
        if touch.occurred_at < company.at(1)
    ]
    take_touches(touches, by=company.people["specialist"])


def _touches(each: _Earlier, lead: int, dice: random.Random, company: Any) -> list[Touch]:
    """Return what one lead did: the keener, the more of it, the most before sales spoke with it."""
    often = max(0.5, 4.0 + 2.0 * each.keenness)
    days = [dice.randint(2, each.came) for _ in range(min(20, int(dice.expovariate(1 / often) + often / 2)))]
    kinds = [dice.choices(list(IDLE), list(IDLE.values()))[0] for _ in days]
    if each.accepted or dice.random() < 0.3:  # some are curious for a while, and nothing comes of it
        peak = each.accepted or dice.randint(2, each.came)
        before = [peak + int(dice.triangular(1, 110, 20)) for _ in range(dice.randint(1, 6))]
        days += [min(day, each.came) for day in before]
        kinds += [dice.choices(list(KEEN), list(KEEN.values()))[0] for _ in before]
    return [
        Touch(
            lead_id=lead,
            type=kind,
            occurred_at=company.at(day, dice.randint(6, 20)) + dt.timedelta(minutes=dice.randint(0, 59)),
            source=SYSTEM,
            source_event_id=f"{each.number}-{place}",
            value="As the former CRM tells it",
        )
        for place, (day, kind) in enumerate(zip(days, kinds, strict=True))
    ]
