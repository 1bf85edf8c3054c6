"""Which announcement starts which job: event name → job keys. Read it top to bottom to know what follows what."""

from collections.abc import Mapping
from functools import partial

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
    "approval.emergency": ("approvals.tell_emergency",),
    "approval.emergency_reviewed": ("approvals.close_emergency",),
    "delegation.given": ("approvals.tell_stand_in",),
    "delegation.ended": ("approvals.tell_stand_in", "approvals.watch"),
}


def handlers_of(event: str) -> list[Handler]:
    """Return what to call when `event` is announced: each queues one job, in the announcer's transaction."""
    return [partial(_queue, key) for key in JOBS_AFTER.get(event, ())]


def _queue(key: str, facts: Mapping[str, int | str]) -> None:
    job = find_job(key)
    wanted = job.parameters if job else facts
    enqueue(key, args={name: fact for name, fact in facts.items() if name in wanted}, by=current_actor().user)
