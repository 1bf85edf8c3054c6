"""Tickets for tests."""

import factory

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.core.actors import acting_as
from apps.core.rules.domain.versions import activate, send_for_approval, simulate, start_draft, write_rules
from apps.core.rules.models import RuleDocument, RuleVersion
from apps.core.transitions import transition
from apps.tickets.domain.forms import publish_form
from apps.tickets.domain.intake import open_ticket
from apps.tickets.models import Queue, ReplyTemplate, TicketType
from apps.tickets.routing_rules import DOCUMENT, KIND
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.approvals import policy_for


class QueueFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Queue

    name = factory.Sequence(lambda n: f"Queue {n}")
    team = factory.SubFactory(TeamFactory)


class TicketTypeFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = TicketType

    name = factory.Sequence(lambda n: f"Type {n}")
    queue = factory.SubFactory(QueueFactory)


class ReplyTemplateFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ReplyTemplate

    name = factory.Sequence(lambda n: f"Template {n}")
    body = "Hello {requester}, {ticket} “{title}” is with {queue}. {agent}"
    version = 1

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        with transition(ReplyTemplate):  # as if its first version had been approved
            return super()._create(model_class, *args, **kwargs)


def agent(**fields):
    """Somebody who works at the desk."""
    return person_with(Role.OPS, **fields)


def colleague(**fields):
    """Somebody signed in without any role."""
    return person_with(**fields)


def ticket(*, by=None, queue=None, kind=None, **given):
    """A ticket that a colleague opened."""
    asks = by or colleague()
    queue = queue or (None if kind is not None else QueueFactory())
    given = {"title": "The form is broken", "body": "It says **nothing** on submit.", **given}
    return open_ticket(by=asks, queue=queue, kind=kind, **given)


def type_with_form(text="Campaign name* | text\nLanguage | choice | German, English", **fields):
    """A type of the catalogue that asks questions."""
    kind = TicketTypeFactory(**fields)
    publish_form(kind, by=agent(), questions=text)
    return kind


def routing_in_force(*rules, by_hand=False):
    """Rules of routing, approved by a second person and active; `by_hand` where no approval policy is at hand."""
    author = agent()
    with acting_as(author):
        document = RuleDocument.objects.create(
            key=DOCUMENT, kind=KIND, title="Where tickets go", owner=author, description=""
        )
    version = start_draft(document, by=author)
    version = write_rules(version, {"rules": list(rules)}, by=author)
    simulate(version, by=author)
    if by_hand:
        with acting_as(author), transition(RuleVersion):
            for state in ("in_review", "approved"):
                version.refresh_from_db()
                version.state = state
                version.save(update_fields=["state"])
    else:
        policy_for("rules.ruleversion")
        approver = person_with(Role.APPROVER)  # somebody must be able to decide
        send_for_approval(version, by=author)
        request = ApprovalRequest.objects.open().get(object_id=version.pk, content_type__model="ruleversion")
        approve(request, by=approver)
    version.refresh_from_db()
    activate(version, by=author, reason="Now")
    version.refresh_from_db()
    return version
