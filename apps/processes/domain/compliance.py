"""Compliance rules: which records they apply to, how each stands, what that was before, and who is told.

A rule is evaluated for all its records at night and by its button, for one record at a transition. A result is written
whenever a record comes to stand otherwise, so the newest result of a record is how it stands.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection, models, transaction
from django.urls import reverse

from apps.core import access, clock
from apps.core.access import visible
from apps.core.actors import acting_as, system_principal
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.errors import NotAllowed
from apps.processes.domain.compliance_scope import rules_in_force, subjects_of
from apps.processes.enums import StakeholderAccess, Standing, WaiverState
from apps.processes.models import (
    ComplianceResult,
    ComplianceRule,
    ComplianceStanding,
    ComplianceWaiver,
    Process,
)
from apps.processes.registry import Check, check_named, checks_about

if TYPE_CHECKING:
    from apps.accounts.models import User

NAMED = 10
_LABEL = 200


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation of one rule came to."""

    looked_at: int = 0
    failed: int = 0
    waived: int = 0
    newly: int = 0


def evaluate(
    rule: ComplianceRule, *, at: dt.datetime | None = None, only: models.Model | None = None, by: "User | None" = None
) -> Evaluated:
    """Look how the records of a rule stand, write down what has changed, and tell its owner about new failures.

    Args:
        rule: the rule; one that applies no longer (or not yet) applies to nothing.
        at: the moment that counts; now when not given.
        only: the one record to look at, at a transition.
        by: who asked for it; mops itself when nobody did.
    """
    moment = at or clock.now()
    with transaction.atomic(), acting_as(by or system_principal(), reason=f"Evaluation of “{rule}”"):
        _one_at_a_time(rule)
        check = check_named(rule.check_key)
        live = rules_in_force(moment.date()).filter(pk=rule.pk).exists()
        rows = subjects_of(rule, moment) if live else check.subjects().none()
        if only is not None:
            rows = rows.filter(pk=only.pk)
        subjects = {each.pk: each for each in rows}
        reasons = check.evaluate(check.model._base_manager.filter(pk__in=list(subjects)), moment) if subjects else {}
        newly, counted = _record(rule, check, subjects, reasons, moment, only)
        _tell(rule, newly, moment)
    return counted


def _one_at_a_time(rule: ComplianceRule) -> None:
    """Let two evaluations of one rule come one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('processes.compliance'), %s)", [rule.pk])


def _record(
    rule: ComplianceRule,
    check: Check,
    subjects: Mapping[int, Any],
    reasons: Mapping[int, str],
    moment: dt.datetime,
    only: models.Model | None,
) -> tuple[list[ComplianceStanding], Evaluated]:
    """Write results and standings where something changed; return the new failures and the counts."""
    kind = ContentType.objects.get_for_model(check.model)
    known = ComplianceStanding.objects.filter(rule=rule, content_type=kind)
    if only is not None:
        known = known.filter(object_id=only.pk)
    before = {row.object_id: row for row in known.select_for_update()}
    waivers = {
        each.object_id: each
        for each in ComplianceWaiver.objects.in_force(moment.date()).filter(rule=rule, content_type=kind)
    }
    paths = _processes(check, list(subjects))
    newly: list[ComplianceStanding] = []
    results: list[ComplianceResult] = []
    for pk in {*subjects, *before}:
        outcome, reason, waiver = _verdict(pk, subjects, reasons, waivers)
        row = before.get(pk)
        if (row is None and outcome == Standing.OUT) or (row and (row.outcome, row.reason) == (outcome, reason)):
            continue
        label = str(subjects[pk])[:_LABEL] if pk in subjects else before[pk].subject_label
        process_id = paths.get(pk) if pk in subjects else before[pk].process_id
        about = {"rule": rule, "content_type": kind, "object_id": pk, "subject_label": label, "process_id": process_id}
        failed_before = row is not None and row.outcome == Standing.FAILED
        row = row or ComplianceStanding(**about)
        row.subject_label, row.process_id = label, process_id
        row.since = row.since if row.pk and row.outcome == outcome else moment
        row.outcome, row.reason, row.checked_at = outcome, reason, moment
        row.save()
        results.append(ComplianceResult(**about, outcome=outcome, reason=reason, waiver=waiver, at=moment))
        if outcome == Standing.FAILED and not failed_before:
            newly.append(row)
    ComplianceResult.objects.bulk_create(results)
    known.update(checked_at=moment)
    failed = set(reasons) & set(subjects)
    waived = len(failed & set(waivers))
    return newly, Evaluated(len(subjects), len(failed) - waived, waived, len(newly))


def _verdict(
    pk: int, subjects: Mapping[int, Any], reasons: Mapping[int, str], waivers: Mapping[int, ComplianceWaiver]
) -> tuple[Standing, str, ComplianceWaiver | None]:
    if pk not in subjects:
        return Standing.OUT, "", None
    if pk not in reasons:
        return Standing.PASSED, "", None
    if waiver := waivers.get(pk):
        return Standing.WAIVED, f"{reasons[pk]} Waived until {waiver.until:%-d %B %Y}: {waiver.reason}", waiver
    return Standing.FAILED, reasons[pk], None


def _processes(check: Check, keys: list[int]) -> dict[int, int]:
    """Return the process of each record, where the records have one."""
    if check.process is None:
        return {}
    if not check.process:
        return {pk: pk for pk in keys}
    rows = check.model._base_manager.filter(pk__in=keys, **{f"{check.process}__isnull": False})
    return dict(rows.values_list("pk", check.process))


def _tell(rule: ComplianceRule, newly: list[ComplianceStanding], moment: dt.datetime) -> None:
    """Raise the alert of a rule for new failures, and resolve it when nothing fails any more.

    Records of processes that are kept to stakeholders are counted, not named: more people read alerts than them.
    """
    mark = f"compliance:{rule.pk}"
    open_ones = ComplianceStanding.objects.filter(rule=rule, outcome=Standing.FAILED)
    if not newly:
        if not open_ones.exists():
            resolve_alert(mark, why="Every record meets the rule, or has a waiver.")
        return
    closed = set(
        Process.objects.filter(
            pk__in=[row.process_id for row in newly], stakeholder_access=StakeholderAccess.STAKEHOLDERS
        ).values_list("pk", flat=True)
    )
    told = [f"{row.subject_label}: {row.reason}" for row in newly if row.process_id not in closed][:NAMED]
    if more := len(newly) - len(told):
        told.append(f"and {more} more")
    number = open_ones.count()
    raise_alert(
        mark,
        title=f"{rule}: {number} {'record does' if number == 1 else 'records do'} not meet it",
        severity=rule.severity,
        detail="\n".join(told),
        subject=rule,
        owner=rule.owner,
        runbook=rule.way_out or check_named(rule.check_key).way_out,
    )


def evaluate_all(*, at: dt.datetime | None = None) -> dict[str, int]:
    """Evaluate every rule, those included that apply no longer; returns what came out, for the job."""
    counts = {"rules": 0, "records": 0, "not met": 0, "new": 0}
    for rule in ComplianceRule.objects.order_by("pk"):
        found = evaluate(rule, at=at)
        counts["rules"] += 1
        counts["records"] += found.looked_at
        counts["not met"] += found.failed
        counts["new"] += found.newly
    return counts


def evaluate_subject(subject: models.Model, *, at: dt.datetime | None = None) -> int:
    """Evaluate every rule about one record, and write down what has changed; returns how many rules were looked at."""
    keys = [each.key for each in checks_about(type(subject))]
    rules = list(rules_in_force((at or clock.now()).date()).filter(check_key__in=keys))
    for rule in rules:
        evaluate(rule, at=at, only=subject)
    return len(rules)


def results_for(subject: models.Model) -> "models.QuerySet[ComplianceStanding]":
    """Return how `subject` stands against every rule that applies to it, as last evaluated; worst first."""
    kind = ContentType.objects.get_for_model(type(subject))
    rows = ComplianceStanding.objects.filter(content_type=kind, object_id=subject.pk).exclude(outcome=Standing.OUT)
    return rows.select_related("rule").order_by("outcome", "rule__title")


def refuse_check_now(user: "User", rule: ComplianceRule) -> str | None:
    """Return why `user` cannot have a rule evaluated now, None when they can."""
    return None if access.can(user, "change", rule) else "You may read compliance rules, not evaluate them."


def check_now(rule: ComplianceRule, *, by: "User") -> str:
    """Evaluate one rule now; what the button calls.

    Raises:
        NotAllowed: `refuse_check_now`.
    """
    if refused := refuse_check_now(by, rule):
        raise NotAllowed(refused)
    found = evaluate(rule, by=by)
    return f"{found.looked_at} looked at: {found.failed} not met, {found.newly} of them new, {found.waived} waived."


def standing_counts(person: "User") -> dict[str, int]:
    """Return how many findings of the rules `person` sees stand how."""
    rows = visible(person, ComplianceStanding).exclude(outcome=Standing.OUT)
    found = dict(rows.order_by().values_list("outcome").annotate(models.Count("pk")))
    return {each.value: found.get(each.value, 0) for each in (Standing.PASSED, Standing.FAILED, Standing.WAIVED)}


def findings_url(**lookups: Any) -> str:
    """Return the address of the list of findings, narrowed."""
    query = "&".join(f"{name}={value}" for name, value in lookups.items())
    return f"{reverse('admin:processes_compliancestanding_changelist')}?{query}"


def waivers_waiting(rule: ComplianceRule, subject_kind: int, key: int) -> bool:
    """Whether a waiver of this rule for this record waits for a decision."""
    rows = rule.waivers.filter(content_type=subject_kind, object_id=key)
    return rows.filter(state__in=(WaiverState.DRAFT, WaiverState.IN_REVIEW)).exists()
