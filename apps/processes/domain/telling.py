"""Who is told: those who must read, the owner whose review is due and who stands above, who gave feedback."""

import datetime as dt
from typing import TYPE_CHECKING

from django.urls import reverse

from apps.accounts.models import User
from apps.core.notifications.domain.notifying import notify
from apps.processes.enums import READABLE, Disposition
from apps.processes.models import Feedback, Process, SOPVersion

if TYPE_CHECKING:
    from django.db.models import QuerySet

READ, REVIEW_DUE, REVIEW_LATE, FEEDBACK, ANSWERED = (
    "process.read",
    "process.review_due",
    "process.review_late",
    "process.feedback",
    "process.feedback_answered",
)
ESCALATES_AFTER = dt.timedelta(days=14)


def readers_of(version: SOPVersion) -> "QuerySet[User]":
    """Return the active people who must read `version` and have not said so yet."""
    roles = version.process.requirements.filter(archived_at__isnull=True).select_related("role")
    keys = {key for each in roles for key in each.role.players().values_list("pk", flat=True)}
    return User.objects.filter(pk__in=keys).exclude(pk__in=version.acknowledgements.values("person"))


def tell_readers(version: SOPVersion) -> int:
    """Ask those who must read a material version to do so; nobody for a minor one. Returns how many were told."""
    if version.state not in READABLE or not version.is_material:
        return 0
    return notify(
        readers_of(version),
        READ,
        title=f"Please read {version} and confirm it",
        body=version.change_log,
        subject=version,
        url=reverse("admin:processes_sopversion_read", args=(version.pk,)),
        dedupe=f"{version.pk}",
    )


def answering_for(process: Process) -> list[User]:
    """Return the people who answer for `process`: the owner, or everybody in the team that owns it."""
    if process.owner_person is not None:
        return [process.owner_person]
    return list(process.owner_team.members.filter(is_active=True).distinct()) if process.owner_team else []


def remind_of_review(process: Process, today: dt.date) -> int:
    """Tell who answers for `process` that its review is due, and two weeks later those above and the backup.

    Each due date reminds once and escalates once. Returns how many people were told.
    """
    due = process.next_review_on
    if due is None or due > today or process.effective_version_id is None:
        return 0
    owners = answering_for(process)
    told = notify(
        owners,
        REVIEW_DUE,
        title=f"{process} is due for review since {due:%-d %B %Y}",
        subject=process,
        dedupe=f"{process.pk}:{due:%Y-%m-%d}",
    )
    if today - due < ESCALATES_AFTER:
        return told
    above = [owner.manager for owner in owners if owner.manager is not None]
    backups = [process.backup_person] if process.backup_person is not None else []
    return told + notify(
        [*above, *backups],
        REVIEW_LATE,
        title=f"{process} should have been reviewed by {due:%-d %B %Y}",
        body=f"It is {(today - due).days} days late; {process.owner or 'nobody'} answers for it.",
        subject=process,
        dedupe=f"{process.pk}:{due:%Y-%m-%d}",
    )


def tell_about_feedback(feedback: Feedback) -> int:
    """Tell the owner of new feedback, its author of the answer. Returns how many people were told."""
    process = feedback.process
    if feedback.disposition == Disposition.OPEN:
        return notify(
            answering_for(process),
            FEEDBACK,
            title=f"{feedback.author} says something about {process}",
            body=feedback.text,
            subject=feedback,
            by=feedback.author,
            dedupe=f"{feedback.pk}",
        )
    return notify(
        [feedback.author],
        ANSWERED,
        title=f"Your feedback about {process}: {Disposition(feedback.disposition).label.lower()}",
        body=feedback.answer,
        subject=process,
        by=feedback.answered_by,
        dedupe=f"{feedback.pk}:{feedback.disposition}",
    )
