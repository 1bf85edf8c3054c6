"""Policies: who must say yes, in which stages, for which amount, risk, channel or kind.

A policy has versions. The rows of a draft (stages, approvers, decision table) are what people edit; from review on the
version's `definition` holds the same as one document, which is what is approved, what requests follow, and what never
changes again.
"""

from typing import Any

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from apps.accounts.enums import Role
from apps.approvals.enums import Mode, Part, PolicyState, Via
from apps.core.governed import GovernedModel
from apps.core.transitions import guarded_columns, refusal

FIXED = "A policy version is fixed from the moment it is sent for approval; start a new version to change it."


class ApprovalPolicy(GovernedModel):
    """Who decides about one kind of subject; its versions say how."""

    name = models.CharField(max_length=100, unique=True)
    subject_kind = models.CharField(
        "what it decides about",
        max_length=100,
        help_text="Each kind has one policy in force; archive it to replace it.",
    )
    active_version = models.ForeignKey(
        "approvals.PolicyVersion", models.PROTECT, null=True, blank=True, related_name="+", editable=False
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
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                "active_version_id",
                sentence="A version of a policy becomes active by being approved, not by an edit.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PolicyVersion(GovernedModel):
    """One version of a policy; immutable once it is sent for approval."""

    policy = models.ForeignKey(ApprovalPolicy, models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField(editable=False)
    state = models.CharField(max_length=20, choices=PolicyState.choices, default=PolicyState.DRAFT, editable=False)
    change_log = models.TextField("what is new", blank=True, help_text="Read by who approves this version.")
    distinct_stages = models.BooleanField(
        "nobody decides two stages",
        default=True,
        help_text="Who has decided in one stage of a request does not decide in another one.",
    )
    expires_after_days = models.PositiveSmallIntegerField(
        "expires after days",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(730)],
        help_text="A request that is neither decided nor in effect by then is closed. Empty: it never expires.",
    )
    definition = models.JSONField(default=dict, editable=False, help_text="The whole version as one document.")
    digest = models.CharField(max_length=64, blank=True, editable=False)
    author = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+", editable=False)
    activated_at = models.DateTimeField("active since", null=True, blank=True, editable=False)
    retired_at = models.DateTimeField("retired", null=True, blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("policy", "-number")
        constraints = [
            models.UniqueConstraint(fields=("policy", "number"), name="policy_version_number_once"),
            models.UniqueConstraint(
                fields=("policy",),
                condition=Q(state=PolicyState.ACTIVE),
                name="policy_version_one_active",
                violation_error_message="Another version of this policy is active.",
            ),
            models.UniqueConstraint(
                fields=("policy",),
                condition=Q(state__in=[PolicyState.DRAFT, PolicyState.IN_REVIEW]),
                name="policy_version_one_open",
                violation_error_message="This policy has a draft already; finish that one.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "definition", "digest", "activated_at", "retired_at"),
                starts={"state": PolicyState.DRAFT.value},
                sentence="The state of a policy version changes by its buttons, not by an edit.",
            ),
            pgtrigger.Trigger(
                name="fixed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "((OLD.state <> 'draft' AND (OLD.change_log, OLD.distinct_stages, OLD.expires_after_days, "
                    "OLD.policy_id, OLD.number) IS DISTINCT FROM (NEW.change_log, NEW.distinct_stages, "
                    "NEW.expires_after_days, NEW.policy_id, NEW.number)) OR (OLD.state IN ('active', 'retired') AND "
                    "(OLD.definition, OLD.digest) IS DISTINCT FROM (NEW.definition, NEW.digest)))"
                ),
                func=refusal(FIXED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy} · version {self.number}"

    @property
    def is_draft(self) -> bool:
        """Whether it can be edited."""
        return self.state == PolicyState.DRAFT


_VERSION_IS_DRAFT = f"""
    IF TG_OP = 'DELETE' THEN SELECT state INTO standing FROM approvals_policyversion WHERE id = OLD.version_id;
    ELSE SELECT state INTO standing FROM approvals_policyversion WHERE id = NEW.version_id FOR SHARE; END IF;
    IF standing <> 'draft' THEN {refusal(FIXED)} END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
"""


def _part_of_draft() -> list[Any]:
    """Return the trigger that lets rows of a version change only while it is a draft."""
    return [
        pgtrigger.Trigger(
            name="part_of_draft",
            when=pgtrigger.Before,
            operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
            declare=[("standing", "text")],
            func=_VERSION_IS_DRAFT,
        )
    ]


class PolicyStage(GovernedModel):
    """One stage: how many must say yes, by when, and what must be true before anybody is asked."""

    version = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="stages")
    number = models.PositiveSmallIntegerField(
        "stage",
        validators=[MinValueValidator(1), MaxValueValidator(20)],
        help_text="Stages are decided in the order of their numbers.",
    )
    name = models.CharField(max_length=60)
    mode = models.CharField("who must approve", max_length=10, choices=Mode.choices, default=Mode.ANY)
    needed = models.PositiveSmallIntegerField(
        "how many",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(50)],
        help_text="For a number of them: how many.",
    )
    veto = models.BooleanField(
        "one refusal ends it",
        default=True,
        help_text="Otherwise it is refused when so many refuse that it can no longer be approved.",
    )
    allow_delegates = models.BooleanField(
        "delegates may decide", default=True, help_text="Whether somebody who stands in may decide here."
    )
    checks = models.CharField(
        "what must be true first",
        max_length=300,
        blank=True,
        help_text="Names of checks of this kind, with commas, for instance: qa_passed, checklist_done.",
    )
    due_hours = models.PositiveSmallIntegerField(
        "due in business hours",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(2000)],
        help_text="Reminded at half of it and before it ends; late is escalated, never approved by time.",
    )
    escalate_role = models.CharField(
        "then also ask role",
        max_length=20,
        choices=Role.choices,
        blank=True,
        help_text="When the time is up, people with this role may decide too.",
    )
    escalate_person = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="then also ask person",
    )

    class Meta(GovernedModel.Meta):
        verbose_name = "stage"
        ordering = ("version", "number")
        constraints = [
            models.UniqueConstraint(
                fields=("version", "number"),
                name="policy_stage_once",
                violation_error_message="This version has a stage of that number already.",
            ),
        ]
        triggers = [*GovernedModel.Meta.triggers, *_part_of_draft()]

    def __str__(self) -> str:
        return f"Stage {self.number}: {self.name}"


class StageApprover(GovernedModel):
    """One way in which a stage names its approvers."""

    version = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="approvers")
    stage_number = models.PositiveSmallIntegerField("stage", help_text="The number of the stage above.")
    via = models.CharField("how they are named", max_length=10, choices=Via.choices, default=Via.ROLE)
    role = models.CharField(max_length=20, choices=Role.choices, blank=True)
    team = models.ForeignKey("accounts.Team", models.PROTECT, null=True, blank=True, related_name="+")
    group = models.ForeignKey("auth.Group", models.PROTECT, null=True, blank=True, related_name="+")
    person = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    field = models.CharField(
        max_length=60, blank=True, help_text="For a field of the record, for instance owner_person."
    )
    part = models.CharField("their approval", max_length=10, choices=Part.choices, default=Part.COUNTS)

    class Meta(GovernedModel.Meta):
        verbose_name = "approver"
        ordering = ("version", "stage_number", "id")
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(via=Via.ROLE) & ~Q(role="")
                    | Q(via=Via.TEAM, team__isnull=False)
                    | Q(via=Via.GROUP, group__isnull=False)
                    | Q(via=Via.PERSON, person__isnull=False)
                    | Q(via=Via.OWNER) & ~Q(field="")
                    | Q(via=Via.MANAGER)
                ),
                name="stage_approver_named",
                violation_error_message="Name the role, team, group, person or field that this row is about.",
            ),
        ]
        triggers = [*GovernedModel.Meta.triggers, *_part_of_draft()]

    def __str__(self) -> str:
        return f"Stage {self.stage_number}: {self.get_via_display().lower()}"


def always() -> dict[str, Any]:
    """Return the condition that asks nothing."""
    return {"all": []}


class PolicyRule(GovernedModel):
    """One row of the decision table: the first one whose condition holds says which stages a request takes."""

    version = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="rules")
    position = models.PositiveSmallIntegerField("row", default=1, help_text="Read from the lowest number on.")
    name = models.CharField(max_length=80, help_text="As it is told to people, for instance: Large budgets.")
    when = models.JSONField(
        default=always,
        help_text="The first row whose condition holds is taken. Without a condition it always holds.",
    )
    stage_numbers = ArrayField(
        models.PositiveSmallIntegerField(),
        verbose_name="stages",
        help_text="Numbers of stages, with commas, for instance: 1, 2.",
    )

    class Meta(GovernedModel.Meta):
        verbose_name = "row of the decision table"
        verbose_name_plural = "decision table"
        ordering = ("version", "position")
        constraints = [
            models.UniqueConstraint(
                fields=("version", "position"),
                name="policy_rule_position_once",
                violation_error_message="The table has a row of that number already.",
            ),
        ]
        triggers = [*GovernedModel.Meta.triggers, *_part_of_draft()]

    def __str__(self) -> str:
        return self.name
