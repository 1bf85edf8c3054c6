"""The kind of rules that routes leads: what each rule says, and what must be in every list."""

from collections.abc import Mapping
from typing import Any

from apps.accounts.models import Team, User
from apps.core.rules.bodies import OutcomeField, RuleListBody
from apps.core.rules.catalog import catalog_of
from apps.core.rules.domain.reasoning import always_holds
from apps.core.rules.domain.tree import Problem, readable
from apps.core.rules.field_types import Choice, Reference
from apps.leads.models import Lead, Pool

KIND, DOCUMENT = "leads.routing", "lead-routing"
OWNER, ACCOUNT, PERSON, POOL = "owner", "account", "person", "pool"
TARGETS = (
    (OWNER, "its owner"),
    (ACCOUNT, "the account manager of its company"),
    (PERSON, "the person named"),
    (POOL, "whose turn it is in the pool"),
)


def check(body: Any) -> list[Problem]:
    """Return what is wrong with a list whose parts are right: pools with nobody, rules nobody ever asks."""
    found: list[Problem] = []
    takes_all = 0
    for place, rule in enumerate(body["rules"]):
        said: Mapping[str, Any] = rule["outcome"]
        if takes_all:
            sentence = f"Rule {place + 1} is never asked: rule {takes_all} before it takes every lead."
            found.append(Problem(("rules", place, "predicate"), sentence))
        found += _target_problems(place, said)
        is_on = rule.get("enabled", True) and said.get("to") == POOL
        if is_on and not takes_all and always_holds(readable(rule["predicate"], catalog_of(Lead))):
            takes_all = place + 1
    return found


def objects(body: Any) -> list[Problem]:
    """Return what no new version may have: a fallback queue nobody looks into, people who have left."""
    found, working = [], set(User.objects.working().values_list("pk", flat=True))
    team = Team.objects.get(pk=body["settings"]["fallback"])
    if team.is_archived:
        sentence = f"The fallback queue {team} is archived: nobody would find what lands there; choose another team."
        found.append(Problem(("settings", "fallback"), sentence))
    for place, rule in enumerate(body["rules"]):
        if rule["outcome"].get("to") == PERSON and rule["outcome"][PERSON] not in working:
            sentence = f"Rule {place + 1} gives leads to somebody who does not work here any more; choose another."
            found.append(Problem(("rules", place, "outcome", PERSON), sentence))
    return found


def _target_problems(place: int, said: Mapping[str, Any]) -> list[Problem]:
    number, to = place + 1, said.get("to")
    path = ("rules", place, "outcome")
    found = []
    for name, word in ((PERSON, "person"), (POOL, "pool")):
        named = said.get(name) not in (None, "")
        if to == name and not named:
            found.append(Problem((*path, name), f"Rule {number} gives leads to a {word}; say which."))
        if to != name and named:
            found.append(Problem((*path, name), f"Rule {number} names a {word} but gives its leads elsewhere."))
    if to == POOL and said.get(POOL) not in (None, ""):
        found += _pool_problems(number, (*path, POOL), int(said[POOL]))
    return found


def _pool_problems(number: int, path: tuple[Any, ...], key: int) -> list[Problem]:
    pool = Pool.objects.get(pk=key)
    if pool.is_archived:
        return [Problem(path, f"Rule {number}: the pool {pool} is archived; choose another.")]
    if not pool.members.filter(archived_at__isnull=True, person__is_active=True).exists():
        sentence = f"Rule {number}: the pool {pool} has nobody in it; add its people first, or choose another pool."
        return [Problem(path, sentence)]
    return []


BODY = RuleListBody(
    Lead,
    outcomes=(
        OutcomeField("to", "Goes to", Choice(list(TARGETS))),
        OutcomeField("person", "Person", Reference(User, rows=User.objects.working), required=False),
        OutcomeField("pool", "Pool", Reference(Pool), required=False),
    ),
    settings=(
        OutcomeField(
            "fallback",
            "Fallback queue",
            Reference(Team),
            help="The team that gets what no rule gives to anybody, so that no lead is ever lost.",
        ),
    ),
    first_wins=True,
    check=check,
    objects=objects,
)
