"""Roles that people ask for: what is asked, why, and what became of it by approval."""

from django.db import models
from django.db.models import Q

from apps.accounts.enums import Role
from apps.accounts.models import Membership, Team, Territory, User
from apps.core.governed import GovernedModel
from apps.core.transitions import guarded_columns, written_once
from apps.rights.enums import Asked

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
