"""Quality checks as evidence: each run with its findings, who signed a level off, and what is waived until when."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.content.enums import CheckKind, ExceptionState, Level, Severity
from apps.content.models.assets import ContentAsset, ContentVersion
from apps.core.governed import GovernedModel, append_only_triggers
from apps.core.transitions import guarded_columns, refusal, written_once

EVIDENCE = "Results of checks are evidence and never change; run the checks again."


class QaRun(models.Model):
    """One run of the checks over one version, with exactly which rules; evidence, so append-only."""

    version = models.ForeignKey(ContentVersion, models.PROTECT, related_name="qa_runs")
    digest = models.CharField(max_length=64, help_text="SHA-256 of what was checked.")
    packs = models.JSONField("rule packs", default=list, help_text="Which versions of which packs.")
    rules = models.PositiveIntegerField(default=0, help_text="How many rules were asked.")
    blocking = models.PositiveIntegerField(default=0)
    warnings = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = "run of checks"
        verbose_name_plural = "runs of checks"
        ordering = ("-pk",)
        indexes = [models.Index(fields=("version", "-id"), name="qa_run_by_version")]
        triggers = append_only_triggers(EVIDENCE)

    def __str__(self) -> str:
        return f"Checks of {self.version}"


class QaFinding(models.Model):
    """One thing that a rule found in one run; evidence, so append-only."""

    run = models.ForeignKey(QaRun, models.PROTECT, related_name="findings")
    rule = models.CharField(max_length=130)
    name = models.CharField("rule", max_length=150)
    check_kind = models.CharField("check", max_length=15, choices=CheckKind.choices)
    severity = models.CharField(max_length=5, choices=Severity.choices)
    level = models.CharField(max_length=10, choices=Level.choices)
    part = models.CharField(max_length=10)
    line = models.PositiveIntegerField()
    column = models.PositiveIntegerField()
    excerpt = models.CharField(max_length=250, blank=True)
    sentence = models.TextField("what is wrong")
    fingerprint = models.CharField(max_length=64)

    class Meta:
        verbose_name = "finding"
        ordering = ("pk",)
        indexes = [models.Index(fields=("rule", "-id"), name="qa_finding_by_rule")]
        triggers = append_only_triggers(EVIDENCE)

    def __str__(self) -> str:
        return f"{self.name}: {self.part}, line {self.line}, column {self.column}"

    @property
    def where(self) -> str:
        """Where it stands, for people."""
        return f"{self.part}, line {self.line}, column {self.column}"


class QaSignOff(models.Model):
    """Who passed a level of the checks of one version as it was submitted; evidence, so append-only."""

    version = models.ForeignKey(ContentVersion, models.PROTECT, related_name="sign_offs")
    level = models.CharField(max_length=10, choices=Level.choices)
    digest = models.CharField(max_length=64)
    run = models.ForeignKey(QaRun, models.PROTECT, related_name="+")
    note = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(help_text="Of which submission.")

    class Meta:
        verbose_name = "sign-off"
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("version", "level", "submitted_at"),
                name="signed_off_once",
                violation_error_message="Somebody signed this level off meanwhile.",
            ),
        ]
        triggers = [
            *append_only_triggers("A sign-off is evidence and never changes."),
            pgtrigger.Trigger(
                name="second_person",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=(
                    "IF EXISTS (SELECT FROM content_contentversion WHERE id = NEW.version_id AND author_id = NEW.by_id)"
                    f" THEN {refusal('Who wrote a version does not sign its checks off.')} END IF; RETURN NEW;"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_level_display()} checks of {self.version}"


class FindingWaiver(GovernedModel):
    """Why a finding does not hold a piece of content back until a day; a second person decides."""

    asset = models.ForeignKey(ContentAsset, models.PROTECT, related_name="waivers", editable=False)
    fingerprint = models.CharField(max_length=64, editable=False)
    rule_name = models.CharField("rule", max_length=150, editable=False)
    finding = models.TextField(editable=False, help_text="What is wrong, as it was found.")
    reason = models.TextField(help_text="Why it is bearable, and what stands in for it until then.")
    until = models.DateField("until", help_text="The last day it counts.")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    state = models.CharField(
        max_length=10, choices=ExceptionState.choices, default=ExceptionState.DRAFT, editable=False
    )

    class Meta(GovernedModel.Meta):
        verbose_name = "waiver of a finding"
        verbose_name_plural = "waivers of findings"
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("asset", "fingerprint"),
                condition=Q(state__in=("draft", "in_review")),
                name="finding_waiver_once",
                violation_error_message="A waiver of this finding waits for a decision already.",
            ),
        ]
        indexes = [models.Index(fields=("asset", "state", "until"), name="finding_waiver_in_force")]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                "state",
                starts={"state": ExceptionState.DRAFT.value},
                sentence="A waiver is decided by its approval, not by an edit.",
            ),
            *written_once(
                ("asset_id", "fingerprint", "rule_name", "finding", "reason", "until", "asked_by_id"),
                "A waiver stays as it was asked for; ask for a new one.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule_name} in {self.asset}"


class Claim(GovernedModel):
    """Something we say of ourselves that must be true: the exact words, what proves them, and until when."""

    wording = models.CharField(max_length=250, help_text="The exact words; content may use these and no others.")
    substantiation = models.TextField(help_text="What proves it: study, figures, date, who measured.")
    evidence_url = models.URLField("where the proof is", max_length=500, blank=True)
    valid_until = models.DateField(help_text="The last day it may be said; afterwards it has to be proved again.")
    state = models.CharField(
        max_length=10, choices=ExceptionState.choices, default=ExceptionState.DRAFT, editable=False
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False, verbose_name="written by"
    )

    class Meta(GovernedModel.Meta):
        ordering = ("wording", "-pk")
        constraints = [
            models.CheckConstraint(
                condition=~Q(wording="") & ~Q(substantiation=""),
                name="claim_is_substantiated",
                violation_error_message="A claim needs its exact words and what proves them.",
            ),
        ]
        indexes = [models.Index(fields=("state", "valid_until"), name="claim_in_force")]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                "state",
                starts={"state": ExceptionState.DRAFT.value},
                sentence="A claim is approved by somebody else, not by an edit.",
            ),
            pgtrigger.Trigger(
                name="claim_freezes",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.state NOT IN ('draft', 'refused') AND (OLD.wording IS DISTINCT FROM NEW.wording OR "
                    "OLD.substantiation IS DISTINCT FROM NEW.substantiation OR "
                    "OLD.evidence_url IS DISTINCT FROM NEW.evidence_url OR "
                    "OLD.valid_until IS DISTINCT FROM NEW.valid_until)"
                ),
                func=refusal("A claim that was sent for approval stays as it is; write a new one."),
            ),
        ]

    def __str__(self) -> str:
        return self.wording

    @property
    def is_editable(self) -> bool:
        """Whether it can still be worked on."""
        return self.state in (ExceptionState.DRAFT, ExceptionState.REFUSED)
