"""Waivers of findings and the register of claims: both are asked for by one person and decided by another."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.approvals.domain.decisions import request_approval
from apps.content.enums import UNDER_WAY, ExceptionState, Severity
from apps.content.models import Claim, ContentVersion, FindingWaiver, QaFinding
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.transitions import transition
from apps.core.words import reason_given

if TYPE_CHECKING:
    from apps.accounts.models import User

LONGEST = 366


def refuse_ask_waiver(user: "User", finding: QaFinding) -> str | None:
    """Return why `user` cannot ask for a waiver of a finding, None when they can."""
    if not access.has_model_permission(user, "add", FindingWaiver):
        return "You may read findings, not ask for waivers."
    if finding.severity != Severity.BLOCK:
        return "Only what blocks is waived; a warning holds nothing back."
    if finding.run.version.state not in UNDER_WAY:
        return "The version is no longer under way, so there is nothing to waive."
    asset = finding.run.version.asset_id
    known = FindingWaiver.objects.filter(asset=asset, fingerprint=finding.fingerprint)
    if known.filter(state__in=(ExceptionState.DRAFT, ExceptionState.IN_REVIEW)).exists():
        return "A waiver of it waits for a decision already."
    return None


def ask_waiver(finding: QaFinding, *, by: "User", reason: str, until: dt.date, at: dt.datetime | None = None) -> str:
    """Ask that a finding need not hold its content back until a day; it does until a second person has approved.

    Raises:
        InvalidInput: nothing says why, or the day is past or more than a year away.
        NotAllowed, WrongState: as `refuse_ask_waiver` says, or nobody could decide.
    """
    said = reason_given(reason, "Say why it is bearable, and what stands in for it until then.")
    today = (at or clock.now()).date()
    if not today <= until <= today + dt.timedelta(days=LONGEST):
        told = f"A waiver ends between today and {today + dt.timedelta(days=LONGEST):%-d %B %Y}."
        raise InvalidInput(told, fields={"until": told})
    with transaction.atomic(), acting_as(by, reason=said):
        ContentVersion.objects.select_for_update(of=("self",)).get(pk=finding.run.version_id)
        if refused := refuse_ask_waiver(by, finding):
            allowed = access.has_model_permission(by, "add", FindingWaiver)
            raise (WrongState if allowed else NotAllowed)(refused)
        waiver: FindingWaiver = FindingWaiver.objects.create(
            asset_id=finding.run.version.asset_id,
            fingerprint=finding.fingerprint,
            rule_name=finding.name,
            finding=f"{finding.where}: {finding.sentence}",
            reason=said,
            until=until,
            asked_by=by,
        )
        _decide(waiver, ExceptionState.IN_REVIEW)
        request_approval(waiver, by=by, note=said, at=at)
    return "Asked; the finding holds the content back until somebody else has approved the waiver."


def accept(row: Any, request: Any, *, by: "User", at: dt.datetime | None = None) -> None:
    """Let a waiver or a claim count: the effect of its approval, with its row locked.

    Raises:
        WrongState: its last day has passed meanwhile.
    """
    until = row.until if isinstance(row, FindingWaiver) else row.valid_until
    if until < (at or clock.now()).date():
        raise WrongState(f"It would have ended on {until:%-d %B %Y}, so there is nothing left to approve.")
    _decide(row, ExceptionState.APPROVED)


def drop(row: Any, request: Any, *, by: "User") -> None:
    """Note that a waiver or a claim does not count: it was refused, withdrawn or revoked."""
    _decide(row, ExceptionState.REFUSED)


def refuse_send_claim(user: "User", claim: Claim) -> str | None:
    """Return why `user` cannot send a claim for approval now, None when it works."""
    if not access.can(user, "change", claim):
        return "You may not change this claim."
    if not claim.is_editable:
        return f"The claim is {claim.get_state_display().lower()}; only drafts are sent."
    if claim.valid_until < clock.today():
        return f"It would have ended on {claim.valid_until:%-d %B %Y}; give a last day to come."
    return None


def send_claim(claim: Claim, *, by: "User", note: str = "", at: dt.datetime | None = None) -> str:
    """Send a claim with its substantiation for approval.

    Raises:
        NotAllowed, WrongState: as `refuse_send_claim` says, or nobody could decide.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row: Claim = Claim.objects.select_for_update(of=("self",)).get(pk=claim.pk)
        if refused := refuse_send_claim(by, row):
            raise (WrongState if access.can(by, "change", row) else NotAllowed)(refused)
        row.asked_by = by
        _decide(row, ExceptionState.IN_REVIEW, "asked_by")
        request_approval(row, by=by, note=note, at=at)
    return "Sent; content may use these words once somebody else has approved them."


def _decide(row: Any, state: ExceptionState, *also: str) -> None:
    row.state = state
    with transition(type(row)):
        row.save(update_fields=["state", *also])
