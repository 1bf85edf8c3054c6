"""Out of office: who decides for whom, about what, from when until when."""

import datetime as dt
from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from apps.core.governed import GovernedModel, GovernedQuerySet
from apps.core.transitions import written_once


class _Span(Func):
    """A range of the columns named."""

    function = "tstzrange"
    output_field = models.TextField()


class _One(Func):
    """The range that holds one number, so that equality can stand in an exclusion constraint without an extension."""

    template = "int8range(%(expressions)s, %(expressions)s, '[]')"
    output_field = models.TextField()


class _Scope(Func):
    """The kinds a delegation is about as a range: one point for one kind, everything for all kinds."""

    template = (
        "CASE WHEN %(expressions)s = '' THEN int8range(NULL, NULL) ELSE "
        "int8range(hashtext(%(expressions)s)::bigint, hashtext(%(expressions)s)::bigint, '[]') END"
    )
    output_field = models.TextField()


class DelegationQuerySet(GovernedQuerySet):
    """Filters over delegations."""

    def valid_at(self, moment: dt.datetime) -> "DelegationQuerySet":
        """Delegations that hold at `moment`."""
        return self.filter(revoked_at__isnull=True, archived_at__isnull=True, starts_at__lte=moment, ends_at__gt=moment)

    def about(self, kind: str) -> "DelegationQuerySet":
        """Delegations whose scope covers `kind`."""
        return self.filter(subject_kind__in=["", kind])

    def overlapping(self, starts_at: dt.datetime, ends_at: dt.datetime) -> "DelegationQuerySet":
        """Delegations that hold at some moment of the span, `ends_at` excluded."""
        return self.filter(
            revoked_at__isnull=True, archived_at__isnull=True, starts_at__lt=ends_at, ends_at__gt=starts_at
        )


class Delegation(GovernedModel):
    """One person decides for another for a time; the decision is signed "B for A"."""

    from_person = models.ForeignKey(
        "accounts.User", models.PROTECT, related_name="delegations_given", verbose_name="who is away"
    )
    to_person = models.ForeignKey(
        "accounts.User", models.PROTECT, related_name="delegations_held", verbose_name="who stands in"
    )
    subject_kind = models.CharField(
        "about", max_length=100, blank=True, help_text="Empty: everything the person decides about."
    )
    starts_at = models.DateTimeField("from")
    ends_at = models.DateTimeField("until")
    reason = models.CharField(max_length=200, blank=True, help_text="For instance: leave.")
    revoked_at = models.DateTimeField("ended early", null=True, blank=True, editable=False)
    revoked_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )

    objects = DelegationQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        ordering = ("-starts_at",)
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="delegation_ends_after_start",
                violation_error_message="A delegation ends after it starts.",
            ),
            models.CheckConstraint(
                condition=~Q(from_person=F("to_person")),
                name="delegation_to_another",
                violation_error_message="Nobody stands in for themselves.",
            ),
            ExclusionConstraint(
                name="delegation_no_overlap",
                expressions=[
                    (_One(F("from_person")), RangeOperators.OVERLAPS),
                    (_Scope(F("subject_kind")), RangeOperators.OVERLAPS),
                    (_Span(F("starts_at"), F("ends_at"), Value("[)")), RangeOperators.OVERLAPS),
                ],
                condition=Q(revoked_at__isnull=True, archived_at__isnull=True),
                violation_error_message="Somebody else stands in for this person in that time already.",
            ),
        ]
        indexes = [models.Index(fields=("to_person", "ends_at"), name="delegation_by_stand_in")]
        triggers = [
            *GovernedModel.Meta.triggers,
            *written_once(
                ("from_person_id", "to_person_id", "subject_kind", "starts_at", "reason"),
                "A delegation stays as it was given; end it and give another one.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.to_person} for {self.from_person}"

    def validate_constraints(self, exclude: Any = None) -> None:
        """Leave the overlap to the operation's words and the database: forms lack the columns its condition reads."""
        super().validate_constraints(exclude={*(exclude or ()), "starts_at"})

    def holds_at(self, moment: dt.datetime) -> bool:
        """Whether it holds at `moment`."""
        return self.revoked_at is None and not self.is_archived and self.starts_at <= moment < self.ends_at
