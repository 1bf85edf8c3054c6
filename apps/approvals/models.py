"""Who must say yes (policy), to which exact version (request), and who said what (decision)."""

from typing import Any

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from apps.accounts.enums import Role
from apps.accounts.models import User
from apps.approvals.enums import RequestState, Verdict
from apps.core.governed import GovernedModel, GovernedQuerySet, append_only_triggers, ledger_triggers
from apps.core.transitions import guarded_columns, refusal, written_once


class ApprovalPolicy(GovernedModel):
    """Who decides about one kind of subject, and how many of them must say yes."""

    name = models.CharField(max_length=100, unique=True)
    subject_kind = models.CharField(
        "what it decides about",
        max_length=100,
        help_text="Each kind has one policy in force; archive it to replace it.",
    )
    approver_role = models.CharField(
        max_length=20, choices=Role.choices, blank=True, help_text="Everybody who plays this role may decide."
    )
    approver_team = models.ForeignKey(
        "accounts.Team",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Everybody in this team may decide.",
    )
    required = models.PositiveSmallIntegerField(
        "approvals required",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
        help_text="How many different people must approve. One refusal is enough to refuse.",
    )

    class Meta(GovernedModel.Meta):
        verbose_name_plural = "approval policies"
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                fields=("subject_kind",),
                condition=Q(archived_at__isnull=True),
                name="policy_one_in_force",
                violation_error_message="There is already a policy in force for this kind; archive that one first.",
            ),
            models.CheckConstraint(
                condition=Q(required__gte=1, required__lte=10),
                name="policy_required_sensible",
                violation_error_message="Between one and ten people must approve.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PolicyApprover(GovernedModel):
    """One person who may decide under a policy, besides its role and team."""

    policy = models.ForeignKey(ApprovalPolicy, models.PROTECT, related_name="named_approvers")
    person = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")

    class Meta(GovernedModel.Meta):
        verbose_name = "named approver"
        constraints = [
            models.UniqueConstraint(
                fields=("policy", "person"),
                name="policy_approver_once",
                violation_error_message="This person is named already.",
            )
        ]

    def __str__(self) -> str:
        return str(self.person)


class ApprovalRequestQuerySet(GovernedQuerySet):
    """Filters over the requests."""

    def open(self) -> "ApprovalRequestQuerySet":
        """Requests that wait for a decision."""
        return self.filter(state=RequestState.IN_REVIEW)

    def waiting_for(self, person: User) -> "ApprovalRequestQuerySet":
        """Open requests that `person` may still decide, as far as the request itself tells."""
        return self.filter(self.decidable_by(person)).exclude(decisions__approver=person)

    @staticmethod
    def decidable_by(person: User) -> Q:
        """Return the condition: open, the policy names the person, who neither asked for it nor wrote it."""
        playing = person.memberships.filter(archived_at__isnull=True)
        named = (
            Q(approver_role__in=playing.values("role"))
            | Q(approver_team__in=playing.values("team"))
            | Q(approver_people__contains=[person.pk])
        )
        mine = Q(requester=person) | Q(editors__contains=[person.pk])
        return Q(state=RequestState.IN_REVIEW) & named & ~mine


class ApprovalRequest(GovernedModel):
    """The question whether one exact version of something may take effect.

    What is asked about (payload, digest) and who may answer (copied from the policy when it is sent) are written
    once: a later change of the policy alters no request, and what is decided is what was sent.
    """

    title = models.CharField("what", max_length=250)
    content_type = models.ForeignKey("contenttypes.ContentType", models.PROTECT, related_name="+", verbose_name="kind")
    object_id = models.BigIntegerField()
    round = models.PositiveSmallIntegerField(default=1, help_text="How many times this has been sent.")
    payload = models.JSONField(help_text="What is decided about, field by field, as it was when it was sent.")
    before = models.JSONField(null=True, blank=True, help_text="What was in force when it was sent, to compare with.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the payload in its canonical form.")
    state = models.CharField(
        max_length=20, choices=RequestState.choices, default=RequestState.IN_REVIEW, editable=False
    )
    policy = models.ForeignKey(ApprovalPolicy, models.PROTECT, related_name="requests")
    required = models.PositiveSmallIntegerField("approvals required")
    approver_role = models.CharField(max_length=20, choices=Role.choices, blank=True)
    approver_team = models.ForeignKey("accounts.Team", models.PROTECT, null=True, blank=True, related_name="+")
    approver_people = ArrayField(models.BigIntegerField(), default=list, blank=True)
    editors = ArrayField(models.BigIntegerField(), default=list, blank=True)
    requester = models.ForeignKey("accounts.User", models.PROTECT, related_name="approval_requests")
    requester_label = models.CharField(max_length=254)
    note = models.TextField(blank=True, help_text="What the requester tells the approvers.")
    submitted_at = models.DateTimeField("sent")
    decided_at = models.DateTimeField("decided", null=True, blank=True)
    ledger_mark = models.BigIntegerField(null=True, editable=False, help_text="The last ledger entry it covers.")

    objects = ApprovalRequestQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        ordering = ("-submitted_at",)
        constraints = [
            models.UniqueConstraint(
                fields=("content_type", "object_id"),
                condition=Q(state=RequestState.IN_REVIEW),
                name="request_one_open",
                violation_error_message="An approval for this is already under way.",
            ),
            models.CheckConstraint(
                condition=Q(state=RequestState.IN_REVIEW, decided_at__isnull=True)
                | (~Q(state=RequestState.IN_REVIEW) & Q(decided_at__isnull=False)),
                name="request_decided_when_closed",
            ),
        ]
        indexes = [
            models.Index(fields=("state", "submitted_at"), name="request_by_state"),
            models.Index(fields=("content_type", "object_id", "-id"), name="request_by_subject"),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                "state",
                "decided_at",
                "ledger_mark",
                starts={"state": RequestState.IN_REVIEW.value},
                sentence="A request is decided by the buttons on its page, not by an edit.",
            ),
            *written_once(
                (
                    *("content_type_id", "object_id", "payload", "before", "digest", "requester_id"),
                    *("requester_label", "required", "approver_role", "approver_team_id", "approver_people", "editors"),
                    *("submitted_at", "policy_id"),
                ),
                "What was sent for approval and who may decide stay as they were; withdraw it and send it again.",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Whether it still waits for a decision."""
        return self.state == RequestState.IN_REVIEW


_DECISION_HOLDS = f"""
    SELECT requester_id, digest, state INTO asked FROM approvals_approvalrequest WHERE id = NEW.request_id FOR UPDATE;
    IF NOT ('approvals_decision' = ANY (string_to_array(coalesce(current_setting('mops.transition', true), ''), ',')))
        THEN {refusal("A decision is made by the buttons on the page of its request.")} END IF;
    IF asked.state <> 'in_review' THEN {refusal("This request is decided already.")} END IF;
    IF asked.requester_id = NEW.approver_id
        THEN {refusal("Nobody decides about what they sent for approval themselves.")} END IF;
    IF asked.digest <> NEW.digest
        THEN {refusal("What is decided about is not what was sent for approval.")} END IF;
    RETURN NEW;
"""


class Decision(models.Model):
    """What one approver said about one request: evidence, written once and never changed. Not a governed row."""

    request = models.ForeignKey(ApprovalRequest, models.PROTECT, related_name="decisions")
    approver = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    approver_label = models.CharField(max_length=254)
    verdict = models.CharField(max_length=20, choices=Verdict.choices)
    reason = models.TextField(blank=True)
    digest = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        ordering = ("at", "id")
        constraints = [
            models.UniqueConstraint(
                fields=("request", "approver"),
                name="decision_once",
                violation_error_message="You have decided about this already.",
            ),
            models.CheckConstraint(
                condition=Q(verdict=Verdict.APPROVE) | ~Q(reason=""),
                name="refusal_has_reason",
                violation_error_message="Say why, so that the author knows what to change.",
            ),
        ]
        triggers = [
            *ledger_triggers(),
            *append_only_triggers("Decisions are evidence: they are never changed or deleted."),
            pgtrigger.Trigger(
                name="holds",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("asked", "record")],
                func=_DECISION_HOLDS,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()} by {self.approver_label}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write it once."""
        if self.pk is not None:
            raise TypeError("Decisions are written once.")
        super().save(*args, **kwargs)
