"""Tells waiting workers that there is work. Only a hint: workers look for themselves twice a second anyway.

By NOTIFY after the transaction is committed, once however many runs it asked for: inside a transaction NOTIFY makes
the commits of the whole server wait for each other. Through Redis where REDIS_URL names one, for databases behind a
proxy that pools transactions and so cannot LISTEN.
"""

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.db import connection, transaction

if TYPE_CHECKING:
    import redis

log = structlog.get_logger(__name__)
MOST_HINTS = 100


@dataclass(frozen=True)
class _Hint:
    """What happens after the commit: equal for one queue, so that a transaction gives one hint a queue."""

    queue: str

    def __call__(self) -> None:
        """Give the hint."""
        if settings.REDIS_URL:
            _push(self.queue)
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [_channel(self.queue)])


def wake_workers(queue: str) -> None:
    """Wake a worker of `queue` as soon as the transaction is committed."""
    hint = _Hint(queue)
    # what a rolled back savepoint asked for is off this list again, so an equal hint on it is one that will be given
    if all(asked != hint for _, asked, *_ in connection.run_on_commit):
        transaction.on_commit(hint, robust=True)


def wait_for_work(queue: str, seconds: float) -> None:
    """Wait until there may be work in `queue`, at most `seconds`; called in autocommit by the one who hands it out."""
    if settings.REDIS_URL:
        _pop(queue, seconds)
        return
    with connection.cursor() as cursor:
        cursor.execute(f'LISTEN "{_channel(queue)}"')
    for _ in connection.connection.notifies(timeout=seconds, stop_after=1):
        pass


def _channel(queue: str) -> str:
    return f"mops_wake_{queue}"


@lru_cache(maxsize=1)
def _redis() -> "redis.Redis":
    import redis  # noqa: PLC0415  # an optional package

    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1)


def _push(queue: str) -> None:
    import redis  # noqa: PLC0415

    try:
        _redis().lpush(_channel(queue), 1)
        _redis().ltrim(_channel(queue), 0, MOST_HINTS)
    except redis.RedisError as error:  # they look for themselves before long
        log.warning("jobs.wake_failed", queue=queue, reason=str(error))


def _pop(queue: str, seconds: float) -> None:
    import redis  # noqa: PLC0415

    try:
        _redis().blpop([_channel(queue)], timeout=seconds)
    except redis.RedisError as error:
        log.warning("jobs.wake_failed", queue=queue, reason=str(error))
        time.sleep(seconds)
