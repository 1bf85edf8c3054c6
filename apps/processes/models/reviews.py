"""Reviews of a process, and what people who work by it say about it in between."""

from django.db import models
from django.db.models import Q

from apps.core.governed import GovernedModel
from apps.core.transitions import guarded_columns, written_once
from apps.processes.enums import Disposition, ReviewOutcome
from apps.processes.models.register import Process
from apps.processes.models.versions import SOPVersion


class Review(GovernedModel):
    """One look at whether a process still says what is done, and what came of it. Closed reviews are evidence."""

    process = models.ForeignKey(Process, models.PROTECT, related_name="reviews")
    version = models.ForeignKey(
        SOPVersion, models.PROTECT, related_name="+", verbose_name="version reviewed", editable=False
    )
    due_on = models.DateField("was due", null=True, blank=True, editable=False)
    reviewer = models.ForeignKey("accounts.User", models.PROTECT, related_name="+", editable=False)
    opened_at = models.DateTimeField("begun", editable=False)
    outcome = models.CharField(max_length=15, choices=ReviewOutcome.choices, blank=True, editable=False)
    notes = models.TextField(blank=True, editable=False, help_text="What was looked at, and what was found.")
    closed_at = models.DateTimeField("closed", null=True, blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("-opened_at",)
        verbose_name = "process review"
        constraints = [
            models.UniqueConstraint(
                fields=("process",),
                condition=Q(closed_at__isnull=True),
                name="review_one_open",
                violation_error_message="A review of this process is under way already.",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, outcome="") | (Q(closed_at__isnull=False) & ~Q(outcome="")),
                name="review_closed_with_outcome",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("outcome", "closed_at", "notes"),
                sentence="A review is closed by its button, with an outcome.",
            ),
            *written_once(
                ("process_id", "version_id", "due_on", "reviewer_id", "opened_at"),
                "What was reviewed, when and by whom stays as it was.",
            ),
        ]

    def __str__(self) -> str:
        return f"Review of {self.process}, {self.opened_at:%-d %B %Y}"

    @property
    def is_open(self) -> bool:
        """Whether it still waits for its outcome."""
        return self.closed_at is None


class Feedback(GovernedModel):
    """What somebody who works by a process says about it; each has an answer before the next review closes."""

    process = models.ForeignKey(Process, models.PROTECT, related_name="feedback")
    step_key = models.SlugField("step", max_length=60, blank=True, help_text="Empty: about the process as a whole.")
    text = models.TextField(help_text="What does not work, is missing, or could be better.")
    author = models.ForeignKey("accounts.User", models.PROTECT, related_name="+", editable=False)
    disposition = models.CharField(
        "answer", max_length=15, choices=Disposition.choices, default=Disposition.OPEN, editable=False
    )
    answer = models.TextField("why", blank=True, editable=False)
    answered_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    answered_at = models.DateTimeField("answered", null=True, blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        verbose_name_plural = "feedback"
        ordering = ("-created_at",)
        indexes = [models.Index(fields=("process",), name="feedback_open", condition=Q(disposition=Disposition.OPEN))]
        constraints = [
            models.CheckConstraint(
                condition=Q(disposition=Disposition.OPEN, answered_at__isnull=True)
                | (~Q(disposition=Disposition.OPEN) & Q(answered_at__isnull=False)),
                name="feedback_answered_when_closed",
            )
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("disposition", "answer", "answered_by_id", "answered_at"),
                starts={"disposition": Disposition.OPEN.value},
                sentence="Feedback is answered by its button.",
            ),
            *written_once(("process_id", "author_id", "text"), "What somebody said stays as they said it."),
        ]

    def __str__(self) -> str:
        return self.text if len(self.text) <= 60 else f"{self.text[:59]}…"
