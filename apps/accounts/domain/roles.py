"""Roles: which permissions each one has, kept here and synchronised into groups."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

from apps.accounts.enums import Role
from apps.accounts.models import User

# What everybody does around records they work on: tags, notes and values of custom fields; and what only looks on.
_AROUND_RECORDS = (
    "workspace.*: view",
    "workspace.savedview: add change",
    "workspace.taggedrecord: add change",
    "workspace.journalnote: add change",
    "workspace.customvalues: add change",
)
_LOOKS_ON = ("workspace.*: view", "workspace.savedview: add change")

# What a role may do, as "app.model: verbs". "*" is every model of the app. View-only verbs are what auditors live on.
GRANTS: dict[Role, tuple[str, ...]] = {
    Role.OPS: (
        "rights.accessreviewentry: view",  # the lines they review
        "rights.rolerequest: view add",  # roles they ask for
        "rights.recordrequest: view add",  # and records
        "technology.*: view add change",
        "processes.*: view add change",
        "campaigns.*: view add change",
        "content.*: view add change",
        "content.contentversion: check",
        "leads.*: view add change oversee",
        "rules.*: view add change",
        "tickets.*: view add change",
        "approvals.*: view",
        "approvals.delegation: add",  # whoever a policy may name says who stands in
        "calendars.*: view",
        "attachments.*: view add change",
        "notifications.*: view change",
        "exchange.*: view add change",
        *_AROUND_RECORDS,
        "workspace.tag: add change",
        "jobs.*: view",
        "alerts.*: view change",
        "accounts.user: view",
        "accounts.team: view",
    ),
    Role.APPROVER: (
        "tickets.agreement: view",
        "leads.leadsla: view",  # who signs reads what they sign
        "tickets.replytemplate: view",
        "tickets.templateversion: view",
        "rights.accessreviewentry: view",  # the lines they review
        "rights.rolerequest: view add",  # roles they ask for
        "rights.recordrequest: view add",  # and records
        "approvals.*: view",
        "rules.*: view",
        "approvals.delegation: add",
        "technology.*: view",
        "processes.*: view",
        "campaigns.*: view",
        "content.*: view",
        "content.contentversion: check",
        "calendars.*: view",
        "attachments.*: view",
        "notifications.*: view change",
        *_LOOKS_ON,
        "accounts.user: view",
        "accounts.team: view",
    ),
    Role.AUDITOR: (
        "*: view",
        "notifications.delivery: oversee",
        "leads.lead: oversee",
        "processes.process: oversee",
        "audit.auditevent: export",
    ),
    Role.SALES: (
        "rights.accessreviewentry: view",  # the lines they review
        "rights.rolerequest: view add",  # roles they ask for
        "rights.recordrequest: view add",  # and records
        "leads.*: view",
        "approvals.approvalrequest: view",  # those that wait for them, for instance the SLA that sales signs
        "leads.lead: change",
        "leads.company: change",
        "leads.opportunity: change",
        "campaigns.campaign: view",  # and nothing that tells what one costs
        "campaigns.checklistitem: view",
        "campaigns.audience: view",
        "campaigns.threshold: view",
        "campaigns.metricday: view",
        "content.contentasset: view add",
        "content.contentversion: view",
        "content.materialuse: view add",
        "attachments.*: view add change",
        "notifications.*: view change",
        *_AROUND_RECORDS,
    ),
    Role.EXECUTIVE: (
        "rights.accessreviewentry: view",  # the lines they review
        "rights.rolerequest: view add",  # roles they ask for
        "rights.recordrequest: view add",  # and records
        "approvals.*: view",
        "approvals.delegation: add",
        "accounts.user: view",
        "accounts.team: view",
        "rules.*: view",
        "technology.tool: view",
        "technology.capability: view",
        "technology.vendor: view",
        "processes.*: view",
        "campaigns.*: view",
        "content.*: view",
        "leads.*: view oversee",
        "tickets.*: view",
        "attachments.*: view",
        "notifications.*: view change",
        *_LOOKS_ON,
    ),
    Role.ADMINISTRATOR: (
        "accounts.*: view add change",
        "calendars.*: view add change",
        "jobs.*: view change",
        "alerts.*: view change",
        "attachments.*: view add change",
        "exchange.*: view add change",
        "notifications.*: view change",
        "notifications.delivery: oversee",
        "notifications.storedmail: oversee",
        "workspace.*: view add change",
        "approvals.*: view add change",
        "rules.*: view add change",
        "approvals.approvalrequest: breakglass reseat",
        "rights.*: view",
        "rights.sodrule: add change",
        "rights.rolerequest: add",
        "rights.recordrequest: add",
        "audit.*: view",
        "audit.reasonrule: add change",
        "audit.retentionpolicy: add change",
        "retention.*: view change",
        "audit.legalhold: add change",
        "audit.ledgermonth: purge",
        "audit.erasedsubject: erase export",
        "audit.auditevent: export",
        "technology.*: view",
        "processes.*: view",
        "processes.process: oversee",
        "campaigns.*: view",
        "content.*: view",
        "leads.*: view oversee",
        "tickets.*: view",
        "tickets.queue: add change",
        "tickets.tickettype: add change",
        "tickets.mailbox: add change",
        "django_q.*: view",
    ),
}
VERBS = ("view", "add", "change")
HIDDEN_APPS = (
    "auth",
    "django_q",
    "sessions",
    "admin",
    "contenttypes",
    "socialaccount",
    "mfa",
    "usersessions",
    "account",
    "guardian",
)


def permissions_of(role: Role, available: Iterable[Permission]) -> set[Permission]:
    """Return the permissions that `GRANTS` gives to `role`, out of those that exist.

    Args:
        role: the role asked about.
        available: permissions with their content type loaded.
    """
    known = [
        (each, each.content_type.app_label, each.content_type.model, each.codename.split("_", 1)[0])
        for each in available
    ]
    granted = set()
    for grant in GRANTS[role]:
        where, named = grant.split(": ")
        wanted_app, _, wanted_model = where.partition(".")
        verbs = named.split()
        for candidate, app, model, verb in known:
            app_fits = app == wanted_app or (wanted_app == "*" and app not in HIDDEN_APPS)
            if app_fits and wanted_model in ("", "*", model) and verb in verbs:
                granted.add(candidate)
    return granted


def synchronise_roles() -> dict[str, int]:
    """Make the groups and their permissions equal to `GRANTS`; running it again changes nothing.

    Returns:
        For each role the number of permissions that were added or taken away.
    """
    available = list(Permission.objects.select_related("content_type"))
    changed = {}
    with transaction.atomic():
        for role in Role:
            group, _ = Group.objects.get_or_create(name=role.value)
            wanted, has = permissions_of(role, available), set(group.permissions.all())
            changed[role.value] = len(wanted ^ has)
            if wanted != has:
                group.permissions.set(wanted)
    return changed


def team_group_name(team_id: int) -> str:
    """Return the name of the group that stands for a team where single records are shared with it."""
    return f"team:{team_id}"


def synchronise_groups_of(person: User) -> None:
    """Give `person` exactly the groups of the roles and teams that the memberships name.

    A team has a group from the first record that is shared with it.
    """
    held = list(person.memberships.filter(archived_at__isnull=True).values_list("role", "team_id"))
    names = {role for role, _ in held} | {team_group_name(team_id) for _, team_id in held}
    wanted = set(Group.objects.filter(name__in=names))
    managed = set(Group.objects.filter(Q(name__in=Role.values) | Q(name__startswith="team:")))
    kept = set(person.groups.all()) - managed
    if set(person.groups.all()) != wanted | kept:
        person.groups.set(wanted | kept)


def roles_of(person: User) -> set[Role]:
    """Return the roles a person plays in any team."""
    names = person.memberships.filter(archived_at__isnull=True).values_list("role", flat=True)
    return {Role(name) for name in names}


@dataclass(frozen=True)
class Opened:
    """What one role may do with one kind of record."""

    verbs: tuple[str, ...]

    @property
    def level(self) -> str:
        """The most it may do, in a word."""
        for verb, word in (("add", "creates"), ("change", "changes"), ("view", "sees")):
            if verb in self.verbs:
                return word
        return ""


@dataclass(frozen=True)
class Kind:
    """One kind of record, and what each role may do with it, in the order of `Role`."""

    name: str
    cells: tuple[Opened, ...]


def matrix(available: Iterable[Permission], *, of: Container[Any]) -> list[tuple[str, list[Kind]]]:
    """Return what each role opens, by app and kind of record; kinds that no role opens are left out.

    Args:
        available: permissions with their content type loaded.
        of: the models to show, those people meet as pages.
    """
    everything = list(available)
    by_role = {
        role: {(each.content_type_id, each.codename) for each in permissions_of(role, everything)} for role in Role
    }
    groups: dict[str, list[Kind]] = {}
    for kind in sorted({each.content_type for each in everything}, key=lambda each: (each.app_label, each.model)):
        model = kind.model_class()
        if model is None or model not in of or kind.app_label in HIDDEN_APPS:
            continue
        cells = tuple(
            Opened(tuple(verb for verb in VERBS if (kind.pk, f"{verb}_{kind.model}") in by_role[role])) for role in Role
        )
        if any(cell.verbs for cell in cells):
            name = str(model._meta.verbose_name_plural)
            app = str(apps.get_app_config(kind.app_label).verbose_name)
            groups.setdefault(app, []).append(Kind(name[:1].upper() + name[1:], cells))
    return sorted(groups.items())
