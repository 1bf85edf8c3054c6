"""Runs that another record starts: a process names an occasion, and when it comes a run about that record begins."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import models

from apps.processes.domain.running import begin_run, unready
from apps.processes.models import Process

if TYPE_CHECKING:
    from apps.accounts.models import User

_occasions: dict[str, str] = {}


def register_occasion(key: str, title: str) -> None:
    """Let processes be started when something happens to a record of an app above.

    Args:
        key: "campaigns.launched".
        title: as people choose it: "A campaign is launched".
    """
    _occasions[key] = title


def occasions() -> list[tuple[str, str]]:
    """Return what processes may be started by, as choices."""
    return sorted(_occasions.items(), key=lambda each: each[1])


def start_for(key: str, subject: models.Model, *, by: "User", at: dt.datetime | None = None) -> list[str]:
    """Start a run of every process that names this occasion, about `subject`, in the caller's transaction.

    Who brings the occasion about needs no right on runs for it: the process asks for it, and its owner owns the run.
    What has nothing in force is left out and named; the occasion itself is never held up by it.

    Returns:
        A sentence per process: what was started, or why not.
    """
    if key not in _occasions:
        raise KeyError(f"Nobody registered the occasion {key}.")
    said = []
    for process in Process.objects.live().filter(starts_with=key).order_by("title"):
        if why := unready(process):
            said.append(f"No run of {process} was started: {why}")
            continue
        run = begin_run(
            process, by=by, title=f"{process.title}: {subject}"[:200], subject=subject, owners=process, at=at
        )
        said.append(f"{run} was started: {run.steps_total} steps.")
    return said
