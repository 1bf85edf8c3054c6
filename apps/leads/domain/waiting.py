"""What waits for a person of sales: offers to answer and leads to be in touch with, what is due first on top."""

from typing import Any

from django.db import models
from django.db.models import Min, OuterRef, Q, Subquery

from apps.accounts.models import User
from apps.core import access, clock
from apps.core.clocks.models import Clock
from apps.core.records import kind_of
from apps.leads.domain.answer_clocks import SPEED, TOUCH, unanswered
from apps.leads.enums import HandoffState
from apps.leads.models import Handoff, Lead


def offers_to(person: User) -> "models.QuerySet[Any]":
    """Return the offers that ask `person`, by name or as one of a team that nobody in it was named for."""
    mine = Q(to_person=person) | Q(to_person=None, to_team__in=person.team_keys())
    rows = access.visible(person, Handoff).filter(mine, state=HandoffState.OFFERED)
    return rows.select_related("lead").order_by("due_at", "pk")


def leads_to_answer(person: User) -> "models.QuerySet[Any]":
    """Return the leads of `person` whose clocks run, with the moment the first of them is `due`."""
    clocks = Clock.objects.open().filter(
        content_type=kind_of(Lead), metric__in=(SPEED, TOUCH), object_id=OuterRef("pk")
    )
    first = clocks.order_by().values("object_id").annotate(first=Min("due_at")).values("first")
    rows = access.visible(person, Lead).filter(owner_person=person, archived_at=None)
    return unanswered(rows, "open", now=clock.now()).annotate(due=Subquery(first)).order_by("due", "pk")
