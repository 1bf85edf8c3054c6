"""Clients: facts from subscription and usage, judged by the rules in force into a stage, a health and signs of leaving.

One path serves the night, the simulation of new rules and the page as of any day: facts by one statement, then the
rules on each client in memory, which also says why.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils import timezone

from apps.core import clock
from apps.core.rules.bodies import Rule
from apps.core.rules.catalog import catalog_of
from apps.core.rules.domain.matching import matches
from apps.core.rules.kinds import Simulation
from apps.leads.client_rules import BODY, DOCUMENT, FACTS, HEALTHY, version_in_force
from apps.leads.enums import ClientStage, SubscriptionStatus
from apps.leads.models import ChurnSign, Client, Company

if TYPE_CHECKING:
    from apps.core.rules.models import RuleVersion

BEFORE, STARTING = dt.timedelta(days=90), dt.timedelta(days=90)
SAMPLE, LONGEST = 10, 500
_TOLD = ("status", "plan", "seats", "active_users", "actions", "monthly_value", "renews_on")


def _newest(name: str, what: str, more: str = "") -> str:
    said = f"s.{name} <> ''" if name in ("status", "plan") else f"s.{name} IS NOT NULL"
    return f"(array_agg({what} ORDER BY s.taken_on DESC, s.id DESC) FILTER (WHERE {said}{more}))[1]"


_FACTS = f"""
    SELECT s.company_id,
        {", ".join(f"{_newest(name, f's.{name}')} AS {name}" for name in _TOLD)},
        {", ".join(f"{_newest(name, 's.taken_on')} AS {name}_on" for name in _TOLD)},
        {", ".join(f"{_newest(name, 's.source')} AS {name}_by" for name in _TOLD)},
        {
    ", ".join(
        f"{_newest(name, f's.{name}', ' AND s.taken_on <= %(before)s')} AS {name}_before"
        for name in ("active_users", "actions", "monthly_value")
    )
},
        min(s.taken_on) FILTER (WHERE s.status IN ('active', 'past_due')) AS since
    FROM leads_companysnapshot s JOIN leads_company c ON c.id = s.company_id
    WHERE s.archived_at IS NULL AND c.archived_at IS NULL AND s.taken_on <= %(day)s AND (%(companies)s::bigint[] IS NULL
        OR s.company_id = ANY(%(companies)s::bigint[]))
    GROUP BY s.company_id ORDER BY s.company_id
"""  # our own names alone


@dataclass(frozen=True)
class Finding:
    """One rule that a client fits: what it counts, whether it is a sign of leaving, and on what evidence."""

    key: str
    name: str
    points: float
    is_sign: bool
    why: str
    how: str


@dataclass(frozen=True)
class Judged:
    """One client as of a day."""

    company: int
    facts: dict[str, Any]
    evidence: dict[str, list[str]]
    stage: ClientStage
    health: float | None
    findings: list[Finding] = field(default_factory=list)


def facts_as_of(day: dt.date, companies: Iterable[int] | None = None) -> dict[int, tuple[dict[str, Any], Any]]:
    """Return the facts of clients as of a day, and by fact the day and source of the word that counts: one query.

    Args:
        day: nothing that was told of a later day counts.
        companies: their keys; everybody with a snapshot where it is left out.
    """
    given = {"day": day, "before": day - BEFORE, "companies": None if companies is None else list(companies)}
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, given)
        names = [each.name for each in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {row["company_id"]: _facts(row) for row in rows}


def _facts(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    seats, users = row["seats"], row["active_users"]
    facts = {
        **{name: row[name] for name in ("seats", "active_users", "monthly_value", "renews_on", "since")},
        "status": row["status"] or "",
        "plan": row["plan"] or "",
        "seat_use": round(100 * users / seats, 1) if seats and users is not None else None,
        "users_change": _change(row["active_users_before"], users),
        "actions_change": _change(row["actions_before"], row["actions"]),
        "value_change": _change(row["monthly_value_before"], row["monthly_value"]),
        "used_on": row["active_users_on"] or row["actions_on"],
    }
    evidence = {name: [str(row[f"{name}_on"]), row[f"{name}_by"]] for name in _TOLD if row[f"{name}_on"] is not None}
    return facts, evidence


def _change(before: Any, now: Any) -> float | None:
    return round(100 * (float(now) - float(before)) / float(before), 1) if before and now is not None else None


def judge(day: dt.date, version: "RuleVersion | None", companies: Iterable[int] | None = None) -> dict[int, Judged]:
    """Return every client as it stood on a day, by a version of the rules: two queries whatever their number."""
    known = facts_as_of(day, companies)
    about = {
        key: {"industry": industry, "employees": employees}
        for key, industry, employees in Company.objects.filter(pk__in=known).values_list("pk", "industry", "employees")
    }
    catalog = catalog_of(Client)
    rules = [rule for rule in BODY.rules(version.body, catalog) if rule.enabled] if version is not None else []
    limit = float(BODY.settings_of(version.body)["at_risk"]) if version is not None else 0.0
    moment = timezone.make_aware(dt.datetime.combine(day, dt.time(12)), timezone.get_default_timezone())
    judged = {}
    for company, (facts, evidence) in known.items():
        values = {**facts, **about[company]}
        findings = [] if facts["status"] == SubscriptionStatus.CANCELLED else _findings(rules, values, catalog, moment)
        health = _health(findings) if rules else None
        stage = stage_of(facts, health, any(each.is_sign for each in findings), limit=limit, day=day)
        judged[company] = Judged(company, facts, evidence, stage, health, findings)
    return judged


def _findings(rules: list[Rule], values: dict[str, Any], catalog: Any, moment: dt.datetime) -> list[Finding]:
    asked = ((rule, matches(rule.tree, values, catalog, as_of=moment)) for rule in rules)
    return [
        Finding(
            rule.key,
            rule.name,
            float(rule.outcome["points"]),
            bool(rule.outcome["sign"]),
            found.why.replace(" ✓", "")[:LONGEST],
            rule.outcome["how"] or "",
        )
        for rule, found in asked
        if found
    ]


def _health(findings: list[Finding]) -> float:
    return max(0.0, min(float(HEALTHY), HEALTHY + sum(each.points for each in findings)))


def stage_of(facts: dict[str, Any], health: float | None, has_sign: bool, *, limit: float, day: dt.date) -> ClientStage:
    """Return where a client stands.

    Who cancelled has left and who tries it is trying; a sign of leaving and a health below the limit of the rules put
    it at risk; in its first 90 days of paying it is getting started.
    """
    if facts["status"] == SubscriptionStatus.CANCELLED:
        return ClientStage.LEFT
    if facts["status"] == SubscriptionStatus.TRIAL:
        return ClientStage.TRIAL
    if has_sign and health is not None and health < limit:
        return ClientStage.AT_RISK
    since = facts["since"]
    return ClientStage.ONBOARDING if since is None or day - since < STARTING else ClientStage.ESTABLISHED


def judge_clients(*, day: dt.date | None = None) -> dict[str, int]:
    """Judge every client by the rules in force and keep what came of it; safe to repeat."""
    today, version = day or clock.today(), version_in_force()
    judged = judge(today, version)
    with transaction.atomic():
        before = {row.company_id: row for row in Client.objects.select_for_update(of=("self",))}
        Client.objects.exclude(pk__in=judged).delete()
        rows = [_row(each, before.get(each.company), today, version) for each in judged.values()]
        columns = [f.name for f in Client._meta.concrete_fields if not f.primary_key]
        Client.objects.bulk_create(rows, update_conflicts=True, unique_fields=["company"], update_fields=columns)
        opened, closed = _keep_signs(judged, version, today)
    at_risk = sum(each.stage == ClientStage.AT_RISK for each in judged.values())
    return {"clients": len(judged), "at_risk": at_risk, "signs_opened": opened, "signs_closed": closed}


def _row(each: Judged, before: Client | None, day: dt.date, version: "RuleVersion | None") -> Client:
    since = before.stage_since if before is not None and before.stage == each.stage else day
    given = {name: each.facts[name] for name in FACTS}
    return Client(
        company_id=each.company,
        as_of=day,
        stage=each.stage,
        stage_since=since,
        health=each.health,
        version=version,
        evidence=each.evidence,
        **given,
    )


def _keep_signs(judged: dict[int, Judged], version: "RuleVersion | None", day: dt.date) -> tuple[int, int]:
    """Open what is new and close what is over; a sign that goes on keeps its day and its first evidence."""
    now = {(each.company, found.key): found for each in judged.values() for found in each.findings if found.is_sign}
    standing = {(row.company_id, row.rule_key): row for row in ChurnSign.objects.filter(closed_on=None)}
    over = [row.pk for key, row in standing.items() if key not in now]
    closed = ChurnSign.objects.filter(pk__in=over).update(closed_on=day)
    fresh = [
        ChurnSign(
            company_id=company,
            rule_key=key,
            name=found.name,
            evidence=found.why,
            version=version,
            opened_on=day,
        )
        for (company, key), found in now.items()
        if (company, key) not in standing
    ]
    ChurnSign.objects.bulk_create(fresh)
    return len(fresh), closed


def simulate(version: "RuleVersion", as_of: dt.datetime) -> Simulation:
    """Judge every client by the rules in force and by the new ones, and say what would change."""
    day = as_of.astimezone(timezone.get_default_timezone()).date()
    old, new = judge(day, version_in_force()), judge(day, version)
    moved = [key for key in new if old[key].stage != new[key].stage]
    stages = [
        [stage.label, sum(o.stage == stage for o in old.values()), sum(n.stage == stage for n in new.values())]
        for stage in ClientStage
    ]
    found: dict[str, int] = {}
    for each in new.values():
        for finding in each.findings:
            found[finding.name] = found.get(finding.name, 0) + 1
    decides = version.document.key == DOCUMENT
    return {
        "facts": [
            ["Clients", len(new)],
            ["Change their stage", len(moved)],
            ["Decides about clients", "yes" if decides else f"no: only the document “{DOCUMENT}” does"],
        ],
        "tables": [
            {"title": "By stage", "head": ["Stage", "Now", "By these rules"], "rows": stages},
            {"title": "By rule", "head": ["Rule", "Clients"], "rows": [[name, n] for name, n in found.items()]},
        ],
        "sample_model": Company._meta.label_lower,
        "sample": moved[:SAMPLE],
    }
