"""How data gets from tool to tool: integrations, what each carries, and how their transfers went."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.timezone import localtime

from apps.accounts.models import OwnedModel
from apps.core import clock
from apps.core.governed import GovernedModel, GovernedQuerySet, append_only_triggers
from apps.core.transitions import guarded_columns
from apps.technology.enums import AuthKind, Direction, Frequency, IntegrationState, Method
from apps.technology.models.data import DataEntity, DataField
from apps.technology.models.flow_triggers import SELF, ends_are_alive


class IntegrationQuerySet(GovernedQuerySet):
    """Integrations by whether data flows."""

    def flowing(self) -> "IntegrationQuerySet":
        """Integrations over which data goes, or will go again."""
        return self.filter(state__in=(IntegrationState.LIVE, IntegrationState.PAUSED), archived_at__isnull=True)


class Integration(OwnedModel, GovernedModel):
    """One way on which two tools exchange data."""

    name = models.CharField(max_length=150)
    source = models.ForeignKey("technology.Tool", models.PROTECT, related_name="flows_out")
    target = models.ForeignKey("technology.Tool", models.PROTECT, related_name="flows_in")
    direction = models.CharField(max_length=10, choices=Direction.choices, default=Direction.ONE_WAY)
    method = models.CharField(max_length=10, choices=Method.choices, default=Method.API)
    frequency = models.CharField(max_length=10, choices=Frequency.choices, default=Frequency.DAILY)
    auth = models.CharField(
        "authentication",
        max_length=20,
        choices=AuthKind.choices,
        default=AuthKind.UNKNOWN,
        help_text="How the sides recognise each other. Never write the secret itself here.",
    )
    secret_kept_in = models.CharField(
        "secret is kept in", max_length=150, blank=True, help_text="The name of its place in the vault, not the secret."
    )
    objects_carried = models.CharField(
        "objects", max_length=250, blank=True, help_text="As the tools name them: Lead, Contact, CampaignMember."
    )
    state = models.CharField(
        max_length=10, choices=IntegrationState.choices, default=IntegrationState.PLANNED, editable=False
    )
    file_source = models.ForeignKey(
        "exchange.FileSource",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Where mops itself reads what comes over: each sync tells how the transfer went.",
    )
    job = models.CharField(
        "background job",
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text="Where a job of mops carries it out: each run tells how the transfer went.",
    )
    notes = models.TextField(blank=True)

    objects = IntegrationQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        ordering = ("name",)
        indexes = [
            models.Index(fields=("source", "state"), name="integration_by_source"),
            models.Index(fields=("target", "state"), name="integration_by_target"),
        ]
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="integration_once", violation_error_message="There is already such an integration."
            ),
            models.CheckConstraint(
                condition=~Q(source=F("target")), name="integration_between_two", violation_error_message=SELF
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                "state",
                starts={"state": IntegrationState.PLANNED.value},
                sentence="An integration goes live, pauses and ends by the buttons on its page, not by an edit.",
            ),
            ends_are_alive(),
        ]

    def __str__(self) -> str:
        return self.name


class DataFlow(GovernedModel):
    """Which entity an integration carries, and which of its fields it writes."""

    integration = models.ForeignKey(Integration, models.PROTECT, related_name="flows")
    entity = models.ForeignKey(DataEntity, models.PROTECT, related_name="flows")
    fields = models.ManyToManyField(
        DataField, blank=True, related_name="flows", help_text="Those it writes; none chosen: every field."
    )
    note = models.CharField(max_length=250, blank=True)

    class Meta(GovernedModel.Meta):
        ordering = ("integration", "entity")
        constraints = [
            models.UniqueConstraint(
                fields=("integration", "entity"),
                name="flow_once",
                violation_error_message="This integration already carries that entity; change that flow.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entity} over {self.integration}"


class Transfer(models.Model):
    """How one transfer went, or one check of it; what happened is never changed."""

    integration = models.ForeignKey(Integration, models.PROTECT, related_name="transfers")
    at = models.DateTimeField(default=clock.now)
    ok = models.BooleanField("went well")
    records = models.PositiveIntegerField(null=True, blank=True)
    note = models.CharField(max_length=300, blank=True)
    source = models.CharField(max_length=100, help_text="Who says so: a log, a job, a check by hand.")
    recorded_by = models.CharField(max_length=150, blank=True, editable=False)
    reference = models.CharField(max_length=40, blank=True, default="", db_default="", editable=False)

    class Meta:
        ordering = ("-at", "-pk")
        constraints = [
            models.UniqueConstraint(
                fields=("integration", "reference"), condition=~Q(reference=""), name="transfer_recorded_once"
            ),
        ]
        indexes = [
            models.Index("integration", F("at").desc(), F("id").desc(), name="transfer_newest"),
        ]
        triggers = append_only_triggers("What happened stays as it was recorded; record the next transfer instead.")

    def __str__(self) -> str:
        return f"{self.integration} on {localtime(self.at):%-d %b %Y, %H:%M}: {'went well' if self.ok else 'failed'}"
