"""Figures for monitoring: requests as django-prometheus counts them, and how far behind the work is.

What stands in the database is read when somebody asks: every process then answers the same, and nothing is counted
twice or lost with a process.
"""

import datetime as dt
import os
from collections.abc import Callable, Iterator

import prometheus_client
from django.db import Error, connection
from django.db.models import Count, Max, Min, Q
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from apps.core import clock

RECENT = dt.timedelta(days=1)
Figures = Callable[[], Iterator[GaugeMetricFamily]]
_figures: list[Figures] = []


def register_figures(figures: Figures) -> None:
    """Let an app add figures of its own, read from the database when somebody asks; called from `AppConfig.ready`."""
    if figures not in _figures:
        _figures.append(figures)


def exposition() -> bytes:
    """Return all figures in Prometheus's text format."""
    registry = CollectorRegistry()
    registry.register(WorkCollector())
    return prometheus_client.generate_latest(_process_registry()) + prometheus_client.generate_latest(registry)


def _process_registry() -> CollectorRegistry:
    """What processes count themselves; of all of them where several serve together."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return prometheus_client.REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


class WorkCollector:
    """Reads from the database how many jobs, mails and alerts there are, and how long the oldest has waited."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return the figures; only that the database is gone, when it is."""
        now = clock.now()
        try:
            found = [
                *_jobs(now),
                *_workers(now),
                *_mail(now),
                *_alerts(),
                *(each for own in _figures for each in own()),
            ]
        except Error:
            connection.close()
            yield GaugeMetricFamily("mops_database_up", "Whether the database answers.", 0)
            return
        yield GaugeMetricFamily("mops_database_up", "Whether the database answers.", 1)
        yield from found


def _jobs(now: dt.datetime) -> Iterator[GaugeMetricFamily]:
    from apps.core.jobs.models import BAD_STATES, JobRun, RunState  # noqa: PLC0415  # apps must be ready

    runs = GaugeMetricFamily("mops_jobs", "Job runs that wait or run, by queue.", labels=["queue", "state"])
    oldest = GaugeMetricFamily(
        "mops_jobs_oldest_seconds", "How long the oldest run that could begin has waited.", labels=["queue"]
    )
    rows = (
        JobRun.objects.filter(state__in=(RunState.QUEUED, RunState.RUNNING))
        .order_by()
        .values("queue")
        .annotate(
            queued=Count("pk", filter=Q(state=RunState.QUEUED)),
            running=Count("pk", filter=Q(state=RunState.RUNNING)),
            first=Min("available_at", filter=Q(state=RunState.QUEUED, available_at__lte=now)),
        )
    )
    for row in rows:
        runs.add_metric([row["queue"], "queued"], row["queued"])
        runs.add_metric([row["queue"], "running"], row["running"])
        oldest.add_metric([row["queue"]], _age(now, row["first"]))
    failed = JobRun.objects.filter(state__in=BAD_STATES, finished_at__gte=now - RECENT).count()
    yield runs
    yield oldest
    yield GaugeMetricFamily("mops_jobs_failed_last_day", "Runs that failed, timed out or died in 24 hours.", failed)


def _workers(now: dt.datetime) -> Iterator[GaugeMetricFamily]:
    from apps.core.jobs.models import WorkerCluster  # noqa: PLC0415

    beats = GaugeMetricFamily("mops_worker_silent_seconds", "How long no cluster has shown life.", labels=["cluster"])
    for name, beat in WorkerCluster.objects.order_by().values_list("name").annotate(Max("beat_at")):
        beats.add_metric([name], _age(now, beat))
    yield beats


def _mail(now: dt.datetime) -> Iterator[GaugeMetricFamily]:
    from apps.core.notifications.enums import DeliveryState  # noqa: PLC0415
    from apps.core.notifications.models import Delivery  # noqa: PLC0415

    due = Q(state=DeliveryState.QUEUED, not_before__lte=now)
    found = Delivery.objects.filter(state=DeliveryState.QUEUED).aggregate(
        due=Count("pk", filter=due), first=Min("not_before", filter=due)
    )
    dead = Delivery.objects.filter(state=DeliveryState.DEAD).count()
    yield GaugeMetricFamily("mops_mail_due", "Mails that should have been sent by now.", found["due"])
    yield GaugeMetricFamily("mops_mail_oldest_seconds", "How long the oldest of them waits.", _age(now, found["first"]))
    yield GaugeMetricFamily("mops_mail_given_up", "Mails that were given up and wait for a person.", dead)


def _alerts() -> Iterator[GaugeMetricFamily]:
    from apps.core.alerts.enums import AlertState, Severity  # noqa: PLC0415
    from apps.core.alerts.models import Alert  # noqa: PLC0415

    family = GaugeMetricFamily("mops_alerts", "Alerts that are not resolved.", labels=["severity", "state"])
    rows = Alert.objects.exclude(state=AlertState.RESOLVED).order_by().values_list("severity", "state")
    counted = {(severity, state): number for severity, state, number in rows.annotate(Count("pk"))}
    for severity in Severity.values:
        for state in AlertState.values:
            if state != AlertState.RESOLVED:
                family.add_metric([severity, state], counted.get((severity, state), 0))
    yield family


def _age(now: dt.datetime, since: dt.datetime | None) -> float:
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0
