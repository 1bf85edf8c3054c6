"""What a supervisor asks and writes: keeps the clock, sees whether a cluster gets anywhere, leaves its heartbeat."""

import datetime as dt
import socket

from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Q
from django.db.models.functions import Now

from apps.core import clock
from apps.core.actors import Channel, acting_as, system_principal
from apps.core.alerts.domain.alerting import raise_alert
from apps.core.alerts.enums import Severity
from apps.core.jobs.domain.scheduling import tick
from apps.core.jobs.domain.sweeping import cluster_died, sweep
from apps.core.jobs.models import JobRun, RunState, WorkerCluster

ALIVE_FOR = dt.timedelta(seconds=20)
CLOCK_LOCK = 7_265_001  # any number; PostgreSQL keeps advisory locks by number
_NO_PROGRESS = """
    SELECT EXISTS (SELECT FROM jobs_jobrun WHERE state = 'queued' AND queue = %(queue)s
                   AND available_at < statement_timestamp() - interval '2 s'
                   AND (handed_at IS NULL OR worker = %(cluster)s
                        OR handed_at < statement_timestamp() - interval '20 s'))
       AND NOT EXISTS (SELECT FROM jobs_jobrun WHERE started_at > statement_timestamp() - interval '3 s'
                       AND starts_with(worker, %(cluster)s || '/'))
       AND %(workers)s > (SELECT count(*) FROM jobs_jobrun WHERE state = 'running'
                          AND starts_with(worker, %(cluster)s || '/'))
"""


def pending_migrations() -> int:
    """Return how many migrations of this version the database has not seen."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def keep_time() -> None:
    """Queue what the schedules say is due and take back runs whose worker is gone; one supervisor at a time does."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [CLOCK_LOCK])
        if cursor.fetchone() != (True,):
            return
        with acting_as(system_principal(), channel=Channel.JOB):
            tick(clock.now())
            sweep()


def makes_no_progress(cluster: str, queue: str, workers: int) -> bool:
    """Whether work is due, the cluster has a worker free for it, and has begun nothing just now."""
    with connection.cursor() as cursor:
        cursor.execute(_NO_PROGRESS, {"queue": queue, "cluster": cluster, "workers": workers})
        return bool(cursor.fetchone()[0])


def workers_of(cluster: str) -> list[str]:
    """Return the cluster's workers that hold a run."""
    running = JobRun.objects.filter(state=RunState.RUNNING, worker__startswith=f"{cluster}/", lease_until__gte=Now())
    return list(running.values_list("worker", flat=True))


def beat(cluster: str, queue: str, pid: int, *, restarts: int, reason: str) -> None:
    """Note that the cluster is looked after."""
    values = {"beat_at": Now(), "restarts": restarts, "last_restart_reason": reason[:300]}
    fixed = {"queue": queue, "host": socket.gethostname()[:100], "pid": pid}
    WorkerCluster.objects.update_or_create(name=cluster, defaults=values, create_defaults={**fixed, **values})


def farewell(cluster: str) -> None:
    """Note that the cluster was stopped in order; what it had begun begins anew elsewhere, uncounted."""
    cluster_died(cluster, orderly=True)
    WorkerCluster.objects.filter(name=cluster).delete()


def alarm(queue: str, deaths: int, reason: str) -> None:
    """Raise the alert that workers do not stay alive."""
    raise_alert(
        f"worker:{queue}",
        title=f"The workers of the queue {queue} died {deaths} times in a row.",
        severity=Severity.CRITICAL,
        detail=f"Last time on {socket.gethostname()}: {reason}.",
        runbook="The log of manage.py worker says why; until it is mended nothing runs in the background there.",
    )


def clusters_alive(queue: str = "") -> bool:
    """Whether a cluster has been seen lately: any, or one that works on `queue`."""
    seen = WorkerCluster.objects.filter(beat_at__gt=Now() - ALIVE_FOR)
    return seen.filter(queue=queue).exists() if queue else seen.exists()


def clusters() -> list[WorkerCluster]:
    """Return the clusters seen in the last day, each with `is_alive`."""
    seen = WorkerCluster.objects.annotate(is_alive=Q(beat_at__gt=Now() - ALIVE_FOR))
    return list(seen.order_by("-is_alive", "host", "queue"))
