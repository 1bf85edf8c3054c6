"""What follows the end of a run: an alert where something is broken, and word to the person who waits for it."""

import structlog
from django.db import transaction

from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.alerts.enums import AlertState, Severity
from apps.core.alerts.models import Alert
from apps.core.events import publish
from apps.core.jobs.models import BAD_STATES, JobRun, RunState
from apps.core.notifications.domain.notifying import notify

log = structlog.get_logger(__name__)
FAILED_KIND = "job.failed"
_ENDED = {RunState.FAILED: "failed", RunState.TIMED_OUT: "took too long", RunState.DEAD: "keeps killing its worker"}
_RUNBOOK = (
    "Open the run: its log and technical details say what happened. Mend the cause, then use “Run again”. "
    "docs/jobs.md says what each state means."
)


def fingerprint_of(run: JobRun) -> str:
    """Return what names the cause of a job's alerts: one open alert per job, however many runs fail."""
    return f"job:{run.key}"


def after_end(run: JobRun, state: RunState, error: str) -> None:
    """Announce the end and tell whom it concerns, in the transaction that ends the run.

    What goes wrong in telling is logged and never keeps a run from ending.
    """
    if state not in BAD_STATES and not (state == RunState.SUCCEEDED and _has_alert(run)):
        return
    try:
        with transaction.atomic():
            _tell(run, state, error)
    except Exception:  # a handler of any app may be what breaks; the run's end must stand all the same
        log.exception("jobs.telling_failed", run=run.pk, state=state)


def _has_alert(run: JobRun) -> bool:
    return Alert.objects.filter(fingerprint=fingerprint_of(run)).exclude(state=AlertState.RESOLVED).exists()


def _tell(run: JobRun, state: RunState, error: str) -> None:
    if state == RunState.SUCCEEDED:
        resolve_alert(fingerprint_of(run), why=f"Run #{run.pk} of {run.title} succeeded.")
        return
    sentence = f"{run.title} {_ENDED[state]}"
    if state == RunState.DEAD or run.requested_by is None:
        raise_alert(
            fingerprint_of(run),
            title=f"{sentence}.",
            severity=Severity.CRITICAL if state == RunState.DEAD else Severity.WARNING,
            detail=error,
            subject=run,
            runbook=_RUNBOOK,
        )
    if run.requested_by is not None:
        notify(
            [run.requested_by],
            FAILED_KIND,
            title=f"{sentence}: {error}",
            subject=run,
            dedupe=f"{run.pk}/{run.attempts}",
        )
    publish(f"job.{state}", run_id=run.pk)
