"""After the answer: tasks to look again later, and what the requester thought of it."""

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from apps.core.governed import GovernedModel, ledger_triggers
from apps.core.transitions import guarded_columns, refusal, written_once
from apps.tickets.enums import FollowUpOutcome, Tier
from apps.tickets.models.catalogue import Queue, ReplyTemplate
from apps.tickets.models.ticket import Ticket


class FollowUp(GovernedModel):
    """A task to look at a ticket again: does the solution hold, what was missing?"""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="follow_ups", editable=False)
    question = models.CharField(max_length=200, help_text="What to find out.")
    due_on = models.DateField("due")
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    outcome = models.CharField(max_length=15, choices=FollowUpOutcome.choices, blank=True, editable=False)
    note = models.TextField(blank=True, editable=False)
    done_at = models.DateTimeField("done", null=True, editable=False)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False)

    class Meta(GovernedModel.Meta):
        verbose_name = "follow-up"
        ordering = ("due_on", "id")
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="", done_at__isnull=True) | (~Q(outcome="") & Q(done_at__isnull=False)),
                name="follow_up_done_with_outcome",
                violation_error_message="A follow-up is done with an outcome.",
            ),
        ]
        indexes = [models.Index(fields=("due_on",), condition=Q(outcome=""), name="follow_up_open")]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("outcome", "done_at", "done_by_id"),
                sentence="The outcome of a follow-up is recorded by the button on its page, not by an edit.",
            ),
            *written_once(("ticket_id",), "A follow-up stays with its ticket."),
        ]

    def __str__(self) -> str:
        return f"{self.ticket.ref}: {self.question}"


class Survey(models.Model):
    """One question to one requester: how did we do? Answered once, through a link that works once. Not governed."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="surveys")
    round = models.PositiveSmallIntegerField(help_text="How often the ticket had been reopened before it was asked.")
    queue = models.ForeignKey(Queue, models.PROTECT, related_name="+")
    tier = models.CharField(max_length=15, choices=Tier.choices)
    template = models.ForeignKey(ReplyTemplate, models.PROTECT, null=True, related_name="surveys")
    agent = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    token_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the token; it is kept nowhere else.")
    asked_at = models.DateTimeField("asked")
    expires_at = models.DateTimeField("expires")
    reminded_at = models.DateTimeField("reminded", null=True)
    score = models.PositiveSmallIntegerField(null=True, validators=[MinValueValidator(1), MaxValueValidator(5)])
    comment = models.TextField(blank=True)
    unsolved = models.BooleanField("not solved", default=False)
    answered_at = models.DateTimeField("answered", null=True)

    class Meta:
        ordering = ("-asked_at", "-id")
        constraints = [
            models.UniqueConstraint(fields=("ticket", "round"), name="survey_once_a_round"),
            models.UniqueConstraint(fields=("token_hash",), condition=~Q(token_hash=""), name="survey_token_once"),
            models.CheckConstraint(
                condition=Q(score__isnull=True, answered_at__isnull=True)
                | Q(score__range=(1, 5), answered_at__isnull=False),
                name="survey_score_from_one_to_five",
                violation_error_message="Choose from one to five.",
            ),
        ]
        indexes = [models.Index(fields=("asked_at",), name="survey_by_time")]
        triggers = [
            *ledger_triggers(),
            pgtrigger.Trigger(
                name="answered_once",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.answered_at IS NOT NULL"),
                func=refusal("This question was answered already; an answer stays as it is."),
            ),
            pgtrigger.Trigger(
                name="surveys_stay",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                func=refusal("What was asked and answered stays on record."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket.ref}, asked {self.asked_at:%-d %b %Y}"
