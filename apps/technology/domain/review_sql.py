"""The statements of the quarterly review: every tool's figures and the proposal that follows, in one INSERT.

The proposal, first match wins. A tool that is sunsetting, or used by less than a tenth, is to be retired. One that is
used little while another tool that can do the same is used more is to be consolidated. One that is used little, or
pays for inactive seats, is to be optimised. All others are kept, also where nobody knows how much they are used.

What could be saved: the whole year of what is retired or consolidated; the unused share, or that of the inactive
seats if larger, of what is optimised.
"""

from apps.technology.domain.stack import LINES_SQL, RATES_SQL
from apps.technology.enums import LATE_AFTER

# after how long without a transfer an integration is late; the same figures as on its page
_LATE = (
    "CASE i.frequency "
    + " ".join(
        f"WHEN '{name}' THEN interval '{minutes} minutes'"
        for name, minutes in LATE_AFTER.items()
        if minutes is not None
    )
    + " END"
)
_IN_USE = "('implementing', 'active', 'sunsetting')"

# one line of a pack as its SHA-256 counts it
_SEALED = """
    ROW(tool_id, name, lifecycle, owner, yearly, used, used_on, seats, inactive_seats, attested_on,
        shares_with, integrations, unhealthy, verdict, saving, why)::text
"""
# as the first packs counted it; they are still verified by it
_SEALED_FIRST = """
    jsonb_build_array(tool_id, name, lifecycle, owner, yearly, used, used_on, seats, inactive_seats, attested_on,
        shares_with, verdict, saving, why)::text
    || CASE WHEN integrations > 0 THEN jsonb_build_array(integrations, unhealthy)::text ELSE '' END
"""


def _sha256(line: str) -> str:
    return f"encode(sha256(convert_to(coalesce(string_agg({line}, E'\\n' ORDER BY tool_id), ''), 'UTF8')), 'hex')"


_DIGEST = _sha256(_SEALED)

MISSING = f"""
    WITH {RATES_SQL}, lines AS ({LINES_SQL}) SELECT DISTINCT currency FROM lines WHERE lacks_rate ORDER BY 1
"""

FREEZE = f"""
    WITH {RATES_SQL}, lines AS ({LINES_SQL}),
    cost AS MATERIALIZED (
        SELECT tool_id, sum(yearly) AS yearly, bool_or(lacks_rate) AS lacks_rate FROM lines GROUP BY tool_id),
    tools AS (
        SELECT t.id, t.name, t.lifecycle, cost.yearly, sample.used, sample.period_to,
               coalesce(p.full_name, team.name, array_to_string(t.business_owner_names, ', ')) AS owner
        FROM technology_tool t
        LEFT JOIN cost ON cost.tool_id = t.id
        LEFT JOIN accounts_user p ON p.id = t.owner_person_id
        LEFT JOIN accounts_team team ON team.id = t.owner_team_id
        LEFT JOIN LATERAL (
            SELECT round(s.numerator * 100 / s.denominator, 1) AS used, s.period_to
            FROM technology_utilisationsample s
            WHERE s.tool_id = t.id AND s.period_to <= %(on)s AND s.recorded_at <= %(known)s
            ORDER BY s.headline DESC, s.period_to DESC, s.id DESC LIMIT 1) sample ON true
        WHERE t.archived_at IS NULL AND t.lifecycle IN {_IN_USE}),
    seats AS (
        SELECT l.tool_id, count(*) AS taken,
               count(*) FILTER (WHERE coalesce(s.last_active_on, s.assigned_on) < %(on)s::date - %(inactive)s::int)
               AS inactive
        FROM technology_seat s JOIN technology_licence l ON l.id = s.licence_id
        WHERE s.released_on IS NULL AND s.archived_at IS NULL AND l.metric = 'seat' GROUP BY l.tool_id),
    ways AS (
        SELECT i.id, ends.tool_id, newest.ok, newest.at,
               {_LATE} AS late_after
        FROM technology_integration i CROSS JOIN LATERAL (VALUES (i.source_id), (i.target_id)) ends(tool_id)
        LEFT JOIN LATERAL (
            SELECT t.ok, t.at FROM technology_transfer t
            WHERE t.integration_id = i.id AND t.at <= %(known)s ORDER BY t.at DESC, t.id DESC LIMIT 1) newest ON true
        WHERE i.state = 'live' AND i.archived_at IS NULL),
    flows AS (
        SELECT tool_id, count(*) AS live,
               count(*) FILTER (WHERE ok IS NOT TRUE OR at < %(known)s::timestamptz - late_after) AS unhealthy
        FROM ways GROUP BY tool_id),
    word AS (SELECT tool_id, max(at) AS at FROM technology_attestation WHERE at <= %(known)s GROUP BY tool_id),
    serving AS (
        SELECT f.tool_id, count(*) OVER same - 1 AS others,
               tools.used < max(tools.used) OVER same AS another_is_used_more
        FROM technology_toolcapability f JOIN tools ON tools.id = f.tool_id
        WHERE f.fit >= 3 AND f.archived_at IS NULL WINDOW same AS (PARTITION BY f.capability_id)),
    shared AS (
        SELECT tool_id, max(others) AS others, bool_or(another_is_used_more) AS another_is_used_more
        FROM serving GROUP BY tool_id),
    figures AS (
        SELECT tools.*, coalesce(seats.taken, 0) AS taken, coalesce(seats.inactive, 0) AS inactive,
               word.at::date AS said, coalesce(shared.others, 0) AS others,
               coalesce(flows.live, 0) AS live, coalesce(flows.unhealthy, 0) AS unhealthy,
               CASE WHEN tools.lifecycle = 'sunsetting' OR tools.used < 10 THEN 'retire'
                    WHEN tools.used < %(low)s AND shared.others > 0 AND shared.another_is_used_more THEN 'consolidate'
                    WHEN tools.used < %(low)s OR seats.inactive > 0 THEN 'optimise'
                    ELSE 'keep' END AS verdict
        FROM tools LEFT JOIN seats ON seats.tool_id = tools.id LEFT JOIN word ON word.tool_id = tools.id
             LEFT JOIN shared ON shared.tool_id = tools.id LEFT JOIN flows ON flows.tool_id = tools.id),
    made AS (INSERT INTO technology_reviewitem
        (pack_id, tool_id, name, lifecycle, owner, yearly, used, used_on, seats, inactive_seats, attested_on,
         shares_with, integrations, unhealthy, verdict, saving, why)
    SELECT %(pack)s, id, name, lifecycle, left(coalesce(owner, ''), 200), yearly, used, period_to, taken, inactive,
           said, others, live, unhealthy, verdict,
           CASE WHEN yearly IS NULL THEN 0
                WHEN verdict IN ('retire', 'consolidate') THEN yearly
                WHEN verdict = 'optimise' THEN round(yearly * greatest(
                    0, 1 - least(coalesce(used, 100), 100) / 100, coalesce(inactive::numeric / nullif(taken, 0), 0)),
                    %(digits)s)
                ELSE 0 END,
           CASE WHEN lifecycle = 'sunsetting' THEN 'It is sunsetting.'
                WHEN verdict = 'retire' THEN 'Used ' || used || ' %%: hardly anybody works with it.'
                WHEN verdict = 'consolidate' THEN
                    'Used ' || used || ' %%, and ' || others || ' other' || CASE WHEN others > 1 THEN 's' ELSE '' END
                    || ' can do the same.'
                WHEN verdict = 'optimise' AND inactive > 0 THEN inactive || ' of ' || taken || ' seats are inactive.'
                WHEN verdict = 'optimise' THEN 'Used ' || used || ' %%, less than ' || %(low)s || ' %%.'
                WHEN used IS NULL THEN 'Nobody has measured its use.'
                ELSE 'Used ' || used || ' %%.' END
    FROM figures RETURNING *),
    verdicts AS (
        SELECT verdict, count(*) AS tools, coalesce(sum(yearly), 0) AS yearly, coalesce(sum(saving), 0) AS saving
        FROM made GROUP BY verdict)
    SELECT EXISTS (SELECT FROM cost WHERE lacks_rate),
           coalesce(sum(tools), 0)::int, coalesce(sum(yearly), 0), coalesce(sum(saving), 0),
           jsonb_object_agg(verdict, jsonb_build_object(
               'tools', tools, 'yearly', yearly::text, 'saving', saving::text)),
           (SELECT {_DIGEST} FROM made)
    FROM verdicts
"""

DIGEST = f"SELECT {_DIGEST} FROM technology_reviewitem WHERE pack_id = %(pack)s"
DIGEST_OF_THE_FIRST = f"SELECT {_sha256(_SEALED_FIRST)} FROM technology_reviewitem WHERE pack_id = %(pack)s"

GAPS = f"""
    WITH RECURSIVE below(root, id) AS (
        SELECT c.id, c.id FROM technology_capability c WHERE c.required AND c.archived_at IS NULL
        UNION SELECT below.root, c.id FROM technology_capability c JOIN below ON c.parent_id = below.id
        WHERE c.archived_at IS NULL)
    SELECT c.name FROM technology_capability c
    WHERE c.required AND c.archived_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM below JOIN technology_toolcapability f ON f.capability_id = below.id
             JOIN technology_tool t ON t.id = f.tool_id
        WHERE below.root = c.id AND f.fit >= 3 AND f.archived_at IS NULL
          AND t.archived_at IS NULL AND t.lifecycle IN {_IN_USE})
    ORDER BY c.name
"""

OVERLAPS = """
    SELECT c.name, array_agg(i.name ORDER BY i.yearly DESC NULLS LAST, i.name), coalesce(sum(i.yearly), 0)
    FROM technology_toolcapability f JOIN technology_reviewitem i ON i.tool_id = f.tool_id AND i.pack_id = %(pack)s
         JOIN technology_capability c ON c.id = f.capability_id
    WHERE f.fit >= 3 AND f.archived_at IS NULL GROUP BY c.id, c.name HAVING count(*) > 1
    ORDER BY 3 DESC, 1 LIMIT 50
"""
