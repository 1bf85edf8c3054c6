"""Which announcement starts which job: event name → job keys. Read it top to bottom to know what follows what."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from apps.core.actors import current_actor
from apps.core.events import Handler
from apps.core.jobs.api import enqueue
from apps.core.jobs.registry import find_job

JOBS_AFTER: dict[str, tuple[str, ...]] = {
    "person.deactivated": ("accounts.watch_vacancies", "approvals.watch"),
    "person.reactivated": ("accounts.watch_vacancies",),
    "vacancy.filled": ("accounts.watch_vacancies",),
    "calendar.published": ("clocks.recount",),
    "sop.approved": ("processes.tell_readers",),
    "sop.effective": ("processes.evaluate_version",),
    "run.done": ("processes.evaluate_run",),
    "sop.feedback": ("processes.tell_about_feedback",),
    "sop.feedback_answered": ("processes.tell_about_feedback",),
    "ticket.resolved": ("tickets.after_resolution",),
    "role.revoked": ("approvals.watch",),
    "approval.requested": ("approvals.tell_approvers",),
    "approval.approved": ("approvals.tell_about_decision",),
    "approval.changes_requested": ("approvals.tell_about_decision",),
    "approval.rejected": ("approvals.tell_about_decision",),
    "approval.waiting": ("approvals.tell_about_decision",),
    "approval.revoked": ("approvals.tell_about_decision",),
    "approval.expired": ("approvals.tell_about_decision",),
    "approval.void": ("approvals.tell_about_decision",),
    "approval.stage_begun": ("approvals.tell_approvers",),
    "approval.stage_due_soon": ("approvals.tell_stage_due",),
    "approval.stage_late": ("approvals.tell_stage_due",),
    "approval.stuck": ("approvals.watch",),
    "approval.reseated": ("approvals.tell_approvers", "approvals.watch"),
    "approval.emergency": ("approvals.tell_emergency",),
    "approval.emergency_reviewed": ("approvals.close_emergency",),
    **dict.fromkeys(
        (
            "campaign.planning",
            "campaign.in_creative",
            "campaign.in_approval",
            "campaign.approved",
            "campaign.audience_frozen",
            "campaign.checklist_changed",
        ),
        ("campaigns.look_at_gate",),
    ),
    "delegation.given": ("approvals.tell_stand_in",),
    "delegation.ended": ("approvals.tell_stand_in", "approvals.watch"),
}


def rollout_choices(person: Any) -> list[tuple[int, str]]:
    """Return the processes a run can be started of to implement a tool: (key, title), those about technology first."""
    from apps.core import access  # noqa: PLC0415  # the apps must be ready
    from apps.processes.models import Process  # noqa: PLC0415

    rows = access.visible(person, Process).filter(effective_version__isnull=False, archived_at__isnull=True)
    titles = sorted(rows.values_list("pk", "title"), key=lambda row: ("implement" not in row[1].lower(), row[1]))
    return [(int(key), str(title)) for key, title in titles]


def start_rollout(tool: Any, *, process: int, by: Any, due_on: Any = None) -> Any:
    """Start the run of a process that implements `tool`; returns the run.

    Raises:
        WrongState: there is no such process for this person, or nothing of it is in force.
    """
    from apps.core import access  # noqa: PLC0415  # the apps must be ready
    from apps.core.errors import WrongState  # noqa: PLC0415
    from apps.processes.domain.running import start_run  # noqa: PLC0415
    from apps.processes.models import Process  # noqa: PLC0415

    found = access.visible(by, Process).filter(pk=process).first()
    if found is None:
        raise WrongState("There is no such process for you; choose one of the list.")
    return start_run(found, by=by, title=f"Implement {tool}", subject=tool, due_on=due_on)


def begin_rollouts(tool: Any, *, by: Any) -> list[str]:
    """Start the runs that begin by themselves when a tool is implemented; returns a sentence for each."""
    from apps.processes.domain.triggers import start_for  # noqa: PLC0415  # the apps must be ready

    return start_for("technology.implementing", tool, by=by)


def rollouts_of(tool: Any, since: Any) -> tuple[list[Any], bool, list[str]]:
    """Return the runs about a tool begun from `since` on that are under way, whether one is done, and what must run."""
    from apps.processes.domain.running import unready  # noqa: PLC0415  # the apps must be ready
    from apps.processes.models import Process, Run  # noqa: PLC0415

    kind = {"content_type__app_label": "technology", "content_type__model": "tool"}
    runs = Run.objects.filter(object_id=tool.pk, started_at__gte=since, **kind).order_by("started_at")
    begun = list(runs.exclude(state="cancelled"))
    wanted = Process.objects.live().filter(starts_with="technology.implementing").order_by("title")
    return (
        [run for run in begun if run.state == "active"],
        any(run.state == "done" for run in begun),
        [process.title for process in wanted.select_related("effective_version") if unready(process) is None],
    )


def runs_about(thing: Any, person: Any) -> list[Any]:
    """Return the runs about a record that `person` may see, newest first."""
    from apps.core import access  # noqa: PLC0415  # the apps must be ready
    from apps.processes.models import Run  # noqa: PLC0415

    kind = {"content_type__app_label": thing._meta.app_label, "content_type__model": thing._meta.model_name}
    return list(access.visible(person, Run).filter(object_id=thing.pk, **kind).order_by("-started_at")[:10])


def handlers_of(event: str) -> list[Handler]:
    """Return what to call when `event` is announced: each queues one job, in the announcer's transaction."""
    return [partial(_queue, key) for key in JOBS_AFTER.get(event, ())]


def _queue(key: str, facts: Mapping[str, int | str]) -> None:
    job = find_job(key)
    wanted = job.parameters if job else facts
    enqueue(key, args={name: fact for name, fact in facts.items() if name in wanted}, by=current_actor().user)
