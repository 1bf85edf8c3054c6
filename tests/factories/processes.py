"""SOPs and their versions for tests."""

import factory

from apps.accounts.enums import Role
from apps.accounts.models import User
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.core import clock
from apps.core.actors import acting_as
from apps.processes.domain.flow import in_sequence, key_from, write_flow
from apps.processes.domain.publishing import submit_for_approval, write_draft
from apps.processes.domain.step_roles import named_in
from apps.processes.enums import Family
from apps.processes.models import Automation, ComplianceRule, Process, ProcessRole
from apps.processes.models.values import FlowStep
from tests.factories.accounts import UserFactory, person_with

PLAYER = "plays.every.role@example.com"


class ProcessFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Process

    title = factory.Sequence(lambda n: f"Procedure {n}")
    family = Family.CAMPAIGN


def draft(sop=None, *, author=None, body="1. Check the **links**.", change_log="First text.", flow=None, **fields):
    """A draft with text, written by `author` alone."""
    author = author or person_with(Role.OPS)
    with acting_as(author):
        version = write_draft(sop or ProcessFactory(), by=author)
        version.body, version.change_log = body, change_log
        for name, value in fields.items():
            setattr(version, name, value)
        version.save()
        if flow is not None:
            _fill(version, flow)
    return version


def in_review(sop=None, *, author=None, at=None, **fields):
    """The request that waits for a decision about a version."""
    author = author or person_with(Role.OPS)
    if not ApprovalRequest.objects.exists() and not _approvers():
        person_with(Role.APPROVER)
    version = draft(sop, author=author, **fields)
    submit_for_approval(version, by=author, at=at)
    return ApprovalRequest.objects.get(object_id=version.pk, content_type__model="sopversion", state="in_review")


def effective(sop=None, *, at=None, **fields):
    """A version in force, approved by somebody else."""
    approver = person_with(Role.APPROVER)
    request = in_review(sop, at=at, **fields)
    approve(request, by=approver, at=at)
    return Process.objects.get(versions=request.object_id).effective_version


class ProcessRoleFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ProcessRole
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Role {n}")

    @factory.post_generation
    def people(self, create, given, **kwargs):
        self.people.add(*(given or ()))


class ComplianceRuleFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ComplianceRule

    title = factory.Sequence(lambda n: f"Rule {n}")
    check_key = "processes.owned"
    effective_from = factory.LazyFunction(clock.today)


class AutomationFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Automation

    name = factory.Sequence(lambda n: f"Automation {n}")
    trigger_detail = "A form is sent."
    logic = "The lead goes to who owns the country."
    exceptions = "Unknown countries go to the queue."


def steps(*titles, **fields):
    """Steps in a row, each with a role."""
    return in_sequence(FlowStep(key_from(title, ()), title, role="Campaign manager", **fields) for title in titles)


def with_steps(version, flow):
    """The draft `version`, saying `flow`."""
    with acting_as(version.author):
        _fill(version, flow)
    return version


def play_roles(flow):
    """Let somebody play every role that `flow` names and nobody plays."""
    for name in named_in(flow):
        role = ProcessRole.objects.filter(name__iexact=name).first() or ProcessRoleFactory(name=name)
        if not role.players().exists():
            role.people.add(User.objects.filter(email=PLAYER).first() or UserFactory(email=PLAYER))


def _fill(version, flow):
    play_roles(flow)
    write_flow(version, flow)


def _approvers():
    from apps.accounts.models import Membership

    return Membership.objects.filter(role=Role.APPROVER, person__is_active=True).exists()
