"""Separation of duties: whose own work something is, so that they never decide about it."""

from enum import Enum

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.functions import Cast, Coalesce

from apps.approvals.enums import RequestState
from apps.approvals.models import ApprovalRequest, Delegation
from apps.approvals.registry import subject_of
from apps.audit.models import AuditEvent
from apps.core.workspace.models import CustomValues


class OwnWork(Enum):
    """Why somebody's own work keeps them from deciding: told to the person, and told about the person."""

    SENT = ("You sent this for approval yourself; somebody else has to decide.", "Sent it for approval.")
    CHANGED = (
        "You changed this yourself since it was last approved; somebody else has to decide.",
        "Changed it since it was last approved.",
    )
    STANDS_IN = (
        "You stand in for somebody who sent or changed this; somebody else has to decide.",
        "Stands in for somebody who sent or changed it.",
    )
    OTHER_STAGE = (
        "You have decided in another stage of this request; nobody decides in two.",
        "Has decided in another stage.",
    )

    def __init__(self, to_them: str, about_them: str) -> None:
        self.to_them = to_them
        self.about_them = about_them


def editors_of(thing: models.Model) -> list[int]:
    """Return who changed what is decided about `thing` since it was last approved, or ever where it never was."""
    return sorted(touches_of(thing))


def touches_of(thing: models.Model) -> dict[int, int]:
    """Return who changed what is decided about `thing` since it was last approved, with their last ledger entry."""
    kind, subject = ContentType.objects.get_for_model(type(thing)), subject_of(type(thing))
    approved = ApprovalRequest.objects.filter(content_type=kind, object_id=thing.pk, state=RequestState.APPROVED)
    mark = Coalesce(
        models.Subquery(approved.order_by("-pk").values("ledger_mark")[:1]), 0, output_field=models.BigIntegerField()
    )
    custom = CustomValues.objects.filter(content_type=kind, object_id=thing.pk)
    values = custom.annotate(key=Cast("pk", models.TextField())).values("key")
    about = models.Q(
        table_name=thing._meta.db_table, object_id=str(thing.pk), changes__has_any_keys=list(subject.material)
    ) | models.Q(table_name=CustomValues._meta.db_table, object_id__in=values)
    for part in subject.parts(thing) if subject.parts is not None else ():
        about |= models.Q(table_name=part._meta.db_table, object_id=str(part.pk))
    touched = AuditEvent.objects.filter(about, actor__isnull=False, id__gt=mark)
    return dict(touched.order_by().values_list("actor_id").annotate(models.Max("id")))


def own_work(requester: int, editors: list[int], delegations: list[Delegation]) -> dict[int, OwnWork]:
    """Return whom the separation of duties keeps out, and why; superusers are not exempt.

    Who sent it and who worked on it, and those who stand in for one of them now.
    """
    own = {requester: OwnWork.SENT}
    for person in editors:
        own.setdefault(person, OwnWork.CHANGED)
    for each in delegations:
        if own.get(each.from_person_id) in (OwnWork.SENT, OwnWork.CHANGED):
            own.setdefault(each.to_person_id, OwnWork.STANDS_IN)
    return own
