"""Separation of duties: which two duties one person must not have, and who may have both for a while all the same."""

import datetime as dt
from typing import Any

from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least

from apps.accounts.enums import Role
from apps.accounts.models import User
from apps.core.governed import GovernedModel, GovernedQuerySet
from apps.core.transitions import guarded_columns, written_once
from apps.rights.enums import Effect, Risk

ROLE, RIGHT = "role:", "right:"
VERB_WORDS = {"add": "create", "view": "see", "oversee": "oversee all", "change": "change", "delete": "delete"}


def duty_in_words(duty: str) -> str:
    """Return a duty as people read it, for instance "Approver" or "change tools"."""
    if duty.startswith(ROLE):
        name = duty.removeprefix(ROLE)
        return str(Role(name).label) if name in Role.values else name
    app, _, codename = duty.removeprefix(RIGHT).partition(".")
    found = Permission.objects.filter(content_type__app_label=app, codename=codename).select_related("content_type")
    permission = found.first()
    model = permission.content_type.model_class() if permission is not None else None
    if permission is None or model is None:
        return f"{app}.{codename}"
    return right_in_words(permission, model)


def right_in_words(permission: Permission, model: Any) -> str:
    """Return what a right allows, for instance "change tools"; one of its own kind says it in its own words."""
    verb = permission.codename.split("_", 1)[0]
    if verb in VERB_WORDS:
        return f"{VERB_WORDS[verb]} {model._meta.verbose_name_plural}"
    return permission.name.removeprefix("Can ")


class SodRule(GovernedModel):
    """Two duties that one person should not have: a role or a right, with another role or right."""

    name = models.CharField(max_length=120, help_text="For instance “Writes the policy and decides by it”.")
    first = models.CharField("one duty", max_length=120)
    second = models.CharField("with another", max_length=120)
    risk = models.CharField(max_length=10, choices=Risk.choices, default=Risk.MEDIUM)
    effect = models.CharField(
        "when both would meet",
        max_length=10,
        choices=Effect.choices,
        default=Effect.REPORT,
        help_text="What happens when a role is granted or a record is shared that brings both together.",
    )
    why = models.TextField("why", help_text="What one person could do with both; shown where the rule refuses.")
    is_active = models.BooleanField("active", default=True)

    class Meta(GovernedModel.Meta):
        verbose_name = "separation-of-duties rule"
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                Least("first", "second"),
                Greatest("first", "second"),
                condition=Q(archived_at__isnull=True),
                name="sod_rule_once",
                violation_error_message="There is already a rule for these two duties; change that one.",
            ),
            models.CheckConstraint(
                condition=~Q(first=F("second")),
                name="sod_rule_two_duties",
                violation_error_message="Name two different duties: the same duty does not conflict with itself.",
            ),
            models.CheckConstraint(
                condition=~Q(why=""),
                name="sod_rule_says_why",
                violation_error_message="Say why the two must not meet: whoever is refused must understand it.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse the same duty twice before the database does."""
        if self.first and self.first == self.second:
            raise ValidationError({"second": "Name two different duties."})


class SodWaiverQuerySet(GovernedQuerySet):
    """Waivers by whether they allow anything."""

    def in_force(self, moment: dt.datetime) -> "SodWaiverQuerySet":
        """Waivers that allow a combination at `moment`."""
        return self.filter(approved_at__isnull=False, ended_at__isnull=True, expires_at__gt=moment)

    def waiting(self, moment: dt.datetime) -> "SodWaiverQuerySet":
        """Waivers that a second administrator has yet to approve."""
        return self.filter(approved_at__isnull=True, ended_at__isnull=True, expires_at__gt=moment)


class SodWaiver(GovernedModel):
    """One person may have both duties of a rule until a day: asked by an administrator, decided through approval."""

    rule = models.ForeignKey(SodRule, models.PROTECT, related_name="waivers")
    person = models.ForeignKey(User, models.PROTECT, related_name="+")
    reason = models.CharField(
        max_length=500, help_text="Why it cannot be otherwise, and what watches over it meanwhile."
    )
    expires_at = models.DateTimeField("until")
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField("approved", null=True, blank=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField("ended", null=True, blank=True)
    ended_why = models.CharField("why it ended", max_length=500, blank=True)

    objects = SodWaiverQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        verbose_name = "separation-of-duties waiver"
        ordering = ("-created_at", "-pk")
        constraints = [
            models.CheckConstraint(
                condition=~Q(asked_by=F("person")),
                name="sod_waiver_not_for_oneself",
                violation_error_message="Nobody asks for a waiver for themselves; another administrator does.",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | (~Q(approved_by=F("asked_by")) & ~Q(approved_by=F("person"))),
                name="sod_waiver_second_person",
                violation_error_message="A waiver is approved by somebody who neither asked for it nor gets it.",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True, approved_at__isnull=True)
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="sod_waiver_approved_by_somebody",
                violation_error_message="A waiver is approved at a moment, by somebody.",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="sod_waiver_has_reason",
                violation_error_message="A waiver needs a reason.",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True, ended_why="")
                | Q(Q(ended_at__isnull=False, ended_by__isnull=False) & ~Q(ended_why="")),
                name="sod_waiver_ended_by_somebody",
                violation_error_message="A waiver ends at a moment, by somebody and for a reason.",
            ),
            models.UniqueConstraint(
                fields=("rule", "person"),
                condition=Q(ended_at__isnull=True),
                name="sod_waiver_open_once",
                violation_error_message="There is a waiver for this person and rule; end that one first.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("approved_by_id", "approved_at", "ended_by_id", "ended_at"),
                sentence="A waiver holds by its approval and ends by the button on its page, not by an edit.",
            ),
            *written_once(
                ("rule_id", "person_id", "reason", "expires_at", "asked_by_id"),
                "A waiver is never changed: end it and ask anew.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.rule}"

    def state_at(self, moment: dt.datetime) -> str:
        """How it stands, in a word."""
        if self.ended_at is not None:
            return "ended"
        if self.expires_at <= moment:
            return "expired"
        return "in force" if self.approved_at is not None else "asked for"
