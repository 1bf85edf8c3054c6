"""The rules of routing as one SQL expression: which rule takes each lead, in one statement for a whole batch."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connection
from psycopg import ClientCursor

from apps.accounts.models import Team
from apps.core.alerts.domain.alerting import raise_alert
from apps.core.errors import InvalidInput
from apps.core.rules.catalog import catalog_of
from apps.core.rules.domain.applying import tell_broken
from apps.core.rules.domain.compiling import compile_sql
from apps.leads.domain.routing.pools import Crew, crews, people_here
from apps.leads.models import Lead
from apps.leads.routing_rules import ACCOUNT, BODY, OWNER, PERSON, POOL

if TYPE_CHECKING:
    from apps.core.rules.bodies import Rule
    from apps.core.rules.models import RuleVersion

UNREADABLE, ARCHIVED_FALLBACK = "leads.routing.unreadable", "leads.routing.archived-fallback"


@dataclass(frozen=True)
class Asked:
    """One lead with the rule that takes it (0: none) and who looks after it and its company now."""

    lead: int
    rule: int
    owner: int | None
    team: int | None
    account_manager: int | None


@dataclass
class Rules:
    """The rules of one version with what is true of people now.

    Attributes:
        left_out: rules that are not asked now, by their number, and why.
    """

    version: "RuleVersion"
    rules: "list[Rule]"
    fallback: int
    here: set[int]
    crews: dict[int, Crew]
    left_out: dict[int, str] = field(default_factory=dict)

    def rule(self, number: int) -> "Rule":
        """Return the rule of a place in the list."""
        return self.rules[number - 1]

    @property
    def facts(self) -> dict[str, Any]:
        """What the round keeps: rules left out, and everybody who was considered in each pool."""
        return {
            "left_out": {str(number): why for number, why in self.left_out.items()},
            "pools": {
                str(key): {"name": str(crew.pool), "candidates": [each.as_json() for each in crew.candidates]}
                for key, crew in self.crews.items()
            },
        }


def read_rules(version: "RuleVersion", *, at: dt.datetime) -> Rules:
    """Return the rules of a version, with people and pools as they are at `at`.

    Raises:
        InvalidInput: the version can no longer be read.
    """
    catalog = catalog_of(Lead)
    rules = BODY.rules(version.body, catalog)
    wanted = {each.outcome[POOL] for each in rules if each.enabled and each.outcome["to"] == POOL}
    found = Rules(
        version, rules, int(BODY.settings_of(version.body)["fallback"]), people_here(at), crews(wanted, at=at)
    )
    for each in rules:
        crew = found.crews.get(each.outcome[POOL] or 0)
        if not each.enabled:
            found.left_out[each.position] = "is switched off"
        elif crew is not None and crew.pool.is_archived:
            found.left_out[each.position] = f"names the pool {crew.pool}, which is archived"
        elif each.outcome["to"] == PERSON and each.outcome[PERSON] not in found.here:
            found.left_out[each.position] = "names somebody who is away or has left"
    return found


def rules_in_force(version: "RuleVersion", *, at: dt.datetime) -> Rules:
    """Return the rules of the version in force; where they cannot be read any more, none of them but its fallback.

    What comes in is never lost for rules that broke under them (a field that is gone): it goes to the fallback queue,
    and an alert says so.
    """
    try:
        found = read_rules(version, at=at)
    except InvalidInput as refusal:
        why = refusal.message
    else:
        _tell_archived_fallback(found)
        return found
    tell_broken(version, UNREADABLE, why, so="leads go to its fallback queue")
    numbers = range(1, len(version.body["rules"]) + 1)
    left_out = dict.fromkeys(numbers, "could not be read")
    return Rules(version, [], int(version.body["settings"]["fallback"]), set(), {}, left_out)


def archived_fallback(rules: Rules) -> Team | None:
    """Return the team of the fallback queue where it was archived after the approval, None where it is in use."""
    found: Team | None = Team.objects.filter(pk=rules.fallback, archived_at__isnull=False).first()
    return found


def _tell_archived_fallback(rules: Rules) -> None:
    """Alert that what no rule takes lands where nobody looks any more."""
    if (team := archived_fallback(rules)) is not None:
        raise_alert(
            ARCHIVED_FALLBACK,
            title=f"The fallback queue of leads, {team}, is archived: nobody finds what lands there.",
            severity="critical",
            subject=rules.version,
            runbook="Restore the team, or bring rules into force that name another one; then route its leads again.",
        )


def ask(rules: Rules, leads: Sequence[int] | None, *, at: dt.datetime, lock: bool, only: str = "true") -> list[Asked]:
    """Return which rule takes each of the leads that are in use; with `lock`, those no other worker holds.

    Args:
        rules: of one version.
        leads: their keys; None for all that `only` lets through.
        at: the moment relative dates count from.
        lock: hold the leads until the transaction ends.
        only: a further condition on the lead (`l`), written by us.
    """
    cases = [
        f"WHEN {_condition(each, rules, at)} THEN {each.position}"
        for each in rules.rules
        if each.position not in rules.left_out
    ]
    number = f"CASE {' '.join(cases)} ELSE 0 END" if cases else "0"
    mine = "true" if leads is None else "l.id = ANY(%s::bigint[])"
    statement = (
        f"SELECT l.id, {number.replace('%', '%%')}, l.owner_person_id, l.owner_team_id, c.account_manager_id "
        f"FROM leads_lead l LEFT JOIN leads_company c ON c.id = l.account_id "
        f"WHERE {mine} AND {only} AND l.archived_at IS NULL ORDER BY l.id"
        f"{' FOR UPDATE OF l SKIP LOCKED' if lock else ''}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [] if leads is None else [array_of(leads)])
        return [Asked(*row) for row in cursor.fetchall()]


def array_of(values: Sequence[Any]) -> str:
    """Return numbers and plain words as PostgreSQL writes an array: thousands at once, in a tenth of the time."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def _condition(rule: "Rule", rules: Rules, at: dt.datetime) -> str:
    """Return when a rule takes a lead: its condition holds, and whom it names is there."""
    text, values = compile_sql(rule.tree, catalog_of(Lead), as_of=at, alias="l")
    connection.ensure_connection()
    asked = str(ClientCursor(connection.connection).mogrify(text, values))
    here = ", ".join(str(key) for key in sorted(rules.here)) or "NULL"
    if rule.outcome["to"] == OWNER:
        return f"({asked}) AND l.owner_person_id IN ({here})"
    if rule.outcome["to"] == ACCOUNT:
        return f"({asked}) AND c.account_manager_id IN ({here})"
    return f"({asked})"
