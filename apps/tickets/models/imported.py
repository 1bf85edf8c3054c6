"""Incidents of another service desk: what its file said, change by change, beside the ticket made of it."""

from django.db import models

from apps.core.governed import append_only_triggers
from apps.tickets.enums import TicketState
from apps.tickets.models.ticket import Ticket


class ImportedIncident(models.Model):
    """One incident of another system, and what that system says of it.

    Not a governed row: worked out from its changes, which stay; the ticket made of it is governed.
    """

    system = models.CharField(max_length=60, editable=False)
    number = models.CharField(max_length=60, editable=False)
    ticket = models.OneToOneField(Ticket, models.PROTECT, related_name="imported", editable=False)
    category = models.CharField(max_length=100, blank=True, editable=False)
    subcategory = models.CharField(max_length=100, blank=True, editable=False)
    symptom = models.CharField(max_length=100, blank=True, editable=False)
    group = models.CharField("assignment group", max_length=100, blank=True, editable=False)
    kept_promise = models.BooleanField(
        "promise kept, says the system", null=True, editable=False, help_text="What the other system says (made_sla)."
    )
    reopened = models.PositiveSmallIntegerField("times reopened", default=0, editable=False)
    reassigned = models.PositiveSmallIntegerField("times reassigned", default=0, editable=False)
    zone = models.CharField(
        "time zone", max_length=64, editable=False, help_text="The file names none; its times were read in this one."
    )

    class Meta:
        ordering = ("number",)
        constraints = [
            models.UniqueConstraint(fields=("system", "number"), name="imported_incident_once"),
        ]
        indexes = [models.Index(fields=("category",), name="imported_by_category")]

    def __str__(self) -> str:
        return self.number


class ImportedChange(models.Model):
    """One row of the file: how an incident stood after one change. Not a governed row: written once."""

    incident = models.ForeignKey(ImportedIncident, models.PROTECT, related_name="changes")
    sequence = models.PositiveIntegerField(help_text="The number of the change in the other system.")
    at = models.DateTimeField()
    state = models.CharField(max_length=20)
    facts = models.JSONField(help_text="The row as it stood in the file.")

    class Meta:
        ordering = ("incident", "sequence")
        constraints = [models.UniqueConstraint(fields=("incident", "sequence"), name="imported_change_once")]
        triggers = append_only_triggers("What a file said of an incident stays as it was read.")

    def __str__(self) -> str:
        return f"{self.incident} change {self.sequence}"

    @property
    def label(self) -> str:
        """Its state in words."""
        return TicketState(self.state).label
