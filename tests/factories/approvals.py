"""Approvals for tests."""

import factory

from apps.accounts.enums import Role
from apps.approvals.models import ApprovalPolicy


class PolicyFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ApprovalPolicy

    name = factory.Sequence(lambda n: f"Policy {n}")
    subject_kind = "processes.sopversion"
    approver_role = Role.APPROVER


def policy_for(kind="processes.sopversion", **fields):
    """The policy in force for a kind, changed as the test needs it."""
    policy = ApprovalPolicy.objects.live().filter(subject_kind=kind).first() or PolicyFactory(subject_kind=kind)
    for name, value in fields.items():
        setattr(policy, name, value)
    policy.save()
    return policy
