"""Requests: the exact version that is asked about, where it stands, and the stages it takes."""

from typing import Any

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from apps.approvals.enums import UNSETTLED, RequestState, StageState
from apps.core.governed import GovernedModel, GovernedQuerySet, append_only_triggers, ledger_triggers
from apps.core.transitions import guarded_columns, refusal, written_once


class SubjectRevision(models.Model):
    """What something said at one moment, with its files and its SHA-256: evidence, never changed; no governed row."""

    content_type = models.ForeignKey("contenttypes.ContentType", models.PROTECT, related_name="+", verbose_name="kind")
    object_id = models.BigIntegerField()
    number = models.PositiveIntegerField()
    payload = models.JSONField(help_text="What is decided about, field by field, in its canonical form.")
    files = models.JSONField(default=list, help_text="The files that belong to it, each with its SHA-256.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of payload and files in their canonical form.")
    author = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    author_label = models.CharField(max_length=254)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=("content_type", "object_id", "number"), name="revision_number_once"),
        ]
        triggers = [
            *ledger_triggers(),
            *append_only_triggers("Revisions are evidence: they are never changed or deleted."),
        ]

    def __str__(self) -> str:
        return f"Revision {self.number}"


class ApprovalRequestQuerySet(GovernedQuerySet):
    """Filters over the requests."""

    def open(self) -> "ApprovalRequestQuerySet":
        """Requests that wait for a decision."""
        return self.filter(state=RequestState.IN_REVIEW)

    def unsettled(self) -> "ApprovalRequestQuerySet":
        """Requests that wait for a decision or for their effect."""
        return self.filter(state__in=UNSETTLED)

    def with_decisions(self) -> "ApprovalRequestQuerySet":
        """Load what was said about each, for the box on the page of what was sent."""
        return self.select_related("requester").prefetch_related("decisions__approver", "decisions__principal")


_SETTLES = f"""
    IF NEW.state IN ('waiting', 'approved') AND NOT NEW.break_glass AND EXISTS (
        SELECT 1 FROM approvals_stageinstance WHERE approval_id = NEW.id AND state <> 'approved')
        THEN {refusal("A request is approved when all its stages are; one of them is not.")} END IF;
    IF NEW.break_glass AND NOT OLD.break_glass AND NOT EXISTS (
        SELECT 1 FROM approvals_breakglass WHERE approval_id = NEW.id)
        THEN {refusal("An emergency is written down with its reason before anything takes effect.")} END IF;
    IF NEW.state = 'approved' AND EXISTS (
        SELECT 1 FROM approvals_approvalcondition WHERE approval_id = NEW.id AND closed_at IS NULL)
        THEN {refusal("It was approved under conditions; all of them must be closed before it takes effect.")} END IF;
    IF OLD.state NOT IN ('in_review', 'waiting')
        THEN {refusal("This request is settled; nothing becomes of it any more.")} END IF;
    RETURN NEW;
"""


class ApprovalRequest(GovernedModel):
    """The question whether one exact version of something may take effect.

    What is asked about (revision, digest), which version of the policy answers and what the decision table looked at
    are written once: a later change of the policy alters no request, and what is decided is what was sent.
    """

    title = models.CharField("what", max_length=250)
    content_type = models.ForeignKey("contenttypes.ContentType", models.PROTECT, related_name="+", verbose_name="kind")
    object_id = models.BigIntegerField()
    revision = models.ForeignKey(SubjectRevision, models.PROTECT, related_name="requests")
    round = models.PositiveSmallIntegerField(default=1, help_text="How many times this has been sent.")
    before = models.JSONField(null=True, blank=True, help_text="What was in force when it was sent, to compare with.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of what is decided about, in its canonical form.")
    state = models.CharField(
        max_length=20, choices=RequestState.choices, default=RequestState.IN_REVIEW, editable=False
    )
    policy = models.ForeignKey("approvals.ApprovalPolicy", models.PROTECT, related_name="requests")
    policy_version = models.ForeignKey("approvals.PolicyVersion", models.PROTECT, related_name="requests")
    rule = models.CharField("row of the decision table", max_length=80, blank=True)
    facts = models.JSONField(default=dict, blank=True, help_text="What the decision table looked at.")
    checks = models.JSONField(default=list, blank=True, help_text="What had to be true first, and whether it was.")
    cost_impact = models.CharField(max_length=250, blank=True)
    required = models.PositiveSmallIntegerField("approvals required")
    distinct_stages = models.BooleanField(default=True)
    editors = ArrayField(models.BigIntegerField(), default=list, blank=True)
    requester = models.ForeignKey("accounts.User", models.PROTECT, related_name="approval_requests")
    requester_label = models.CharField(max_length=254)
    note = models.TextField(blank=True, help_text="What the requester tells the approvers.")
    submitted_at = models.DateTimeField("sent")
    effective_at = models.DateTimeField("takes effect", null=True, blank=True, help_text="Empty: at once.")
    expires_at = models.DateTimeField("expires", null=True, blank=True)
    decided_at = models.DateTimeField("decided", null=True, blank=True)
    applied_at = models.DateTimeField("in effect since", null=True, blank=True)
    break_glass = models.BooleanField("in an emergency", default=False)
    ledger_mark = models.BigIntegerField(null=True, editable=False, help_text="The last ledger entry it covers.")

    objects = ApprovalRequestQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        ordering = ("-submitted_at",)
        permissions = [
            ("breakglass_approvalrequest", "Can approve alone in an emergency, reviewed afterwards"),
            ("reseat_approvalrequest", "Can resolve again who decides when approvers have left"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=("content_type", "object_id"),
                condition=Q(state__in=UNSETTLED),
                name="request_one_open",
                violation_error_message="An approval for this is already under way.",
            ),
            models.CheckConstraint(
                condition=Q(state=RequestState.IN_REVIEW, decided_at__isnull=True)
                | (~Q(state=RequestState.IN_REVIEW) & Q(decided_at__isnull=False)),
                name="request_decided_when_closed",
            ),
            models.CheckConstraint(
                condition=Q(state=RequestState.APPROVED, applied_at__isnull=False)
                | (~Q(state=RequestState.APPROVED) & Q(applied_at__isnull=True)),
                name="request_applied_when_approved",
            ),
        ]
        indexes = [
            models.Index(fields=("state", "submitted_at"), name="request_by_state"),
            models.Index(fields=("content_type", "object_id", "-id"), name="request_by_subject"),
            models.Index(fields=("submitted_at", "id"), condition=Q(state="in_review"), name="request_oldest_open"),
            models.Index(fields=("-decided_at",), name="request_by_decision"),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "decided_at", "applied_at", "break_glass", "ledger_mark", "required", "checks"),
                starts={"state": RequestState.IN_REVIEW.value},
                sentence="A request is decided by the buttons on its page, not by an edit.",
            ),
            *written_once(
                (
                    *("content_type_id", "object_id", "revision_id", "before", "digest", "requester_id"),
                    *("requester_label", "editors", "submitted_at", "policy_id", "policy_version_id", "facts"),
                    *("rule", "distinct_stages", "effective_at", "round"),
                ),
                "What was sent for approval and who may decide stay as they were; withdraw it and send it again.",
            ),
            pgtrigger.Trigger(
                name="settles",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("state", "break_glass"),
                func=_SETTLES,
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Whether it still waits for a decision."""
        return self.state == RequestState.IN_REVIEW

    @property
    def is_waiting(self) -> bool:
        """Whether it is approved and waits for its effect."""
        return self.state == RequestState.WAITING

    @property
    def payload(self) -> dict[str, Any]:
        """What is decided about, field by field."""
        return self.revision.payload  # type: ignore[no-any-return]  # a JSON column


_STAGE_MOVES = f"""
    IF NOT (TG_TABLE_NAME = ANY (string_to_array(coalesce(current_setting('mops.transition', true), ''), ',')))
        THEN {refusal("A stage is decided by the buttons on the page of its request.")} END IF;
    IF TG_OP = 'INSERT' THEN RETURN NEW; END IF;
    IF NEW.state = 'active' AND OLD.state <> 'active' AND (OLD.state <> 'pending' OR EXISTS (
        SELECT 1 FROM approvals_stageinstance AS earlier WHERE earlier.approval_id = NEW.approval_id
        AND earlier.position < NEW.position AND earlier.state <> 'approved'))
        THEN {refusal("A stage begins when the one before is approved.")} END IF;
    IF NEW.state = 'approved' AND OLD.state <> 'approved' AND (OLD.state <> 'active' OR NEW.least > (
        SELECT count(DISTINCT approver_id) FROM approvals_decision
        WHERE stage_id = NEW.id AND verdict IN ('approve', 'conditions')))
        THEN {refusal("This stage has fewer approvals than its policy asks for.")} END IF;
    IF OLD.state IN ('approved', 'refused', 'closed') AND NEW.state <> OLD.state
        THEN {refusal("This stage is decided already.")} END IF;
    IF NOT NEW.replaced @> OLD.replaced
        THEN {refusal("Whose seat passed to whom stays written down.")} END IF;
    RETURN NEW;
"""


class StageInstance(GovernedModel):
    """One stage of one request: who was named and why, and what came of it."""

    approval = models.ForeignKey(ApprovalRequest, models.PROTECT, related_name="stages")
    position = models.PositiveSmallIntegerField(help_text="The order in which the request takes its stages.")
    name = models.CharField(max_length=60)
    spec = models.JSONField(help_text="The stage as its policy version defines it.")
    state = models.CharField(max_length=10, choices=StageState.choices, default=StageState.PENDING)
    least = models.PositiveSmallIntegerField(help_text="Fewer approvals than this never approve it.")
    named = ArrayField(
        models.CharField(max_length=60),
        default=list,
        help_text='Whom it names, as "role:approver", "team:3", "group:4", "person:7".',
    )
    resolved = models.JSONField(default=list, help_text="Who that was when the stage began, and why.")
    replaced = models.JSONField(
        default=list,
        blank=True,
        help_text="Whose seats passed to whom when approvers were resolved again, and why.",
    )
    activated_at = models.DateTimeField("begun", null=True, blank=True)
    due_at = models.DateTimeField("due", null=True, blank=True)
    escalated_at = models.DateTimeField("escalated", null=True, blank=True)
    decided_at = models.DateTimeField("decided", null=True, blank=True)

    class Meta(GovernedModel.Meta):
        verbose_name = "stage of a request"
        verbose_name_plural = "stages of requests"
        ordering = ("approval", "position")
        constraints = [
            models.UniqueConstraint(fields=("approval", "position"), name="stage_position_once"),
            models.UniqueConstraint(
                fields=("approval",),
                condition=Q(state=StageState.ACTIVE),
                name="stage_one_active",
                violation_error_message="One stage of a request is decided at a time.",
            ),
        ]
        indexes = [
            GinIndex(fields=("named",), condition=Q(state="active"), name="stage_active_by_named"),
            models.Index(fields=("due_at",), condition=Q(state="active"), name="stage_active_by_due"),
            models.Index(fields=("activated_at",), name="stage_by_begin"),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            pgtrigger.Trigger(
                name="moves",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=_STAGE_MOVES,
            ),
            *written_once(
                ("approval_id", "position", "spec"),
                "The stages of a request stay as its policy defined them when it was sent.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.approval}, stage {self.position}: {self.name}"

    @property
    def is_active(self) -> bool:
        """Whether it is being decided."""
        return self.state == StageState.ACTIVE
