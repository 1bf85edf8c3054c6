"""System checks: what the schedules and the wiring name must exist."""

from importlib import import_module
from typing import Any

from django.core.checks import Error, register

from apps.core.jobs.domain.scheduling import schedules
from apps.core.jobs.registry import find_job


@register()
def schedules_name_jobs(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Every schedule must name a job, give it the arguments it takes, and have a name of its own."""
    found, seen = [], set()
    for schedule in schedules():
        job = find_job(schedule.job)
        if job is None:
            found.append(f"mops/schedules.py names the job {schedule.job}, which no tasks module registers.")
        else:
            try:
                job.checked(schedule.args)
            except TypeError as error:
                found.append(f"mops/schedules.py: {error}")
        if schedule.key in seen:
            found.append(f"mops/schedules.py has two schedules named {schedule.key}; give one a name of its own.")
        seen.add(schedule.key)
    return [Error(text, id="mops.E011") for text in found]


@register()
def wiring_names_jobs(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Every job that follows an announcement must exist."""
    wired: dict[str, tuple[str, ...]] = import_module("mops.wiring").JOBS_AFTER
    return [
        Error(f"mops/wiring.py starts {key} after {event}, but no tasks module registers that job.", id="mops.E012")
        for event, keys in wired.items()
        for key in keys
        if find_job(key) is None
    ]
