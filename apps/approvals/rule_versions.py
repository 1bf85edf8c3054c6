"""Rule versions go through approval: which of their columns are decided about, and what a decision does.

The kit of rules stands below this app and knows nothing of it; here the two are joined.
"""

import datetime as dt
from typing import TYPE_CHECKING, Any

from apps.accounts.domain.ownership import register_ownership
from apps.approvals.registry import ApprovalSubject, Payload, register
from apps.core.rules.domain.versions import back_to_draft, mark_approved, register_sender
from apps.core.rules.enums import VersionState
from apps.core.rules.models import RuleDocument, RuleVersion

if TYPE_CHECKING:
    from apps.accounts.models import User

# the digest stands for the rules to the last letter; the words are what people decide on
MATERIAL = ("words", "change_note", "effective_from", "digest")


def _apply(version: RuleVersion, request: Any, *, by: "User", at: dt.datetime | None = None) -> None:
    mark_approved(version, digest=request.payload["digest"], by=by, at=at)


def _on_refused(version: RuleVersion, request: Any, *, by: "User") -> None:
    back_to_draft(version, by=by)


def _before(version: RuleVersion) -> Payload | None:
    active = version.document.versions.filter(state=VersionState.ACTIVE).exclude(pk=version.pk).first()
    return {"words": active.words, "digest": active.digest} if active is not None else None


def _send(version: RuleVersion, *, by: "User", note: str = "") -> None:
    from apps.approvals.domain.decisions import request_approval  # noqa: PLC0415  # models must be ready

    request_approval(version, by=by, note=note)


def join() -> None:
    """Let rule versions be approved, and their documents be handed over; called once the models are ready."""
    register(RuleVersion, ApprovalSubject(material=MATERIAL, apply=_apply, on_refused=_on_refused, before=_before))
    register_sender(_send)
    register_ownership(RuleDocument, "owner", "owner")
