"""Whom a stage names today: the tokens people hold ("role:approver"), for themselves and when they stand in."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.models import Membership, User
from apps.approvals.enums import RequestState, StageState, Via
from apps.approvals.models import ApprovalRequest, Decision, Delegation, StageInstance
from apps.core import clock

Tokens = dict[int, set[str]]

_PEOPLE, _PLAYING, _GROUPS = User._meta.db_table, Membership._meta.db_table, User.groups.through._meta.db_table
# Locked, so that a role taken away at this moment either comes too late or is seen.
_HELD = f"""
    WITH people AS (SELECT id FROM {_PEOPLE} WHERE id = ANY(%(people)s) AND is_active {{lock}}),
         playing AS (SELECT person_id, role, team_id FROM {_PLAYING}
                     WHERE person_id = ANY(%(people)s) AND archived_at IS NULL {{lock}})
    SELECT id, 'person:' || id FROM people
    UNION ALL SELECT person_id, 'role:' || role FROM playing JOIN people ON people.id = person_id
    UNION ALL SELECT person_id, 'team:' || team_id FROM playing JOIN people ON people.id = person_id
    UNION ALL SELECT user_id, 'group:' || group_id FROM {_GROUPS} JOIN people ON people.id = user_id
"""
_HOLDERS = f"""
    SELECT id, 'person:' || id FROM {_PEOPLE} WHERE is_active AND id = ANY(%(person)s)
    UNION SELECT person_id, 'role:' || role FROM {_PLAYING} AS held JOIN {_PEOPLE} AS person ON person.id = person_id
        WHERE is_active AND held.archived_at IS NULL AND role = ANY(%(role)s)
    UNION SELECT person_id, 'team:' || team_id FROM {_PLAYING} AS held JOIN {_PEOPLE} AS person ON person.id = person_id
        WHERE is_active AND held.archived_at IS NULL AND team_id = ANY(%(team)s)
    UNION SELECT user_id, 'group:' || group_id FROM {_GROUPS} JOIN {_PEOPLE} AS person ON person.id = user_id
        WHERE is_active AND group_id = ANY(%(group)s)
"""
_NAMED_HOLDERS = f"""
    SELECT held.id, held.token, called.full_name, called.email
    FROM ({_HOLDERS}) AS held(id, token) JOIN {_PEOPLE} AS called ON called.id = held.id
"""


def tokens_of(people: Iterable[int], *, lock: bool = False) -> Tokens:
    """Return the tokens that each of these people holds now; who has no active account holds none.

    Args:
        people: keys of persons.
        lock: whether to keep accounts and memberships from changing until the transaction ends.
    """
    statement = _HELD.format(lock="FOR SHARE" if lock else "")
    return _gathered(statement, {"people": sorted(set(people))})


def holders_of(named: Iterable[str]) -> Tokens:
    """Return who holds one of the tokens `named` now, with those of them that each holds."""
    return _gathered(_HOLDERS, _keys_of(named))


def named_holders_of(named: Iterable[str]) -> tuple[Tokens, dict[int, str]]:
    """Return the same, and what each of them is called, by one statement."""
    held: Tokens = {}
    names: dict[int, str] = {}
    with connection.cursor() as cursor:
        cursor.execute(_NAMED_HOLDERS, _keys_of(named))
        for person, token, full_name, email in cursor.fetchall():
            held.setdefault(person, set()).add(token)
            names[person] = full_name or email
    return held, names


def _keys_of(named: Iterable[str]) -> dict[str, Any]:
    keys: dict[str, list[str]] = {via: [] for via in (Via.ROLE, Via.TEAM, Via.GROUP, Via.PERSON)}
    for each in named:
        via, _, key = each.partition(":")
        if via in keys:
            keys[via].append(key)
    numbers = {via: [int(key) for key in keys[via]] for via in (Via.TEAM, Via.GROUP, Via.PERSON)}
    return {"role": keys[Via.ROLE], **{str(via): found for via, found in numbers.items()}}


def _gathered(statement: str, values: dict[str, Any]) -> Tokens:
    held: Tokens = {}
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        for person, token in cursor.fetchall():
            held.setdefault(person, set()).add(token)
    return held


def delegations_about(kind: str, *, at: dt.datetime | None = None) -> list[Delegation]:
    """Return the delegations that hold for `kind` at a moment, now when not given."""
    rows = Delegation.objects.valid_at(at or clock.now()).about(kind)
    return list(rows.select_related("from_person", "to_person").order_by("pk"))


def requests_waiting_for(person: User) -> "QuerySet[ApprovalRequest]":
    """Return the open requests that `person` may decide, for themselves or for whom they stand in, as the rows tell.

    One statement however many there are; what only the ledger knows (who edited since it was sent) is asked per
    request by `eligible`.
    """
    standing_in = list(Delegation.objects.valid_at(clock.now()).filter(to_person=person).order_by("pk"))
    held = tokens_of({person.pk, *(each.from_person_id for each in standing_in)})
    if person.pk not in held:
        return ApprovalRequest.objects.none()
    seats = _seat(person.pk, held[person.pk])
    for each in standing_in:
        if absent := held.get(each.from_person_id):
            seats |= _kind_of(each) & _seat(each.from_person_id, absent, delegated=True)
    voted = Decision.objects.filter(approver=person)
    stages = (
        StageInstance.objects.filter(seats, state=StageState.ACTIVE)
        .exclude(Exists(voted.filter(stage=OuterRef("pk"))))
        .exclude(pk__in=_decided_elsewhere(person))
    )
    rows = ApprovalRequest.objects.filter(state=RequestState.IN_REVIEW, pk__in=stages.values("approval"))
    return rows.exclude(_work_of(person, standing_in))  # type: ignore[no-any-return]  # shared by all governed models


def _seat(principal: int, tokens: set[str], *, delegated: bool = False) -> Q:
    taken = Decision.objects.filter(principal=principal, stage=OuterRef("pk"))
    seat = Q(named__overlap=sorted(tokens)) & Q(~Exists(taken))
    return seat & Q(spec__allow_delegates=True) if delegated else seat


def _kind_of(delegation: Delegation, path: str = "approval__") -> Q:
    if not delegation.subject_kind:
        return Q()
    app, model = delegation.subject_kind.split(".")
    return Q(**{f"{path}content_type__app_label": app, f"{path}content_type__model": model})


def _decided_elsewhere(person: User) -> "QuerySet[StageInstance, dict[str, Any]]":
    decided = Decision.objects.filter(approver=person).values("request")
    stages = StageInstance.objects.filter(state=StageState.ACTIVE, approval__in=decided)
    return stages.filter(approval__distinct_stages=True).values("pk")


def _work_of(person: User, standing_in: list[Delegation]) -> Q:
    """Return the condition on requests that are the person's own work, or of somebody whom they stand in for."""
    own = Q(requester=person) | Q(editors__contains=[person.pk])
    for each in standing_in:
        theirs = Q(requester=each.from_person_id) | Q(editors__contains=[each.from_person_id])
        own |= _kind_of(each, "") & theirs
    return own
