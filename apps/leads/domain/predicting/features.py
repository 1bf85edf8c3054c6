"""What the predictive score looks at: touches and stage as of a moment, company and title as they are now."""

import datetime as dt
import math
from typing import Any

from django.db import connection, transaction

from apps.leads.enums import Stage, TouchType
from apps.leads.models import StageInterval

WINDOW = 90  # days of touches that count
WAITING = (Stage.KNOWN_LEAD, Stage.MQL, Stage.RECYCLED)
_COLUMNS = ", ".join(
    f"count(*) FILTER (WHERE t.type = '{kind.value}') AS {kind.value}" for kind in TouchType
)  # our own words
_ROWS = f"""
    SELECT l.id, (c.employees IS NOT NULL)::int, ln(1 + coalesce(c.employees, 0)),
           coalesce(c.is_competitor, false)::int,
           (l.job_title <> '')::int,
           (l.job_title ~* '(chief|ceo|cmo|cto|cfo|vice president|president|founder|director|head of)')::int,
           (l.company <> '' OR l.account_id IS NOT NULL)::int, (l.territory <> '')::int, l.source,
           {", ".join(f"coalesce(t.{kind.value}, 0)" for kind in TouchType)}
    FROM leads_lead l LEFT JOIN leads_company c ON c.id = l.account_id
    LEFT JOIN (
        SELECT t.lead_id, {_COLUMNS} FROM leads_touchpoint t
        WHERE NOT t.is_machine AND t.occurred_at <= %s AND t.occurred_at > %s GROUP BY 1
    ) t ON t.lead_id = l.id
    WHERE l.archived_at IS NULL AND EXISTS (
        SELECT 1 FROM leads_stageinterval s WHERE s.lead_id = l.id AND s.stage = ANY(%s)
          AND s.entered_at <= %s AND (s.exited_at IS NULL OR s.exited_at > %s)
    )
    ORDER BY l.id
"""  # made of our own words
_PLAIN = ("Company size is known", "Company size (log)", "Works for a competitor", "Job title is known")
_NAMES = (*_PLAIN, "Leads something", "Company is known", "Territory is known")


def features_at(moment: dt.datetime) -> dict[int, dict[str, float]]:
    """Return the features of every lead that was with marketing at `moment`, from touches up to then."""
    asked: list[Any] = [moment, moment - dt.timedelta(days=WINDOW), [each.value for each in WAITING], moment, moment]
    found: dict[int, dict[str, float]] = {}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ROWS, asked)
        for key, *rest in cursor.fetchall():
            plain, source, touches = rest[: len(_NAMES)], rest[len(_NAMES)], rest[len(_NAMES) + 1 :]
            row = {name: float(value) for name, value in zip(_NAMES, plain, strict=True)}
            for kind, number in zip(TouchType, touches, strict=True):
                row[f"{kind.label}, in {WINDOW} days (log)"] = _log(int(number))
            if source:
                row[f"Source: {source}"] = 1.0
            found[key] = row
    return found


def became_sql(since: dt.datetime, until: dt.datetime) -> set[int]:
    """Return the leads that became SQL in a time."""
    rows = StageInterval.objects.filter(stage=Stage.SQL, entered_at__gt=since, entered_at__lte=until)
    return set(rows.values_list("lead", flat=True))


def _log(number: int) -> float:
    return math.log1p(number)
