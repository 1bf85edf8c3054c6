"""What recording costs: the governed table beside a bare one and beside simple-history's own way.

Single saves are compared by their throughput, by the clock: each is one as the operations of mops make it, where the
row is locked, changed and saved in a transaction. All else is compared by CPU seconds, of this process and of the
database's backends together: on a shared machine they stay the same where wall time drifts by a factor. Where the
backends cannot be seen (a server elsewhere), wall time it is.
"""

import statistics
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection, connections, models, transaction
from django.test.utils import override_settings
from simple_history.utils import bulk_update_with_history

from apps.accounts.models import Team, User
from apps.audit.bench_seals import seals
from apps.core.actors import Channel, acting_as, current_actor
from apps.core.bench.registry import Result, benchmark
from mops.db.roles import as_owner

ROUNDS, SAVING_ROUNDS = 5, 9
SAVES = 800
CLIENTS = 8
SAMPLE, BATCHED = 60_000, 2_000
Kind = type[models.Model]
SINGLE_GOAL, BULK_GOAL, USUAL_GOAL = 1.25, 4.0, 20.0


@benchmark("audit", default_rows=200_000)
def audit(rows: int) -> Iterator[Result]:
    """Single saves at 1 and 8 clients, an update of `rows` rows in one statement, then sealing what all that left."""
    from apps.audit.bench_tables import BareTeam, UsualTeam  # noqa: PLC0415  # nothing else may know these models

    with as_owner(), connection.schema_editor() as editor:
        for model in (BareTeam, UsualTeam, UsualTeam.history.model):  # type: ignore[attr-defined]
            editor.create_model(model)
        for model in (BareTeam, UsualTeam):
            _point_at(model, editor)
    connection.close()
    person = User.objects.create_person("bench@mops.invalid", full_name="Bench")
    with acting_as(person, channel=Channel.ADMIN):
        for clients in (1, CLIENTS):
            yield _single_saves(clients, BareTeam, UsualTeam)
        yield _bulk_update(rows, BareTeam, UsualTeam)
    yield from seals(_measured)


def _point_at(model: Kind, editor: Any) -> None:
    """Let as many foreign keys point at the table as at teams: each is looked at whenever a row changes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_constraint WHERE confrelid = %s::regclass", (Team._meta.db_table,))
        [[keys]] = cursor.fetchall()
    table = model._meta.db_table
    columns = (f"key_{n} bigint REFERENCES {table} (id) DEFERRABLE INITIALLY DEFERRED" for n in range(keys))
    editor.execute(f"CREATE TABLE {table}_keys ({', '.join(columns)})")


def _single_saves(clients: int, bare: Kind, usual_way: Kind) -> Result:
    """A save as every operation of mops makes it, beside the same in a bare table; and the statement by itself."""
    with ThreadPoolExecutor(clients) as pool:
        paths = [_saver(model, clients, pool, _saved_by_operation) for model in (Team, bare, usual_way)]
        product, limit, usual = _measured(paths, SAVING_ROUNDS)
        alone, alone_bare = _measured([_saver(model, clients, pool, _saved_alone) for model in (Team, bare)])
        list(pool.map(lambda _: connections["default"].close(), range(clients)))
    return Result(
        name=f"audit.save.{clients}_clients",
        rows=SAVES,
        seconds=product.wall,
        limit_seconds=limit.wall,
        usual_seconds=usual.wall,
        goal=f"bare saves, made as operations make them, reach at most {SINGLE_GOAL} of recorded throughput",
        met=product.wall <= SINGLE_GOAL * limit.wall,
        more={
            "cpu_seconds": round(product.cpu, 4),
            "cpu_to_limit": round(product.cpu / limit.cpu, 3),
            # without the transaction and the lock that every operation takes: told, because it is the least that
            # anybody could compare with, and the goal is not kept there
            "statement_alone_seconds": round(alone.wall, 4),
            "statement_alone_to_limit": round(alone.wall / alone_bare.wall, 3),
            "statement_alone_cpu_to_limit": round(alone.cpu / alone_bare.cpu, 3),
        },
    )


def _bulk_update(rows: int, bare: Kind, usual_way: Kind) -> Result:
    for model in (Team, bare, usual_way):
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} (uuid, created_at, updated_at, row_version, name, purpose)"
                " SELECT gen_random_uuid(), now(), now(), 1, 'bulk ' || i, '' FROM generate_series(1, %s) i",
                (rows,),
            )
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    steps = {"n": 0}

    def update(model: type[models.Model]) -> Callable[[], None]:
        def run() -> None:
            steps["n"] += 1
            with _bare(model):
                model._default_manager.filter(name__startswith="bulk ").update(purpose=f"round {steps['n']}")

        return run

    def usual(sample: int, **given: int) -> Callable[[], None]:
        def run() -> None:  # the helper takes objects, so whoever changes rows with it has to fetch them first
            steps["n"] += 1
            rows_of = usual_way._default_manager.filter(name__startswith="bulk ").order_by("pk")
            changed: list[Any] = list(rows_of[:sample])
            for each in changed:
                each.purpose = f"round {steps['n']}"
            with override_settings(SIMPLE_HISTORY_ENABLED=True), _bare(usual_way):
                bulk_update_with_history(changed, usual_way, ["purpose"], **given)

        return run

    product, limit = _measured([update(Team), update(bare)])
    # as it comes, all rows in one statement of CASE … WHEN, its cost grows with their square: scaling it up from a
    # part is in its favour. With batches, which its documentation leaves to the reader, it is linear.
    sample, few = min(rows, SAMPLE), min(rows, BATCHED)
    [default] = _measured([usual(sample)], rounds=1, warm_up=False)  # over a minute: nothing is left to warm up
    [batched] = _measured([usual(few, batch_size=500)], rounds=2)
    scaled = default.cpu * rows / sample
    return Result(
        name="audit.bulk_update",
        rows=rows,
        seconds=product.cpu,
        limit_seconds=limit.cpu,
        usual_seconds=scaled,
        goal=f"at most {BULK_GOAL:.0f} of a bare update, {USUAL_GOAL:.0f} times cheaper than simple-history's helper",
        met=product.cpu <= BULK_GOAL * limit.cpu and scaled >= USUAL_GOAL * product.cpu,
        more={
            "wall_seconds": round(product.wall, 4),
            "wall_to_limit": round(product.wall / limit.wall, 3),
            "to_usual_in_batches_of_500": round(batched.cpu * rows / few / product.cpu, 3),
            "limit_to_usual": round(scaled / limit.cpu, 3),  # how much cheaper recording nothing at all would be
        },
    )


def _saved_by_operation(thing: Any) -> None:
    """Save a row as the operations of mops do: lock it in a transaction, change what was read, save, commit."""
    with transaction.atomic():
        row = type(thing)._default_manager.select_for_update().get(pk=thing.pk)
        row.purpose = uuid.uuid4().hex
        row.save()


def _saved_alone(thing: Any) -> None:
    """Save a row that was read before, in one statement that is a transaction of its own."""
    thing.purpose = uuid.uuid4().hex
    thing.save()


def _saver(model: Kind, clients: int, pool: ThreadPoolExecutor, save: Callable[[Any], None]) -> Callable[[], None]:
    """A path that saves rows of `model`, shared out over `clients` threads whose connections stay open."""
    things = [model(name=f"{save.__name__} {clients} {number}") for number in range(SAVES)]
    for thing in things:
        thing.save()
    actor = current_actor()
    together = threading.Barrier(clients)  # so that every round has every connection do its part, plans made

    def work(mine: list[Any]) -> None:
        together.wait()
        with acting_as(actor.user, channel=actor.channel), _bare(model):
            for thing in mine:
                save(thing)

    def run() -> None:
        with override_settings(SIMPLE_HISTORY_ENABLED=hasattr(model, "history") and model is not Team):
            list(pool.map(work, [things[start::clients] for start in range(clients)]))

    return run


@contextmanager
def _bare(model: type[models.Model]) -> Iterator[None]:
    """Without what mops puts around a statement, unless the product itself is measured."""
    here = connections["default"]
    here.ensure_connection()
    wrappers = list(here.execute_wrappers)
    if model is not Team:
        here.execute_wrappers.clear()
    try:
        yield
    finally:
        here.execute_wrappers[:] = wrappers


class _Cost:
    """CPU and wall seconds of one path, the medians of its rounds."""

    def __init__(self, rounds: list[tuple[float, float]]) -> None:
        self.cpu = statistics.median(cpu for cpu, _ in rounds)
        self.wall = statistics.median(wall for _, wall in rounds)


def _measured(paths: list[Callable[[], Any]], rounds: int = ROUNDS, *, warm_up: bool = True) -> list[_Cost]:
    """Run the paths in turn; the first round only warms up, unless that is left out."""
    taken: list[list[tuple[float, float]]] = [[] for _ in paths]
    for number in range(0 if warm_up else 1, rounds + 1):
        for path, costs in zip(paths, taken, strict=True):
            before, wall, cpu = _backends(), time.perf_counter(), time.process_time()
            path()
            seconds, mine, after = time.perf_counter() - wall, time.process_time() - cpu, _backends()
            theirs = sum(spent - before.get(pid, 0.0) for pid, spent in after.items())
            if number:
                costs.append((mine + theirs if after else seconds, seconds))
    return [_Cost(costs) for costs in taken]


def _backends() -> dict[int, float]:
    """CPU seconds that each session of this database has used so far; empty where its processes are not here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        pids = [pid for (pid,) in cursor.fetchall()]
    try:
        return {pid: int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9 for pid in pids}
    except OSError:
        return {}
