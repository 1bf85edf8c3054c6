"""Approvals for tests."""

from apps.accounts.enums import Role
from apps.approvals.domain.definition import Definition, Named, Row, Stage
from apps.approvals.domain.policies import install_version
from apps.approvals.enums import Mode, PolicyState, Via
from apps.approvals.models import ApprovalPolicy, PolicyVersion
from apps.core import clock
from apps.core.transitions import transition

ALWAYS = {"all": []}


def named(*approvers):
    """Approvers from roles, teams and people."""
    found = []
    for each in approvers:
        if isinstance(each, Named):
            found.append(each)
        elif isinstance(each, Role):
            found.append(Named(Via.ROLE, each.value))
        else:
            kind = {"team": Via.TEAM, "group": Via.GROUP, "user": Via.PERSON}[each._meta.model_name]
            found.append(Named(kind, str(each.pk)))
    return tuple(found)


def stage(number, *approvers, name="", **fields):
    """One stage that names roles, teams, groups and people."""
    return Stage(number, name or f"Stage {number}", named(*approvers), **fields)


def policy_with(*stages, kind="processes.sopversion", rows=(), **fields):
    """The policy in force for a kind, with these stages, put in force as if it came with the product."""
    policy = ApprovalPolicy.objects.live().filter(subject_kind=kind).first()
    policy = policy or ApprovalPolicy.objects.create(subject_kind=kind, name=f"Policy of {kind}")
    with transition(PolicyVersion, ApprovalPolicy):
        PolicyVersion.objects.filter(policy=policy).update(state=PolicyState.RETIRED)
        ApprovalPolicy.objects.filter(pk=policy.pk).update(active_version=None)
    table = tuple(rows) or (Row("Everything", ALWAYS, tuple(each.number for each in stages)),)
    install_version(policy, Definition(tuple(stages), table, **fields), at=clock.now())
    return ApprovalPolicy.objects.get(pk=policy.pk)


def policy_for(kind="processes.sopversion", *, approver_role=Role.APPROVER, approver_team=None, people=(), required=1):
    """The policy in force for a kind, with one stage."""
    who = [*([Role(approver_role)] if approver_role else []), *([approver_team] if approver_team else []), *people]
    mode = {"mode": Mode.SOME, "needed": required} if required > 1 else {}
    return policy_with(stage(1, *who, name="Approval", **mode), kind=kind)
