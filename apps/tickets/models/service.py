"""Service level agreements: what one team promises another, as both have signed it."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import MD5, Cast

from apps.accounts.models import OwnedModel
from apps.core.errors import InvalidInput
from apps.core.governed import GovernedModel
from apps.core.rules.conditions import ConditionField, WordsField, precedence_column
from apps.core.transitions import fixed_after_draft, guarded_columns, written_once
from apps.tickets.enums import AgreementState
from apps.tickets.ladder import Step, read_ladder
from apps.tickets.models.catalogue import Queue
from apps.tickets.targets import Targets, read_targets

# What both sides sign: the columns by which the ledger knows them.
MATERIAL = (
    *("name", "queue_id", "customer_id", "for_everybody", "calendar_id", "effective_on", "promises", "carries"),
    *("requester_cap", "vendor_cap", "hold_cap", "provider_signatory_id", "customer_signatory_id"),
    *("escalation", "applies_to", "precedence"),
)
_HOURS: dict[str, Any] = {
    "null": True,
    "blank": True,
    "validators": [MinValueValidator(1), MaxValueValidator(2000)],
}


class NamedForeignKey(models.ForeignKey[Any, Any]):
    """A foreign key that approvals show by name."""

    def readable(self, value: Any) -> str:
        """Return the name behind a key."""
        return str(self.related_model._base_manager.filter(pk=value).first() or value)

    def deconstruct(self) -> Any:
        """Be an ordinary foreign key in migrations."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.ForeignKey", args, kwargs


class Agreement(OwnedModel, GovernedModel):
    """One version of what the team behind a queue promises another team. Signed, it never changes."""

    name = models.CharField(max_length=120, help_text="Like “Marketing desk for Content”.")
    number = models.PositiveSmallIntegerField("version", default=1, editable=False)
    follows = models.OneToOneField("self", models.PROTECT, null=True, related_name="next", editable=False)
    queue = NamedForeignKey(Queue, models.PROTECT, related_name="agreements", help_text="Its team promises.")
    customer = NamedForeignKey(
        "accounts.Team", models.PROTECT, related_name="+", help_text="The team it is promised to, which signs as well."
    )
    for_everybody = models.BooleanField(
        default=False, help_text="Holds also for people of teams that have no agreement of their own with this queue."
    )
    applies_to = ConditionField(on="tickets.ticket", default=dict, blank=True)
    applies_words = WordsField("applies to", of="applies_to", blank=True, editable=False)
    precedence = precedence_column()
    provider_signatory = NamedForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="signs for the queue's team",
        help_text="Somebody of it, who does not write this text.",
    )
    customer_signatory = NamedForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="signs for the other team",
        help_text="Somebody of it, who does not write this text.",
    )
    calendar = NamedForeignKey(
        "calendars.BusinessCalendar",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Whose working time counts; empty: the queue's, else the default calendar.",
    )
    effective_on = models.DateField("effective from", help_text="Tickets opened from this day on are under it.")
    promises = models.TextField(
        help_text="One line for each tier and priority: “standard P1 | 30 min | 2 h | 8 h” means first answer, next "
        "answer and solution in working time. A dash promises nothing; a line without a tier holds for all."
    )
    carries = models.BooleanField(
        "time goes on", default=True, help_text="When the priority changes, the time used so far counts on."
    )
    escalation = models.TextField(
        blank=True,
        help_text="One line for each step: “90 % | tell team, manager | raise priority | give to Systems”. Told can be "
        "the assignee, the team, the assignee's manager and the owner of this agreement; a ticket is given to a queue "
        "or to the e-mail of a person. Empty: the assignee at 50 and 75 %, all of them at 90 and 100 %.",
    )
    requester_cap = models.PositiveSmallIntegerField(
        "waiting for requester (hours)",
        default=40,
        help_text="Working hours that time stands still in all; empty: it keeps running.",
        **_HOURS,
    )
    vendor_cap = models.PositiveSmallIntegerField(
        "waiting for vendor (hours)", default=80, help_text="As above.", **_HOURS
    )
    hold_cap = models.PositiveSmallIntegerField("on hold (hours)", help_text="As above.", **_HOURS)
    state = models.CharField(
        max_length=12, choices=AgreementState.choices, default=AgreementState.DRAFT, editable=False
    )
    signed_at = models.DateTimeField("signed", null=True, editable=False)
    retired_at = models.DateTimeField("retired", null=True, editable=False)

    class Meta(GovernedModel.Meta):
        verbose_name = "service level agreement"
        ordering = ("name", "-number")
        constraints = [
            models.UniqueConstraint(
                "queue",
                "customer",
                MD5(Cast("applies_to", models.TextField())),
                condition=Q(state=AgreementState.SIGNED),
                name="agreement_one_in_force",
                violation_error_message="These two have an agreement in force for the same tickets; write its next "
                "version.",
            ),
            models.UniqueConstraint(
                "queue",
                MD5(Cast("applies_to", models.TextField())),
                condition=Q(state=AgreementState.SIGNED, for_everybody=True),
                name="agreement_one_for_everybody",
                violation_error_message="Another agreement of this queue holds for everybody and the same tickets.",
            ),
            models.CheckConstraint(
                condition=~Q(state=AgreementState.SIGNED) | Q(signed_at__isnull=False), name="agreement_signed_since"
            ),
            models.CheckConstraint(condition=Q(follows__isnull=True) | ~Q(follows=F("id")), name="agreement_chain"),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "signed_at", "retired_at"),
                starts={"state": AgreementState.DRAFT.value},
                sentence="An agreement is signed by approval and ends by the button on its page, not by an edit.",
            ),
            *written_once(("number", "follows_id"), "Which version an agreement is never changes."),
            *fixed_after_draft(
                (*MATERIAL, "applies_words"), "What was sent or signed stays as it was; write the next version."
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.number}"

    @property
    def is_editable(self) -> bool:
        """Whether it can still be written."""
        return self.state == AgreementState.DRAFT

    @property
    def targets(self) -> Targets:
        """What is promised, read."""
        return read_targets(self.promises)

    @property
    def steps(self) -> tuple[Step, ...]:
        """What happens as time runs out, read."""
        return read_ladder(self.escalation)

    def clean(self) -> None:
        """Refuse promises and steps that cannot be read or contradict each other."""
        super().clean()
        wrong: dict[str, str] = {}
        readers: tuple[tuple[str, Any], ...] = (("promises", read_targets), ("escalation", read_ladder))
        for name, read in readers:
            try:
                read(getattr(self, name))
            except InvalidInput as refusal:
                wrong[name] = refusal.message
        if wrong:
            raise ValidationError(wrong)
