"""The kind of rules that routes tickets: what they ask about, what each says, and what must be in every list."""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models import F, Func, OuterRef, Subquery, Value
from django.db.models.functions import Cast

from apps.accounts.models import Membership, Team, User
from apps.core.rules.bodies import OutcomeField, RuleListBody
from apps.core.rules.catalog import Catalog, Field, model_fields
from apps.core.rules.domain.tree import Problem
from apps.core.rules.field_types import Choice, Reference, Text
from apps.core.rules.tags import Tags
from apps.tickets.enums import Tier
from apps.tickets.models import Message, Queue, Skill, Ticket

KIND, DOCUMENT = "tickets.routing", "ticket-routing"
STAYS, TURN, LOAD = "queue", "turn", "load"
SPREAD = (
    (STAYS, "whoever takes it"),
    (TURN, "the next in turn"),
    (LOAD, "the one with the fewest active tickets"),
)


def ticket_catalog() -> Catalog:
    """Return what rules may ask about a ticket."""
    first = Message.objects.filter(ticket=OuterRef("pk")).order_by("at", "id").values("body")[:1]
    team = Membership.objects.filter(person=OuterRef("requester"), archived_at__isnull=True).order_by("pk")
    return Catalog(
        fields=(
            *model_fields(Ticket, "title", "type", "impact", "urgency", "priority", "intake"),
            Field(
                "domain",
                "Mail domain of somebody from outside",
                Text(),
                Func(
                    F("requester_email"), Value("@"), Value(2), function="split_part", output_field=models.TextField()
                ),
                reads=("requester_email",),
            ),
            Field("words", "Description", Text(), Subquery(first), help="The first message.", reads=("messages",)),
            Field("tier", "Tier", Choice(list(Tier.choices)), "type__tier"),
            Field("answers", "Answers of the form", Text(), Cast("answers", models.TextField()), reads=("answers",)),
            Field(
                "requester_team",
                "Team of the requester",
                Reference(Team),
                Subquery(team.values("team")[:1]),
                help="Their first team, where they are in several.",
                reads=("requester",),
            ),
            Field("tags", "Tags", Tags(Ticket)),
        )
    )


def check(body: Any) -> list[Problem]:
    """Return what is wrong with a list whose parts are right: something must take what no rule fits."""
    rules = body["rules"]
    found = [
        Problem(
            ("rules", place, "outcome", "person"),
            f"Rule {place + 1} names a person and how to choose one; keep one of the two.",
        )
        for place, rule in enumerate(rules)
        if _says(rule, "person") and _says(rule, "spread") not in (None, "", STAYS)
    ]
    last = rules[-1]
    everything = last.get("predicate") in ({"all": []}, {"any": []}) and last.get("enabled", True)
    if not everything or not _says(last, "queue"):
        found.append(
            Problem(
                ("rules", len(rules) - 1),
                "The last rule takes what no other fits: leave its condition empty and name a queue, so that no ticket "
                "is ever lost.",
            )
        )
    return found


def _says(rule: Mapping[str, Any], name: str) -> Any:
    return (rule.get("outcome") or {}).get(name)


BODY = RuleListBody(
    Ticket,
    outcomes=(
        OutcomeField("queue", "Queue", Reference(Queue), required=False, help="Empty: the queue of its type."),
        OutcomeField("team", "Team", Reference(Team), required=False, help="Whose people; empty: the queue's team."),
        OutcomeField("person", "Person", Reference(User, rows=User.objects.working), required=False),
        OutcomeField("skill", "Skill", Reference(Skill), required=False, help="Only people who have it are given it."),
        OutcomeField("spread", "Given to", Choice(list(SPREAD)), required=False, help="Empty: whoever takes it."),
    ),
    first_wins=True,
    check=check,
)
