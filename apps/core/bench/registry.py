"""Benchmarks: the product's path beside the bare limit and the usual way, measured in one run, told as ratios."""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from django.apps import apps
from django.db import connection, models

from mops.db.roles import as_owner

ROUNDS = 5


@dataclass(frozen=True)
class Result:
    """One line of `manage.py bench`.

    Attributes:
        name: what was measured.
        rows: how many rows the job worked on or looked at.
        seconds: the product's path, the median of at least three runs.
        limit_seconds: the least it could take (bare SQL, an empty view), measured in between; None where there is none.
        usual_seconds: what people usually do, on a sample and scaled to the same rows; None where there is none.
        goal: the promise in words.
        met: whether this run keeps it.
        more: further figures, for instance queries and bytes.
    """

    name: str
    rows: int
    seconds: float
    limit_seconds: float | None
    usual_seconds: float | None
    goal: str
    met: bool
    more: dict[str, Any] = field(default_factory=dict)

    def as_line(self) -> dict[str, Any]:
        """Return the object to print: times rounded to microseconds, the two ratios beside them."""
        line = asdict(self)
        more = line.pop("more")
        limit, usual = self.limit_seconds, self.usual_seconds
        ratios = {
            "to_limit": round(self.seconds / limit, 3) if limit else None,
            "to_usual": round(usual / self.seconds, 3) if usual else None,
        }
        rounded = {name: round(value, 6) if isinstance(value, float) else value for name, value in line.items()}
        return {**rounded, **ratios, **more}


Benchmark = Callable[[int], Iterator[Result]]


@dataclass(frozen=True)
class Registered:
    """A benchmark and the number of rows that keeps it under a minute."""

    name: str
    run: Benchmark
    default_rows: int


_benchmarks: dict[str, Registered] = {}


def benchmark(name: str, *, default_rows: int) -> Callable[[Benchmark], Benchmark]:
    """Register a function `rows -> results` under `manage.py bench NAME`."""

    def register(function: Benchmark) -> Benchmark:
        _benchmarks[name] = Registered(name, function, default_rows)
        return function

    return register


def registered() -> dict[str, Registered]:
    """Return every benchmark, by name, after importing the `benchmarks` module of each app that has one."""
    for config in apps.get_app_configs():
        if config.name.startswith("apps.") and find_spec(f"{config.name}.benchmarks"):
            import_module(f"{config.name}.benchmarks")
    return dict(sorted(_benchmarks.items()))


def cpu_seconds() -> float | None:
    """Return the processor time that this process, its ended children and its backend have used; None where unknown.

    On a machine that does other things as well, a path that keeps both busy waits for its turn much longer than one
    that sleeps between small steps: ratios of what the clock says then tell of the neighbours. Ratios of what was
    worked do not. The backend's share is only known where the server runs on this machine.
    """
    connection.ensure_connection()
    info = connection.connection.info
    place = Path(f"/proc/{info.backend_pid}")
    try:
        if (place / "comm").read_text().strip() != "postgres":
            return None
        backend = int((place / "schedstat").read_text().split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        return None
    mine = os.times()
    return backend + mine.user + mine.system + mine.children_user + mine.children_system


class Taken(NamedTuple):
    """How long a path took by the clock, and how long this process and its backend worked at it."""

    seconds: float
    worked: float


def timed(path: Callable[[], Any]) -> Taken:
    """Run a path; where the processor time is not known, the clock stands for it."""
    before, begun = cpu_seconds(), time.perf_counter()
    path()
    seconds, after = time.perf_counter() - begun, cpu_seconds()
    return Taken(seconds, seconds if before is None or after is None else after - before)


def swept(*tables: type[models.Model]) -> None:
    """Take out of the tables what rounds wrote and took back: the usual way must not pay for reading over it."""
    with as_owner(), connection.cursor() as cursor:
        for each in tables:
            cursor.execute(f"VACUUM (ANALYZE) {connection.ops.quote_name(each._meta.db_table)}")


def middle(taken: Sequence[Taken]) -> Taken:
    """Return the medians."""
    return Taken(statistics.median(each.seconds for each in taken), statistics.median(each.worked for each in taken))


def in_turn(*paths: Callable[[], Any], rounds: int = ROUNDS) -> list[Taken]:
    """Run the paths in turn, A B C A B C …, and return how long each took and worked in the middle.

    In turn, because the speed of a shared machine drifts by 2 to 3 times and a ratio within one round does not.
    The first round only warms up.
    """
    taken: list[list[Taken]] = [[] for _ in paths]
    for number in range(rounds + 1):
        for path, times in zip(paths, taken, strict=True):
            each = timed(path)
            if number:
                times.append(each)
    return [middle(times) for times in taken]


def interleaved(*paths: Callable[[], Any], rounds: int = ROUNDS) -> list[float]:
    """Return the median seconds of each path, as `in_turn` runs them."""
    return [each.seconds for each in in_turn(*paths, rounds=rounds)]
