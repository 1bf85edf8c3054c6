"""Who may decide, and why not: the one answer behind every button, list and operation."""

from dataclasses import dataclass
from enum import Enum

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.functions import Coalesce

from apps.accounts.enums import Role
from apps.accounts.models import Membership, Team, User
from apps.approvals.enums import RequestState
from apps.approvals.models import ApprovalPolicy, ApprovalRequest
from apps.approvals.registry import subject_of
from apps.audit.models import AuditEvent


class OwnWork(Enum):
    """Why somebody's own work keeps them from deciding: told to the person, and told about the person."""

    SENT = ("You sent this for approval yourself; somebody else has to decide.", "Sent it for approval.")
    CHANGED = (
        "You changed this yourself since it was last approved; somebody else has to decide.",
        "Changed it since it was last approved.",
    )

    def __init__(self, to_them: str, about_them: str) -> None:
        self.to_them = to_them
        self.about_them = about_them


@dataclass(frozen=True)
class Approvers:
    """Whom a policy names: a role, a team, and people one by one."""

    role: str
    team_id: int | None
    people: tuple[int, ...]

    @classmethod
    def of_policy(cls, policy: ApprovalPolicy) -> "Approvers":
        """Read them from a policy in force."""
        named = policy.named_approvers.filter(archived_at__isnull=True).values_list("person_id", flat=True)
        return cls(policy.approver_role, policy.approver_team_id, tuple(sorted(named)))

    @classmethod
    def of_request(cls, request: ApprovalRequest) -> "Approvers":
        """Read them from a request, as they were when it was sent."""
        return cls(request.approver_role, request.approver_team_id, tuple(request.approver_people))

    def in_words(self) -> str:
        """Say whom this names."""
        named = []
        if self.role:
            named.append(f"people with the role {Role(self.role).label.lower()}")
        if self.team_id is not None:
            team = Team.objects.filter(pk=self.team_id).values_list("name", flat=True).first()
            named.append(f"members of {team}")
        if self.people:
            named.append("the people the policy names")
        return " or ".join(named) or "nobody"

    def current(self) -> models.QuerySet[User]:
        """Return the active people whom this names today."""
        playing = Membership.objects.filter(archived_at__isnull=True)
        by_role = playing.filter(role=self.role) if self.role else playing.none()
        by_team = playing.filter(team_id=self.team_id) if self.team_id is not None else playing.none()
        return User.objects.filter(
            models.Q(pk__in=by_role.values("person"))
            | models.Q(pk__in=by_team.values("person"))
            | models.Q(pk__in=self.people),
            is_active=True,
        )

    def include(self, person: User) -> bool:
        """Whether this names `person` now: a role that was taken away no longer counts."""
        return person.is_active and self.current().filter(pk=person.pk).exists()


def editors_of(thing: models.Model) -> list[int]:
    """Return who changed what is decided about `thing` since it was last approved, or ever where it never was."""
    approved = ApprovalRequest.objects.filter(
        content_type=ContentType.objects.get_for_model(type(thing)), object_id=thing.pk, state=RequestState.APPROVED
    )
    mark = models.Subquery(approved.order_by("-pk").values("ledger_mark")[:1])
    touched = AuditEvent.objects.of_object(thing).filter(
        actor__isnull=False,
        changes__has_any_keys=list(subject_of(type(thing)).material),
        id__gt=Coalesce(mark, 0, output_field=models.BigIntegerField()),
    )
    return sorted(touched.values_list("actor_id", flat=True).order_by().distinct())


def refuse_role(person: User, approvers: Approvers) -> str | None:
    """Return why `person` is none of the approvers, None when they are."""
    if not person.is_active:
        return "Your account is not active."
    if not approvers.include(person):
        return f"You are none of the approvers: {approvers.in_words()} decide here."
    return None


def own_work(person: User, requester_id: int, editors: list[int]) -> OwnWork | None:
    """Return what the separation of duties holds against `person`; superusers are not exempt."""
    if person.pk == requester_id:
        return OwnWork.SENT
    return OwnWork.CHANGED if person.pk in editors else None
