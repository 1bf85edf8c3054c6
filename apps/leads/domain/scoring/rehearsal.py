"""New rules of scoring: tried on every lead before they decide, brought to every lead once they do.

Both ask the same engine for the same difference: the rules in force and the new ones, lead by lead, as of one moment.
"""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from apps.core import clock
from apps.core.context_sql import stamp_transaction
from apps.core.jobs.api import enqueue
from apps.core.records import kind_of
from apps.core.rules.domain.queries import active_version
from apps.core.rules.kinds import Simulation
from apps.leads.domain.scoring import measures
from apps.leads.domain.scoring.engine import computed_sql, store
from apps.leads.domain.scoring.model import Model, read_model, readable_model
from apps.leads.enums import RunKind, Stage
from apps.leads.models import Lead, ScoreQueue, ScoreRun
from apps.leads.scoring_rules import DOCUMENT

if TYPE_CHECKING:
    from apps.core.rules.models import RuleVersion

BAND, SAMPLE, OWNERS, CHUNK = 20, 10, 30, 50_000
Progress = Callable[[int, int], object]
_DIGEST = (
    "md5(coalesce(string_agg(concat_ws(':', lead_id, before, after, was_ready, is_ready), ',' ORDER BY lead_id), ''))"
)


def simulate(version: "RuleVersion", as_of: dt.datetime) -> Simulation:
    """Score every lead by the rules in force and by these, and tell the difference; nothing is changed."""
    active = active_version(DOCUMENT)
    after, before = read_model(version), readable_model(active)
    with transaction.atomic(), connection.cursor() as cursor:
        _lay_out(cursor, before, after, as_of)
        facts = _facts(cursor, before, after)
        tables = [_bands(cursor, before), _crossings(cursor), _owners(cursor), _by_rule(cursor, after)]
        cursor.execute(
            "SELECT lead_id, before, after, was_ready, is_ready FROM score_difference "
            "WHERE before IS DISTINCT FROM after OR was_ready <> is_ready "
            "ORDER BY abs(after - coalesce(before, 0)) DESC, 1 LIMIT %s",
            [SAMPLE],
        )
        moved = {key: _moved(*rest) for key, *rest in cursor.fetchall()}
        cursor.execute("DROP TABLE score_difference")
    decides = version.document.key == DOCUMENT
    facts.append(["Decides about leads", "yes" if decides else f"no: only the document “{DOCUMENT}” does"])
    return {
        "facts": facts,
        "tables": [each for each in tables if each["rows"]],
        "sample_model": Lead._meta.label_lower,
        "sample": list(moved),
        "sample_title": "Who moves most",
        "sample_words": {str(key): words for key, words in moved.items()},
    }


def _moved(before: float | None, after: float, was_ready: bool, is_ready: bool) -> str:
    """Return how one lead moves, in words."""
    points = f"{after:g}" if before is None else f"{before:.4g} → {after:.4g}"
    if was_ready == is_ready:
        return points
    return f"{points}, {'becomes ready' if is_ready else 'no longer ready'}"


def _lay_out(cursor: Any, before: Model | None, after: Model, as_of: dt.datetime) -> None:
    """Put the scores of both rules, lead by lead, into a table of this transaction."""
    stamp_transaction(connection)
    old = (
        computed_sql(before, as_of=as_of)
        if before is not None
        else "SELECT NULL::bigint AS lead_id, 0::float8 AS final, false AS is_ready, false AS was_ready WHERE false"
    )
    cursor.execute("DROP TABLE IF EXISTS pg_temp.score_difference")
    # every lead is read once, whatever the statistics say: rows written moments ago are not in them yet
    cursor.execute("SET LOCAL enable_nestloop = off")
    cursor.execute(
        f"CREATE TEMPORARY TABLE score_difference ON COMMIT DROP AS WITH old AS ({old}), new AS ({computed_sql(after, as_of=as_of)}) "  # noqa: E501  # made of names and numbers
        "SELECT new.lead_id, old.final AS before, new.final AS after, coalesce(old.is_ready, false) AS was_ready, "
        "new.is_ready, new.factors, new.known FROM new LEFT JOIN old USING (lead_id)",
        [],
    )
    cursor.execute("SET LOCAL enable_nestloop = on")
    cursor.execute("ANALYZE score_difference")


def _facts(cursor: Any, before: Model | None, after: Model) -> list[list[Any]]:
    cursor.execute(
        "SELECT count(*), count(*) FILTER (WHERE before IS DISTINCT FROM after), count(*) FILTER (WHERE is_ready), "
        "count(*) FILTER (WHERE is_ready AND NOT was_ready), count(*) FILTER (WHERE was_ready AND NOT is_ready), "
        "round(avg(before)::numeric, 1), round(avg(after)::numeric, 1), "
        f"(SELECT {_DIGEST} FROM score_difference WHERE before IS DISTINCT FROM after OR was_ready <> is_ready) "
        "FROM score_difference"
    )
    leads, changed, ready, come, gone, mean_before, mean_after, digest = cursor.fetchone()
    compared = f", compared with version {before.version.number}" if before is not None else ""
    return [
        ["Leads scored", leads],
        [f"Scores that change{compared}", changed],
        [f"Ready for sales (from {after.threshold:g} points, {after.minimum_fit:g} of them fit)", ready],
        [f"Become ready{compared}", come],
        [f"Are no longer ready{compared}", gone],
        ["Mean score", f"{mean_after}" if mean_before is None else f"{mean_before} → {mean_after}"],
        ["Digest of every difference", digest],
    ]


def _bands(cursor: Any, before: Model | None) -> dict[str, Any]:
    cursor.execute(
        "SELECT band, sum(old)::int, sum(new)::int FROM ("
        " SELECT floor(after / %s)::int AS band, 0 AS old, 1 AS new FROM score_difference"
        " UNION ALL SELECT floor(before / %s)::int, 1, 0 FROM score_difference WHERE before IS NOT NULL"
        ") each GROUP BY band ORDER BY band",
        [BAND, BAND],
    )
    rows = [[f"{band * BAND} to {band * BAND + BAND - 1}", old, new] for band, old, new in cursor.fetchall()]
    return {"title": "Scores before and after", "head": ["Points", "Now", "With these rules"], "rows": rows}


def _crossings(cursor: Any) -> dict[str, Any]:
    cursor.execute(
        "SELECT l.stage, count(*) FILTER (WHERE d.is_ready AND NOT d.was_ready), "
        "count(*) FILTER (WHERE d.was_ready AND NOT d.is_ready) FROM score_difference d "
        "JOIN leads_lead l ON l.id = d.lead_id WHERE d.is_ready <> d.was_ready GROUP BY l.stage ORDER BY l.stage"
    )
    rows = [[Stage(stage).label, come, gone] for stage, come, gone in cursor.fetchall()]
    return {"title": "Who crosses the threshold", "head": ["Stage", "Become ready", "No longer ready"], "rows": rows}


def _owners(cursor: Any) -> dict[str, Any]:
    """Tell whose work changes: routes ask for no score, so a lead that crosses stays with whoever has it."""
    cursor.execute(
        "SELECT coalesce(nullif(p.full_name, ''), p.email, t.name, 'Nobody yet'), "
        "count(*) FILTER (WHERE d.is_ready), count(*) FILTER (WHERE d.was_ready), count(*) FILTER (WHERE EXISTS ("
        "SELECT FROM clocks_clock c WHERE c.content_type_id = %s AND c.object_id = l.id AND c.closed_at IS NULL)) "
        "FROM score_difference d JOIN leads_lead l ON l.id = d.lead_id "
        "LEFT JOIN accounts_user p ON p.id = l.owner_person_id LEFT JOIN accounts_team t ON t.id = l.owner_team_id "
        "WHERE d.is_ready <> d.was_ready GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT %s",
        [kind_of(Lead).pk, OWNERS],
    )
    head = ["Looked after by", "Become ready", "No longer ready", "With an SLA clock running"]
    title = "Whose leads cross the threshold (routes and SLAs ask for no score: who has a lead keeps it)"
    return {"title": title, "head": head, "rows": [list(row) for row in cursor.fetchall()]}


def _by_rule(cursor: Any, after: Model) -> dict[str, Any]:
    columns = ", ".join(f"count(*) FILTER (WHERE factors[{each.place}] <> 0)" for each in after.rules)
    cursor.execute(f"SELECT {columns or 'count(*)'} FROM score_difference")  # numbers
    counted = cursor.fetchone()
    rows = [[each.rule.name, each.criterion, number] for each, number in zip(after.rules, counted, strict=False)]
    return {"title": "What each rule reaches", "head": ["Rule", "Criterion", "Leads"], "rows": rows}


def on_activate(version: "RuleVersion", before: "RuleVersion | None", by: Any, at: dt.datetime) -> None:
    """Bring rules that were activated to every lead, in the background."""
    if version.document.key == DOCUMENT:
        args: dict[str, int | str | bool | None] = {
            "version_id": version.pk,
            "before_id": before.pk if before is not None else 0,
            "at": at.isoformat(),
        }
        enqueue("leads.backfill_scores", args=args, by=by)


def backfill(
    version: "RuleVersion", before: "RuleVersion | None", *, as_of: dt.datetime, progress: Progress | None = None
) -> ScoreRun:
    """Score every lead by `version` and keep what that changed, lead by lead. Safe to run again."""
    after, old = read_model(version), readable_model(before)
    measures.ensure_measures(after.kept, ref=as_of.timestamp())
    with transaction.atomic(), connection.cursor() as cursor:
        if (done := version.score_runs.filter(kind=RunKind.ACTIVATION, as_of=as_of).first()) is not None:
            return done
        _lay_out(cursor, old, after, as_of)
        facts = {name.split(",")[0]: value for name, value in _facts(cursor, old, after)}
        _store_all(after, as_of, progress)
        run = ScoreRun.objects.create(
            version=version,
            kind=RunKind.ACTIVATION,
            as_of=as_of,
            leads=facts["Leads scored"],
            changed=facts["Scores that change"],
            became_ready=facts["Become ready"],
            stopped_being_ready=facts["Are no longer ready"],
            digest=facts["Digest of every difference"],
            finished_at=clock.now(),
        )
        cursor.execute(
            "INSERT INTO leads_scorechange (run_id, lead_id, before, after, was_ready, is_ready) SELECT %s, lead_id, "
            "before, after, was_ready, is_ready FROM score_difference "
            "WHERE before IS DISTINCT FROM after OR was_ready <> is_ready ORDER BY lead_id",
            [run.pk],
        )
        cursor.execute("DROP TABLE score_difference")
    return run


def _store_all(model: Model, as_of: dt.datetime, progress: Progress | None) -> None:
    keys = list(Lead.objects.live().order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        store(model, as_of=as_of, leads=chunk if len(keys) > CHUNK else None)
        if progress is not None:
            progress(start + len(chunk), len(keys))
    ScoreQueue.objects.filter(pk__in=keys).delete()
