"""Touches: what a lead did, each once, for good; counted by day beside it. All but the touches is derived."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.timezone import localtime

from apps.campaigns.models import Campaign
from apps.content.models import ContentVersion
from apps.core.transitions import refusal
from apps.leads.enums import TouchChannel, TouchType
from apps.leads.models.lead import Lead

KEPT = (
    *("channel", "type", "occurred_at", "received_at", "source", "source_event_id"),
    *("campaign_id", "content_version_id", "utm", "value"),
)


class Touchpoint(models.Model):
    """One thing a lead did. Evidence in monthly partitions: never edited or deleted.

    Only its classification (a person or a machine) and whose it is can change, and only by an operation.
    """

    lead = models.ForeignKey(Lead, models.PROTECT, related_name="touches", db_index=False)
    type = models.CharField(max_length=20, choices=TouchType.choices)
    channel = models.CharField(max_length=20, choices=TouchChannel.choices)
    occurred_at = models.DateTimeField("when")
    received_at = models.DateTimeField("received")
    source = models.CharField(max_length=40, help_text="The system that saw it.")
    source_event_id = models.CharField("number there", max_length=100, help_text="Each event counts once.")
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, db_constraint=False
    )
    content_version = models.ForeignKey(
        ContentVersion, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, db_constraint=False
    )
    utm = models.JSONField("UTM", default=dict, blank=True)
    value = models.CharField("what", max_length=200, blank=True, help_text="The page, the file, the webinar.")
    is_machine = models.BooleanField("by a machine", default=False)
    machine_reason = models.CharField("why a machine", max_length=200, blank=True)

    class Meta:
        ordering = ("-occurred_at", "-id")
        verbose_name = "touch"
        verbose_name_plural = "touches"
        constraints = [
            models.CheckConstraint(condition=Q(is_machine=False) | ~Q(machine_reason=""), name="touch_machine_told"),
        ]
        indexes = [models.Index(fields=("lead", "-occurred_at"), name="touch_by_lead")]
        triggers = [
            pgtrigger.Trigger(
                name="touch_kept",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    " OR ".join(f'OLD."{name}" IS DISTINCT FROM NEW."{name}"' for name in KEPT)
                ),
                func=refusal("A touch is evidence: only whose it is and whether a machine did it can be corrected."),
            ),
            pgtrigger.Trigger(
                name="touch_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                func=refusal("A touch is evidence and is never deleted; mark it as done by a machine instead."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()} on {localtime(self.occurred_at):%-d %b %Y}"


class TouchKey(models.Model):
    """Which events are known. Derived from the touches: one index over all months keeps each event once."""

    pk = models.CompositePrimaryKey("source", "source_event_id")
    source = models.CharField(max_length=40)
    source_event_id = models.CharField(max_length=100)

    class Meta:
        verbose_name = "known event"

    def __str__(self) -> str:
        return f"{self.source} {self.source_event_id}"


class TouchDay(models.Model):
    """How often a lead did something on a day (UTC), machines left out. Derived from the touches."""

    pk = models.CompositePrimaryKey("lead_id", "type", "day")
    lead_id = models.BigIntegerField("lead")
    type = models.CharField(max_length=20, choices=TouchType.choices)
    day = models.DateField()
    touches = models.PositiveIntegerField()

    class Meta:
        verbose_name = "day of touches"
        constraints = [models.CheckConstraint(condition=Q(touches__gt=0), name="touch_day_counted")]

    def __str__(self) -> str:
        return f"{self.touches} × {self.type} on {self.day}"


def of_people(rows: "models.QuerySet[Touchpoint]") -> "models.QuerySet[Touchpoint]":
    """Return the touches that count."""
    return rows.filter(is_machine=False).order_by(F("occurred_at").desc())
