"""The kind of rules that checks the data of leads: each check finds what is wrong, and says who answers for it."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from apps.accounts.models import User
from apps.core import clock
from apps.core.asking import once
from apps.core.jobs.api import enqueue
from apps.core.rules.bodies import OutcomeField, Rule, RuleListBody, same_names
from apps.core.rules.catalog import catalog_of
from apps.core.rules.domain.counting import in_use
from apps.core.rules.domain.queries import active_version
from apps.core.rules.domain.tree import Problem
from apps.core.rules.field_types import Boolean, Reference, Text
from apps.core.rules.kinds import RuleKind, Simulation, register_kind
from apps.core.rules.ordered_types import Number
from apps.core.rules.predicates import compile_q
from apps.core.words import NOTHING
from apps.leads.models import Lead

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.core.rules.models import RuleVersion

KIND, DOCUMENT = "leads.quality", "lead-quality"
SAMPLE, WHOLE = 10, 100


def _objects(body: Any) -> list[Problem]:
    """Return what no new version may have: checks of one name, a share that is none."""
    return same_names(body) + [
        Problem(("rules", place, "outcome", "goal"), f"“{rule['name']}”: a share goes from 0 to {WHOLE} %.")
        for place, rule in enumerate(body["rules"])
        if not 0 <= float(rule["outcome"]["goal"]) <= WHOLE
    ]


BODY = RuleListBody(
    Lead,
    outcomes=(
        OutcomeField(
            "owner",
            "Answers for it",
            Reference(User, rows=User.objects.working),
            help="Who sees to it that it is mended.",
        ),
        OutcomeField("goal", "At most, in %", Number(), help="Of all leads in use; more is told on the page."),
        OutcomeField(
            "bars", "Bars MQL", Boolean(), required=False, help="Such a lead cannot become an MQL before it is mended."
        ),
        OutcomeField("how", "How to mend it", Text(), required=False),
    ),
    first_wins=False,
    objects=_objects,
    allow_everything=False,  # a check that finds every lead tells nothing, and may bar all of them
)


def checks(version: "RuleVersion") -> list[Rule]:
    """Return the checks of a version that are on."""
    return [rule for rule in BODY.rules(version.body, catalog_of(Lead)) if rule.enabled]


def checks_in_force() -> "tuple[RuleVersion | None, list[Rule]]":
    """Return the version that checks now, and its checks; none where there is none, or it cannot be read any more."""
    version = active_version(DOCUMENT)
    readable = version is not None and not BODY.problems(version.body, catalog_of(Lead))
    return version, checks(version) if version is not None and readable else []


def found_by(rows: "QuerySet[Any]", rule: Rule, *, as_of: dt.datetime) -> "QuerySet[Any]":
    """Return those of `rows` that a check finds wrong."""
    return in_use(rows).filter(compile_q(rule.tree, catalog_of(Lead), as_of=as_of))


def simulate(version: "RuleVersion", as_of: dt.datetime) -> Simulation:
    """Count what each check finds now."""
    everybody = Lead.objects.all()
    asked, sample = in_use(everybody).count(), list[int]()
    rows: list[list[Any]] = []
    for rule in checks(version):
        wrong = found_by(everybody, rule, as_of=as_of)
        number = wrong.count()
        rows.append([rule.name, number, f"{number / asked:.1%}" if asked else NOTHING, f"{rule.outcome['goal']:g} %"])
        sample += list(wrong.order_by("-pk").values_list("pk", flat=True)[: max(1, SAMPLE - len(sample))])
    decides = version.document.key == DOCUMENT
    return {
        "facts": [
            ["Leads in use", asked],
            ["Checks", len(rows)],
            ["Decides about leads", "yes" if decides else f"no: only the document “{DOCUMENT}” does"],
        ],
        "tables": [{"title": "By check", "head": ["Check", "Leads", "Share", "At most"], "rows": rows}] if rows else [],
        "sample_model": Lead._meta.label_lower,
        "sample": list(dict.fromkeys(sample))[:SAMPLE],
    }


def on_activate(version: "RuleVersion", before: "RuleVersion | None", by: Any, at: dt.datetime) -> None:
    """Count at once, in the background."""
    if version.document.key == DOCUMENT:
        enqueue("leads.count_quality", by=by)


def bars_of(lead: Lead) -> list[str]:
    """Return what bars `lead` from becoming an MQL, by the checks in force: a sentence each."""
    _, rules = once("checks of leads in force", checks_in_force)
    barring = [rule for rule in rules if rule.outcome["bars"]]
    now, row = clock.now(), Lead._base_manager.filter(pk=lead.pk)
    told = [rule for rule in barring if found_by(row, rule, as_of=now).exists()]
    return [f"{rule.name}{f' ({how})' if (how := rule.outcome['how']) else ''}" for rule in told]


def register() -> None:
    """Make checks known as a kind of rules."""
    register_kind(
        RuleKind(
            key=KIND,
            title="Lead data quality",
            body=BODY,
            simulate=simulate,
            on_activate=on_activate,
            help="Each check is a condition that finds leads whose data is wrong or missing, with who answers for it. "
            f"Only the document “{DOCUMENT}” decides; it is counted every night.",
        )
    )
