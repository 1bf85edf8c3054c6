"""Lead segments: versioned conditions whose members are whoever fits them now."""

import datetime as dt
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse

from apps.core import clock
from apps.core.rules.bodies import PredicateBody
from apps.core.rules.catalog import catalog_of
from apps.core.rules.domain.applying import tree_of
from apps.core.rules.domain.counting import in_use, relative_cost
from apps.core.rules.domain.queries import active_version, active_versions
from apps.core.rules.kinds import RuleKind, Simulation, register_kind
from apps.core.rules.predicates import compile_q
from apps.leads.enums import Stage
from apps.leads.models import Lead

if TYPE_CHECKING:
    from apps.core.rules.models import RuleVersion

KIND = "leads.segment"
SAMPLE = 10
BODY = PredicateBody(Lead)


def members(rows: "QuerySet[Any]", body: Any, *, as_of: dt.datetime) -> "QuerySet[Any]":
    """Return those of `rows` that fit the condition of a segment; archived leads are never members."""
    catalog = catalog_of(Lead)
    return in_use(rows).filter(compile_q(BODY.tree(body, catalog), catalog, as_of=as_of))


def unreadable(version: "RuleVersion") -> str:
    """Return why the condition of a segment can no longer be asked, "" where it can."""
    return tree_of(version.body, catalog_of(Lead))[1]


def segment_choices() -> list[tuple[str, str]]:
    """Return the segments in use, as choices: key and title."""
    return [(each.document.key, each.document.title) for each in active_versions(KIND)]


def in_segment(rows: "QuerySet[Any]", key: str) -> "QuerySet[Any]":
    """Return those of `rows` that are in the segment `key` now; none where there is no such segment in use."""
    version = active_version(key)
    if version is None or version.document.kind != KIND:
        return rows.none()
    return members(rows, version.body, as_of=clock.now())


def simulate(version: "RuleVersion", as_of: dt.datetime) -> Simulation:
    """Count who would be in the segment, by stage, beside who is in it now, with a few of them to look at."""
    everybody = Lead.objects.all()
    new = members(everybody, version.body, as_of=as_of)
    facts: list[list[Any]] = [["Leads in the segment", new.count()], ["Leads in all", in_use(everybody).count()]]
    cost = relative_cost(BODY.tree(version.body, catalog_of(Lead)), catalog_of(Lead), as_of=as_of)
    facts.append(["Cost of finding them", f"{cost:.1f} × reading all leads once"])
    before = active_version(version.document.key)
    if before is not None and not unreadable(before):  # else it could not be mended: nothing is sent unsimulated
        old = members(everybody, before.body, as_of=as_of)
        facts += [
            [f"Come in, compared with version {before.number}", new.exclude(pk__in=old.values("pk")).count()],
            [f"Drop out, compared with version {before.number}", old.exclude(pk__in=new.values("pk")).count()],
        ]
    by_stage = [[stage.label, new.filter(stage=stage).count()] for stage in Stage]
    return {
        "facts": facts,
        "tables": [{"title": "By stage", "head": ["Stage", "Leads"], "rows": [row for row in by_stage if row[1]]}],
        "sample_model": Lead._meta.label_lower,
        "sample": list(new.order_by("-pk").values_list("pk", flat=True)[:SAMPLE]),
    }


def page(version: "RuleVersion") -> tuple[str, str]:
    """Return the list of the members of a segment in use."""
    query = urlencode({"segment": version.document.key})
    return "Leads in this segment", f"{reverse('admin:leads_lead_changelist')}?{query}"


def register() -> None:
    """Make segments known as a kind of rules."""
    register_kind(
        RuleKind(
            key=KIND,
            title="Lead segment",
            body=BODY,
            simulate=simulate,
            page=page,
            help="Leads that fit a condition: for campaigns, lists and reports. Who comes in and drops out is compared "
            "every few minutes; campaigns ask as of now.",
        )
    )
