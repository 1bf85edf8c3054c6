"""Approval policies: their versions from draft to active, the ones mops starts with, and the rows that cannot work."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet

from apps.accounts.enums import Role
from apps.accounts.models import User
from apps.approvals.domain.decisions import request_approval
from apps.approvals.domain.definition import Definition, Named, Row, Stage, definition_of, written
from apps.approvals.domain.facts import ALWAYS
from apps.approvals.domain.policy_rows import copy_definition
from apps.approvals.domain.seats import holders_of
from apps.approvals.domain.soundness import problems_of
from apps.approvals.enums import PolicyState, Via
from apps.approvals.models import (
    ApprovalPolicy,
    ApprovalRequest,
    PolicyVersion,
)
from apps.approvals.registry import kinds, model_of, subject_of
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.transitions import transition

OF_POLICIES = "approvals.policyversion"
SHIPPED = {
    "processes.sopversion": "SOP versions",
    "campaigns.campaign": "Campaigns",
    "technology.toolrequest": "Tool requests",
    "technology.waiver": "Waivers",
    "rules.ruleversion": "Rules",
    "technology.renewaldecision": "Renewal decisions",
    OF_POLICIES: "Approval policies",
}


def one_stage(*roles: str, name: str = "Approval") -> Definition:
    """Return the plain definition: one stage, any one person with one of the roles decides."""
    stage = Stage(1, name, tuple(Named(Via.ROLE, role) for role in roles))
    return Definition((stage,), (Row("Everything", ALWAYS, (1,)),))


def ensure_default_policies(*, by: User | None = None) -> int:
    """Make sure that every shipped kind has a policy in force: one approver decides. Running it again changes nothing.

    A migration makes the same policies on a new database; this puts them back where the tables were emptied since.

    Returns:
        How many were missing.
    """
    return sum(ensure_policy(kind, name, by=by) for kind, name in shipped_names().items())


def shipped_names() -> dict[str, str]:
    """Return every kind that can be approved, with the name its policy gets when it has none."""
    plain = {kind: name[:1].upper() + name[1:] for kind, name in kinds()}
    return {**plain, **{kind: name for kind, name in SHIPPED.items() if kind in plain}}


def ship_missing_policies() -> int:
    """Give every kind that never had a policy the plain one; one that was archived stays without.

    Returns:
        How many were missing.
    """
    known = set(ApprovalPolicy.objects.values_list("subject_kind", flat=True))
    return sum(ensure_policy(kind, name) for kind, name in shipped_names().items() if kind not in known)


def ensure_policy(kind: str, name: str, *, by: User | None = None, definition: Definition | None = None) -> bool:
    """Make sure that a kind has a policy in force; for apps that ship a kind of their own.

    Args:
        kind: "content.asset".
        name: of the policy if one must be made.
        by: who installs it; None for mops itself.
        definition: what it says if one must be made; one approver decides when not given.

    Returns:
        Whether it was missing.
    """
    with transaction.atomic(), acting_as(by, reason="Shipped with mops."):
        policy = ApprovalPolicy.objects.live().filter(subject_kind=kind).first()
        if policy is not None and policy.active_version_id is not None:
            return False
        policy = policy or ApprovalPolicy.objects.create(subject_kind=kind, name=_free_name(name))
        roles = (Role.APPROVER, Role.ADMINISTRATOR) if kind == OF_POLICIES else (Role.APPROVER,)
        install_version(policy, definition or _shipped(kind) or one_stage(*roles), at=clock.now())
    return True


def _shipped(kind: str) -> Definition | None:
    model = model_of(kind)
    first = subject_of(model).policy if model is not None else None
    found: Definition | None = first() if first is not None else None
    return found


def _free_name(name: str) -> str:
    taken = set(ApprovalPolicy.objects.filter(name__startswith=name).values_list("name", flat=True))
    return next(each for each in (name, *(f"{name} {number}" for number in range(2, 1000))) if each not in taken)


def install_version(policy: ApprovalPolicy, definition: Definition, *, at: dt.datetime) -> PolicyVersion:
    """Put a version in force that comes with the product, not from a draft; nobody is asked.

    Only for what mops ships and for a policy that has no active version: everything else is approved.

    Raises:
        WrongState: the policy has an active version.
    """
    with transaction.atomic(), transition(PolicyVersion, ApprovalPolicy):
        row: ApprovalPolicy = ApprovalPolicy.objects.select_for_update(of=("self",)).get(pk=policy.pk)
        if row.active_version_id is not None:
            raise WrongState(f"{policy} has an active version; a new one is drafted and approved.")
        version = PolicyVersion.objects.create(policy=row, number=_next_number(row), change_log="Shipped with mops.")
        _freeze(version, definition)
        _activate(version, row, at=at)
    return version


def refuse_version(user: User, policy: ApprovalPolicy) -> str | None:
    """Return why `user` cannot start a new version of `policy` now, None when they can."""
    if not access.can(user, "change", policy):
        return f"You may not change {policy}."
    if policy.is_archived:
        return f"{policy} is archived; restore it first."
    open_one = policy.versions.filter(state__in=[PolicyState.DRAFT, PolicyState.IN_REVIEW]).first()
    if open_one is not None:
        return f"Version {open_one.number} is {open_one.get_state_display().lower()} already; finish that one."
    return None


def start_version(policy: ApprovalPolicy, *, by: User) -> str:
    """Start the next version as a draft, with what the active one says, and say where it is.

    Raises:
        NotAllowed: `by` may not change the policy.
        WrongState: it has a draft already, or is archived.
    """
    version = draft_version(policy, by=by)
    return f"Version {version.number} of {policy} is a draft now; it stands in the list of versions below."


def draft_version(policy: ApprovalPolicy, *, by: User) -> PolicyVersion:
    """Start the next version as a draft; see `start_version`."""
    with transaction.atomic(), acting_as(by):
        row: ApprovalPolicy = ApprovalPolicy.objects.select_for_update(of=("self",)).get(pk=policy.pk)
        if refused := refuse_version(by, row):
            raise (WrongState if access.can(by, "change", row) else NotAllowed)(refused)
        active = row.active_version
        version = PolicyVersion.objects.create(policy=row, number=_next_number(row), author=by)
        if active is not None:
            version.distinct_stages, version.expires_after_days = active.distinct_stages, active.expires_after_days
            version.save()
            copy_definition(definition_of(active), version)
    return version


def problems(version: PolicyVersion) -> list[str]:
    """Return what keeps a version from working, in sentences: for its page, its check and its submission."""
    definition = definition_of(version)
    found = problems_of(definition, version.policy.subject_kind)
    return [*found, *_numbered_approvers(version, definition), *_nobody(definition)]


def _numbered_approvers(version: PolicyVersion, definition: Definition) -> list[str]:
    known = {stage.number for stage in definition.stages}
    if not version.is_draft:
        return []
    numbers = version.approvers.filter(archived_at=None).values_list("stage_number", flat=True)
    return [f"An approver is named for stage {each}, which this version does not have." for each in {*numbers} - known]


def _nobody(definition: Definition) -> list[str]:
    """Say which stages name by role, team, group or person, and nobody active is behind it."""
    sentences = []
    for stage in definition.stages:
        looked_up = [each for each in stage.approvers if each.via in (Via.OWNER, Via.MANAGER)]
        counting = [token for token in stage.named if token not in stage.optional]
        if counting and not looked_up and not holders_of(counting):
            sentences.append(
                f"Stage {stage.number} ({stage.name}) has no eligible approver: nobody active is behind whom it names."
            )
    return sentences


def refuse_submission(user: User, version: PolicyVersion) -> str | None:
    """Return why `user` cannot send `version` for approval now, None when they can."""
    if not access.can(user, "change", version.policy):
        return f"You may not change {version.policy}."
    if not version.is_draft:
        return f"{version} is {version.get_state_display().lower()}; only drafts are sent for approval."
    if not version.change_log.strip():
        return "Say what is new in this version, so that approvers see what changes for whom."
    if found := problems(version):
        return " ".join(found)
    return None


def submit_version(version: PolicyVersion, *, by: User, note: str = "") -> str:
    """Send a draft for approval: a policy is changed by the same rules as everything else.

    Raises:
        InvalidInput: it cannot work as it is; says why.
        NotAllowed: `by` may not change the policy.
        WrongState: it is no draft, or nobody could decide.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = _locked(version)
        if refused := refuse_submission(by, row):
            if not access.can(by, "change", row.policy):
                raise NotAllowed(refused)
            raise (InvalidInput if row.is_draft else WrongState)(refused)
        with transition(PolicyVersion):
            _freeze(row, written(row))
            row.state = PolicyState.IN_REVIEW
            row.save(update_fields=["state"])
        request = request_approval(row, by=by, note=note)
    return f"{row} is in review; {request.required} approval{'s' if request.required > 1 else ''} must come in."


def make_active(version: PolicyVersion, request: ApprovalRequest, *, by: User, at: dt.datetime | None = None) -> None:
    """Let an approved version decide about new requests: the effect of its approval; announces `policy.active`.

    Requests under way keep the version they were sent with.

    Raises:
        WrongState: it is not in review any more.
    """
    if version.state != PolicyState.IN_REVIEW:
        raise WrongState(f"{version} is not in review any more; nothing became active.")
    policy: ApprovalPolicy = ApprovalPolicy.objects.select_for_update(of=("self",)).get(pk=version.policy_id)
    with transition(PolicyVersion, ApprovalPolicy):
        _activate(version, policy, at=at or clock.now())
    publish("policy.active", version_id=version.pk)


def return_to_draft(version: PolicyVersion, request: ApprovalRequest, *, by: User) -> None:
    """Make a refused or withdrawn version a draft again."""
    version.state, version.definition, version.digest = PolicyState.DRAFT, {}, ""
    with transition(PolicyVersion):
        version.save(update_fields=["state", "definition", "digest"])


def in_force_before(version: PolicyVersion) -> dict[str, Any] | None:
    """Return what the active version says, to compare with."""
    active = version.policy.active_version
    return None if active is None or active.pk == version.pk else {"definition": active.definition}


def naming_nobody(policies: "QuerySet[ApprovalPolicy]") -> "QuerySet[ApprovalPolicy]":
    """Return the policies in force under which some stage could never be decided."""
    broken = [
        policy.pk
        for policy in policies.filter(archived_at=None, active_version__isnull=False).select_related("active_version")
        if policy.active_version is None or problems(policy.active_version)
    ]
    return policies.filter(pk__in=broken)


def _locked(version: PolicyVersion) -> PolicyVersion:
    row: PolicyVersion = (
        PolicyVersion.objects.select_for_update(of=("self",)).select_related("policy").get(pk=version.pk)
    )
    return row


def _next_number(policy: ApprovalPolicy) -> int:
    return (policy.versions.aggregate(last=Max("number"))["last"] or 0) + 1


def _freeze(version: PolicyVersion, definition: Definition) -> None:
    version.definition, version.digest = definition.as_document(), definition.digest
    version.save(update_fields=["definition", "digest"])


def _activate(version: PolicyVersion, policy: ApprovalPolicy, *, at: dt.datetime) -> None:
    for before in policy.versions.filter(state=PolicyState.ACTIVE):
        before.state, before.retired_at = PolicyState.RETIRED, at
        before.save(update_fields=["state", "retired_at"])
    version.state, version.activated_at = PolicyState.ACTIVE, at
    version.save(update_fields=["state", "activated_at"])
    policy.active_version = version
    policy.save(update_fields=["active_version"])
