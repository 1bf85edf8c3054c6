"""Every grant that opens something now: where it comes from, since when, who gave it, when it was last used."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import models
from django.db.models import Max, Q

from apps.accounts.domain.ownership import posts
from apps.accounts.enums import PRIVILEGED_ROLES, Role
from apps.accounts.models import Membership, User
from apps.approvals.models import Decision
from apps.audit.models import AuditEvent
from apps.core import access, clock
from apps.rights.domain.duties import conflicts
from apps.rights.domain.violations import AROUND
from apps.rights.enums import Flag, Source, Verb
from apps.rights.models import SHAREABLE, AccessGrant, AccessLog

DORMANT = dt.timedelta(days=90)
NEW = dt.timedelta(days=30)
Use = tuple[dt.datetime, str]


@dataclass
class Effective:
    """One grant that opens something now.

    Attributes:
        person: who has it; None where a team or a role has it.
        label: who has it, in words.
        source: one of `Source`.
        what: what it opens, in words.
        app: the area it belongs to, where it is about one.
        apps: the areas that a role opens.
    """

    person: User | None
    label: str
    source: Source
    what: str
    membership: Membership | None = None
    grant: AccessGrant | None = None
    model: str = ""
    object_id: str = ""
    granted_by: str = ""
    granted_at: dt.datetime | None = None
    used: Use | None = None
    flags: list[str] = field(default_factory=list)
    apps: frozenset[str] = frozenset()


def effective_grants() -> list[Effective]:
    """Return every grant that opens something now, with its last use and what a reviewer should notice."""
    uses = _Uses()
    found = [*_roles(uses), *_shared(uses), *_owned(uses), *_direct(uses), *_accounts(uses)]
    _flag(found)
    return sorted(found, key=lambda each: (each.label, each.source, each.what))


class _Uses:
    """When people last used what: one look at the ledger for all of them."""

    def __init__(self) -> None:
        self._opens: dict[tuple[int, str, type[models.Model]], bool] = {}
        self.writes: dict[int, dict[str, dt.datetime]] = defaultdict(dict)
        rows = AuditEvent.objects.filter(actor__isnull=False).order_by().values_list("actor_id", "table_name")
        for actor, table, at in rows.annotate(last=Max("at")):
            self.writes[actor][table] = at
        decided = Decision.objects.order_by().values_list("approver_id").annotate(last=Max("at"))
        self.decisions: dict[int, dt.datetime] = dict(decided)
        logged = AccessLog.objects.order_by().values_list("person_id").annotate(last=Max("at"))
        self.accesses: dict[int, dt.datetime] = dict(logged)

    def of_role(self, person: User, role: str, tables: frozenset[str]) -> Use | None:
        """Return the last use of a role: a decision, a write it opens, a reading on record; else the last sign-in."""
        found: list[Use] = []
        if role == Role.APPROVER and person.pk in self.decisions:
            found.append((self.decisions[person.pk], "decided on a request"))
        found += [(at, "changed something it opens") for table, at in self.writes[person.pk].items() if table in tables]
        if role == Role.AUDITOR and person.pk in self.accesses:
            found.append((self.accesses[person.pk], "read or exported"))
        if not found and not tables and role != Role.APPROVER and person.last_login:
            found.append((person.last_login, "signed in; the role only reads"))
        return max(found, default=None)

    def opens(self, person: User, verb: str, model: type[models.Model]) -> bool:
        """Whether a role of the person opens every row of the kind, asked once for each person."""
        asked = (person.pk, verb, model)
        if asked not in self._opens:
            whole = access.limit_of(person, verb, model) is None
            self._opens[asked] = whole and access.has_model_permission(person, verb, model)
        return self._opens[asked]

    def on_records(self, table: str, keys: list[str]) -> dict[tuple[int, str], dt.datetime]:
        """Return when each person last changed each of these records."""
        rows = AuditEvent.objects.filter(table_name=table, object_id__in=keys, actor__isnull=False).order_by()
        grouped = rows.values_list("actor_id", "object_id").annotate(last=Max("at"))
        return {(actor, key): at for actor, key, at in grouped}


def _tables_of_roles() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Role → the tables it may write, the areas it opens."""
    found: dict[str, tuple[set[str], set[str]]] = {role.value: (set(), set()) for role in Role}
    for group in Group.objects.filter(name__in=Role.values).prefetch_related("permissions__content_type"):
        for permission in group.permissions.all():
            kind = permission.content_type
            model = kind.model_class()
            found[group.name][1].add(kind.app_label)
            writes = permission.codename.startswith(("add_", "change_"))
            if model is not None and writes and kind.app_label not in AROUND:
                found[group.name][0].add(model._meta.db_table)
    return {name: (frozenset(tables), frozenset(areas)) for name, (tables, areas) in found.items()}


def _roles(uses: _Uses) -> Iterator[Effective]:
    opened, givers = _tables_of_roles(), _givers()
    for each in Membership.objects.live().select_related("person", "team", "territory").order_by("pk"):
        if each.person.is_system:
            continue
        tables, areas = opened[each.role]
        flags = [Flag.PRIVILEGED] if Role(each.role) in PRIVILEGED_ROLES else []
        if not each.person.is_active or each.team.is_archived:
            flags.append(Flag.ORPHANED)
        yield Effective(
            each.person,
            str(each.person),
            Source.ROLE,
            f"{each.get_role_display()} in {each.team}" + (f", for {each.territory} only" if each.territory else ""),
            membership=each,
            granted_by=givers.get(str(each.pk), ""),
            granted_at=each.created_at,
            used=uses.of_role(each.person, each.role, tables),
            flags=[*flags],
            apps=areas,
        )


def _givers() -> dict[str, str]:
    rows = AuditEvent.objects.filter(table_name=Membership._meta.db_table, action=AuditEvent.Action.INSERT)
    return dict(rows.order_by("id").values_list("object_id", "actor_label"))


def _shared(uses: _Uses) -> Iterator[Effective]:
    for model in SHAREABLE:
        rows = AccessGrant.objects.open().filter(content_type__app_label=model._meta.app_label)
        rows = rows.filter(content_type__model=model._meta.model_name).select_related("person", "team", "granted_by")
        grants = list(rows)
        keys = [str(each.object_id) for each in grants]
        used = uses.on_records(model._meta.db_table, keys)
        there = {str(pk) for pk in model._base_manager.filter(pk__in=keys).values_list("pk", flat=True)}
        for each in grants:
            yield _of_grant(each, model, used, there, uses)


def _of_grant(
    grant: AccessGrant,
    model: type[models.Model],
    used: dict[tuple[int, str], dt.datetime],
    there: set[str],
    uses: "_Uses",
) -> Effective:
    key, person = str(grant.object_id), grant.person
    flags = []
    if key not in there or grant.state_at(clock.now()) == "expired" or (person and not person.is_active):
        flags.append(Flag.ORPHANED)
    if person is not None and not access.has_scope(model) and uses.opens(person, grant.verb, model):
        flags.append(Flag.EXCESSIVE)  # a role of theirs opens it anyway
    at = used.get((person.pk, key)) if person else max((m for (_, k), m in used.items() if k == key), default=None)
    signed = person.last_login if person is not None and grant.verb == Verb.VIEW else None
    use = (at, "changed it") if at else ((signed, "signed in; the grant only reads") if signed else None)
    until = f", until {grant.expires_at:%-d %B %Y}" if grant.expires_at else ""
    return Effective(
        person,
        str(grant.principal_label),
        Source.SHARED,
        f"{grant.get_verb_display()} {model._meta.verbose_name} {grant.object_label}{until}"[:300],
        grant=grant,
        model=model._meta.label_lower,
        object_id=key,
        granted_by=str(grant.granted_by),
        granted_at=grant.created_at,
        used=use,
        flags=[*flags],
        apps=frozenset({model._meta.app_label}),
    )


def _owned(uses: _Uses) -> Iterator[Effective]:
    for post in posts():
        if post.model is User:
            continue  # a manager answers for people; that opens nothing
        rows = post.model._base_manager.filter(**{f"{post.field}__isnull": False}).select_related(post.field)
        if any(each.name == "archived_at" for each in post.model._meta.concrete_fields):
            rows = rows.filter(archived_at__isnull=True)
        owned = list(post.still_matters(rows) if post.still_matters else rows)
        used = uses.on_records(post.model._meta.db_table, [str(each.pk) for each in owned])
        for thing in owned:
            holder: User = getattr(thing, post.field)
            at = used.get((holder.pk, str(thing.pk)))
            yield Effective(
                holder,
                str(holder),
                Source.OWNER,
                f"{post.capacity.capitalize()} of {post.model._meta.verbose_name} {thing}"[:300],
                model=f"{post.kind}:{post.field}",
                object_id=str(thing.pk),
                used=(at, "changed it") if at else None,
                flags=[] if holder.is_active else [Flag.ORPHANED],
                apps=frozenset({post.model._meta.app_label}),
            )


def _direct(uses: _Uses) -> Iterator[Effective]:
    """Rights given past the roles."""
    rows = Permission.objects.filter(user__isnull=False).select_related("content_type").distinct()
    for permission in rows:
        kind = permission.content_type
        for person in User.objects.filter(user_permissions=permission):
            used = uses.writes[person.pk].get(_table_of(kind))
            yield Effective(
                person,
                str(person),
                Source.DIRECT,
                f"{permission.name} ({kind.app_label}.{permission.codename})",
                model=f"{kind.app_label}.{permission.codename}",
                used=(used, "changed something it opens") if used else None,
                flags=[Flag.EXCESSIVE, *([] if person.is_active else [Flag.ORPHANED])],
                apps=frozenset({kind.app_label}),
            )
    managed = Q(name__in=Role.values) | Q(name__startswith="team:")
    for group in Group.objects.exclude(managed).prefetch_related("user_set", "permissions__content_type"):
        for person in group.user_set.all():
            yield Effective(
                person,
                str(person),
                Source.DIRECT,
                f"Member of the group {group}, which no role manages",
                model=f"group:{group.pk}",
                flags=[Flag.EXCESSIVE, *([] if person.is_active else [Flag.ORPHANED])],
                apps=frozenset(each.content_type.app_label for each in group.permissions.all()),
            )


def _table_of(kind: Any) -> str:
    model = kind.model_class()
    return str(model._meta.db_table) if model is not None else ""


def _accounts(uses: _Uses) -> Iterator[Effective]:
    """Accounts as such: who may sign in, superusers, and those that stand for machines."""
    for person in User.objects.filter(Q(is_active=True) | Q(is_system=True) | Q(is_superuser=True)):
        signed = (person.last_login, "signed in") if person.last_login else None
        plain: dict[str, Any] = {"granted_at": person.date_joined, "used": signed}
        if person.is_system:
            at = max(uses.writes[person.pk].values(), default=None)
            used = (at, "wrote in a job") if at else None
            yield Effective(
                person, str(person), Source.SERVICE, "Acts in jobs for mops itself; cannot sign in",
                granted_at=person.date_joined, used=used, flags=[Flag.PRIVILEGED],
            )  # fmt: skip
            continue
        if person.is_superuser:
            flags = [Flag.PRIVILEGED, *([] if person.is_active else [Flag.ORPHANED])]
            yield Effective(person, str(person), Source.SUPERUSER, "Everything, past roles", flags=[*flags], **plain)
        if person.is_active:
            yield Effective(person, str(person), Source.STAFF, "Signs in to the back office", **plain)


def _flag(found: list[Effective]) -> None:
    """Mark what is new, dormant, and part of two duties that should be apart."""
    now = clock.now()
    apart: dict[int, set[str]] = defaultdict(set)
    for conflict in conflicts():
        if conflict.waiver is None:
            apart[conflict.person.pk] |= {*conflict.first, *conflict.second}
    for each in found:
        if each.granted_at is not None and now - each.granted_at < NEW:
            each.flags.append(Flag.NEW)
        elif each.used is None or now - each.used[0] > DORMANT:
            each.flags.append(Flag.DORMANT)
        words = each.what
        if each.grant is not None:
            words = f"{each.grant.object_label}, shared with {each.grant.principal_label}"
        if each.person is not None and words in apart.get(each.person.pk, ()):
            each.flags.append(Flag.CONFLICT)
