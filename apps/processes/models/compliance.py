"""Compliance: where a registered check applies, how each record stands against it, what it was, and waivers."""

from typing import Any

from django.contrib.contenttypes.fields import GenericForeignKey
from django.db import models
from django.db.models import F, Q

from apps.accounts.models import OwnedModel
from apps.core.alerts.enums import Severity
from apps.core.governed import GovernedModel, append_only_triggers, ledger_triggers
from apps.processes.enums import Standing
from apps.processes.models.exceptions import OPEN_EXCEPTION, ApprovedException, exception_triggers
from apps.processes.models.register import Process


class ComplianceRule(OwnedModel, GovernedModel):
    """One thing that must hold: which check, for which records, from when, how bad it is when it does not."""

    title = models.CharField(max_length=150, help_text="What must hold, as a sentence: Every process has an owner.")
    check_key = models.CharField("check", max_length=80, help_text="What is looked at.")
    severity = models.CharField(
        max_length=10, choices=Severity.choices, default=Severity.WARNING, help_text="How bad it is when it fails."
    )
    scope = models.JSONField(
        "applies to", default=dict, blank=True, help_text="Leave it without a condition, and it applies to all."
    )
    scope_words = models.TextField("applies to", blank=True, editable=False)
    effective_from = models.DateField("from")
    effective_until = models.DateField("until", null=True, blank=True, help_text="The last day; empty: for good.")
    way_out = models.TextField(
        "what to do", blank=True, help_text="Shown beside each failure; empty: what the check itself says."
    )

    class Meta(GovernedModel.Meta):
        ordering = ("title",)
        constraints = [
            models.UniqueConstraint(
                fields=("title",),
                name="compliance_rule_once",
                violation_error_message="There is already a compliance rule of this title.",
            ),
            models.CheckConstraint(
                condition=Q(effective_until__isnull=True) | Q(effective_until__gte=F("effective_from")),
                name="compliance_rule_ends_after_start",
                violation_error_message="The rule would end before it begins, so it would never apply.",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class AboutSubject(models.Model):
    """A row about one record of any kind under one rule."""

    rule = models.ForeignKey(ComplianceRule, models.PROTECT, related_name="+")
    content_type = models.ForeignKey("contenttypes.ContentType", models.PROTECT, related_name="+", editable=False)
    object_id = models.BigIntegerField(editable=False)
    subject = GenericForeignKey()
    subject_label = models.CharField("record", max_length=200, editable=False)
    process = models.ForeignKey(Process, models.PROTECT, null=True, blank=True, related_name="+", editable=False)

    class Meta:
        abstract = True


class ComplianceStanding(AboutSubject):
    """How one record stands against one rule now. Derived from the newest result; not a governed row."""

    rule = models.ForeignKey(ComplianceRule, models.PROTECT, related_name="standings")
    outcome = models.CharField(max_length=10, choices=Standing.choices)
    reason = models.TextField(blank=True)
    since = models.DateTimeField("since")
    checked_at = models.DateTimeField("last looked at")

    class Meta:
        verbose_name = "compliance finding"
        verbose_name_plural = "compliance findings"
        ordering = ("-since", "-id")
        constraints = [
            models.UniqueConstraint(fields=("rule", "content_type", "object_id"), name="compliance_standing_once")
        ]
        indexes = [
            models.Index(fields=("outcome", "-since"), name="standing_by_outcome"),
            models.Index(fields=("content_type", "object_id"), name="standing_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.rule}: {self.subject_label}"


class ComplianceResult(AboutSubject):
    """How a record came to stand against a rule, each time that changed: evidence. Append-only."""

    rule = models.ForeignKey(ComplianceRule, models.PROTECT, related_name="results")
    outcome = models.CharField(max_length=10, choices=Standing.choices)
    reason = models.TextField(blank=True)
    waiver = models.ForeignKey(
        "processes.ComplianceWaiver", models.PROTECT, null=True, blank=True, related_name="results"
    )
    at = models.DateTimeField()

    class Meta:
        verbose_name = "compliance result"
        ordering = ("-at", "-id")
        indexes = [models.Index(fields=("rule", "content_type", "object_id", "-at"), name="result_by_subject")]
        triggers = [
            *ledger_triggers(),
            *append_only_triggers("What a compliance rule found is evidence: it is never changed or deleted."),
        ]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()}: {self.subject_label}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write it once."""
        if self.pk is not None:
            raise TypeError("Results are written once.")
        super().save(*args, **kwargs)


class ComplianceWaiver(ApprovedException):
    """Leave for one record not to meet one rule until a day; a second person decides."""

    rule = models.ForeignKey(ComplianceRule, models.PROTECT, related_name="waivers", editable=False)
    content_type = models.ForeignKey("contenttypes.ContentType", models.PROTECT, related_name="+", editable=False)
    object_id = models.BigIntegerField(editable=False)
    subject = GenericForeignKey()
    subject_label = models.CharField("record", max_length=200, editable=False)

    class Meta(ApprovedException.Meta):
        verbose_name = "compliance waiver"
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=("rule", "content_type", "object_id"),
                condition=OPEN_EXCEPTION,
                name="compliance_waiver_one_open",
                violation_error_message="A waiver of this rule for this record waits for a decision already.",
            )
        ]
        triggers = exception_triggers(
            *("rule_id", "content_type_id", "object_id", "subject_label"),
            sentence="A waiver says for good which rule and record it is about, why, and until when.",
        )

    def __str__(self) -> str:
        return f"Waive “{self.rule}” for {self.subject_label}"
