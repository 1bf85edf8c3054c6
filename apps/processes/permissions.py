"""Who sees which processes: everybody with the right, unless access is kept to owners and stakeholders."""

from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q

from apps.core import access
from apps.processes.enums import READABLE, StakeholderAccess
from apps.processes.models import Process, ProcessRole, Run, Stakeholder, TrainingRequirement

if TYPE_CHECKING:
    from apps.accounts.models import User


def visible_processes(user: "User", rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
    """Leave out the processes kept to stakeholders of whom `user` is none."""
    return rows if user.has_perm("processes.oversee_process") else rows.filter(open_to(user))


def by_process(path: str) -> Any:
    """Return the scope of rows that belong to a process: seen by who sees the process.

    Args:
        path: the lookup that leads from such a row to its process.
    """

    def scope(user: "User", rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
        if user.has_perm("processes.oversee_process"):
            return rows
        return rows.filter(**{f"{path}__in": Process.objects.filter(open_to(user)).values("pk")})

    return scope


def kinds_behind_runs() -> "list[type[models.Model]]":
    """Return the kinds of records in territories that runs are about."""
    about = Run._base_manager.filter(content_type__isnull=False).order_by().values("content_type").distinct()
    named = (kind.model_class() for kind in ContentType.objects.filter(pk__in=about))
    homes = ((model, access.home_of(model)) for model in named if model is not None)
    return [model for model, home in homes if home is not None and home[1] is not Run]


def of_process_or_whole(user: "User", rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
    """Leave out the rows of processes one does not see; rows about the whole are seen by everybody with the right."""
    if user.has_perm("processes.oversee_process"):
        return rows
    return rows.filter(Q(process__isnull=True) | Q(process__in=Process.objects.filter(open_to(user)).values("pk")))


def must_be_read_by(path: str, state: str) -> Any:
    """Return the scope of what everybody may view who must read it, whatever their role in mops opens.

    Args:
        path: the lookup that leads from a row to its process, with two underscores behind it; "" for the process.
        state: the lookup of the version's state; "" where the row is no part of one version.
    """

    def own(user: "User", rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
        teams = user.team_keys()
        mine = ProcessRole.objects.filter(Q(people=user) | Q(team__in=teams))
        required = TrainingRequirement.objects.filter(archived_at__isnull=True, role__in=mine.values("pk"))
        shown = rows.filter(**{f"{path}pk__in": required.values("process")})
        return shown.filter(**{f"{state}__in": READABLE}) if state else shown

    return own


def keeps_out(process: Process, person: "User") -> str | None:
    """Return why somebody may not decide about a process that is kept to its stakeholders; None when they may."""
    if process.stakeholder_access == StakeholderAccess.EVERYBODY:
        return None
    if visible_processes(person, Process.objects.filter(pk=process.pk)).exists():
        return None
    return (
        f"{process} is kept to its owners and stakeholders, so one of them decides. "
        "Whoever answers for it names the approver as a stakeholder first."
    )


def open_to(user: "User") -> Q:
    """Return the condition on a process: open to everybody, or the person is its owner, backup, author, stakeholder."""
    playing = user.memberships.filter(archived_at__isnull=True)
    teams, roles = playing.values("team"), playing.values("role")
    named = Stakeholder.objects.filter(archived_at__isnull=True).filter(
        Q(person=user) | Q(team__in=teams) | Q(role__in=roles)
    )
    return (
        Q(stakeholder_access=StakeholderAccess.EVERYBODY)
        | Q(owner_person=user)
        | Q(backup_person=user)
        | Q(owner_team__in=teams)
        | Q(backup_team__in=teams)
        | Q(pk__in=named.values("process"))
        | Q(pk__in=user.written_versions.values("process"))
    )
