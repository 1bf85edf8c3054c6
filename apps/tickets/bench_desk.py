"""The desk at scale: its pages and their questions among very many tickets and messages, and that they go by index."""

from collections.abc import Iterator
from time import perf_counter
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.http import urlencode

from apps.core import clock
from apps.core.bench.pages import Visitor
from apps.core.bench.registry import Result, benchmark, middle, timed
from apps.core.clocks.models import Clock
from apps.tickets.bench_search import RARE, fill
from apps.tickets.domain.kept_times import check_times, keep_times
from apps.tickets.domain.trends import trends
from apps.tickets.models import Message, Ticket

QUERIES, SECONDS, ROUNDS = 25, 2.0, 3
READ_BY_INDEX = ("tickets_ticket", "tickets_message", "clocks_clock")
GOAL = f"at most {QUERIES} queries and {SECONDS:.0f} s of processor time, PostgreSQL's included"
_CLOCKS_OF = 20  # every twentieth ticket has a running clock: 10,000 of 200,000


@benchmark("desk", default_rows=100_000)
def desk_pages(rows: int) -> Iterator[Result]:
    """Open the pages of the desk among `rows` messages, a tenth as many tickets, and a clock on every twentieth."""
    person, first = fill(rows)
    lay_running(person, first)
    yield _keeping(rows)
    shown = Ticket.objects.order_by("-pk").values_list("pk", flat=True)[0]
    pages = {
        "queue list": reverse("admin:tickets_ticket_changelist"),
        "queue list, what is due first": f"{reverse('admin:tickets_ticket_changelist')}?o=5",
        "search": f"{reverse('admin:tickets_ticket_changelist')}?{urlencode({'q': RARE})}",
        "ticket page": reverse("admin:tickets_ticket_change", args=(shown,)),
        "figures": reverse("tickets-figures"),
        "figures of a year": f"{reverse('tickets-figures')}?days=365",
        "trends": reverse("admin:tickets_problem_trends"),
        "pauses": reverse("tickets-pauses"),
        "demand": reverse("tickets-demand"),
    }
    with override_settings(ALLOWED_HOSTS=["localhost"], ROOT_URLCONF=settings.ROOT_URLCONF):
        visitor = Visitor(person)
        with connection.cursor() as cursor:  # helpers of PostgreSQL would compute uncounted
            cursor.execute("SET max_parallel_workers_per_gather = 0")
        for name, url in pages.items():
            yield _page(name, url, visitor, rows)
    for name, plan in plans_of(shown).items():
        scans = [table for table in READ_BY_INDEX if f"Seq Scan on {table} " in plan]
        yield Result(f"plan of {name}", rows, 0.0, None, None, "by index", not scans, {"scans": scans})


def _keeping(rows: int) -> Result:
    """Keep the times of all tickets, as the job does every half hour for those that are new."""
    begun = perf_counter()
    kept = keep_times()["kept"]
    took = perf_counter() - begun
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tickets_tickettimes")
    begun = perf_counter()
    mended = check_times()["mended"]
    more = {"kept": kept, "checked_in": round(perf_counter() - begun, 3)}
    return Result("desk: times kept", rows, took, None, None, "none of them wrong", mended == 0, more)


def _page(name: str, url: str, visitor: Visitor, rows: int) -> Result:
    visitor.get(url)
    with CaptureQueriesContext(connection) as asked:
        visitor.get(url)
    queries, taken = len(asked), middle([timed(lambda: visitor.get(url)) for _ in range(ROUNDS)])
    met = queries <= QUERIES and taken.worked <= SECONDS
    more = {"queries": queries, "processor": round(taken.worked, 3)}
    return Result(f"desk: {name}", rows, taken.seconds, None, None, GOAL, met, more)


def lay_running(person: Any, first: int) -> None:
    """Let the first answer of every twentieth ticket be promised."""
    from apps.tickets.benchmarks import lay_clocks  # noqa: PLC0415  # that module imports this one

    count = Ticket.objects.count()
    lay_clocks(max(1, count // _CLOCKS_OF), by=person, among=first)


def plans_of(shown: int) -> dict[str, str]:
    """Return how PostgreSQL finds what the pages and the scan for what is due begin with."""
    from apps.tickets.domain.search import tickets_with  # noqa: PLC0415

    queue = Ticket.objects.values_list("queue", flat=True).get(pk=shown)
    found = {
        "the newest of the list": Ticket.objects.filter(archived_at=None).order_by("-opened_at", "-pk")[:100],
        "what is still to be done in a queue": Ticket.objects.active().filter(queue=queue, priority=1)[:100],
        "what somebody works on": Ticket.objects.filter(assignee=1, state__in=("new", "open"))[:100],
        "what is due": Clock.objects.filter(next_fire_at__lte=clock.now()).order_by("next_fire_at")[:100],
        "a conversation": Message.objects.filter(ticket=shown).order_by("at", "id")[:500],
        "a search": tickets_with(Ticket.objects.all(), RARE, internal=True),
    }
    plans = {name: str(rows.explain()) for name, rows in found.items()}
    with CaptureQueriesContext(connection) as asked:
        trends(now=clock.now())
    with connection.cursor() as cursor:
        sql = next(each["sql"] for each in asked if "WITH recent" in each["sql"])
        cursor.execute("EXPLAIN " + sql[sql.index("WITH recent") :])  # without the settings sent before it
        plans["what is growing"] = "\n".join(row[0] for row in cursor.fetchall())
    return plans
