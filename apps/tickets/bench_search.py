"""How fast tickets are found by words, beside the usual ILIKE over the same rows."""

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.models import Q

from apps.accounts.models import Team
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.bench.pages import superuser
from apps.core.bench.registry import Result, benchmark, interleaved
from apps.tickets.domain.search import tickets_with
from apps.tickets.models import Queue, Ticket
from mops.db.roles import as_owner

GOAL = 20
WORDS = ("consent", "dashboard", "template", "segment", "mapping", "invoice", "vendor", "webinar", "figures", "logo")
RARE = "certificate"
_TICKETS = """
    INSERT INTO tickets_ticket (uuid, created_at, updated_at, row_version, title, answers, queue_id, requester_id,
        requester_name, requester_email, impact, urgency, priority, state, resolution, intake, opened_at, last_word_at,
        first_response_at, resolved_at, reopened, reassigned)
    SELECT gen_random_uuid(), %(at)s, %(at)s, 1,
        (%(words)s::text[])[1 + number %% 10] || ' number ' || number, '{}', %(queue)s, %(person)s,
        '', '', 2, 2, 3, CASE WHEN number %% 20 = 0 THEN 'new' ELSE 'closed' END,
        CASE WHEN number %% 20 = 0 THEN '' ELSE 'solved' END, 'desk', opened, opened,
        opened + interval '2 hours', CASE WHEN number %% 20 <> 0 THEN opened + interval '20 hours' END, 0, 0
    FROM generate_series(1, %(tickets)s) AS number
    CROSS JOIN LATERAL (SELECT %(at)s - number %% 365 * interval '1 day' AS opened) AS begun
    RETURNING id
"""
_MESSAGES = """
    INSERT INTO tickets_message (ticket_id, kind, author_id, author_label, body, channel, at)
    SELECT %(first)s + (number - 1) / 10, CASE WHEN number %% 4 = 0 THEN 'internal' ELSE 'public' END, %(person)s, 'x',
        'We looked at the ' || (%(words)s::text[])[1 + number %% 10] || ' of case ' || number
            || ' and compared it with the ' || (%(words)s::text[])[1 + (number / 7) %% 10]
            || CASE WHEN number %% 10000 = 0 THEN ' after the certificate had expired' ELSE '' END
            || repeat(' and nothing else was found to be wrong with it', 6),
        'desk', %(at)s
    FROM generate_series(1, %(rows)s) AS number
"""


@benchmark("ticket_search", default_rows=200_000)
def ticket_search(rows: int) -> Iterator[Result]:
    """Find tickets by a word among `rows` messages."""
    fill(rows)
    everything = Ticket.objects.all()
    like = Q(title__icontains=RARE) | Q(messages__body__icontains=RARE)
    found = set(tickets_with(everything, RARE, internal=True).values_list("pk", flat=True))
    usual = set(everything.filter(like).values_list("pk", flat=True))
    ours, ilike = interleaved(
        lambda: list(tickets_with(everything, RARE, internal=True).values_list("pk", flat=True)[:100]),
        lambda: list(everything.filter(like).distinct().values_list("pk", flat=True)[:100]),
    )
    yield Result(
        name="ticket_search",
        rows=rows,
        seconds=ours,
        limit_seconds=None,
        usual_seconds=ilike,
        goal=f"at least {GOAL} times as fast as ILIKE, with the same tickets found",
        met=found == usual and ilike >= GOAL * ours,
        more={"found": len(found), "same_as_ilike": found == usual},
    )


def fill(rows: int) -> tuple[Any, int]:
    """Write `rows` messages on a tenth as many tickets of the last year; returns who did and the first ticket's key."""
    person = superuser()
    with acting_as(person):
        queue = Queue.objects.create(name="Measured", team=Team.objects.create(name="Measured"))
    given = {"at": clock.now(), "words": list(WORDS), "queue": queue.pk, "person": person.pk, "rows": rows}
    tables = ("tickets_ticket", "tickets_message")
    with as_owner(), connection.cursor() as cursor:  # with the triggers off: what is measured is reading
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(_TICKETS, {**given, "tickets": -(-rows // 10)})
        first = min(row[0] for row in cursor.fetchall())
        cursor.execute(_MESSAGES, {**given, "first": first})
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("ANALYZE tickets_ticket, tickets_message")
    connection.close()
    return person, first
