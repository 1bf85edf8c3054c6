"""Who has been asked in: the only way into mops besides the first administrator's command."""

import datetime as dt

from django.db import models
from django.db.models.functions import Lower

from apps.accounts.enums import InvitationState, Role
from apps.accounts.models.people import Team, User
from apps.core import clock
from apps.core.governed import GovernedBase, governed_history, ledger_triggers


class Invitation(GovernedBase):
    """One mail that lets one person in, once, with one role in one team."""

    email = models.EmailField("e-mail", help_text="The invitation goes here; the person signs in with it later.")
    full_name = models.CharField("name", max_length=150, help_text="As colleagues know the person.")
    title = models.CharField("job title", max_length=100, blank=True)
    team = models.ForeignKey(Team, models.PROTECT, related_name="+")
    role = models.CharField(max_length=20, choices=Role.choices)
    invited_by = models.ForeignKey(User, models.PROTECT, related_name="+", editable=False)
    sent_at = models.DateTimeField("sent", editable=False)
    expires_at = models.DateTimeField("valid until", editable=False)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    accepted_at = models.DateTimeField("accepted", null=True, blank=True, editable=False)
    person = models.OneToOneField(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="invitation",
        editable=False,
        help_text="Who came in by it.",
    )
    revoked_at = models.DateTimeField("revoked", null=True, blank=True, editable=False)

    history = governed_history(excluded_fields=["token_hash"])

    class Meta(GovernedBase.Meta):
        ordering = ("-sent_at",)
        triggers = ledger_triggers(secrets=("token_hash",))
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="invitation_open_once",
                condition=models.Q(accepted_at=None, revoked_at=None),
                violation_error_message="There is an open invitation for this e-mail already; send that one again.",
            ),
            models.CheckConstraint(
                condition=models.Q(accepted_at=None) | models.Q(revoked_at=None),
                name="invitation_accepted_or_revoked",
                violation_error_message="An accepted invitation cannot be revoked.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.full_name} <{self.email}>"

    def state_at(self, moment: dt.datetime) -> InvitationState:
        """Return how the invitation stands at `moment`."""
        if self.accepted_at:
            return InvitationState.ACCEPTED
        if self.revoked_at:
            return InvitationState.REVOKED
        return InvitationState.EXPIRED if moment >= self.expires_at else InvitationState.OPEN

    @property
    def state(self) -> InvitationState:
        """How it stands now."""
        return self.state_at(clock.now())
