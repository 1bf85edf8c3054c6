"""Standard operating procedures: the document people follow, and its versions."""

import datetime as dt

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from apps.accounts.models import OwnedModel
from apps.core import clock
from apps.core.governed import GovernedModel, GovernedQuerySet
from apps.core.transitions import guarded_columns, refusal, written_once
from apps.processes.enums import OPEN_STATES, Family, ReviewEvery, VersionState


class SOPQuerySet(GovernedQuerySet):
    """Filters over the procedures."""

    def due_for_review(self, today: dt.date) -> "SOPQuerySet":
        """Procedures in force whose review date has come."""
        return self.filter(archived_at__isnull=True, effective_version__isnull=False, next_review_on__lte=today)

    def without_backup(self) -> "SOPQuerySet":
        """Procedures with nobody to stand in."""
        return self.filter(archived_at__isnull=True, backup_person__isnull=True, backup_team__isnull=True)

    def without_owner(self) -> "SOPQuerySet":
        """Procedures that nobody answers for."""
        return self.filter(archived_at__isnull=True, owner_person__isnull=True, owner_team__isnull=True)


class SOP(OwnedModel, GovernedModel):
    """One procedure. What it says stands in its versions; one of them at most is in force."""

    title = models.CharField(max_length=150)
    family = models.CharField(max_length=15, choices=Family.choices)
    summary = models.TextField(blank=True, help_text="What it is for and when it applies, in a sentence or two.")
    review_every = models.PositiveSmallIntegerField(
        "reviewed", choices=ReviewEvery.choices, default=ReviewEvery.QUARTER, help_text="Counted from the last review."
    )
    next_review_on = models.DateField("next review", null=True, blank=True, editable=False)
    effective_version = models.ForeignKey(
        "processes.SOPVersion", models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )

    objects = SOPQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        verbose_name = "SOP"
        verbose_name_plural = "SOPs"
        ordering = ("title",)
        constraints = [
            models.UniqueConstraint(
                Lower("title"), name="sop_title_once", violation_error_message="There is already an SOP of this title."
            ),
            models.CheckConstraint(
                condition=Q(review_every__gte=1, review_every__lte=60),
                name="sop_reviewed_sensibly",
                violation_error_message="A procedure is reviewed at least every five years.",
            ),
        ]
        indexes = [models.Index(fields=("next_review_on",), name="sop_by_review")]
        triggers = [
            *GovernedModel.Meta.triggers,
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


class SOPVersion(GovernedModel):
    """One version of a procedure: written as a draft, approved by somebody else, in force, then superseded."""

    sop = models.ForeignKey(SOP, models.PROTECT, related_name="versions", verbose_name="SOP")
    number = models.PositiveIntegerField(editable=False)
    body = models.TextField("text", blank=True, help_text="The procedure itself, in Markdown.")
    change_log = models.TextField(
        "what is new", blank=True, help_text="What changed since the version before, for those who follow it."
    )
    state = models.CharField(max_length=15, choices=VersionState.choices, default=VersionState.DRAFT, editable=False)
    author = models.ForeignKey("accounts.User", models.PROTECT, related_name="+", editable=False)
    digest = models.CharField(max_length=64, blank=True, editable=False, help_text="SHA-256 of what was approved.")
    effective_at = models.DateTimeField("in force since", null=True, blank=True, editable=False)
    superseded_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        verbose_name = "SOP version"
        ordering = ("sop", "-number")
        constraints = [
            models.UniqueConstraint(fields=("sop", "number"), name="version_number_once"),
            models.UniqueConstraint(
                fields=("sop",),
                condition=Q(state__in=OPEN_STATES),
                name="version_one_open",
                violation_error_message="This SOP has a draft already; finish that one.",
            ),
            models.UniqueConstraint(
                fields=("sop",), condition=Q(state=VersionState.EFFECTIVE), name="version_one_in_force"
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN_STATES) | Q(effective_at__isnull=False), name="version_in_force_since"
            ),
            models.CheckConstraint(
                condition=Q(superseded_at__isnull=True) | Q(superseded_at__gte=F("effective_at")),
                name="version_superseded_after",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "digest", "effective_at", "superseded_at"),
                starts={"state": VersionState.DRAFT.value},
                sentence="A version moves by sending it for approval and by the decision, not by an edit.",
            ),
            *written_once(("sop_id", "number", "author_id"), "A version keeps its SOP, number and author for good."),
            pgtrigger.Trigger(
                name="drafts_alone_are_edited",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.state <> 'draft' AND (OLD.body IS DISTINCT FROM NEW.body"
                    " OR OLD.change_log IS DISTINCT FROM NEW.change_log)"
                ),
                func=refusal("Only drafts are edited: withdraw what is in review, or write a new draft."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sop.title} · version {self.number}"

    @property
    def is_draft(self) -> bool:
        """Whether its text can still be changed."""
        return self.state == VersionState.DRAFT
