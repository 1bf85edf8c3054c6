"""Tells waiting workers that there is work. Only a hint: workers look for themselves twice a second anyway."""

import time

import structlog
from django.conf import settings
from django.db import transaction

log = structlog.get_logger(__name__)
WAKE_KEY = "mops:wake:{queue}"
MOST_HINTS = 100


def wake_workers(queue: str) -> None:
    """Wake a worker of `queue` through Redis, where there is one, as soon as the transaction is committed."""
    if settings.REDIS_URL:
        transaction.on_commit(lambda: _push(queue))


def _push(queue: str) -> None:
    import redis  # noqa: PLC0415  # an optional package

    try:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
        key = WAKE_KEY.format(queue=queue)
        client.lpush(key, 1)
        client.ltrim(key, 0, MOST_HINTS)
    except redis.RedisError as error:
        log.warning("jobs.wake_failed", queue=queue, reason=str(error))


def wait_for_work(queue: str, seconds: float) -> None:
    """Wait until there may be work in `queue`, at most `seconds`."""
    if not settings.REDIS_URL:
        time.sleep(seconds)
        return
    import redis  # noqa: PLC0415  # an optional package

    try:
        redis.Redis.from_url(settings.REDIS_URL).blpop([WAKE_KEY.format(queue=queue)], timeout=seconds)
    except redis.RedisError as error:
        log.warning("jobs.wake_failed", queue=queue, reason=str(error))
        time.sleep(seconds)
