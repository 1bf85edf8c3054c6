"""What people ask for, a role or access to one record: what exactly, why, and what became of it by approval."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.text import capfirst

from apps.accounts.enums import Role
from apps.accounts.models import Membership, Team, Territory, User
from apps.core.governed import GovernedModel
from apps.core.transitions import guarded_columns, written_once
from apps.rights.enums import Asked, Verb
from apps.rights.models.sharing import SHAREABLE, AccessGrant

OPEN = Q(state__in=(Asked.DRAFT, Asked.IN_REVIEW))


class RoleRequest(GovernedModel):
    """One role in one team for one person, asked for with a reason and decided through approval."""

    person = models.ForeignKey(User, models.PROTECT, related_name="+", help_text="Who is to have it.")
    team = models.ForeignKey(Team, models.PROTECT, related_name="+")
    role = models.CharField(max_length=20, choices=Role.choices)
    territory = models.ForeignKey(
        Territory, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="limited to"
    )
    reason = models.TextField()
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=Asked.choices, default=Asked.DRAFT, editable=False)
    membership = models.ForeignKey(
        Membership, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="role held"
    )

    class Meta(GovernedModel.Meta):
        ordering = ("-created_at", "-pk")
        constraints = [
            models.UniqueConstraint(
                fields=("person", "team", "role"),
                condition=OPEN,
                name="role_request_one_open",
                violation_error_message="This role has been asked for already and waits for a decision.",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""), name="role_request_has_reason", violation_error_message="Say what it is for."
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "membership_id"),
                starts={"state": Asked.DRAFT.value},
                sentence="What becomes of a request for a role is decided by its approval, not by an edit.",
            ),
            *written_once(
                ("person_id", "team_id", "role", "territory_id", "reason", "asked_by_id"),
                "What was asked for stays as it was; withdraw the request and ask anew.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} in {self.team} for {self.person}"


KINDS = {model._meta.label_lower: model for model in SHAREABLE}
KIND_CHOICES = [(key, capfirst(str(model._meta.verbose_name))) for key, model in KINDS.items()]


class RecordRequest(GovernedModel):
    """Access to one record for whoever asks, by the record's kind and number alone.

    The number may belong to nothing, or to what the person never sees: the row, its name and its way through approval
    are the same, so that asking tells nobody what there is.
    """

    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+", help_text="Who asks, and is to have it.")
    kind = models.CharField(max_length=60, choices=KIND_CHOICES)
    number = models.PositiveBigIntegerField("number of the record", help_text="As in the address of its page.")
    verb = models.CharField("to", max_length=10, choices=Verb.choices)
    until = models.DateField("until", null=True, blank=True, help_text="The last day. Empty: until it is revoked.")
    reason = models.CharField(max_length=500)
    state = models.CharField(max_length=12, choices=Asked.choices, default=Asked.DRAFT, editable=False)
    owner = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who answers for the record, of those who see it: asked by whoever wants to change it.",
    )
    grant = models.ForeignKey(
        AccessGrant, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="what was granted"
    )

    class Meta(GovernedModel.Meta):
        ordering = ("-created_at", "-pk")
        verbose_name = "access request"
        constraints = [
            models.UniqueConstraint(
                fields=("asked_by", "kind", "number", "verb"),
                condition=OPEN,
                name="record_request_one_open",
                violation_error_message="You have asked for this already; it waits for a decision.",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""), name="record_request_has_reason", violation_error_message="Say what it is for."
            ),
            models.CheckConstraint(
                condition=~Q(verb=Verb.VIEW) | Q(owner__isnull=True),
                name="record_request_to_view_names_nobody",
                violation_error_message="A request to view a record does not tell who owns it.",
            ),
            models.CheckConstraint(
                condition=~Q(state=Asked.GRANTED) | Q(grant__isnull=False),
                name="record_request_granted_by_grant",
                violation_error_message="What was granted is the grant that the approval made.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "grant_id"),
                starts={"state": Asked.DRAFT.value},
                sentence="What becomes of a request for access is decided by its approval, not by an edit.",
            ),
            *written_once(
                ("asked_by_id", "kind", "number", "verb", "until", "reason", "owner_id"),
                "What was asked for stays as it was; withdraw the request and ask anew.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_verb_display()} {self.get_kind_display().lower()} no. {self.number}, for {self.asked_by}"

    @property
    def model(self) -> type[models.Model]:
        """The kind of record, as a model."""
        return KINDS[self.kind]

    @property
    def record(self) -> Any:
        """The record, None where there is none: for whoever decides and grants, never for whoever asks."""
        return self.model._base_manager.filter(pk=self.number).first()
