"""Who has two duties that one person should not have: asked before a role or a grant is given, and for the report."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q

from apps.accounts.domain.roles import HIDDEN_APPS
from apps.accounts.enums import Role
from apps.accounts.models import Membership, Team, User
from apps.core import clock
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.alerts.enums import AlertState, Severity
from apps.core.alerts.models import Alert
from apps.core.errors import WrongState
from apps.rights.enums import Effect, Risk
from apps.rights.models import AccessGrant, SodRule, SodWaiver
from apps.rights.models.duties import RIGHT, ROLE, duty_in_words, right_in_words

Held = dict[int, dict[str, list[str]]]  # person → duty → where each comes from, in words
SEVERITIES = {Risk.LOW: Severity.INFO, Risk.MEDIUM: Severity.WARNING, Risk.HIGH: Severity.CRITICAL}


@dataclass(frozen=True)
class Conflict:
    """One person with both duties of a rule.

    Attributes:
        rule: the rule.
        person: who has both.
        first: where the first duty comes from, in words.
        second: where the second comes from.
        waiver: what allows it for the time being; None where nothing does.
    """

    rule: SodRule
    person: User
    first: tuple[str, ...]
    second: tuple[str, ...]
    waiver: SodWaiver | None


def duty_choices() -> list[Any]:
    """Return the duties a rule can name, grouped: the roles, then the rights by app."""
    groups: list[Any] = [("Roles", [(f"{ROLE}{role.value}", role.label) for role in Role])]
    rights: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for each in Permission.objects.select_related("content_type").order_by("content_type__app_label", "codename"):
        kind = each.content_type
        model = kind.model_class()
        if model is None or kind.app_label in HIDDEN_APPS or kind.model.startswith("historical"):
            continue
        name = str(apps.get_app_config(kind.app_label).verbose_name)
        rights[name].append((f"{RIGHT}{kind.app_label}.{each.codename}", right_in_words(each, model)))
    return [
        *groups,
        *((f"Rights: {name}", sorted(found, key=lambda pair: pair[1])) for name, found in sorted(rights.items())),
    ]


def active_rules() -> list[SodRule]:
    """Return the rules that hold now."""
    return list(SodRule.objects.live().filter(is_active=True))


def duties_held(wanted: Iterable[str], people: Iterable[User] | None = None) -> Held:
    """Return which of the `wanted` duties active people have, and where from.

    Args:
        wanted: duties as rules name them.
        people: only these; everybody active when not given.
    """
    wanted = set(wanted)
    held: Held = defaultdict(lambda: defaultdict(list))
    among = Q() if people is None else Q(person__in=[each.pk for each in people])
    giving = _roles_giving(wanted)
    memberships = Membership.objects.live().filter(among, person__is_active=True).select_related("team")
    for each in memberships:
        words = f"{each.get_role_display()} in {each.team}"
        for duty in giving.get(each.role, ()):
            held[each.person_id][duty].append(words)
    _add_direct(held, wanted, people)
    _add_shared(held, wanted, people)
    return held


def _roles_giving(wanted: set[str]) -> dict[str, set[str]]:
    """Role name → which of the wanted duties it carries: itself, and the rights of its group."""
    giving: dict[str, set[str]] = defaultdict(set)
    for role in Role:
        if f"{ROLE}{role.value}" in wanted:
            giving[role.value].add(f"{ROLE}{role.value}")
    rows = Group.objects.filter(name__in=Role.values, permissions__codename__in=_codenames(wanted))
    for name, app, codename in rows.values_list(
        "name", "permissions__content_type__app_label", "permissions__codename"
    ):
        if (duty := f"{RIGHT}{app}.{codename}") in wanted:
            giving[name].add(duty)
    return giving


def _codenames(wanted: Iterable[str]) -> list[str]:
    return [each.partition(".")[2] for each in wanted if each.startswith(RIGHT)]


def _add_direct(held: Held, wanted: set[str], people: Iterable[User] | None) -> None:
    """Rights given past the roles: to the person, by a group nobody manages, to superusers."""
    who = User.objects.working()
    who = who if people is None else who.filter(pk__in=[each.pk for each in people])
    codes = _codenames(wanted)
    direct = who.filter(user_permissions__codename__in=codes).values_list(
        "pk", "user_permissions__content_type__app_label", "user_permissions__codename"
    )
    for pk, app, codename in direct:
        if (duty := f"{RIGHT}{app}.{codename}") in wanted:
            held[pk][duty].append("given directly")
    unmanaged = who.filter(groups__permissions__codename__in=codes).exclude(groups__name__in=Role.values)
    for pk, group, app, codename in unmanaged.values_list(
        "pk", "groups__name", "groups__permissions__content_type__app_label", "groups__permissions__codename"
    ):
        if (duty := f"{RIGHT}{app}.{codename}") in wanted and group not in Role.values:
            held[pk][duty].append(f"group {group}")
    for pk in who.filter(is_superuser=True).values_list("pk", flat=True):
        for duty in wanted:
            if duty.startswith(RIGHT):
                held[pk][duty].append("superuser")


def _add_shared(held: Held, wanted: set[str], people: Iterable[User] | None) -> None:
    """Rights to single records, shared with the person, a team or a role of theirs."""
    grants = AccessGrant.objects.in_force(clock.now()).select_related("content_type")
    by_duty: dict[str, list[AccessGrant]] = defaultdict(list)
    for grant in grants.filter(content_type__in=_kinds_in(wanted)):
        duty = f"{RIGHT}{grant.content_type.app_label}.{grant.verb}_{grant.content_type.model}"
        if duty in wanted:
            by_duty[duty].append(grant)
    only = None if people is None else {each.pk for each in people}
    for duty, found in by_duty.items():
        for grant in found:
            for pk in people_behind(grant):
                if only is None or pk in only:
                    held[pk][duty].append(f"{grant.object_label}, shared with {grant.principal_label}")


def _kinds_in(wanted: set[str]) -> list[int]:
    kinds: list[int] = []
    for duty in wanted:
        app, _, codename = duty.removeprefix(RIGHT).partition(".")
        if duty.startswith(RIGHT):
            kinds += ContentType.objects.filter(app_label=app, model=codename.partition("_")[2]).values_list(
                "pk", flat=True
            )
    return kinds


def people_behind(grant: AccessGrant) -> list[int]:
    """Return the keys of the active people whom a grant lets in."""
    if grant.person_id is not None:
        return [grant.person_id]
    members = Membership.objects.live().filter(person__is_active=True)
    mine = members.filter(team=grant.team_id) if grant.team_id is not None else members.filter(role=grant.role)
    return list(mine.values_list("person", flat=True).distinct())


def conflicts() -> list[Conflict]:
    """Return everybody who could use both duties of a rule that holds, waived or not."""
    rules = active_rules()
    held = duties_held({duty for rule in rules for duty in (rule.first, rule.second)})
    people = User.objects.in_bulk(list(held))
    waivers = {
        (each.rule_id, each.person_id): each
        for each in SodWaiver.objects.in_force(clock.now()).select_related("approved_by")
    }
    found = [
        Conflict(rule, people[pk], tuple(mine[rule.first]), tuple(mine[rule.second]), waivers.get((rule.pk, pk)))
        for rule in rules
        for pk, mine in held.items()
        if rule.first in mine and rule.second in mine
    ]
    return sorted(found, key=lambda each: (each.rule.name, str(each.person)))


def created_by(person: User, adding: Iterable[str]) -> list[SodRule]:
    """Return the rules that `person` would break with the duties `adding`, and does not break today or by a waiver."""
    rules, new = active_rules(), set(adding)
    touched = [rule for rule in rules if {rule.first, rule.second} & new]
    if not touched:
        return []
    has = set(duties_held({duty for rule in touched for duty in (rule.first, rule.second)}, [person])[person.pk])
    waived = set(SodWaiver.objects.in_force(clock.now()).filter(person=person).values_list("rule", flat=True))
    return [
        rule
        for rule in touched
        if {rule.first, rule.second} <= (has | new) and not {rule.first, rule.second} <= has and rule.pk not in waived
    ]


def duties_of_role(role: Role, team: Team | None = None) -> set[str]:
    """Return what a role brings: itself, its rights, and what is shared with the role or with the team it is in."""
    rows = Permission.objects.filter(group__name=role.value).values_list("content_type__app_label", "codename")
    duties = {f"{ROLE}{role.value}", *(f"{RIGHT}{app}.{codename}" for app, codename in rows)}
    shared = Q(role=role.value) | (Q(team=team) if team is not None else Q(pk=None))
    for grant in AccessGrant.objects.in_force(clock.now()).filter(shared).select_related("content_type"):
        duties.add(f"{RIGHT}{grant.content_type.app_label}.{grant.verb}_{grant.content_type.model}")
    return duties


def check_role(person: User, team: Team, role: Role) -> None:
    """Refuse a role that would bring two duties together where the rule refuses; alert where it only reports.

    Raises:
        WrongState: a rule with the effect "Refuse it" would be broken, and no waiver allows it.
    """
    _check([person], duties_of_role(role, team), f"{role.label} in {team}")


def check_grant(thing: Any, to: User | Team | Role, verb: str) -> None:
    """Refuse to share a record where that would bring two duties together; alert where the rule only reports.

    Raises:
        WrongState: a rule with the effect "Refuse it" would be broken for somebody, and no waiver allows it.
    """
    if isinstance(to, User):
        people = [to]
    else:
        members = Membership.objects.live().filter(person__is_active=True)
        mine = members.filter(team=to) if isinstance(to, Team) else members.filter(role=to.value)
        people = list(User.objects.filter(pk__in=mine.values("person")))
    _check(people, _rights_to(type(thing), verb), str(thing))


def refuse_together(person: User, model: type[models.Model], verb: str) -> str | None:
    """Return why no record of this kind can be shared with `person`: a rule keeps it from a duty they have."""
    broken = (rule for rule in created_by(person, _rights_to(model, verb)) if rule.effect == Effect.BLOCK)
    return next((refusal_of(rule, person) for rule in broken), None)


def _rights_to(model: type[models.Model], verb: str) -> set[str]:
    opts = model._meta
    verbs = ("view", "change") if verb == "change" else (verb,)
    return {f"{RIGHT}{opts.app_label}.{each}_{opts.model_name}" for each in verbs}


def _check(people: list[User], adding: set[str], what: str) -> None:
    for person in people:
        for rule in created_by(person, adding):
            if rule.effect == Effect.BLOCK:
                raise WrongState(refusal_of(rule, person))
            _alert(rule, person, f"It came with: {what}.")


def refusal_of(rule: SodRule, person: User) -> str:
    """Return the sentence with which a rule refuses, and the way out."""
    return (
        f"Refused by the rule “{rule.name}”: {person} would have both duties, {duty_in_words(rule.first)} and "
        f"{duty_in_words(rule.second)}. {rule.why} Take the other duty away first, or let two administrators waive "
        "the rule for a while under Separation of duties."
    )


def _alert(rule: SodRule, person: User, detail: str) -> None:
    raise_alert(
        f"sod:{rule.pk}:{person.pk}",
        title=f"{person} now has both duties of the rule “{rule.name}”.",
        detail=f"{rule.why} {detail}",
        severity=SEVERITIES[Risk(rule.risk)],
        subject=person,
        runbook="Open Separation of duties: take one of the two away, or let two administrators waive the rule.",
    )


def watch_duties() -> dict[str, int]:
    """Keep one alert open per person and rule as long as both duties meet unwaived; resolve those that are over.

    Returns:
        How many conflicts stand unwaived, and how many alerts were resolved.
    """
    standing = {(each.rule.pk, each.person.pk): each for each in conflicts() if each.waiver is None}
    for each in standing.values():
        _alert(each.rule, each.person, f"From {', '.join(each.first)}; and from {', '.join(each.second)}.")
    resolved = 0
    for fingerprint in (
        Alert.objects.filter(fingerprint__startswith="sod:")
        .exclude(state=AlertState.RESOLVED)
        .values_list("fingerprint", flat=True)
    ):
        _, rule, person = fingerprint.split(":")
        if (int(rule), int(person)) not in standing:
            resolve_alert(fingerprint, why="The two duties no longer meet, or a waiver allows it.")
            resolved += 1
    return {"conflicts": len(standing), "resolved": resolved}
