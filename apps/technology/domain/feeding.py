"""Health of integrations from what mops knows itself: syncs of file sources, runs of jobs, tools measured as down.

What nothing is known of stays unknown: no evidence is never counted as a transfer that went well.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import transaction

from apps.core import clock
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.alerts.enums import AlertState, Severity
from apps.core.alerts.models import Alert
from apps.core.exchange.enums import RunState as SyncState
from apps.core.exchange.models import SyncRun
from apps.core.jobs.models import BAD_STATES, JobRun, RunState
from apps.core.jobs.registry import find_job
from apps.core.redaction import redact
from apps.technology.domain.integrations import ALERTS, alert_key, health_now, tell_failure, with_health
from apps.technology.enums import FlowHealth, IntegrationState
from apps.technology.models import AvailabilitySample, Integration, Transfer

MOST_AT_ONCE = 2_000
LOOK_BACK = dt.timedelta(days=30)
DOWN_COUNTS_FOR = dt.timedelta(hours=24)
RECORDED_BY = "mops"


def feed_transfers(now: dt.datetime | None = None) -> dict[str, int]:
    """Record what has happened to live integrations since the last look; safe to run twice, a few statements.

    Returns:
        How many transfers were recorded, and of how many integrations the owner was told or the alert taken back.
    """
    moment = now or clock.now()
    live = list(
        Integration.objects.filter(state=IntegrationState.LIVE, archived_at__isnull=True).select_related(
            "source", "target", "file_source"
        )
    )
    found = [*_syncs(live, moment), *_jobs(live, moment), *_outages(live, moment)]
    with transaction.atomic():
        before = Transfer.objects.filter(integration__in=live).count()
        Transfer.objects.bulk_create(found, ignore_conflicts=True)
        recorded = Transfer.objects.filter(integration__in=live).count() - before
    return {"recorded": recorded, **_tell(moment)}


def _transfer(
    row: Integration, reference: str, at: dt.datetime, *, ok: bool, note: str, source: str, **more: Any
) -> Any:
    return Transfer(
        integration=row,
        at=at,
        ok=ok,
        note=redact(note)[:300],
        source=source[:100],
        reference=reference,
        recorded_by=RECORDED_BY,
        **more,
    )


def _syncs(live: Iterable[Integration], now: dt.datetime) -> Iterator[Transfer]:
    """What the syncs of file sources brought; a try brings nothing."""
    fed: dict[int, list[Integration]] = {}
    for row in live:
        if row.file_source_id:
            fed.setdefault(row.file_source_id, []).append(row)
    runs = SyncRun.objects.filter(source__in=fed, dry_run=False, state__in=(SyncState.DONE, SyncState.FAILED))
    for run in runs.filter(finished_at__gt=now - LOOK_BACK, finished_at__lte=now).order_by("-id")[:MOST_AT_ONCE]:
        for row in fed[run.source_id]:
            yield _transfer(
                row,
                f"sync:{run.pk}",
                run.finished_at,  # type: ignore[arg-type]  # the filter sees to it
                ok=run.state == SyncState.DONE,
                note=run.said,
                source=f"Sync of {row.file_source}",
                records=run.rows,
            )


def _jobs(live: Iterable[Integration], now: dt.datetime) -> Iterator[Transfer]:
    """How the jobs went that carry integrations out."""
    fed: dict[str, list[Integration]] = {}
    for row in live:
        if row.job:
            fed.setdefault(row.job, []).append(row)
    runs = JobRun.objects.filter(key__in=fed, state__in=(RunState.SUCCEEDED, *BAD_STATES))
    for run in runs.filter(finished_at__gt=now - LOOK_BACK, finished_at__lte=now).order_by("-id")[:MOST_AT_ONCE]:
        job = find_job(run.key)
        for row in fed[run.key]:
            yield _transfer(
                row,
                f"job:{run.pk}",
                run.finished_at,  # type: ignore[arg-type]  # the filter sees to it
                ok=run.state == RunState.SUCCEEDED,
                note=run.error,
                source=f"Job “{job.title if job else run.key}”",
            )


def _outages(live: Iterable[Integration], now: dt.datetime) -> Iterator[Transfer]:
    """Tools that a measurement says were down for all of its span: nothing can have gone over."""
    ends: dict[int, list[Integration]] = {}
    for row in live:
        for tool in (row.source_id, row.target_id):
            ends.setdefault(tool, []).append(row)
    down = AvailabilitySample.objects.filter(tool__in=ends, up_minutes=0, down_minutes__gt=0)
    span = down.filter(ends_at__gt=now - DOWN_COUNTS_FOR, ends_at__lte=now).select_related("tool")
    for sample in span.order_by("-ends_at")[:MOST_AT_ONCE]:
        for row in ends[sample.tool_id]:
            since = f"{sample.starts_at:%-d %B %Y, %H:%M} to {sample.ends_at:%H:%M} UTC"
            yield _transfer(
                row,
                f"outage:{sample.pk}",
                sample.ends_at,
                ok=False,
                note=f"{sample.tool} was down from {since}.",
                source=f"Availability, {sample.source}",
            )


def _tell(now: dt.datetime) -> dict[str, int]:
    """Raise an alert for what fails or is late, and take it back for what goes well again; nothing for the unknown."""
    known = Alert.objects.filter(fingerprint__startswith=ALERTS).exclude(state=AlertState.RESOLVED)
    told_of = set(known.values_list("fingerprint", flat=True))
    live = Integration.objects.filter(state=IntegrationState.LIVE, archived_at__isnull=True)
    told = resolved = 0
    rows: Any = with_health(live.select_related("owner_person", "owner_team"))
    for row in rows.filter(last_at__isnull=False):
        health, is_told = health_now(row, now), alert_key(row) in told_of
        if health in (FlowHealth.FAILING, FlowHealth.LATE) and not is_told:
            told += 1
            if health == FlowHealth.FAILING:
                tell_failure(row, getattr(row, "last_note", ""))
            else:
                _tell_late(row)
        elif health == FlowHealth.GOOD and is_told:
            resolved += 1
            resolve_alert(alert_key(row), why="A transfer went well again.")
    return {"told": told, "resolved": resolved}


def _tell_late(row: Any) -> None:
    raise_alert(
        alert_key(row),
        title=f"The integration “{row.name}” is late."[:200],
        severity=Severity.WARNING,
        detail=f"The last transfer was on {row.last_at:%-d %B %Y, %H:%M} UTC; it should go over "
        f"{row.get_frequency_display().lower()}.",
        subject=row,
        owner=row.owner,
    )
