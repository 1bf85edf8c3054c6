"""What was said, what happened and how long it took: evidence, written once."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Q

from apps.core.governed import append_only_triggers, ledger_triggers
from apps.tickets.enums import EventKind, Intake, MessageKind
from apps.tickets.models.catalogue import ReplyTemplate
from apps.tickets.models.ticket import Ticket

SAID_STAYS = "What was said stays: messages are never changed or deleted. Write another one."


class Message(models.Model):
    """One thing that was said: to the requester, by the requester, or among colleagues. Not a governed row."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="messages")
    kind = models.CharField(max_length=10, choices=MessageKind.choices)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    author_label = models.CharField(max_length=254)
    body = models.TextField()
    channel = models.CharField(max_length=10, choices=Intake.choices, default=Intake.DESK)
    template = models.ForeignKey(ReplyTemplate, models.PROTECT, null=True, related_name="messages")
    template_version = models.PositiveIntegerField(null=True, help_text="The version of the template it began from.")
    at = models.DateTimeField()

    class Meta:
        ordering = ("at", "id")
        indexes = [
            models.Index(fields=("ticket", "at", "id"), name="message_of_ticket"),
            GinIndex(SearchVector("body", config="english"), name="message_words"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(body=""), name="message_says_something", violation_error_message="Write something first."
            ),
        ]
        triggers = [*ledger_triggers(), *append_only_triggers(SAID_STAYS)]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} by {self.author_label}"

    @property
    def is_public(self) -> bool:
        """Whether the requester reads it."""
        return self.kind != MessageKind.INTERNAL


class TicketEvent(models.Model):
    """One thing that happened to a ticket, for its trail and for analytics. Not a governed row: the ledger has all."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=10, choices=EventKind.choices)
    before = models.CharField(max_length=200, blank=True)
    after = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    actor_label = models.CharField(max_length=254)
    at = models.DateTimeField()

    class Meta:
        ordering = ("at", "id")
        indexes = [
            models.Index(fields=("ticket", "at", "id"), name="event_of_ticket"),
            models.Index(fields=("kind", "at"), name="event_by_kind"),
        ]
        triggers = append_only_triggers("What happened to a ticket stays on record.")

    def __str__(self) -> str:
        return self.get_kind_display()


class TimeEntry(models.Model):
    """Time somebody spent on a ticket; a mistake is corrected by another entry. Not a governed row."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="time_entries")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    minutes = models.IntegerField(help_text="Negative to correct an earlier entry.")
    spent_on = models.DateField()
    note = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ("at", "id")
        verbose_name_plural = "time entries"
        constraints = [
            models.CheckConstraint(
                condition=~Q(minutes=0) & Q(minutes__range=(-1440, 1440)),
                name="time_entry_sensible",
                violation_error_message="Time spent is between one minute and a day.",
            ),
        ]
        triggers = [*ledger_triggers(), *append_only_triggers("Time spent is corrected by another entry.")]

    def __str__(self) -> str:
        return f"{self.minutes} min by {self.person}"
