"""The engine of scores: rules become one SQL expression per lead, for live scores, rehearsals and the past alike.

Everything asks `computed_sql`: it returns a row per lead with factors, raw sum, fit, coverage and score. Live it reads
the sums that are kept; as of the past, or for sums that are not kept, it makes them from the touches first.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection, models, transaction
from psycopg import ClientCursor

from apps.core.context_sql import stamp_transaction
from apps.core.rules.domain.compiling import compile_sql
from apps.core.rules.domain.tree import Leaf, Node
from apps.core.rules.operators import Op
from apps.leads.domain.scoring import measures
from apps.leads.domain.scoring.model import Model, Points, leaves, model_in_force
from apps.leads.models import Company, ScoreQueue

Instead = Mapping[type[models.Model], str] | None
COLUMNS = "version_id, as_of, raw, score, final, fit, known, is_ready, is_hand_raised, factors"
_NAMES = COLUMNS.split(", ")
_DIFFERS = " OR ".join(
    f"t.{name} IS DISTINCT FROM c.{name}" for name in ("raw", "final", "is_ready", "known", "factors")
)


@dataclass(frozen=True)
class Scored:
    """What a round of scoring did."""

    changed: int
    became_ready: int
    stopped_being_ready: int


def computed_sql(
    model: Model,
    *,
    as_of: dt.datetime,
    leads: Sequence[int] | None = None,
    past: bool = False,
    facts_now: bool = False,
    reuse: bool = False,
    second: str = "",
) -> str:
    """Return the SELECT of the scores that `model` gives: one row per lead that is in use.

    Args:
        model: the rules.
        as_of: the moment everything counts from.
        leads: their keys; all where it is left out.
        past: read facts and touches as they were then, not as they are kept now.
        facts_now: with `past`, read the touches as they were then, and of the facts what is known today.
        reuse: keep the points of steady rules as they are stored; for leads scored by this very version whose facts
            have not changed since, which the caller asks. Tells besides where the row of the score lies (`place`).
        second: the SQL of the second touches count from, where one statement asks for many moments; `as_of` is then
            the moment of the conditions alone.

    The text is for `cursor.execute(sql, parameters)`, even where there are none: what is % in it stands doubled.
    """
    second = second or repr(as_of.timestamp())
    kept = [] if past else measures.kept()
    live = not past and model.kept <= set(kept)
    places = {each: number for number, each in enumerate(kept, 1)} if live else _own_places(model)
    asked = any(not (reuse and each.is_steady) and each.is_asked for each in model.rules)
    with_lead = asked or not reuse
    then = past and not facts_now
    parts = _sources(model, second, leads, live=live, past=past, then=then, with_lead=with_lead)
    # conditions that ask for the company of a lead ask for the company as it was then
    instead: Instead = {Company: _as_known("leads_historicalcompany", second)} if then else None
    known = "s.known" if reuse else _known(model, as_of, instead)
    columns = [f"{parts.key} AS lead_id", f"({known})::int AS known"]
    for each in model.rules:
        given = _given(each, places, second, reuse=reuse)
        if each.is_asked and not (reuse and each.is_steady):
            given = f"CASE WHEN {_condition(each.rule.tree, model, as_of, instead)} THEN {given} ELSE 0 END"
        columns.append(f"({given})::float8 AS f{each.place}")
    columns += ["coalesce(s.is_ready, false) AS was_ready", "o.value AS set_by_hand"]
    if reuse:
        columns.append("s.ctid AS place")
    inner = f"SELECT {', '.join(columns)} FROM {parts.tables} OFFSET 0"  # names and numbers
    return f"{parts.before}\n{_summed(model, inner, place=reuse)}".replace("%", "%%")


@dataclass(frozen=True)
class _Parts:
    before: str
    tables: str
    key: str


def _own_places(model: Model) -> dict[measures.Kept, int]:
    return {each: number for number, each in enumerate(sorted(model.kept), 1)}


def _sources(
    model: Model,
    second: str,
    leads: Sequence[int] | None,
    *,
    live: bool,
    past: bool,
    then: bool,
    with_lead: bool,
) -> _Parts:
    mine = (
        "" if leads is None else f" AND t.lead_id = ANY(ARRAY[{', '.join(str(int(key)) for key in leads)}]::bigint[])"
    )
    by_days = [each for each in model.rules if each.by_days]
    before: list[str] = []
    days = f"(SELECT t.lead_id, t.type, t.day, t.touches AS n FROM leads_touchday t WHERE true{mine})"
    sums = "leads_accumulator"
    if not live:
        until = mine if not past else f"{mine} AND date_part('epoch', t.occurred_at) <= {second}"
        own = sorted(model.kept)
        before.append(f"days AS MATERIALIZED ({measures.days_sql(own, second, only=until)})")
        days, sums = "days", "sums"
        before.append(f"sums AS MATERIALIZED ({measures.sums_sql(own, second, 'days') if own else _NO_SUMS})")
    if by_days:
        today, longest = f"(to_timestamp({second}) AT TIME ZONE 'UTC')::date", max(each.days for each in by_days)
        columns = ", ".join(f"{each.days_counted(f'({today} - d.day)')} AS r{each.place}" for each in by_days)
        within = f"d.day > {today} - {longest} AND d.day <= {today}"
        before.append(f"recent AS MATERIALIZED (SELECT d.lead_id, {columns} FROM {days} d WHERE {within} GROUP BY 1)")
    key = "l.id" if with_lead else "s.lead_id"
    lead = _as_known("leads_historicallead", second) if then else "leads_lead"
    score = "leads_leadscore s" if not past else "(SELECT NULL::bigint AS lead_id, false AS is_ready) s"
    tables = [f"{lead} l LEFT JOIN {score} ON s.lead_id = l.id" if with_lead else score]
    tables.append(f"LEFT JOIN {sums} a ON a.lead_id = {key}")
    if by_days:
        tables.append(f"LEFT JOIN recent r ON r.lead_id = {key}")
    stamp = f"to_timestamp({second})"
    tables.append(
        f"LEFT JOIN leads_scoreoverride o ON o.lead_id = {key} AND o.set_at <= {stamp} AND o.expires_at > {stamp}"
        f" AND (o.ended_at IS NULL{f' OR o.ended_at > {stamp}' if past else ''})"
    )
    where = ["l.archived_at IS NULL"] if with_lead else ["true"]
    if leads is not None:
        where.append(mine.removeprefix(" AND ").replace("t.lead_id", key))
    return _Parts(f"WITH {', '.join(before)}" if before else "", f"{' '.join(tables)} WHERE {' AND '.join(where)}", key)


_NO_SUMS = "SELECT 0::bigint AS lead_id, 0::float8 AS at, '{}'::float8[] AS sums WHERE false"


def _as_known(history: str, second: str) -> str:
    """Return the SQL of the rows of a table as they were at a second, from the table of their history."""
    return (
        f"(SELECT DISTINCT ON (id) * FROM {history} WHERE history_date <= "  # a name and a number
        f"to_timestamp({second}) ORDER BY id, history_date DESC, history_id DESC)"
    )


def _given(each: Points, places: dict[measures.Kept, int], second: str, *, reuse: bool) -> str:
    """Return the SQL of the points that one rule gives a lead it asks nothing of, before its cap."""
    if reuse and each.is_steady:
        return f"s.factors[{each.place}]"
    if each.touch is None:
        counted = "1.0"
    elif each.kept is not None:
        counted = each.kept.now(places[each.kept], second)
    else:
        counted = f"coalesce(r.r{each.place}, 0)"
    return f"{each.points!r} * ({counted}) + 0.0"  # without the zero, none of a negative rule would be -0


def _condition(tree: Node, model: Model, as_of: dt.datetime, instead: Instead) -> str:
    """Return a condition on the lead (`l`) as SQL, its values written out."""
    text, values = compile_sql(tree, model.catalog, as_of=as_of, alias="l", instead=instead)
    connection.ensure_connection()
    return str(ClientCursor(connection.connection).mogrify(text, values))


def _known(model: Model, as_of: dt.datetime, instead: Instead) -> str:
    """Return the SQL that counts the criteria of fit about which something is known."""
    counted = []
    for name in model.fit_criteria:
        fields = {leaf.field.key: leaf.field for each in model.criteria[name] for leaf in leaves(each.rule.tree)}
        told = [_condition(Leaf(field, Op.FILLED, None), model, as_of, instead) for field in fields.values()]
        counted.append(f"({' OR '.join(told) or 'false'})::int")
    return " + ".join(counted) or "0"


def _summed(model: Model, inner: str, *, place: bool) -> str:
    """Return the SELECT that caps the criteria, adds them up, clamps and compares with the threshold."""

    def capped(rules: list[Points]) -> str:
        total = " + ".join(f"f{each.place}" for each in rules)
        return f"least({total}, {rules[0].cap!r})" if rules[0].cap > 0 else f"greatest({total}, {rules[0].cap!r})"

    counted = {name: capped(rules) for name, rules in model.criteria.items()}
    raw = " + ".join(counted.values()) or "0"
    fit = " + ".join(counted[name] for name in model.fit_criteria) or "0"
    hands = " OR ".join(f"f{each.place} > 0" for each in model.rules if each.hand_raise) or "false"
    stays = f"was_ready AND final >= {model.threshold - model.hysteresis!r}"
    reached = f"fit >= {model.minimum_fit!r} AND (final >= {model.threshold!r} OR {stays})"
    factors = ", ".join(f"f{each.place}" for each in model.rules)
    along = ", place" if place else ""
    # OFFSET 0 keeps PostgreSQL from computing the sums again for every column that is made of them
    return f"""
        SELECT lead_id, factors, raw, score, final, fit, known, was_ready, is_hand_raised,
               is_hand_raised OR ({reached}) AS is_ready{along}
        FROM (
            SELECT *, least(greatest(raw, {model.lowest!r}), {model.highest!r}) AS score,
                   coalesce(set_by_hand, least(greatest(raw, {model.lowest!r}), {model.highest!r})) AS final
            FROM (
                SELECT lead_id, ARRAY[{factors}]::float8[] AS factors, round(({raw})::float8 * 1e6) / 1e6 AS raw,
                       ({fit})::float8 AS fit, known, ({hands}) AS is_hand_raised, was_ready, set_by_hand{along}
                FROM ({inner}) facts OFFSET 0
            ) ranged
        ) judged
    """


def score_leads(leads: Sequence[int], *, as_of: dt.datetime) -> Scored:
    """Score some leads by the rules in force, inside the caller's transaction; nothing where there are none."""
    model = model_in_force()
    if model is None or not leads:
        return Scored(0, 0, 0)
    done = store(model, as_of=as_of, leads=leads)
    ScoreQueue.objects.filter(pk__in=leads).delete()
    return done


def store(model: Model, *, as_of: dt.datetime, leads: Sequence[int] | None = None, reuse: bool = False) -> Scored:
    """Write the scores that differ from what is stored, in one statement."""
    stamp = f"to_timestamp({as_of.timestamp()!r})"
    computed = computed_sql(model, as_of=as_of, leads=leads, reuse=reuse)
    write = _renewed(model.version.pk, stamp) if reuse else _put(model.version.pk, stamp)
    statement = f"WITH RECURSIVE computed AS ({computed}), written AS ({write}) {_COUNT}"
    with transaction.atomic(), connection.cursor() as cursor:
        stamp_transaction(connection)
        cursor.execute(statement, [])
        return Scored(*cursor.fetchone())


def _renewed(version: int, stamp: str) -> str:
    """Return the UPDATE of the scores of this version that say something else by now.

    A row that somebody else wrote in the meantime lies elsewhere by now: facts which came in while time passes for all
    leads are not overwritten by points of before. The version is asked of the row that is written: asked of the row
    that is read, it seems to keep few where the table has no statistics yet, and each would be looked up by itself.
    """
    sets = ", ".join(f"{name} = c.{name}" for name in _NAMES if name not in ("version_id", "as_of", "known"))
    return f"""
            UPDATE leads_leadscore t SET as_of = {stamp}, {sets} FROM computed c
            WHERE t.lead_id = c.lead_id AND t.ctid IS NOT DISTINCT FROM c.place AND t.version_id = {version}
            AND ({_DIFFERS}) RETURNING c.was_ready AS was, c.is_ready AS now_is"""  # made of names and numbers


def _put(version: int, stamp: str) -> str:
    """Return the statements that write scores which are new or differ from what is stored."""
    sets = ", ".join(f"{name} = excluded.{name}" for name in _NAMES)
    values = ", ".join({"version_id": str(version), "as_of": stamp}.get(name, f"c.{name}") for name in _NAMES)
    return f"""
            SELECT was, now_is FROM changed
        ), changed AS (
            SELECT c.*, c.was_ready AS was, c.is_ready AS now_is FROM computed c
            LEFT JOIN leads_leadscore t ON t.lead_id = c.lead_id
            WHERE t.lead_id IS NULL OR t.version_id <> {version} OR {_DIFFERS}
        ), put AS (
            INSERT INTO leads_leadscore (lead_id, {COLUMNS}) SELECT c.lead_id, {values} FROM changed c ORDER BY 1
            ON CONFLICT (lead_id) DO UPDATE SET {sets}"""  # made of names and numbers


_COUNT = """
    SELECT count(*), count(*) FILTER (WHERE now_is AND NOT was), count(*) FILTER (WHERE was AND NOT now_is) FROM written
"""
