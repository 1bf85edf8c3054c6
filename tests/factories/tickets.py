"""Tickets for tests."""

import factory

from apps.accounts.enums import Role
from apps.tickets.domain.forms import publish_form
from apps.tickets.domain.intake import open_ticket
from apps.tickets.models import Queue, ReplyTemplate, TicketType
from tests.factories.accounts import TeamFactory, person_with


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
