"""How soon sales answers: agreements that marketing and sales sign, and the contacts that stop their clocks."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import MD5, Cast
from django.utils.timezone import localtime

from apps.accounts.models import OwnedModel
from apps.core.calendars.models import BusinessCalendar
from apps.core.governed import GovernedModel
from apps.core.rules.conditions import ConditionField, WordsField, precedence_column
from apps.core.transitions import fixed_after_draft, guarded_columns, written_once
from apps.leads.enums import ContactKind, SlaState
from apps.leads.models.lead import Lead

_PEOPLE_AND_TIME = ("calendar", "marketing_signatory", "sales_signatory")
SLA_MATERIAL = (
    *("name", "territory", "applies_to", "precedence"),
    *("speed_minutes", "touch_minutes", "at_risk_percent", "reassign_percent", *_PEOPLE_AND_TIME),
)
_COLUMNS = [f"{name}_id" if name in _PEOPLE_AND_TIME else name for name in (*SLA_MATERIAL, "applies_words")]
_MINUTES = [MinValueValidator(5), MaxValueValidator(60 * 24 * 30)]


class LeadSla(OwnedModel, GovernedModel):
    """One version of how soon a lead is answered. Signed by both sides, it never changes."""

    name = models.CharField(max_length=120, help_text="Like “First answer to new leads”.")
    number = models.PositiveSmallIntegerField("version", default=1, editable=False)
    follows = models.OneToOneField("self", models.PROTECT, null=True, related_name="next", editable=False)
    territory = models.CharField(
        max_length=60, blank=True, help_text="For leads of this sales territory; empty: for all that have no own one."
    )
    applies_to = ConditionField(on="leads.lead", default=dict, blank=True)
    applies_words = WordsField("applies to", of="applies_to", blank=True, editable=False)
    precedence = precedence_column()
    speed_minutes = models.PositiveIntegerField(
        "from capture to first contact (minutes)", default=120, validators=_MINUTES, help_text="Working time."
    )
    touch_minutes = models.PositiveIntegerField(
        "from assignment to first contact (minutes)", default=120, validators=_MINUTES, help_text="Working time."
    )
    at_risk_percent = models.PositiveSmallIntegerField(
        "at risk from (% of the time)",
        default=75,
        validators=[MinValueValidator(1), MaxValueValidator(99)],
        help_text="Its owner is told.",
    )
    reassign_percent = models.PositiveSmallIntegerField(
        "given to somebody else at (% of the time)",
        null=True,
        blank=True,
        default=150,
        validators=[MinValueValidator(101), MaxValueValidator(1000)],
        help_text="The next in its pool gets it, else who signs for sales. Empty: never.",
    )
    calendar = models.ForeignKey(
        BusinessCalendar,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Whose working time, holidays and time zone count; empty: the default calendar.",
    )
    marketing_signatory = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="signs for marketing"
    )
    sales_signatory = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="signs for sales"
    )
    state = models.CharField(max_length=12, choices=SlaState.choices, default=SlaState.DRAFT, editable=False)
    signed_at = models.DateTimeField("signed", null=True, editable=False)
    retired_at = models.DateTimeField("retired", null=True, editable=False)

    class Meta(GovernedModel.Meta):
        verbose_name = "lead SLA"
        verbose_name_plural = "lead SLAs"
        ordering = ("name", "-number")
        constraints = [
            models.UniqueConstraint(
                "territory",
                MD5(Cast("applies_to", models.TextField())),
                condition=Q(state="signed"),
                name="lead_sla_one_in_force",
                violation_error_message="Another SLA is in force for the same leads; write its next version.",
            ),
            models.CheckConstraint(
                condition=~Q(state="signed") | Q(signed_at__isnull=False), name="lead_sla_signed_since"
            ),
            models.CheckConstraint(
                condition=Q(reassign_percent__isnull=True) | Q(reassign_percent__gt=100),
                name="lead_sla_reassigns_late",
                violation_error_message="A lead is given to somebody else after its time is over, from 101 %.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "signed_at", "retired_at"),
                starts={"state": SlaState.DRAFT.value},
                sentence="An SLA is signed by approval and ends by the button on its page, not by an edit.",
            ),
            *written_once(("number", "follows_id"), "Which version an SLA is never changes."),
            *fixed_after_draft(_COLUMNS, "What was sent or signed stays as it was; write the next version."),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.number}"

    @property
    def is_draft(self) -> bool:
        """Whether it can still be written."""
        return self.state == SlaState.DRAFT

    def clean(self) -> None:
        """Refuse one person for both sides."""
        super().clean()
        if self.marketing_signatory_id is not None and self.marketing_signatory_id == self.sales_signatory_id:
            raise ValidationError({"sales_signatory": "One person cannot sign for both sides."})


class SalesContact(GovernedModel):
    """That somebody of sales was in touch with a lead: it stops the clocks."""

    lead = models.ForeignKey(Lead, models.PROTECT, related_name="contacts", editable=False)
    kind = models.CharField(max_length=10, choices=ContactKind.choices)
    at = models.DateTimeField("when")
    note = models.CharField(max_length=500, blank=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("-at", "-pk")
        indexes = [models.Index(fields=("lead", "-at"), name="contact_by_lead")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} on {localtime(self.at):%-d %b %Y, %H:%M}"
