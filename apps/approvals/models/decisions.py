"""What was said: decisions, the conditions that came with them, emergencies, and who looked at what since when."""

import pgtrigger
from django.db import models
from django.db.models import Q

from apps.approvals.enums import APPROVING, Finding, Verdict
from apps.approvals.models.requests import ApprovalRequest, StageInstance
from apps.core.governed import GovernedModel, append_only_triggers, ledger_triggers
from apps.core.transitions import guarded_columns, refusal, written_once

_OPENED = "string_to_array(coalesce(current_setting('mops.transition', true), ''), ',')"
_DECISION_HOLDS = f"""
    SELECT requester_id, editors, digest, state, distinct_stages INTO asked
        FROM approvals_approvalrequest WHERE id = NEW.request_id FOR UPDATE;
    IF NOT ('approvals_decision' = ANY ({_OPENED}))
        THEN {refusal("A decision is made by the buttons on the page of its request.")} END IF;
    IF asked.state <> 'in_review' THEN {refusal("This request is decided already.")} END IF;
    SELECT state, approval_id INTO stage FROM approvals_stageinstance WHERE id = NEW.stage_id;
    IF stage.approval_id IS DISTINCT FROM NEW.request_id OR stage.state <> 'active'
        THEN {refusal("This stage is not being decided.")} END IF;
    IF asked.requester_id IN (NEW.approver_id, NEW.principal_id)
        THEN {refusal("Nobody decides about what they sent for approval themselves.")} END IF;
    IF NEW.approver_id = ANY (asked.editors) OR NEW.principal_id = ANY (asked.editors)
        THEN {refusal("Nobody decides about what they wrote themselves.")} END IF;
    IF asked.digest <> NEW.digest
        THEN {refusal("What is decided about is not what was sent for approval.")} END IF;
    IF NOT EXISTS (SELECT 1 FROM accounts_user WHERE id = NEW.approver_id AND is_active)
        THEN {refusal("Who has no active account decides nothing.")} END IF;
    IF NEW.approver_id <> NEW.principal_id AND NOT EXISTS (
        SELECT 1 FROM approvals_delegation WHERE id = NEW.delegation_id AND from_person_id = NEW.principal_id
        AND to_person_id = NEW.approver_id AND revoked_at IS NULL AND starts_at <= NEW.at AND NEW.at < ends_at)
        THEN {refusal("Deciding for somebody else needs their delegation, valid at that moment.")} END IF;
    IF asked.distinct_stages AND EXISTS (
        SELECT 1 FROM approvals_decision AS other WHERE other.request_id = NEW.request_id
        AND other.stage_id <> NEW.stage_id
        AND (other.approver_id IN (NEW.approver_id, NEW.principal_id)
             OR other.principal_id IN (NEW.approver_id, NEW.principal_id)))
        THEN {refusal("Nobody decides two stages of this request.")} END IF;
    RETURN NEW;
"""


class Decision(models.Model):
    """What one approver said in one stage: evidence, written once and never changed. Not a governed row."""

    request = models.ForeignKey(ApprovalRequest, models.PROTECT, related_name="decisions")
    stage = models.ForeignKey(StageInstance, models.PROTECT, related_name="decisions")
    approver = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    approver_label = models.CharField(max_length=254)
    principal = models.ForeignKey(
        "accounts.User", models.PROTECT, related_name="+", help_text="Whose approval it is; the approver's own mostly."
    )
    delegation = models.ForeignKey("approvals.Delegation", models.PROTECT, null=True, blank=True, related_name="+")
    verdict = models.CharField(max_length=20, choices=Verdict.choices)
    reason = models.TextField(blank=True)
    why = models.CharField(max_length=250, blank=True, help_text="What made the approver one.")
    digest = models.CharField(max_length=64)
    channel = models.CharField(max_length=10, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ("at", "id")
        constraints = [
            models.UniqueConstraint(
                fields=("stage", "approver"),
                name="decision_once",
                violation_error_message="You have decided about this already.",
            ),
            models.UniqueConstraint(
                fields=("stage", "principal"),
                name="decision_once_for",
                violation_error_message="This has been decided for the same person already.",
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=APPROVING) | ~Q(reason=""),
                name="refusal_has_reason",
                violation_error_message="Say why, so that the author knows what to change.",
            ),
        ]
        indexes = [models.Index(fields=("-at",), name="decision_by_time")]
        triggers = [
            *ledger_triggers(),
            *append_only_triggers("Decisions are evidence: they are never changed or deleted."),
            pgtrigger.Trigger(
                name="holds",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("asked", "record"), ("stage", "record")],
                func=_DECISION_HOLDS,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()} by {self.signature}"

    @property
    def signature(self) -> str:
        """Who decided, and for whom: "Bea for Ann"."""
        own = self.approver_id == self.principal_id
        return str(self.approver) if own else f"{self.approver} for {self.principal}"


class ApprovalCondition(GovernedModel):
    """Something that must be done before what was approved takes effect."""

    approval = models.ForeignKey(ApprovalRequest, models.PROTECT, related_name="conditions")
    decision = models.ForeignKey(Decision, models.PROTECT, related_name="conditions")
    text = models.TextField("what must be done")
    closed_at = models.DateTimeField("closed", null=True, blank=True)
    closed_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    closing_note = models.TextField("how it was met", blank=True)

    class Meta(GovernedModel.Meta):
        verbose_name = "condition"
        ordering = ("approval", "id")
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("closed_at", "closed_by_id", "closing_note"),
                sentence="A condition is closed by its button on the page of the request.",
            ),
            *written_once(("approval_id", "decision_id", "text"), "A condition stays as the approver wrote it."),
        ]

    def __str__(self) -> str:
        return self.text


class BreakGlass(GovernedModel):
    """One emergency: who approved alone, why, and what somebody else found afterwards."""

    approval = models.OneToOneField(ApprovalRequest, models.PROTECT, related_name="emergency")
    declared_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+", verbose_name="who")
    declared_by_label = models.CharField(max_length=254)
    reason = models.TextField("why")
    at = models.DateTimeField("when")
    finding = models.CharField(max_length=20, choices=Finding.choices, blank=True)
    review_note = models.TextField(blank=True)
    reviewed_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    reviewed_at = models.DateTimeField("reviewed", null=True, blank=True)

    class Meta(GovernedModel.Meta):
        verbose_name = "emergency approval"
        ordering = ("-at",)
        constraints = [
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True) | ~Q(reviewed_by=models.F("declared_by")),
                name="emergency_reviewed_by_another",
                violation_error_message="An emergency is reviewed by somebody else.",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="emergency_has_reason",
                violation_error_message="Say what the emergency is.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("finding", "review_note", "reviewed_by_id", "reviewed_at"),
                sentence="An emergency is reviewed by the button on its page.",
            ),
            *written_once(
                ("approval_id", "declared_by_id", "declared_by_label", "reason", "at"),
                "An emergency stays as it was written down.",
            ),
            pgtrigger.Trigger(
                name="born_in_operation",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF NOT (TG_TABLE_NAME = ANY ({_OPENED}))
                        THEN {refusal("An emergency is declared by the button on the page of its request.")} END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"Emergency: {self.approval}"


class Opening(models.Model):
    """When an approver first opened a request: touch time begins there. Derived, not a governed row."""

    request = models.ForeignKey(ApprovalRequest, models.CASCADE, related_name="openings")
    stage = models.ForeignKey(StageInstance, models.CASCADE, related_name="openings")
    person = models.ForeignKey("accounts.User", models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("stage", "person"), name="opening_once")]

    def __str__(self) -> str:
        return f"{self.person} opened {self.request_id}"
