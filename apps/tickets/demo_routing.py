"""The demo's routing: skills and profiles of the desk, and the rules in force, approved by a second person."""

import datetime as dt
from typing import Any

from apps.accounts.models import User
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.core.actors import acting_as
from apps.core.rules.domain.versions import activate, send_for_approval, simulate, start_draft, write_rules
from apps.core.rules.models import RuleDocument
from apps.tickets.models import DeskProfile, Queue, Skill, TicketType
from apps.tickets.routing_rules import DOCUMENT, KIND

SKILLS = (
    ("Consent and data protection", "Unsubscribes, copies and deletion of personal data."),
    ("Reporting", "Dashboards, figures and the loads behind them."),
    ("Integrations", "Forms, mappings and connections between tools."),
)
PEOPLE = (
    ("specialist", ("Integrations",), 12, None),
    ("specialist_2", ("Integrations", "Reporting"), 12, None),
    ("analyst", ("Reporting", "Consent and data protection"), 8, None),
    ("manager", (), 4, (20, 26)),
)


def tell_routing(company: Any, people: dict[str, User], queues: dict[str, Queue], types: dict[str, TicketType]) -> None:
    """Say who can do what, and put rules into force."""
    boss = people["manager"]
    with acting_as(boss, reason="The desk opens"):
        skills = {name: Skill.objects.create(name=name, purpose=purpose) for name, purpose in SKILLS}
        for key, names, most, away in PEOPLE:
            profile = DeskProfile.objects.create(
                person=people[key],
                most_open=most,
                away_from=company.today + dt.timedelta(days=away[0]) if away else None,
                away_until=company.today + dt.timedelta(days=away[1]) if away else None,
            )
            profile.skills.set(skills[name] for name in names)
        document = RuleDocument.objects.create(
            key=DOCUMENT,
            kind=KIND,
            title="Where tickets go",
            description="Read from the top at every new ticket; the first rule that fits decides.",
            owner=boss,
        )
    version = start_draft(document, by=boss)
    version = write_rules(version, {"rules": _rules(queues, types, skills)}, by=boss)
    simulate(version, by=boss)
    send_for_approval(version, by=boss, note="As walked through with the team.")
    request = ApprovalRequest.objects.open().get(object_id=version.pk, content_type__model="ruleversion")
    approve(request, by=people["director"])
    version.refresh_from_db()
    activate(version, by=boss, reason="The desk opens", at=company.at(14, 8))


def tell_next_rules(people: dict[str, User]) -> None:
    """Draft the next version of the rules, and replay the tickets of the last weeks through it."""
    by, document = people["manager"], RuleDocument.objects.get(key=DOCUMENT)
    draft = start_draft(document, by=by)
    rules = list(draft.body["rules"])
    stale = {
        "key": "stale",
        "name": "Figures that stand still",
        "predicate": {"any": [{"field": "title", "op": "contains", "value": word} for word in ("yesterday", "stale")]},
        "outcome": {
            "queue": Queue.objects.get(name="Systems and access").pk,
            "skill": Skill.objects.get(name="Integrations").pk,
            "spread": "turn",
        },
        "enabled": True,
        "reason": "A load that failed is mended where the integrations are.",
    }
    place = next(number for number, rule in enumerate(rules) if rule["key"] == "figures")
    draft = write_rules(draft, {"rules": [*rules[:place], stale, *rules[place:]]}, by=by)
    simulate(draft, by=by)


def _rules(queues: dict[str, Queue], types: dict[str, TicketType], skills: dict[str, Skill]) -> list[dict[str, Any]]:
    def rule(key: str, name: str, predicate: Any, reason: str, **outcome: Any) -> dict[str, Any]:
        return {"key": key, "name": name, "predicate": predicate, "outcome": outcome, "enabled": True, "reason": reason}

    def contains(*words: str) -> dict[str, Any]:
        return {
            "any": [{"field": where, "op": "contains", "value": word} for word in words for where in ("title", "words")]
        }

    return [
        rule(
            "privacy",
            "Consent and personal data",
            contains("consent", "unsubscribe", "deletion"),
            "The law gives us days, not weeks.",
            queue=queues["Data and reporting"].pk,
            skill=skills["Consent and data protection"].pk,
            spread="load",
        ),
        rule(
            "broken",
            "Something does not work",
            {"field": "type", "op": "eq", "value": types["Something does not work"].pk},
            "Whoever knows integrations finds the cause soonest.",
            queue=queues["Systems and access"].pk,
            skill=skills["Integrations"].pk,
            spread="turn",
        ),
        rule(
            "figures",
            "Figures and dashboards",
            contains("dashboard", "report"),
            "",
            queue=queues["Data and reporting"].pk,
            skill=skills["Reporting"].pk,
            spread="load",
        ),
        rule("type", "Whatever has a type", {"field": "type", "op": "filled"}, "", spread="queue"),
        rule("rest", "Everything else", {"all": []}, "", queue=queues["Marketing desk"].pk, spread="queue"),
    ]
