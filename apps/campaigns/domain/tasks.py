"""Tasks of campaigns: done by somebody, opened again with a reason."""

from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.campaigns.domain.moves import raise_refusal
from apps.campaigns.models import CampaignTask
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.transitions import transition
from apps.core.words import reason_given

if TYPE_CHECKING:
    from apps.accounts.models import User


def _refuse(user: "User", task: CampaignTask) -> str | None:
    if not access.may(user, "change", task):
        return "You may not change tasks of campaigns."
    return f"“{task}” is archived; restore it first." if task.is_archived else None


def refuse_doing(user: "User", task: CampaignTask) -> str | None:
    """Return why `user` cannot say that a task is done, None when they can."""
    if refused := _refuse(user, task):
        return refused
    return f"“{task}” is done already." if task.is_done else None


def do_task(task: CampaignTask, *, by: "User", note: str = "") -> str:
    """Say that a task is done.

    Raises:
        NotAllowed, WrongState: as `refuse_doing` says.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = _locked(task)
        raise_refusal(by, row, refuse_doing(by, row))
        row.done_at, row.done_by = clock.now(), by
        with transition(CampaignTask):
            row.save(update_fields=["done_at", "done_by"])
    return f"“{row}” is done."


def refuse_reopening(user: "User", task: CampaignTask) -> str | None:
    """Return why `user` cannot open a task again, None when they can."""
    if refused := _refuse(user, task):
        return refused
    return None if task.is_done else f"“{task}” is open."


def reopen_task(task: CampaignTask, *, by: "User", reason: str) -> str:
    """Open a task again.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as `refuse_reopening` says.
    """
    reason = reason_given(reason, "Say what is still to be done.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row = _locked(task)
        raise_refusal(by, row, refuse_reopening(by, row))
        row.done_at, row.done_by = None, None
        with transition(CampaignTask):
            row.save(update_fields=["done_at", "done_by"])
    return f"“{row}” is open again."


def _locked(task: CampaignTask) -> CampaignTask:
    rows: Any = CampaignTask.objects.select_for_update(of=("self",)).select_related("campaign")
    row: CampaignTask = rows.get(pk=task.pk)
    return row
