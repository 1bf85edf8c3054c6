"""Intake: what came in, from where, and what became of it; what was learnt about a lead, and what it agreed to."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from apps.core.governed import GovernedModel, append_only_triggers
from apps.leads.enums import ConsentPurpose, IntakeState, TouchType
from apps.leads.models.lead import Lead


class IntakeSource(GovernedModel):
    """One source of leads with its contract: which fields it brings, which it must bring, and how far it is trusted."""

    key = models.SlugField(
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[a-z]", "A key starts with a small letter.")],
        help_text="How programs name it, for instance website-demo-form.",
        error_messages={"unique": "There is already a source of this key."},
    )
    title = models.CharField(max_length=120)
    fields = models.JSONField(
        "fields it brings",
        default=dict,
        blank=True,
        help_text="Their name there → ours, for instance {“work_email”: “email”}. What is not named is kept, unused.",
    )
    required = models.JSONField(
        "fields it must bring", default=list, blank=True, help_text="Ours, for instance [“email”, “name”]."
    )
    precedence = models.PositiveSmallIntegerField(
        default=50, help_text="0 to 100. A value replaces one that came with the same or less."
    )
    touch_type = models.CharField(
        "counts as",
        max_length=20,
        blank=True,
        choices=TouchType.choices,
        help_text="The touch each accepted intake leaves; empty: none.",
    )
    is_open = models.BooleanField("takes new leads", default=True)
    is_web_form = models.BooleanField(
        "takes web forms",
        default=False,
        help_text="Anybody may send to it, by the contract above; its page says where.",
    )
    takes_visits = models.BooleanField(
        default=False, help_text="Our script tells it what visitors do who agreed to that."
    )
    origins = models.JSONField(
        "sites that may send",
        default=list,
        blank=True,
        help_text="For instance [“https://www.example.com”]; empty: every site.",
    )
    per_minute = models.PositiveSmallIntegerField(
        "at most a minute", default=20, help_text="From one address; more is answered with “try again in a minute”."
    )
    honeypot = models.CharField(
        "trap",
        max_length=40,
        blank=True,
        help_text="A field of the form that people do not see; machines fill it in.",
    )
    consent_field = models.CharField(
        max_length=40, blank=True, help_text="The field of the form that says yes to marketing by e-mail."
    )
    consent_wording = models.CharField(
        max_length=300, blank=True, help_text="What stands beside it, word for word; kept with each consent."
    )
    thanks = models.CharField(
        "answer", max_length=300, blank=True, help_text="What people read who sent the form. Empty: our usual thanks."
    )
    asks = models.JSONField(
        "asks next",
        default=list,
        blank=True,
        help_text="Our fields in the order a form asks for them, for instance [“job_title”, “phone”]: of each person "
        "only what is not known yet.",
    )
    asks_at_once = models.PositiveSmallIntegerField(default=2, help_text="How many questions a form shows at most.")
    asks_again_after = models.PositiveSmallIntegerField(
        "asks again after days", default=0, help_text="What was said longer ago is asked again; 0: never."
    )

    class Meta(GovernedModel.Meta):
        ordering = ("title", "pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(precedence__lte=100),
                name="intake_source_precedence",
                violation_error_message="Precedence goes from 0 to 100.",
            ),
            models.CheckConstraint(
                condition=Q(per_minute__gte=1),
                name="intake_source_rate",
                violation_error_message="At least one a minute is let in; close the source to take none.",
            ),
            models.CheckConstraint(
                condition=Q(consent_field="") | ~Q(consent_wording=""),
                name="intake_source_wording",
                violation_error_message="A consent counts with its wording alone: say what stands beside the tick.",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Intake(models.Model):
    """One delivery as it came. Evidence: its content is kept as it was; only what became of it changes, by a replay."""

    source = models.ForeignKey(IntakeSource, models.PROTECT, related_name="intakes")
    idempotency_key = models.CharField("key of the delivery", max_length=120)
    payload = models.JSONField("as it came", default=dict)
    state = models.CharField(max_length=10, choices=IntakeState.choices)
    reason = models.CharField(max_length=500, blank=True)
    lead = models.ForeignKey(Lead, models.PROTECT, null=True, blank=True, related_name="intakes")
    received_at = models.DateTimeField("received")
    decided_at = models.DateTimeField("decided")
    attempts = models.PositiveSmallIntegerField(default=1)

    personal_fields = ("payload",)
    personal_subject = "lead"

    class Meta:
        ordering = ("-received_at", "-id")
        constraints = [
            models.UniqueConstraint(fields=("source", "idempotency_key"), name="intake_once"),
            models.CheckConstraint(
                condition=Q(state="rejected", lead__isnull=True) & ~Q(reason="")
                | Q(lead__isnull=False, state__in=("accepted", "duplicate")),
                name="intake_told",
            ),
        ]
        indexes = [models.Index(fields=("state", "-received_at"), name="intake_by_state")]

    def __str__(self) -> str:
        return f"{self.source} {self.idempotency_key}"


class FieldValue(models.Model):
    """What a source once said about a field of a lead, and whether it was taken. Evidence of where a value is from."""

    lead = models.ForeignKey(Lead, models.CASCADE, related_name="field_values")
    field = models.CharField(max_length=40)
    value = models.CharField(max_length=254, blank=True)
    source = models.CharField(max_length=40, help_text="A source of leads, or “people”.")
    precedence = models.PositiveSmallIntegerField()
    observed_at = models.DateTimeField("seen")
    is_taken = models.BooleanField("taken", help_text="No: a value that is trusted more stood there.")

    personal_fields = ("value",)
    personal_subject = "lead"

    class Meta:
        ordering = ("-observed_at", "-id")
        verbose_name = "value of a field"
        verbose_name_plural = "values of fields"
        indexes = [models.Index(fields=("lead", "field", "-observed_at"), name="field_value_by_lead")]

    def __str__(self) -> str:
        return f"{self.field} from {self.source}"


class Consent(models.Model):
    """What a lead agreed to, or took back, when and how it is known. Append-only evidence; the newest row counts."""

    lead = models.ForeignKey(Lead, models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=20, choices=ConsentPurpose.choices)
    is_given = models.BooleanField("given")
    given_at = models.DateTimeField("since")
    recorded_at = models.DateTimeField("recorded")
    source = models.CharField(max_length=40)
    evidence = models.CharField(max_length=300, help_text="The form and its wording, the letter, the call.")
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ("-given_at", "-id")
        indexes = [models.Index(fields=("lead", "purpose", "-given_at"), name="consent_by_lead")]
        constraints = [models.CheckConstraint(condition=~Q(evidence=""), name="consent_evident")]
        triggers = append_only_triggers("Consent is evidence: record the withdrawal as a new row.")

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}: {'given' if self.is_given else 'withdrawn'}"
