"""Touches come in, each event once: one statement writes them, counts their days and adds them to the sums.

Whoever takes touches in scores their leads in the same transaction, so a score never lags behind its reasons.
"""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.context_sql import stamp_transaction
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.storable import is_storable
from apps.leads.domain.origins import with_origins
from apps.leads.domain.scoring import measures
from apps.leads.domain.scoring.engine import score_leads
from apps.leads.enums import TouchChannel, TouchType
from apps.leads.models import Lead, TouchKey

if TYPE_CHECKING:
    from apps.accounts.models import User

OLDEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
AHEAD = dt.timedelta(minutes=5)  # clocks differ
BATCH = 5000
UTM = ("source", "medium", "campaign", "content", "term")
LONGEST_SOURCE, LONGEST_EVENT, LONGEST_VALUE = 40, 100, 200  # as their columns have it
CHANNEL_OF = {
    TouchType.VISIT: TouchChannel.WEBSITE,
    TouchType.DOWNLOAD: TouchChannel.WEBSITE,
    TouchType.EMAIL: TouchChannel.EMAIL,
    TouchType.FORM: TouchChannel.WEBSITE,
    TouchType.WEBINAR: TouchChannel.EVENT,
    TouchType.DEMO: TouchChannel.WEBSITE,
    TouchType.TRIAL: TouchChannel.PRODUCT,
    TouchType.UNSUBSCRIBE: TouchChannel.EMAIL,
}
_WRITE = """
    WITH given AS (
        SELECT * FROM jsonb_to_recordset(%s::jsonb) AS g(
            lead_id bigint, type text, channel text, occurred_at timestamptz, source text, source_event_id text,
            campaign_id bigint, content_version_id bigint, utm jsonb, value text, is_machine boolean,
            machine_reason text)
    ), keys AS (
        INSERT INTO leads_touchkey (source, source_event_id)
        SELECT DISTINCT source, source_event_id FROM given ORDER BY 1, 2
        ON CONFLICT DO NOTHING RETURNING source, source_event_id
    ), fresh AS (
        SELECT DISTINCT ON (g.source, g.source_event_id) g.* FROM given g JOIN keys USING (source, source_event_id)
        ORDER BY g.source, g.source_event_id, g.occurred_at
    ), written AS (
        INSERT INTO leads_touchpoint (lead_id, type, channel, occurred_at, received_at, source, source_event_id,
                                      campaign_id, content_version_id, utm, value, is_machine, machine_reason)
        SELECT lead_id, type, channel, occurred_at, %s, source, source_event_id, campaign_id, content_version_id, utm,
               value, is_machine, machine_reason FROM fresh RETURNING lead_id, type, occurred_at, is_machine
    ), days AS (
        {days}
    ), counted AS (
        INSERT INTO leads_touchday AS k (lead_id, type, day, touches) SELECT lead_id, type, day, n FROM days
        ORDER BY 1, 2, 3
        ON CONFLICT (lead_id, type, day) DO UPDATE SET touches = k.touches + excluded.touches
        RETURNING lead_id, type, day, (xmax = 0) AS is_new
    ), told AS (
        SELECT days.*, counted.is_new FROM days JOIN counted USING (lead_id, type, day)
    ), sums AS (
        {sums}
    ), merged AS (
        {merge}
    )
    SELECT count(*), (SELECT count(*) FROM given) FROM written
"""


@dataclass(frozen=True)
class Touch:
    """One touch to take in.

    Attributes:
        lead_id: whose it is.
        type: what was done.
        occurred_at: when, with its zone.
        source: the system that saw it.
        source_event_id: its number there; the same number again is the same touch.
        channel: the usual one of the type where it is left out.
        campaign_id: the campaign it came by; where it is left out, the one whose campaign tag stands in `utm`.
        content_version_id: the version of a piece of content that was seen; where it is left out, the one that was
            published at `address` then.
        address: where on the web it happened, which is not kept.
        machine_reason: why a machine did it and not the person; "" where a person did. Machines count nothing.
    """

    lead_id: int
    type: str
    occurred_at: dt.datetime
    source: str
    source_event_id: str
    channel: str = ""
    campaign_id: int | None = None
    content_version_id: int | None = None
    address: str = ""
    utm: dict[str, str] = field(default_factory=dict)
    value: str = ""
    machine_reason: str = ""


@dataclass(frozen=True)
class Taken:
    """What became of a batch: how many touches were new, how many were known."""

    new: int
    known: int


def refusal_of(touch: Touch, *, now: dt.datetime) -> str | None:
    """Return why a touch cannot be taken in, None when it can."""
    if touch.type not in TouchType.values:
        return f"There is no touch “{touch.type}”; there are {', '.join(TouchType.values)}."
    if touch.channel and touch.channel not in TouchChannel.values:
        return f"There is no channel “{touch.channel}”; there are {', '.join(TouchChannel.values)}."
    if touch.occurred_at.tzinfo is None:
        return "Say in which time zone it happened."
    if touch.occurred_at > now + AHEAD:
        return f"It would have happened on {touch.occurred_at:%-d %b %Y}, which is still to come."
    if touch.occurred_at < OLDEST:
        return f"It would have happened on {touch.occurred_at:%-d %b %Y}; before 2000 nothing was recorded."
    if not all(
        map(is_storable, (touch.source, touch.source_event_id, touch.value, touch.address, *touch.utm.values()))
    ):
        return "It holds a character that no text holds."
    if len(touch.source) > LONGEST_SOURCE or len(touch.source_event_id) > LONGEST_EVENT:
        return f"A system has at most {LONGEST_SOURCE} characters, a number there at most {LONGEST_EVENT}."
    if len(touch.value) > LONGEST_VALUE or len(touch.machine_reason) > LONGEST_VALUE:
        return f"What it was about, and why a machine did it, have at most {LONGEST_VALUE} characters each."
    if not touch.source or not touch.source_event_id:
        return "A touch names the system that saw it and its number there, so that it counts once."
    return None


def take_touches(touches: Sequence[Touch], *, by: "User", at: dt.datetime | None = None) -> Taken:
    """Take touches in, each event once, and score their leads; safe to repeat.

    Args:
        touches: at most `BATCH` of them.
        by: who brings them: a person, or mops itself in a job.
        at: now, where another moment is meant.

    Raises:
        NotAllowed: `by` may not change one of the leads.
        InvalidInput: one of the touches cannot be; nothing was taken.
    """
    now = at or clock.now()
    if len(touches) > BATCH:
        raise InvalidInput(f"{len(touches):,} touches are too many at once; {BATCH:,} fit.")
    for touch in touches:
        if refused := refusal_of(touch, now=now):
            raise InvalidInput(refused)
    leads = sorted({touch.lead_id for touch in touches})
    seen = access.visible(by, Lead, verb="change").filter(pk__in=leads)
    if seen.count() != len(leads):
        raise NotAllowed("You may not change one of these leads, or there is none of this number.")
    with transaction.atomic(), acting_as(by):
        taken = write_touches(touches, now=now)
        if taken.new:
            score_leads(leads, as_of=now)
    return taken


def known_events(touches: Sequence[Touch]) -> set[tuple[str, str]]:
    """Return which events of these touches, by system and number, are known already."""
    numbers = [touch.source_event_id for touch in touches]
    rows = TouchKey.objects.filter(source_event_id__in=numbers, source__in={touch.source for touch in touches})
    return set(rows.values_list("source", "source_event_id"))


def write_touches(touches: Sequence[Touch], *, now: dt.datetime) -> Taken:
    """Write touches that were checked, inside the caller's transaction; the scores are left as they are."""
    rows = [_row(touch) for touch in with_origins(touches)]
    if not rows:
        return Taken(0, 0)
    measures.lock_for_touches()
    known, ref = measures.kept(), repr(now.timestamp() + AHEAD.total_seconds())
    nothing = "SELECT 0::bigint AS lead_id, 0::float8 AS at, '{}'::float8[] AS sums WHERE false"
    statement = _WRITE.format(
        days=measures.days_sql(known, ref, rows="written"),
        sums=measures.sums_sql(known, ref, "told", is_new="d.is_new") if known else nothing,
        merge=measures.merge_sql(known, "sums") if known else nothing,
    )
    with connection.cursor() as cursor:
        stamp_transaction(connection)
        cursor.execute(statement, [json.dumps(rows), now])
        new, given = cursor.fetchone()
    return Taken(new, given - new)


def _row(touch: Touch) -> dict[str, Any]:
    row = asdict(touch)
    row["channel"] = touch.channel or CHANNEL_OF[TouchType(touch.type)]
    row["occurred_at"] = touch.occurred_at.isoformat()
    row["is_machine"] = bool(touch.machine_reason)
    return row
