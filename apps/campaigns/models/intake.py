"""Requests for campaigns: asked by anybody, complete by a versioned form, triaged, and taken over into a campaign."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Trim

from apps.campaigns.enums import Channel, RequestStage
from apps.campaigns.models.campaign import Campaign
from apps.core.governed import GovernedModel, append_only_triggers, ledger_triggers
from apps.core.money import MoneyField
from apps.core.transitions import guarded_columns


class IntakeForm(models.Model):
    """What requests for campaigns must say, as it was published: each request keeps its version. Not a governed row."""

    number = models.PositiveIntegerField(unique=True)
    required = models.JSONField(help_text="Names of the fields that must be filled in.")
    questions = models.JSONField(default=list, help_text="Further questions: key, label, required, help.")
    lead_days = models.PositiveSmallIntegerField(
        "lead time (days)", default=0, help_text="How many days from asking to the first day there must at least be."
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    published_at = models.DateTimeField()

    class Meta:
        ordering = ("-number",)
        verbose_name = "request form"
        triggers = [
            *ledger_triggers(),
            *append_only_triggers("Published forms stay: requests were asked by them. Publish a new version."),
        ]

    def __str__(self) -> str:
        return f"Request form {self.number}"


class CampaignRequest(GovernedModel):
    """One wish for a campaign, from asking to the campaign it became or the reason it did not."""

    title = models.CharField(max_length=150, help_text="What you would call it.")
    objective = models.TextField(blank=True, help_text="What it is to achieve, and for which business goal.")
    audience = models.TextField(blank=True, help_text="Whom it addresses: segments, regions, exclusions.")
    starts_on = models.DateField("starts", null=True, blank=True)
    ends_on = models.DateField("ends", null=True, blank=True, help_text="The last day.")
    budget = MoneyField(
        max_digits=12, decimal_places=2, null=True, blank=True, help_text="All costs together; 0 where there are none."
    )
    currency = models.CharField(max_length=3, default="EUR", help_text="Three letters, for instance EUR.")
    success_metrics = models.TextField(
        blank=True, help_text="How it will be judged, with figures: 300 MQL, cost per lead below 40 EUR."
    )
    main_channel = models.CharField("channel", max_length=20, choices=Channel.choices, default=Channel.EMAIL)
    product = models.CharField(max_length=100, blank=True, help_text="What it is about.")
    region = models.CharField(max_length=100, blank=True, help_text="Where it runs, for instance DACH.")
    answers = models.JSONField(default=dict, blank=True, editable=False)
    form = models.ForeignKey(IntakeForm, models.PROTECT, null=True, blank=True, editable=False, related_name="+")
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, editable=False, related_name="campaign_requests"
    )
    asked_at = models.DateTimeField(editable=False)
    stage = models.CharField(
        "state", max_length=12, choices=RequestStage.choices, default=RequestStage.ASKED, editable=False
    )
    verdict = models.TextField("what was said", blank=True, editable=False)
    triaged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    triaged_at = models.DateTimeField(null=True, blank=True, editable=False)
    campaign = models.OneToOneField(
        Campaign, models.PROTECT, null=True, blank=True, editable=False, related_name="asked_for_by"
    )

    class Meta(GovernedModel.Meta):
        ordering = ("-asked_at", "-pk")
        verbose_name = "campaign request"
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="campaign_request_ends_after_start",
                violation_error_message="A campaign cannot end before it starts; look at the two dates.",
            ),
            models.CheckConstraint(
                condition=Q(budget__isnull=True) | Q(budget__gte=0),
                name="campaign_request_budget",
                violation_error_message="A budget cannot be less than nothing.",
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"),
                name="campaign_request_currency",
                violation_error_message="A currency is three capital letters, for instance EUR.",
            ),
            models.CheckConstraint(
                condition=Q(stage=RequestStage.ACCEPTED, campaign__isnull=False)
                | (~Q(stage=RequestStage.ACCEPTED) & Q(campaign__isnull=True)),
                name="campaign_request_became_one",
                violation_error_message="An accepted request has its campaign; others have none.",
            ),
            models.CheckConstraint(
                condition=~Q(stage__in=(RequestStage.DECLINED, RequestStage.INCOMPLETE)) | ~Q(verdict=""),
                name="campaign_request_why",
                violation_error_message="Say why.",
            ),
        ]
        indexes = [
            models.Index(fields=("stage", "-asked_at"), name="campaign_request_by_stage"),
            # how a role limited to a territory asks (apps/core/territorial.py), in the order of the list
            models.Index(
                *(Lower(Trim("region")), F("asked_at").desc(), F("id").desc()), name="campaign_request_by_territory"
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("stage", "verdict", "triaged_by_id", "triaged_at", "campaign_id", "requester_id", "asked_at"),
                starts={"stage": RequestStage.ASKED.value},
                sentence="A request is triaged by the buttons on its page, not by an edit.",
            ),
        ]

    def __str__(self) -> str:
        return self.title
