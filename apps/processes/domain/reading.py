"""Reading a version: who must, who has, the quota that lets it come into force, and who is qualified."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Max

from apps.accounts.models import User
from apps.core import access
from apps.processes.enums import READABLE, VersionState
from apps.processes.models import Acknowledgement, Process, ProcessRole, SOPVersion, Step

if TYPE_CHECKING:
    from django.db.models import QuerySet


@dataclass(frozen=True)
class Progress:
    """How far one role has come with reading a version."""

    role: ProcessRole
    quota: int
    players: int
    read: int

    @property
    def needed(self) -> int:
        """How many of them must have read it, rounded up."""
        return max(1, math.ceil(self.players * self.quota / 100))

    @property
    def is_reached(self) -> bool:
        """Whether enough of them have; a role that nobody plays never has."""
        return self.players > 0 and self.read >= self.needed

    @property
    def sentence(self) -> str:
        """How it stands, in words."""
        if not self.players:
            return f"Nobody plays the role {self.role}; name its people, or take it out of the required reading."
        return f"{self.role}: {self.read} of {self.players} have read it, {self.needed} must."


def reading_progress(version: SOPVersion) -> list[Progress]:
    """Return for each role that must read the process how many of its people have read this version."""
    requirements = list(version.process.requirements.filter(archived_at__isnull=True).select_related("role"))
    done = set(version.acknowledgements.values_list("person", flat=True)) if requirements else set()
    found = []
    for each in requirements:
        players = set(each.role.players().values_list("pk", flat=True))
        found.append(Progress(each.role, each.quota, len(players), len(players & done)))
    return found


def unread(version: SOPVersion) -> str | None:
    """Return in words which quota is not reached yet, None when all are or the change is minor."""
    if not version.is_material:
        return None
    missing = [each.sentence for each in reading_progress(version) if not each.is_reached]
    return " ".join(missing) or None


def counts_from(process: Process) -> int | None:
    """Return the number of the newest material version that came into force: whoever read that or a later one is
    up to date. None while nothing is in force.
    """
    if process.effective_version is None:
        return None
    came = process.versions.filter(is_material=True, number__lte=process.effective_version.number)
    newest = came.filter(effective_at__isnull=False).aggregate(newest=Max("number"))["newest"]
    return int(newest or process.effective_version.number)


def qualified_people(process: Process) -> "QuerySet[User]":
    """Return the active people who have read the newest material version of `process`, or a later one."""
    since = counts_from(process)
    if since is None:
        return User.objects.none()
    read = Acknowledgement.objects.filter(version__process=process, version__number__gte=since)
    return User.objects.filter(pk__in=read.values("person"), is_active=True)


def refuse_unqualified(person: User, process: Process) -> str | None:
    """Return why `person` cannot take a gated step of `process`, None when they can.

    Without required reading nothing is gated. Minor versions ask nobody to read again.
    """
    if not process.requirements.filter(archived_at__isnull=True).exists():
        return None
    if process.effective_version_id is None:
        return f"{process} has no version in force; nobody can be qualified for it yet."
    if qualified_people(process).filter(pk=person.pk).exists():
        return None
    return f"{person} has not read the version of {process} that counts. Open it and press “Read and understood” first."


def works_by(person: User, process: Process) -> bool:
    """Whether `person` works by `process`: answers for it, may change it, plays a role in it or must read it."""
    if access.may(person, "change", process):
        return True
    teams = set(person.memberships.filter(archived_at__isnull=True).values_list("team", flat=True))
    if person.pk in (process.owner_person_id, process.backup_person_id):
        return True
    if teams & {process.owner_team_id, process.backup_team_id}:
        return True
    roles = set(process.requirements.filter(archived_at__isnull=True).values_list("role", flat=True))
    roles |= set(Step.objects.filter(version=process.effective_version_id).values_list("role", flat=True))
    played = ProcessRole.objects.filter(pk__in=roles - {None})
    return any(role.players().filter(pk=person.pk).exists() for role in played)


def refuse_acknowledgement(user: User, version: SOPVersion, *, reader: bool = False) -> str | None:
    """Return why `user` cannot say now that they read and understood `version`, None when they can.

    Args:
        user: who.
        version: which.
        reader: the caller has seen to it that they may read it, and anybody who may is welcome to confirm it.
    """
    if not reader and not access.may(user, "view", version):
        return "You may not see this version."
    if version.state not in READABLE:
        standing = VersionState(version.state).label.lower()
        return f"{version} is {standing}; what is approved or in force is read and confirmed."
    if version.acknowledgements.filter(person=user).exists():
        return "You have confirmed this version already."
    if not reader and not works_by(user, version.process):
        return "Only people who work by this process confirm that they read it; you play no role in it."
    return None
