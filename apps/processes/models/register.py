"""The register of processes: what there is, who answers for it, who plays which part, and who may read it."""

import datetime as dt
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower

from apps.accounts.enums import Role
from apps.accounts.models import OwnedModel, User
from apps.core import clock
from apps.core.governed import GovernedBase, GovernedModel, GovernedQuerySet, governed_history
from apps.core.transitions import guarded_columns
from apps.processes.enums import Classification, Criticality, Family, Level, ReviewEvery, StakeholderAccess


def names_field(label: str, help_text: str) -> "ArrayField[Any, Any]":
    """Return a column that holds a few names, typed with commas between them."""
    return ArrayField(
        models.CharField(max_length=100),
        verbose_name=label,
        default=list,
        db_default=[],
        blank=True,
        help_text=help_text,
    )


class ProcessRoleQuerySet(GovernedQuerySet):
    """Filters over the roles in processes."""

    def with_is_played(self) -> "ProcessRoleQuerySet":
        """Roles with `is_played`: whether somebody active plays it, by name or by its team."""
        named = User.objects.filter(process_roles=OuterRef("pk"), is_active=True)
        team = User.objects.filter(
            memberships__team=OuterRef("team"), memberships__archived_at__isnull=True, is_active=True
        )
        rows: ProcessRoleQuerySet = self.annotate(is_played=Exists(named) | Exists(team))
        return rows

    def unplayed(self) -> "ProcessRoleQuerySet":
        """Roles in use that nobody plays."""
        return self.with_is_played().filter(archived_at__isnull=True, is_played=False)


class ProcessRole(GovernedModel):
    """A part that somebody plays in processes, for instance Campaign manager: each has a lane on the map."""

    name = models.CharField(max_length=80)
    description = models.CharField(max_length=250, blank=True, help_text="What this part answers for, in a sentence.")
    team = models.ForeignKey(
        "accounts.Team",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Everybody in this team can play it.",
    )
    people = models.ManyToManyField(
        "accounts.User", blank=True, related_name="process_roles", help_text="People who can play it, besides the team."
    )

    objects = ProcessRoleQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="process_role_once", violation_error_message="There is already a role of this name."
            )
        ]

    def __str__(self) -> str:
        return self.name

    def players(self) -> "models.QuerySet[User]":
        """Return the active people who can play it."""
        wanted = Q(process_roles=self)
        if self.team_id is not None:
            wanted |= Q(memberships__team=self.team_id, memberships__archived_at__isnull=True)
        return User.objects.filter(wanted, is_active=True).distinct()


class ProcessQuerySet(GovernedQuerySet):
    """Filters over the processes."""

    def due_for_review(self, today: dt.date) -> "ProcessQuerySet":
        """Processes with something in force whose review date has come."""
        return self.filter(archived_at__isnull=True, effective_version__isnull=False, next_review_on__lte=today)

    def without_backup(self) -> "ProcessQuerySet":
        """Processes with nobody to stand in."""
        return self.filter(archived_at__isnull=True, backup_person__isnull=True, backup_team__isnull=True)

    def without_owner(self) -> "ProcessQuerySet":
        """Processes that nobody answers for."""
        return self.filter(archived_at__isnull=True, owner_person__isnull=True, owner_team__isnull=True)


class Process(OwnedModel, GovernedBase):
    """One process. What it says stands in its versions; one of them at most is in force.

    The table keeps the name it was born with: the ledger knows it by that name, and the ledger is never rewritten.
    """

    title = models.CharField(max_length=150)
    family = models.CharField(max_length=15, choices=Family.choices)
    summary = models.TextField(blank=True, help_text="What it is for and when it applies, in a sentence or two.")
    criticality = models.CharField(
        max_length=10, choices=Criticality.choices, default=Criticality.MEDIUM, db_default=Criticality.MEDIUM.value
    )
    level = models.PositiveSmallIntegerField(
        choices=Level.choices,
        default=Level.PROCEDURE,
        db_default=Level.PROCEDURE.value,
        help_text="How close to the work: a summary, a framework, or the procedure itself.",
    )
    persona = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="For whom it is written, in their titles."
    )
    classification = models.CharField(
        max_length=15,
        choices=Classification.choices,
        default=Classification.INTERNAL,
        db_default=Classification.INTERNAL.value,
        help_text="What is restricted can only be opened to stakeholders.",
    )
    stakeholder_access = models.CharField(
        max_length=15,
        choices=StakeholderAccess.choices,
        default=StakeholderAccess.EVERYBODY,
        db_default=StakeholderAccess.EVERYBODY.value,
        help_text="Stakeholders are named below. Auditors and administrators see every process.",
    )
    consulted = names_field("consulted", "Who is asked before something changes (the C of RACI), with commas between.")
    informed = names_field("informed", "Who is told afterwards (the I of RACI), with commas between.")
    channels = names_field("channels", "Which marketing channels it touches, with commas between: Email, Paid social.")
    tools = models.ManyToManyField(
        "technology.Tool",
        blank=True,
        related_name="processes",
        db_table="processes_process_tools",
        help_text="The tools it is carried out with; a review shows what changed about them.",
    )
    review_every = models.PositiveSmallIntegerField(
        "reviewed", choices=ReviewEvery.choices, default=ReviewEvery.QUARTER, help_text="Counted from the last review."
    )
    starts_with = models.CharField(
        "a run starts when",
        max_length=60,
        blank=True,
        default="",
        db_default="",
        help_text="A run about the record begins by itself, owned by who answers for the process. Empty: never.",
    )
    next_review_on = models.DateField("next review", null=True, blank=True, editable=False)
    effective_version = models.ForeignKey(
        "processes.SOPVersion", models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )

    objects = ProcessQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces
    history = governed_history(table_name="processes_historicalsop")

    class Meta(GovernedBase.Meta):
        db_table = "processes_sop"
        verbose_name = "process"
        verbose_name_plural = "processes"
        ordering = ("title",)
        permissions = [("oversee_process", "Can see every process, whoever its stakeholders are")]
        constraints = [
            models.UniqueConstraint(
                Lower("title"),
                name="sop_title_once",
                violation_error_message="There is already a process of this title.",
            ),
            models.CheckConstraint(
                condition=Q(review_every__gte=1, review_every__lte=60),
                name="sop_reviewed_sensibly",
                violation_error_message="A procedure is reviewed at least every five years.",
            ),
            models.CheckConstraint(
                condition=~Q(classification=Classification.RESTRICTED)
                | Q(stakeholder_access=StakeholderAccess.STAKEHOLDERS),
                name="process_restricted_is_closed",
                violation_error_message="What is restricted is for its stakeholders only; change who may read it.",
            ),
        ]
        indexes = [models.Index(fields=("next_review_on",), name="sop_by_review")]
        triggers = [
            *GovernedBase.Meta.triggers,
            *guarded_columns(
                "effective_version_id",
                "next_review_on",
                sentence="A version comes into force by approval, and a review is recorded by its button.",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_due_for_review(self) -> bool:
        """Whether its review date has come."""
        return self.next_review_on is not None and self.next_review_on <= clock.today()


class Stakeholder(GovernedModel):
    """Somebody a process is open to: a person, a team, or everybody with a role. Matters where access is narrowed."""

    process = models.ForeignKey(Process, models.CASCADE, related_name="stakeholders")
    person = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    team = models.ForeignKey("accounts.Team", models.PROTECT, null=True, blank=True, related_name="+")
    role = models.CharField(max_length=20, choices=Role.choices, blank=True)

    class Meta(GovernedModel.Meta):
        ordering = ("process", "pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=False, team__isnull=True, role="")
                | Q(person__isnull=True, team__isnull=False, role="")
                | (Q(person__isnull=True, team__isnull=True) & ~Q(role="")),
                name="stakeholder_is_one",
                violation_error_message="Name either a person, a team or a role in each line.",
            ),
            models.UniqueConstraint(
                fields=("process", "person", "team", "role"),
                name="stakeholder_once",
                nulls_distinct=False,
                violation_error_message="This stakeholder is named already.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.person or self.team or Role(self.role).label)
