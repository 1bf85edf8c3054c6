"""Pools and rules of routing for tests, made by the operations."""

from itertools import count

from apps.accounts.enums import Role
from apps.core.rules.models import RuleDocument, RuleVersion
from apps.leads.models import Pool, PoolMember
from apps.leads.routing_rules import DOCUMENT, KIND
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.rules import active

_numbers = count(1)
EVERYTHING = {"all": []}


def pool(*weights, name=None, **given):
    """A pool with a seller for each weight; returns it with its people."""
    made = Pool.objects.create(name=name or f"Pool {next(_numbers)}", **given)
    people = [person_with(Role.SALES) for _ in weights]
    for person, weight in zip(people, weights, strict=True):
        PoolMember.objects.create(pool=made, person=person, weight=weight)
    return made, people


def to(target, predicate=EVERYTHING, name="A rule", enabled=True, **outcome):
    """One rule."""
    said = {"to": target, **{key: getattr(value, "pk", value) for key, value in outcome.items()}}
    return {"name": name, "predicate": predicate, "outcome": said, "enabled": enabled, "reason": ""}


def rules(*given, fallback=None):
    """A list of rules with its fallback queue."""
    return {"rules": list(given), "settings": {"fallback": (fallback or TeamFactory()).pk}}


def document(*, owner):
    """The document that decides, without a version."""
    return RuleDocument.objects.create(key=DOCUMENT, kind=KIND, title="Lead routing", owner=owner)


def routing_in_force(body, *, by):
    """Rules that decide."""
    known = RuleDocument.objects.filter(key=DOCUMENT).first() or document(owner=by)
    return RuleVersion.objects.select_related("document").get(pk=active(known, by=by, body=body).pk)
