"""What a record does not meet at this moment: asked by transitions and approvals, writes nothing."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.contenttypes.models import ContentType
from django.db import models

from apps.core import clock
from apps.processes.domain.compliance_scope import rules_in_force, subjects_of
from apps.processes.models import (
    ComplianceRule,
    ComplianceWaiver,
)
from apps.processes.registry import check_named, checks_about


@dataclass(frozen=True)
class Unmet:
    """One rule that a record does not meet now.

    Attributes:
        rule: the rule.
        reason: why it is not met.
        way_out: what to do about it.
    """

    rule: ComplianceRule
    reason: str
    way_out: str

    @property
    def sentence(self) -> str:
        """Rule and reason in one sentence."""
        return f"{self.rule}: {self.reason}"


def unmet(subject: models.Model, *, at: dt.datetime | None = None, entering: bool = False) -> list[Unmet]:
    """Return the rules in force that `subject` does not meet at this moment and has no waiver of. Writes nothing.

    The seam for transitions of other apps: refuse, or make it a precondition of an approval
    (`ApprovalSubject(checks={"complies": unmet_sentences})`).

    Args:
        subject: the record.
        at: the moment that counts; now when not given.
        entering: whether it is about to become one of those the checks are asked of, so that they are asked already.
    """
    moment = at or clock.now()
    kind = ContentType.objects.get_for_model(type(subject))
    found = []
    waived = ComplianceWaiver.objects.in_force(moment.date()).filter(content_type=kind, object_id=subject.pk)
    keys = [each.key for each in checks_about(type(subject))]
    for rule in rules_in_force(moment.date()).filter(check_key__in=keys).exclude(pk__in=waived.values("rule")):
        check = check_named(rule.check_key)
        rows = subjects_of(rule, moment, of_all=entering).filter(pk=subject.pk)
        reason = check.evaluate(check.model._base_manager.filter(pk__in=rows.values("pk")), moment).get(subject.pk)
        if reason is not None:
            found.append(Unmet(rule, reason, rule.way_out or check.way_out))
    return found


def unmet_sentences(subject: models.Model) -> Iterable[str]:
    """Return what `subject` does not meet, as sentences: a precondition of approvals."""
    return [each.sentence for each in unmet(subject)]


def judge_transition(subject: models.Model) -> Iterable[str]:
    """Return what keeps `subject` from going on, each with the way out: asked through `apps.core.conformity`."""
    return [f"{each.sentence} {each.way_out}".strip() for each in unmet(subject, entering=True)]
