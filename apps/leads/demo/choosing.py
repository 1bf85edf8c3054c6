"""The demo's choices: one evaluation decided, one being scored, and the gates of what is implemented."""

import datetime as dt
from decimal import Decimal
from typing import Any

from apps.accounts.models import User
from apps.core.actors import acting_as
from apps.technology.domain.criteria import ship_criteria
from apps.technology.domain.evaluating import choose_candidate, close_scoring, name_evaluators, start_scoring
from apps.technology.domain.implementing import open_gates, pass_gate
from apps.technology.domain.scoring import candidates_of, criteria_of, save_scores, submit_scores
from apps.technology.models import TCO_FIELDS, Candidate, Capability, CriteriaSet, Evaluation, Tool, ToolRequest

People = dict[str, User]
EVIDENCE = (
    "Two of our pages in the vendor's trial, measured for a fortnight.",
    "Its API documentation, and a call that brought our segments over.",
    "Reference call with a customer three times our size.",
    "Two test tickets, answered within a day; release notes of a year.",
)
GATES = (
    "Phase 1: onboarding mails of one product; phase 2: all. Phase 2 begins with fewer than 1 % bounces.",
    "Sent 40 test mails to seed addresses; opens and clicks arrive in the CRM within 20 minutes.",
    "Nine people of two teams trained in two sessions; the recording is in the handbook.",
    "Delivery rate against 98 %, told to #mktgops every morning.",
)
Figures = tuple[int | None, ...]


def choose_mutiny(mutiny: Tool, people: People, today: dt.date) -> ToolRequest:
    """Compare three ways to personalise pages, and return the request for the one that was chosen."""
    lead = people["demand_lead"]
    found = _evaluation(
        "Mutiny for the pricing pages",
        "Personalised pricing pages, without a developer for every variant. The vendor's pilot with us converts 0.4 "
        "points better.",
        "Personalise the website",
        lead,
        today - dt.timedelta(days=9),
    )
    with acting_as(lead):
        _candidate(
            found,
            "",
            "A script on the website; segments come from the warehouse through Fivetran once a day.",
            (24_000, 24_000, 25_200, 4_000, 0, 0, 6_000, 6_000, 6_000, 0, 0, 1_500),
            tool=mutiny,
        )
        _candidate(
            found,
            "Build it ourselves",
            "Variants in the content system; segments from the warehouse by our own job.",
            (0, 0, 0, 38_000, 4_000, 4_000, 22_000, 18_000, 18_000, 0, 0, 0),
        )
        _candidate(
            found,
            "Optimizely Web",
            "A script on the website; segments through its own connector, hourly.",
            (39_000, 39_000, 41_000, 9_000, 0, 0, 6_000, 6_000, 6_000, 0, 0, 4_000),
        )
    judges = [people["technology_administrator"], people["specialist"], people["manager"]]
    name_evaluators(found, by=lead, people=judges)
    start_scoring(found, by=lead)
    by_name = {
        "Mutiny": ((5, 4, 4, 4), (4, 4, 3, 4), (5, 3, 4, 4)),
        "Build it ourselves": ((3, 5, 2, 1), (3, 4, 3, 1), (2, 4, 2, 2)),
        "Optimizely Web": ((4, 3, 5, 4), (4, 4, 5, 3), (1, 3, 4, 4)),
    }
    for place, judge in enumerate(judges):
        entries: dict[tuple[int, int], tuple[int | None, str]] = {}
        for candidate in candidates_of(found):
            for criterion, value, said in zip(
                criteria_of(found), by_name[candidate.name][place], EVIDENCE, strict=True
            ):
                entries[candidate.pk, criterion.pk] = (value, said)
        submit_scores(found, entries, by=judge)
    close_scoring(found, by=lead)
    best = next(each for each in candidates_of(found) if each.tool_id == mutiny.pk)
    choose_candidate(
        found, by=lead, candidate=best, reason="Best by points, and the only one whose pilot ran on our pages."
    )
    return ToolRequest.objects.get(evaluation=found)


def fill_choosing(people: People, today: dt.date) -> None:
    """Begin an evaluation that waits for scores, and pass the first gates of what is implemented."""
    lead = people["technology_administrator"]
    found = _evaluation(
        "Attribute revenue to campaigns",
        "Which campaigns bring revenue, told every Monday, and traceable to the deal. Today a spreadsheet says it.",
        "Attribute revenue",
        lead,
        today + dt.timedelta(days=12),
    )
    with acting_as(lead):
        _candidate(
            found,
            "Dreamdata",
            "Reads CRM and ads through connectors; writes nothing back.",
            (30_000, 31_500, 33_000, 5_000, 0, 0, 8_000, 6_000, 6_000, 0, 0, 1_000),
        )
        _candidate(
            found,
            "HockeyStack",
            "A script on the website and the CRM connector.",
            (26_000, 28_000, 30_000, 4_000, 0, 0, 9_000, 7_000, 7_000, None, None, None),
        )
    judges = [people["specialist"], people["manager"], people["demand_lead"]]
    name_evaluators(found, by=lead, people=judges)
    start_scoring(found, by=lead)
    first = candidates_of(found)[0]
    entries: dict[tuple[int, int], tuple[int | None, str]] = {
        (first.pk, each.pk): (4, said) for each, said in zip(criteria_of(found), EVIDENCE, strict=True)
    }
    save_scores(found, entries, by=people["specialist"])
    implementing = Tool.objects.filter(lifecycle="implementing").order_by("pk").first()
    if implementing is not None:
        for gate, evidence in zip(open_gates(implementing)[:2], GATES, strict=False):
            pass_gate(gate, by=lead, reason=evidence)


def pass_all_gates(tool: Tool, by: User) -> None:
    """Pass what gates a tool has, one after the other."""
    for gate in open_gates(tool):
        pass_gate(gate, by=by, reason=GATES[gate.position - 1])


def _evaluation(title: str, need: str, capability: str, lead: User, due_on: dt.date) -> Evaluation:
    criteria: Any = CriteriaSet.objects.filter(state="active").first() or ship_criteria()
    with acting_as(lead):
        made: Evaluation = Evaluation.objects.create(
            title=title,
            need=need,
            capability=Capability.objects.filter(name=capability).first(),
            criteria=criteria,
            lead=lead,
            due_on=due_on,
        )
    return made


def _candidate(evaluation: Evaluation, name: str, integration: str, figures: Figures, tool: Tool | None = None) -> None:
    stated = {key: None if each is None else Decimal(each) for key, each in zip(TCO_FIELDS, figures, strict=True)}
    Candidate.objects.create(
        evaluation=evaluation, tool=tool, name=name, integration_assessment=integration, currency="EUR", **stated
    )
