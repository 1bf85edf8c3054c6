"""Touches and rules of scoring for tests, made by the operations."""

import datetime as dt
from itertools import count

from apps.core import clock
from apps.core.rules.models import RuleDocument, RuleVersion
from apps.leads.domain.scoring.rehearsal import backfill
from apps.leads.domain.touches import Touch
from apps.leads.models import Company
from apps.leads.scoring_rules import DOCUMENT, FIRST_SETTINGS, KIND
from tests.factories.rules import active

_numbers = count(1)


def touch(lead, kind="visit", *, days=0.0, at=None, **more):
    """One touch so many days ago."""
    when = (at or clock.now()) - dt.timedelta(days=days)
    given = {"source": "test", "source_event_id": str(next(_numbers)), **more}
    return Touch(lead_id=lead.pk, type=kind, occurred_at=when, **given)


def rule(name, points, cap=None, *, criterion=None, dimension=None, predicate=None, **outcome):
    """One rule; its criterion is its own unless told."""
    said = {
        "criterion": criterion or name,
        "dimension": dimension or ("negative" if points < 0 else "behaviour" if "touch" in outcome else "fit"),
        "points": points,
        "cap": points if cap is None else cap,
        **outcome,
    }
    return {"name": name, "predicate": predicate or {"all": []}, "outcome": said, "enabled": True, "reason": ""}


def body(*rules, **settings):
    """Rules with settings in which little is needed."""
    return {"rules": list(rules), "settings": {**FIRST_SETTINGS, "minimum_fit": 0, **settings}}


def scoring(*, owner):
    """The document that decides, without a version."""
    return RuleDocument.objects.create(key=DOCUMENT, kind=KIND, title="Lead scoring", owner=owner)


def in_force(document, rules, *, by):
    """A version that decides, brought to every lead as its job would."""
    before = document.versions.filter(state="active").first()
    version = active(document, by=by, body=rules)
    version = RuleVersion.objects.select_related("document").get(pk=version.pk)
    backfill(version, before, as_of=version.activated_at)
    return version


def company(**given):
    """A company."""
    number = next(_numbers)
    return Company.objects.create(**{"name": f"Company {number}", "domain": f"company{number}.example", **given})
