"""How well scores tell who becomes an SQL: pure figures over (score, became SQL), and the population they are taken of.

Leads are scored as of a moment in the past by every version, from what was known then; what came after is the answer.
So every version is judged on the same leads, and none has seen the answers.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from apps.core.context_sql import stamp_transaction
from apps.leads.domain.scoring.engine import computed_sql
from apps.leads.domain.scoring.model import Model
from apps.leads.enums import HandoffState, Stage
from apps.leads.models import Handoff

BAND = 20
TELLING = 0.01  # of AUC; less than that between two versions is chance


@dataclass(frozen=True)
class Seen:
    """One lead as a version scored it then, and what became of it."""

    score: float
    is_ready: bool
    became: bool
    factors: tuple[float, ...] = ()


def auc(seen: Sequence[tuple[float, bool]]) -> float | None:
    """Return the probability that a lead that became an SQL had the higher score (ties count half); None: no answer.

    Mann-Whitney U over the product of both numbers.
    """
    positives = sum(became for _, became in seen)
    negatives = len(seen) - positives
    if not positives or not negatives:
        return None
    ordered = sorted(seen)
    ranks, place = 0.0, 0
    while place < len(ordered):
        end = place
        while end < len(ordered) and ordered[end][0] == ordered[place][0]:
            end += 1
        middle = (place + 1 + end) / 2
        ranks += middle * sum(became for _, became in ordered[place:end])
        place = end
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)


def bands(seen: Sequence[Seen]) -> list[dict[str, Any]]:
    """Return the leads by band of points, those of them that were ready (MQL by these rules), and who became SQL."""
    found: dict[int, list[Seen]] = {}
    for each in seen:
        found.setdefault(int(each.score // BAND), []).append(each)
    return [
        {
            "from": band * BAND,
            "to": band * BAND + BAND - 1,
            "leads": len(there),
            "sql": sum(each.became for each in there),
            "ready": sum(each.is_ready for each in there),
            "ready_sql": sum(each.is_ready and each.became for each in there),
        }
        for band, there in sorted(found.items())
    ]


def lift(seen: Sequence[Seen], *places: int) -> tuple[int, int, float | None]:
    """Return how many leads rules (by their places from 0) reached, how many of them became SQL, and the lift over all.

    Args:
        seen: the leads.
        places: of one rule, or of all rules of a criterion: a lead is reached where one of them gave it points.
    """
    reached = [each for each in seen if any(each.factors[place] for place in places)]
    became = sum(each.became for each in reached)
    share = sum(each.became for each in seen) / len(seen) if seen else 0.0
    return len(reached), became, (became / len(reached)) / share if reached and share else None


def population(model: Model, *, as_of: dt.datetime, until: dt.datetime, facts_now: bool = False) -> list[Seen]:
    """Return the leads known and not yet with sales at `as_of`, as `model` scored them then, with what came after.

    Args:
        model: the rules.
        as_of: when they are scored.
        until: the last moment of what came after.
        facts_now: touches as of then, and what is known of leads and companies as of today: for leads whose past
            another system told, of whom nothing was known here then.
    """
    statement = f"""
        SELECT c.score, c.is_ready, c.factors, EXISTS (
            SELECT 1 FROM leads_stageinterval s WHERE s.lead_id = c.lead_id AND s.stage = %s
              AND s.entered_at > %s AND s.entered_at <= %s
        ) FROM ({computed_sql(model, as_of=as_of, past=True, facts_now=facts_now)}) c
        WHERE EXISTS (
            SELECT 1 FROM leads_stageinterval s WHERE s.lead_id = c.lead_id AND s.stage IN (%s, %s, %s)
              AND s.entered_at <= %s AND (s.exited_at IS NULL OR s.exited_at > %s)
        )
    """  # made of names and numbers
    waiting = (Stage.KNOWN_LEAD, Stage.MQL, Stage.RECYCLED)
    with transaction.atomic(), connection.cursor() as cursor:
        stamp_transaction(connection)
        cursor.execute(statement, [Stage.SQL, as_of, until, *waiting, as_of, as_of])
        return [Seen(score, ready, became, tuple(factors)) for score, ready, factors, became in cursor.fetchall()]


def judged(model: Model, seen: Sequence[Seen]) -> dict[str, Any]:
    """Return the figures of one version: accuracy, what its threshold let through, bands and lift by rule."""
    ready = [each for each in seen if each.is_ready]
    became = sum(each.became for each in seen)
    rules: list[dict[str, Any]] = []
    for place, each in enumerate(model.rules):
        reached, sql, ratio = lift(seen, place)
        rules.append(
            {
                "key": each.rule.key,
                "name": each.rule.name,
                "criterion": each.criterion,
                "leads": reached,
                "sql": sql,
                "lift": ratio,
            }
        )
    places: dict[str, list[int]] = {}
    for place, each in enumerate(model.rules):
        places.setdefault(each.criterion, []).append(place)
    criteria = []
    for name, mine in places.items():
        reached, sql, ratio = lift(seen, *mine)
        criteria.append({"criterion": name, "leads": reached, "sql": sql, "lift": ratio})
    return {
        "number": model.version.number,
        "version": model.version.pk,
        "state": str(model.version.state),
        "leads": len(seen),
        "sql": became,
        "auc": auc([(each.score, each.became) for each in seen]),
        "ready": len(ready),
        "ready_sql": sum(each.became for each in ready),
        "bands": bands(seen),
        "rules": rules,
        "criteria": criteria,
    }


def rejections(model: Model, *, since: dt.datetime) -> list[dict[str, Any]]:
    """Return for each rule how many leads it had given points to when sales was offered them and gave them back.

    By reason; the rules of `model` first, in their order, then rules of earlier versions.
    """
    found: dict[str, dict[str, int]] = {each.rule.name: {} for each in model.rules}
    rows = Handoff.objects.filter(state=HandoffState.REJECTED, decided_at__gte=since).order_by("pk")
    for known, reason in rows.values_list("snapshot", "rejection"):
        for name in known.get("rules_that_gave", ()):
            counted = found.setdefault(name, {})
            counted[reason] = counted.get(reason, 0) + 1
    return [{"rule": name, "reasons": counted} for name, counted in found.items() if counted]
