"""Access reviews: every grant that opens something, listed once, judged by somebody else, and frozen as evidence."""

import datetime as dt

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from apps.accounts.enums import Role
from apps.accounts.models import Membership, Team, User
from apps.core.governed import GovernedModel, GovernedQuerySet
from apps.core.transitions import refusal, written_once
from apps.rights.enums import Assignment, ReviewDecision, ReviewScope, Source
from apps.rights.models.sharing import AccessGrant

_FROZEN = (
    "SELECT finished_at INTO over FROM rights_accessreview WHERE id = NEW.review_id;"
    " IF over IS NOT NULL THEN "
    + refusal("This review is finished: what was decided stays as it is. Open a new review.")
    + " END IF; RETURN NEW;"
)


class AccessReviewQuerySet(GovernedQuerySet):
    """Reviews by how they stand."""

    def under_way(self) -> "AccessReviewQuerySet":
        """Reviews that nobody has finished."""
        return self.filter(finished_at__isnull=True, archived_at__isnull=True)

    def overdue(self, today: dt.date) -> "AccessReviewQuerySet":
        """Reviews under way whose day is over."""
        return self.under_way().filter(due_on__lt=today)


class AccessReview(GovernedModel):
    """One round in which every grant of a scope is kept, reduced or revoked by somebody other than its holder."""

    name = models.CharField(max_length=120, help_text="For instance “Quarterly review, Q4 2026”.")
    scope = models.CharField("what is reviewed", max_length=10, choices=ReviewScope.choices, default=ReviewScope.ALL)
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="+")
    role = models.CharField(max_length=20, blank=True, choices=Role.choices)
    app = models.CharField("area", max_length=30, blank=True)
    assignment = models.CharField("who reviews", max_length=10, choices=Assignment.choices, default=Assignment.REVIEWER)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    second_reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        help_text="Reviews what the reviewer has: nobody reviews themselves.",
    )
    due_on = models.DateField("due")
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    finished_at = models.DateTimeField("finished", null=True, blank=True)
    finished_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    digest = models.CharField(
        "SHA-256 of the list", max_length=64, blank=True, help_text="Of the CSV as it stood when the review finished."
    )

    objects = AccessReviewQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        ordering = ("-created_at", "-pk")
        constraints = [
            models.CheckConstraint(
                condition=~Q(reviewer=F("second_reviewer")),
                name="review_two_reviewers",
                violation_error_message="The second reviewer reviews the first, so name two people.",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, finished_by__isnull=True, digest="")
                | Q(Q(finished_at__isnull=False, finished_by__isnull=False) & ~Q(digest="")),
                name="review_finished_by_somebody",
                violation_error_message="A review is finished at a moment, by somebody, with the digest of its list.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            pgtrigger.Trigger(
                name="stays_finished",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.finished_at IS NOT NULL"),
                func=refusal("This review is finished and stays as it is. Open a new one."),
            ),
            *written_once(
                ("scope", "team_id", "role", "app", "assignment", "reviewer_id", "second_reviewer_id", "opened_by_id"),
                "What a review covers and who reviews it stands from the start; reassign single lines instead.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_finished(self) -> bool:
        """Whether it is frozen."""
        return self.finished_at is not None

    @property
    def scope_in_words(self) -> str:
        """What is reviewed."""
        if self.scope == ReviewScope.TEAM:
            return f"everything that people in {self.team} have"
        if self.scope == ReviewScope.ROLE:
            return f"the role {Role(self.role).label}, and what is shared with it"
        return f"what opens {self.app}" if self.scope == ReviewScope.APP else "everything everybody has"


class AccessReviewEntry(GovernedModel):
    """One grant in one review: what it opens, where it comes from, when it was last used, and what was decided."""

    review = models.ForeignKey(AccessReview, models.PROTECT, related_name="entries")
    person = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    principal_label = models.CharField("who", max_length=200)
    source = models.CharField("where from", max_length=12, choices=Source.choices)
    what = models.CharField("what it opens", max_length=300)
    membership = models.ForeignKey(Membership, models.PROTECT, null=True, blank=True, related_name="+")
    grant = models.ForeignKey(AccessGrant, models.PROTECT, null=True, blank=True, related_name="+")
    model = models.CharField("kind of record", max_length=100, blank=True)
    object_id = models.CharField("number", max_length=40, blank=True)
    granted_by_label = models.CharField("granted by", max_length=254, blank=True)
    granted_at = models.DateTimeField("since", null=True, blank=True)
    last_used_at = models.DateTimeField("last used", null=True, blank=True)
    last_used_how = models.CharField("how", max_length=200, blank=True)
    flags = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    reviewer = models.ForeignKey(User, models.PROTECT, related_name="+")
    reviewer_label = models.CharField(max_length=254, blank=True, editable=False)
    decision = models.CharField(max_length=10, blank=True, choices=ReviewDecision.choices)
    note = models.CharField(max_length=500, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_by_label = models.CharField(max_length=254, blank=True, editable=False)
    decided_at = models.DateTimeField("decided", null=True, blank=True)
    executed_at = models.DateTimeField("carried out", null=True, blank=True)
    verified_at = models.DateTimeField("verified", null=True, blank=True)
    outcome = models.CharField(max_length=500, blank=True, help_text="What carrying it out and reading it back said.")

    class Meta(GovernedModel.Meta):
        verbose_name = "line of an access review"
        verbose_name_plural = "lines of access reviews"
        ordering = ("review", "principal_label", "source", "pk")
        indexes = [models.Index(fields=("review", "decision"), name="review_entry_open")]
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=True) | ~Q(reviewer=F("person")),
                name="review_never_by_oneself",
                violation_error_message="Nobody reviews what they have themselves; another reviewer does.",
            ),
            models.CheckConstraint(
                condition=Q(person__isnull=True) | Q(decided_by__isnull=True) | ~Q(decided_by=F("person")),
                name="review_never_decided_by_oneself",
                violation_error_message="Nobody decides about what they have themselves; another reviewer does.",
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_by__isnull=True, decided_at__isnull=True)
                | Q(~Q(decision="") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="review_decided_by_somebody",
                violation_error_message="A decision is made by somebody, at a moment.",
            ),
            models.CheckConstraint(
                condition=Q(decision__in=("", ReviewDecision.KEEP)) | ~Q(note=""),
                name="review_taking_away_has_note",
                violation_error_message="Say why it is taken away.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            pgtrigger.Trigger(
                name="frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                declare=[("over", "timestamptz")],
                func=_FROZEN,
            ),
            pgtrigger.Trigger(
                name="stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                func=refusal("Lines of a review are evidence: they are never deleted."),
            ),
            *written_once(
                (
                    *("review_id", "person_id", "principal_label", "source", "what", "membership_id", "grant_id"),
                    *("model", "object_id", "granted_at", "last_used_at", "flags"),
                ),
                "What a review found is never changed: decide about it, or open a new review.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.principal_label} · {self.what}"
