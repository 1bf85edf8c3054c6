"""Where django-q2's clusters get their work: from the queued rows themselves, with SKIP LOCKED.

A package is made and read inside one cluster, so nothing pickled is ever stored, a changed SECRET_KEY loses nothing,
and there is no second copy of the queue that could be lost.
"""

import time
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, connection
from django_q.brokers import Broker
from django_q.conf import Conf
from django_q.signing import SignedPackage

from apps.core import clock
from apps.core.jobs.domain.claims import HANDED_FOR
from apps.core.jobs.models import RunState
from apps.core.jobs.names import cluster_name
from apps.core.jobs.runner import GRACE_SECONDS
from apps.core.jobs.wake import wait_for_work

log = structlog.get_logger(__name__)
RUNNER = "apps.core.jobs.runner.run_job"
_TAKE = """
    UPDATE jobs_jobrun SET handed_at = statement_timestamp(), worker = %s
    WHERE id = (
        SELECT id FROM jobs_jobrun
        WHERE state = %s AND queue = %s AND available_at <= statement_timestamp()
          AND (handed_at IS NULL OR handed_at < statement_timestamp() - make_interval(secs => %s))
        ORDER BY available_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, key, timeout
"""


class JobRunBroker(Broker):  # type: ignore[misc]  # django-q2 ships no types
    """Hands each queued run to one cluster; who does not begin it within half a minute loses it again."""

    def dequeue(self) -> list[tuple[None, str]] | None:
        """Return the run that has waited longest, None after a short wait when nothing is due."""
        try:
            found = self._take()
        except (OperationalError, InterfaceError) as error:  # django-q2 would give up and wait ten seconds
            log.warning("jobs.database_away", reason=str(error).strip())
            connection.close()
            time.sleep(1)
            return None
        if found is None:
            wait_for_work(self.list_key, Conf.POLL)
            return None
        return [(None, package_for(*found))]

    def _take(self) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, [cluster_name(), RunState.QUEUED, self.list_key, HANDED_FOR.total_seconds()])
            return cursor.fetchone()

    def queue_size(self) -> int:
        """Return how many runs are due and in nobody's hands."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM jobs_jobrun WHERE state = %s AND queue = %s AND handed_at IS NULL",
                [RunState.QUEUED, self.list_key],
            )
            return int(cursor.fetchone()[0])

    def enqueue(self, task: Any) -> None:
        """Refuse: runs are queued by `apps.core.jobs.api.enqueue`, nothing else is.

        Raises:
            TypeError: always.
        """
        raise TypeError("Only runs of registered jobs are queued; use apps.core.jobs.api.enqueue.")

    def ping(self) -> bool:
        """Say that the queue can be asked; a server that is down is met when it is asked."""
        return True

    def info(self) -> str:
        """Say what the queue is."""
        return "PostgreSQL, jobs_jobrun"


def package_for(pk: int, key: str, timeout: int) -> str:
    """Return the message for a worker: call the runner with this id."""
    package: str = SignedPackage.dumps(
        {
            "id": f"{pk:032d}",
            "name": f"{key} #{pk}",
            "func": RUNNER,
            "args": (pk,),
            "kwargs": {},
            "started": clock.now(),
            "timeout": timeout + GRACE_SECONDS,
            "ack_failure": True,
            "save": False,
        }
    )
    return package
