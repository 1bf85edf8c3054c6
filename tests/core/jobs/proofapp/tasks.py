"""Jobs for the kill tests: each leaves a log line as its effect."""

import os
import signal
import time

from apps.core.jobs.api import Overlap, Run, job
from apps.core.jobs.models import JobLogLine

EFFECT = "effect"


def effect(run: Run) -> None:
    JobLogLine.objects.create(run=run.job_run, attempt=run.job_run.attempts, text=EFFECT)


def register() -> None:
    @job("proof.quick", title="Quick", max_attempts=5, overlap=Overlap.ALLOW)
    def quick(run: Run, *, number: int) -> dict[str, int]:
        time.sleep(0.02)
        effect(run)
        return {"number": number}

    @job("proof.slow_once", title="Slow the first time", max_attempts=3)
    def slow_once(run: Run) -> dict[str, int]:
        if run.job_run.attempts == 1:
            run.log(f"pid {os.getpid()}")
            time.sleep(60)
        effect(run)
        return {"attempts": run.job_run.attempts}

    @job("proof.poison", title="Poison", max_attempts=3)
    def poison(run: Run) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    @job("proof.too_long", title="Too long", timeout=1)
    def too_long(run: Run) -> None:
        time.sleep(60)

    @job("proof.stubborn", title="Too long and deaf", timeout=1)
    def stubborn(run: Run) -> None:
        for _ in range(600):
            try:
                time.sleep(0.1)
            except Exception:
                run.log("I did not hear that.")

    @job("proof.patient", title="Stops when asked")
    def patient(run: Run) -> None:
        for number in range(600):
            run.progress(number, 600)
            run.raise_if_cancelled()
            time.sleep(0.1)
