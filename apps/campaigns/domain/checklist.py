"""The launch checklist: five lines every campaign has, more where its template says so, each settled with evidence."""

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import transaction

from apps.campaigns.domain.moves import refuse_work
from apps.campaigns.enums import NOT_YET_LIVE, CheckKind, CheckState
from apps.campaigns.models import Campaign, ChecklistItem
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.events import publish
from apps.core.gates import Finding
from apps.core.transitions import transition
from apps.core.words import reason_given

if TYPE_CHECKING:
    from apps.accounts.models import User

# The lines of every campaign, by kind.
STANDARD = {
    CheckKind.CREATIVE: "Creative review: text, pictures and brand were looked at by somebody who did not make them",
    CheckKind.LEGAL: "Legal compliance: consent, imprint, disclaimers and claims hold in every region",
    CheckKind.UTM: "UTM tagging: every link is tagged by the rules and was clicked",
    CheckKind.AUDIENCE: "Audience verification: count, sample and exclusions are those that were meant",
    CheckKind.MONITORING: "Post-launch monitoring: who looks at which figure, when, and what is done then",
}


def ensure_checklist(campaign: Campaign, more: Iterable[tuple[CheckKind, str]] = ()) -> int:
    """Add the standard lines that `campaign` lacks, and `more`; returns how many were added."""
    there = set(campaign.checklist.filter(archived_at=None).values_list("title", flat=True))
    wanted = [*STANDARD.items(), *more]
    missing = [
        ChecklistItem(campaign=campaign, kind=kind, title=title, position=10 * number)
        for number, (kind, title) in enumerate(wanted, start=1)
        if title not in there
    ]
    with transition(ChecklistItem):
        ChecklistItem.objects.bulk_create(missing)
    return len(missing)


def checklist_finding(campaign: Campaign, today: dt.date) -> Finding:
    """Say whether every line of the checklist is settled."""
    rows = [(each.state, each.title) for each in campaign.live_parts("checklist")]
    lacking = [kind.label for kind, title in STANDARD.items() if title not in {each for _, each in rows}]
    if lacking:
        return Finding(False, f"these lines are missing: {', '.join(lacking)}; add the standard checklist")
    open_ones = [title.partition(":")[0] for state, title in rows if state == CheckState.OPEN]
    if open_ones:
        return Finding(False, f"still open: {', '.join(open_ones)}")
    return Finding(True, f"{len(rows)} lines settled with evidence")


def refuse_adding(user: "User", campaign: Campaign) -> str | None:
    """Return why the standard lines cannot be added, None when they can."""
    if refused := refuse_work(user, campaign):
        return refused
    if campaign.state not in NOT_YET_LIVE:
        return f"{campaign} has been live; its checklist stays as it is."
    there = {each.title for each in campaign.live_parts("checklist")}
    return None if set(STANDARD.values()) - there else "The standard lines are all there."


def add_standard(campaign: Campaign, *, by: "User") -> str:
    """Add the standard lines a campaign lacks.

    Raises:
        NotAllowed, WrongState: as `refuse_adding` says.
    """
    with transaction.atomic(), acting_as(by):
        row = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
        if refused := refuse_adding(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        added = ensure_checklist(row)
    return f"{added} line{'' if added == 1 else 's'} added to the checklist of {row}."


def refuse_settling(user: "User", item: ChecklistItem) -> str | None:
    """Return why `user` cannot settle this line now, None when they can."""
    if not access.may(user, "change", item):
        return "You may not settle lines of checklists."
    if item.is_archived:
        return f"“{item}” is archived; restore it first."
    if item.campaign.state not in NOT_YET_LIVE:
        return f"{item.campaign} has been live; its checklist stays as it is."
    return None if item.state == CheckState.OPEN else f"“{item}” is settled already; open it again first."


def settle(item: ChecklistItem, *, by: "User", evidence: str, needed: bool = True) -> str:
    """Settle a line of the checklist: done, or not needed, with what shows it.

    Args:
        item: the line.
        by: who did it, and signs for it.
        evidence: what was looked at and where it is kept, or why it is not needed.
        needed: False where the campaign does not need it.

    Raises:
        InvalidInput: without evidence.
        NotAllowed, WrongState: as `refuse_settling` says.
    """
    evidence = reason_given(
        evidence, "Say what was looked at and where it is kept." if needed else "Say why it is not needed."
    )
    with transaction.atomic(), acting_as(by, reason=evidence[:500]):
        row = ChecklistItem.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=item.pk)
        if refused := refuse_settling(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        row.state = CheckState.DONE if needed else CheckState.NOT_NEEDED
        row.evidence, row.settled_by, row.settled_at = evidence, by, clock.now()
        with transition(ChecklistItem):
            row.save(update_fields=["state", "evidence", "settled_by", "settled_at"])
        publish("campaign.checklist_changed", campaign_id=row.campaign_id)
    return f"“{row}” is {row.get_state_display().lower()}."


def settle_not_needed(item: ChecklistItem, *, by: "User", reason: str) -> str:
    """Say that a campaign does not need a line of the checklist; see `settle`."""
    return settle(item, by=by, evidence=reason, needed=False)


def refuse_reopening(user: "User", item: ChecklistItem) -> str | None:
    """Return why a settled line cannot be opened again, None when it can."""
    if not access.may(user, "change", item):
        return "You may not change lines of checklists."
    if item.is_archived:
        return f"“{item}” is archived; restore it first."
    if item.campaign.state not in NOT_YET_LIVE:
        return f"{item.campaign} has been live; its checklist stays as it is."
    return f"“{item}” is open." if item.state == CheckState.OPEN else None


def reopen(item: ChecklistItem, *, by: "User", reason: str) -> str:
    """Open a settled line again; what was said stays in its history.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as `refuse_reopening` says.
    """
    reason = reason_given(reason, "Say why it is to be looked at again.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row = ChecklistItem.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=item.pk)
        if refused := refuse_reopening(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        row.state, row.evidence, row.settled_by, row.settled_at = CheckState.OPEN, "", None, None
        with transition(ChecklistItem):
            row.save(update_fields=["state", "evidence", "settled_by", "settled_at"])
        publish("campaign.checklist_changed", campaign_id=row.campaign_id)
    return f"“{row}” is open again."
