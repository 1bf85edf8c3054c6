"""Jobs for the kill tests: each leaves one log line as its effect, also when it is run twice."""

import os
import signal
import time

from apps.core.alerts.domain.alerting import raise_alert
from apps.core.clocks.registry import Metric, register_metric
from apps.core.jobs.api import Overlap, Run, job
from apps.core.jobs.models import JobLogLine

EFFECT = "effect"


def effect(run: Run) -> None:
    if not JobLogLine.objects.filter(run=run.job_run, text=EFFECT).exists():
        JobLogLine.objects.create(run=run.job_run, attempt=run.job_run.attempts, text=EFFECT)


def quick(run: Run, *, number: int) -> dict[str, int]:
    time.sleep(0.02)
    effect(run)
    return {"number": number}


def noop(run: Run, *, number: int) -> None:
    """For measuring what a run costs."""


def slow_once(run: Run) -> dict[str, int]:
    if run.job_run.attempts == 1:
        run.log("The first attempt is slow.")
        time.sleep(60)
    effect(run)
    return {"attempts": run.job_run.attempts}


def poison(run: Run) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def too_long(run: Run) -> None:
    for _ in range(600):
        try:
            time.sleep(0.1)
        except Exception:  # noqa: BLE001  # a loop that survives bad rows
            run.log("I did not hear that.")


def patient(run: Run) -> None:
    for number in range(600):
        run.progress(number, 600)
        run.raise_if_cancelled()
        time.sleep(0.1)


def slow_rung(clock, rung, *, at) -> None:
    """One alert for each rung, so slow that a kill often falls in between."""
    time.sleep(0.01)
    raise_alert(f"proof.rung:{clock.pk}:{rung.percent}", title="A rung", severity="info")


def register() -> None:
    register_metric(Metric("proof.clock", "Proof", on_rung=slow_rung))
    job("proof.quick", title="Quick", max_attempts=5, overlap=Overlap.ALLOW)(quick)
    job("proof.noop", title="Nothing", overlap=Overlap.ALLOW)(noop)
    job("proof.slow_once", title="Slow the first time")(slow_once)
    job("proof.poison", title="Poison")(poison)
    job("proof.too_long", title="Too long", timeout=1)(too_long)
    job("proof.patient", title="Stops when asked")(patient)
