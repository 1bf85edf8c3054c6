"""Publishing an SOP: write a draft with text and steps, send it for approval, take it over once approved."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.approvals.domain.content import live_digest
from apps.approvals.domain.decisions import request_approval
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.rules.predicates import Field, Number, model_fields
from apps.core.transitions import transition
from apps.processes.domain.effect import holding_back, take_effect
from apps.processes.domain.flow import flow_of, flow_with_roles_of_today, problems_of, write_flow
from apps.processes.domain.quiz import problem_of
from apps.processes.domain.step_roles import problems_of_roles
from apps.processes.enums import OPEN_STATES, VersionState
from apps.processes.models import Process, SOPVersion

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.approvals.models import ApprovalRequest

SKELETON = """## Purpose

## When it applies

## Who does what

## Steps

1.

## What to do when something goes wrong
"""


def refuse_draft(user: "User", process: Process) -> str | None:
    """Return why `user` cannot start a draft of `process` now, None when it works."""
    if not access.may(user, "change", process):
        return f"You may not change {process}."
    if process.is_archived:
        return f"{process} is archived; restore it first."
    open_one = process.versions.filter(state__in=OPEN_STATES).first()
    if open_one is not None:
        where = "a draft" if open_one.is_draft else VersionState(open_one.state).label.lower()
        return f"Version {open_one.number} of {process} is {where} already; finish that one."
    return None


def write_draft(process: Process, *, by: "User") -> SOPVersion:
    """Start the next version of `process` from the text and steps in force, or from a skeleton for the first one.

    Raises:
        NotAllowed: `by` may not change the process.
        WrongState: it has a draft already, or is archived.
    """
    with transaction.atomic(), acting_as(by):
        row: Process = Process.objects.select_for_update(of=("self",)).get(pk=process.pk)
        if refused := refuse_draft(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        newest = row.versions.order_by("-number").first()
        version = SOPVersion.objects.create(
            process=row,
            number=newest.number + 1 if newest else 1,
            body=row.effective_version.body if row.effective_version else SKELETON,
            questions=row.effective_version.questions if row.effective_version else "",
            author=by,
        )
        if row.effective_version is not None and row.effective_version.flow:
            write_flow(version, flow_with_roles_of_today(row.effective_version))
        return version


def start_draft(process: Process, *, by: "User") -> str:
    """Start a draft and say where it is: what the button on the page calls."""
    version = write_draft(process, by=by)
    return f"Version {version.number} of {process} is a draft now; it stands in the list of versions below."


def problems_of_steps(version: SOPVersion) -> list[str]:
    """Return in sentences what keeps the steps of a draft from being sent for approval; none when they are sound."""
    flow = flow_with_roles_of_today(version)
    return [*problems_of(flow), *problems_of_roles(flow)]


def refuse_submission(user: "User", version: SOPVersion) -> str | None:
    """Return why `user` cannot send `version` for approval now, None when it works."""
    if not access.can(user, "change", version):
        return f"You may not change {version}."
    if not version.is_draft:
        return f"{version} is {VersionState(version.state).label.lower()}; only drafts are sent for approval."
    if not version.body.strip() or version.body.strip() == SKELETON.strip():
        return "There is nothing to approve yet: write the text first."
    if problem := problem_of(version.questions):
        return problem
    if problems := problems_of_steps(version):
        return " ".join(problems[:3])
    if version.number > 1 and not version.change_log.strip():
        return "Say what is new in this version, so that approvers and readers see what changed."
    return None


def submit_for_approval(version: SOPVersion, *, by: "User", note: str = "", at: dt.datetime | None = None) -> str:
    """Send a draft for approval; it cannot be edited until that is decided or withdrawn.

    Raises:
        InvalidInput: the text or what is new is missing.
        NotAllowed: `by` may not change it.
        WrongState: it is no draft, or nobody could decide.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row: SOPVersion = (
            SOPVersion.objects.select_for_update(of=("self",)).select_related("process").get(pk=version.pk)
        )
        if refused := refuse_submission(by, row):
            if not access.can(by, "change", row):
                raise NotAllowed(refused)
            raise (InvalidInput if row.is_draft else WrongState)(refused)
        _call_roles_as_today(row)
        row.state, row.digest = VersionState.IN_REVIEW, live_digest(row)
        with transition(SOPVersion):
            row.save(update_fields=["state", "digest"])
        request = request_approval(row, by=by, note=note, at=at)
    return f"{row} is in review; {request.required} approval{'s' if request.required > 1 else ''} must come in."


def _call_roles_as_today(draft: SOPVersion) -> None:
    """Write the document of the steps anew where a role was renamed since: what is sent is what the rows say."""
    if flow_of(draft) != flow_with_roles_of_today(draft):
        SOPVersion.objects.filter(pk=draft.pk).update(flow={})  # the database computes it from the rows
        draft.refresh_from_db(fields=["flow"])


def accept(version: SOPVersion, request: "ApprovalRequest", *, by: "User", at: dt.datetime | None = None) -> None:
    """Take an approved version over: the effect of its approval. It comes into force now, or when nothing holds it.

    Called by the approval engine with the version's row locked, in the transaction of the decision. Announces
    `sop.approved`.

    Raises:
        WrongState: the version is not in review, or is not what was approved.
    """
    moment = at or clock.now()
    if version.state != VersionState.IN_REVIEW or version.digest != request.digest:
        raise WrongState(f"{version} is not what was sent for approval; nothing came into force.")
    version.state, version.approved_at = VersionState.APPROVED, moment
    with transition(SOPVersion):
        version.save(update_fields=["state", "approved_at"])
    publish("sop.approved", version_id=version.pk)
    if holding_back(version, moment) is None:
        take_effect(version, at=moment)


def return_to_draft(version: SOPVersion, request: "ApprovalRequest", *, by: "User") -> None:
    """Make a refused or withdrawn version a draft again, so that its author can go on."""
    version.state, version.digest, version.approved_at = VersionState.DRAFT, "", None
    with transition(SOPVersion):
        version.save(update_fields=["state", "digest", "approved_at"])


def facts_to_decide_on(version: SOPVersion) -> dict[str, Any]:
    """Return what a decision table may look at besides the version itself: its process, and how many steps it has."""
    process = version.process
    return {
        "family": process.family,
        "criticality": process.criticality,
        "classification": process.classification,
        "steps": len(flow_of(version).steps),
    }


def fact_fields() -> tuple[Field, ...]:
    """Return what `facts_to_decide_on` tells, as fields of conditions."""
    return (
        *model_fields(Process, "family", "criticality", "classification"),
        Field("steps", "Number of steps", Number(whole=True), nullable=False),
    )


def payload_in_force(version: SOPVersion) -> dict[str, Any] | None:
    """Return the text in force, for comparison; None where there is none yet. What is new is new in each version."""
    in_force = version.process.effective_version
    if in_force is None or in_force.pk == version.pk:
        return None
    return {"body": in_force.body, "flow": in_force.flow, "questions": in_force.questions}
