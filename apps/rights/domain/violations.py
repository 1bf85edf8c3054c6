"""Who used two duties that one person should not have on the same record: read from the ledger and the decisions."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Permission
from django.db import models
from django.db.models import Min, Q

from apps.accounts.enums import Role
from apps.accounts.models import User
from apps.approvals.models import ApprovalPolicy, ApprovalRequest, Decision
from apps.audit.models import AuditEvent
from apps.rights.models import SodRule
from apps.rights.models.duties import RIGHT, ROLE

ACTIONS = {"add": AuditEvent.Action.INSERT, "change": AuditEvent.Action.UPDATE, "delete": AuditEvent.Action.DELETE}
# what everybody writes around records tells nothing of a role
AROUND = ("workspace", "notifications", "attachments", "exchange", "alerts", "jobs", "calendars")
MOST = 200
Key = tuple[int, str, str]  # person, table, record


@dataclass(frozen=True)
class Act:
    """One use of a duty: when, by which ledger entry or which decision."""

    at: dt.datetime
    event: int | None = None
    decision: int | None = None


@dataclass(frozen=True)
class Violation:
    """One person who used both duties of a rule on one record."""

    rule: SodRule
    person: User
    table: str
    object_id: str
    thing: models.Model | None
    first: Act
    second: Act


@dataclass(frozen=True)
class _Traces:
    """What using a duty leaves behind: entries of these tables and actions; decisions."""

    entries: frozenset[tuple[str, str]]
    decides: bool


def violations(rule: SodRule, *, since: dt.datetime) -> list[Violation]:
    """Return who used both duties of `rule` on the same record since a moment, the latest first, at most `MOST`.

    A role is recognised by what it may add or change and the other side may not; the approver by decisions, which
    count for the record decided about, the request and the policy it went by.
    """
    one, two = _traces(rule.first), _traces(rule.second)
    shared = one.entries & two.entries
    one, two = _Traces(one.entries - shared, one.decides), _Traces(two.entries - shared, two.decides)
    pairs: dict[Key, tuple[Act, Act]] = {}
    for key, act, other in _meetings(one, two, since):
        pairs.setdefault(key, (act, other))
    people = User.objects.in_bulk({key[0] for key in pairs})
    things = _things(pairs)
    found = [
        Violation(rule, people[key[0]], key[1], key[2], things.get((key[1], key[2])), *acts)
        for key, acts in pairs.items()
        if key[0] in people
    ]
    return sorted(found, key=lambda each: max(each.first.at, each.second.at), reverse=True)[:MOST]


def is_observable(duty: str) -> bool:
    """Whether using a duty leaves traces that the report can read."""
    traces = _traces(duty)
    return traces.decides or bool(traces.entries)


def _traces(duty: str) -> _Traces:
    if duty.startswith(ROLE):
        role = duty.removeprefix(ROLE)
        rows = Permission.objects.filter(group__name=role).exclude(content_type__app_label__in=AROUND)
        pairs = rows.values_list("content_type__app_label", "codename")
        return _Traces(frozenset(_entries(pairs)), role == Role.APPROVER)
    app, _, codename = duty.removeprefix(RIGHT).partition(".")
    return _Traces(frozenset(_entries([(app, codename)])), codename.endswith("_decision"))


def _entries(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for app, codename in pairs:
        verb, _, name = codename.partition("_")
        if verb in ACTIONS and name in apps.all_models.get(app, {}):
            yield apps.get_model(app, name)._meta.db_table, str(ACTIONS[verb])


def _meetings(one: _Traces, two: _Traces, since: dt.datetime) -> Iterator[tuple[Key, Act, Act]]:
    if one.entries and two.entries:
        yield from _both_in_ledger(one, two, since)
    if one.decides and two.entries:
        yield from ((key, mine, theirs) for key, mine, theirs in _decided_and_written(two, since))
    if two.decides and one.entries:
        yield from ((key, theirs, mine) for key, mine, theirs in _decided_and_written(one, since))


def _entries_of(traces: _Traces, since: dt.datetime) -> models.QuerySet[AuditEvent]:
    among = Q()
    for table, action in traces.entries:
        among |= Q(table_name=table, action=action)
    return AuditEvent.objects.filter(among, at__gte=since, actor__isnull=False)


def _both_in_ledger(one: _Traces, two: _Traces, since: dt.datetime) -> Iterator[tuple[Key, Act, Act]]:
    tables = {table for table, _ in one.entries} & {table for table, _ in two.entries}
    if not tables:
        return
    mine, theirs = (_entries_of(each, since).filter(table_name__in=tables) for each in (one, two))
    columns = ("actor_id", "table_name", "object_id")
    keys = list(mine.order_by().values_list(*columns).intersection(theirs.order_by().values_list(*columns))[:MOST])
    firsts, seconds = _acts(mine, keys), _acts(theirs, keys)
    yield from ((key, firsts[key], seconds[key]) for key in firsts if key in seconds)


def _acts(entries: models.QuerySet[AuditEvent], keys: Iterable[Key]) -> dict[Key, Act]:
    """Return the first entry for each key."""
    wanted = set(keys)
    if not wanted:
        return {}
    rows = (
        entries.filter(actor__in={key[0] for key in wanted}, object_id__in={key[2] for key in wanted})
        .order_by()
        .values_list("actor_id", "table_name", "object_id")
        .annotate(first=Min("pk"), moment=Min("at"))
    )
    return {(a, t, o): Act(at, event=pk) for a, t, o, pk, at in rows if (a, t, o) in wanted}


def _decided_and_written(written: _Traces, since: dt.datetime) -> Iterator[tuple[Key, Act, Act]]:
    decided: dict[Key, Act] = {}
    rows = Decision.objects.filter(at__gte=since).select_related("request__content_type").order_by("at")
    for decision in rows:
        model = decision.request.content_type.model_class()
        about = [
            (ApprovalRequest._meta.db_table, str(decision.request_id)),
            (ApprovalPolicy._meta.db_table, str(decision.request.policy_id)),
        ]
        if model is not None:
            about.append((model._meta.db_table, str(decision.request.object_id)))
        for table, key in about:
            decided.setdefault((decision.approver_id, table, key), Act(decision.at, decision=decision.request_id))
    # what a decision itself writes (the state of the request, what takes effect) is no second duty
    deciding = AuditEvent.objects.filter(table_name=Decision._meta.db_table, action=AuditEvent.Action.INSERT)
    acts = _acts(_entries_of(written, since).exclude(txid__in=deciding.order_by().values("txid")), decided)
    yield from ((key, decided[key], acts[key]) for key in acts)


def _things(keys: Iterable[Key]) -> dict[tuple[str, str], Any]:
    by_table: dict[str, set[str]] = {}
    for _, table, key in keys:
        by_table.setdefault(table, set()).add(key)
    known = {model._meta.db_table: model for model in apps.get_models()}
    return {
        (table, str(thing.pk)): thing
        for table, found in by_table.items()
        if table in known
        for thing in known[table]._base_manager.filter(pk__in=found)
    }
