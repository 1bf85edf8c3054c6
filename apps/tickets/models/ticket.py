"""A ticket: who asks for what, how much it matters, who works on it, and where it stands."""

from typing import Any

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Least

from apps.core.governed import GovernedModel, GovernedQuerySet
from apps.core.transitions import guarded_columns
from apps.tickets.enums import ACTIVE, DONE, Intake, Level, LinkKind, Priority, Resolution, TicketState
from apps.tickets.models.catalogue import FormVersion, Queue, TicketType


class TicketQuerySet(GovernedQuerySet):
    """Filters over tickets."""

    def active(self) -> "TicketQuerySet":
        """Those still to be done."""
        return self.filter(state__in=ACTIVE, archived_at__isnull=True)

    def unassigned(self) -> "TicketQuerySet":
        """Active ones that nobody has taken."""
        return self.active().filter(assignee__isnull=True)

    def without_a_word(self) -> "TicketQuerySet":
        """Active ones that nobody has answered yet."""
        return self.active().filter(first_response_at__isnull=True)


class Ticket(GovernedModel):
    """One wish or one trouble, from the first word to the last."""

    personal_fields = ("requester_name", "requester_email")

    title = models.CharField(max_length=200, help_text="What it is about, in one line.")
    type = models.ForeignKey(TicketType, models.PROTECT, null=True, blank=True, related_name="tickets")
    form_version = models.ForeignKey(FormVersion, models.PROTECT, null=True, editable=False, related_name="+")
    answers = models.JSONField(default=dict, blank=True, editable=False)
    queue = models.ForeignKey(Queue, models.PROTECT, related_name="tickets", editable=False)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False)
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The colleague who asks.",
    )
    requester_name = models.CharField(max_length=150, blank=True, help_text="Of somebody from outside.")
    requester_email = models.EmailField("requester e-mail", blank=True, help_text="Of somebody from outside.")
    impact = models.PositiveSmallIntegerField(
        choices=Level.choices, default=Level.MEDIUM, editable=False, help_text="How much or how many it touches."
    )
    urgency = models.PositiveSmallIntegerField(
        choices=Level.choices, default=Level.MEDIUM, editable=False, help_text="How soon it matters."
    )
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.NORMAL, editable=False)
    state = models.CharField(max_length=20, choices=TicketState.choices, default=TicketState.NEW, editable=False)
    resolution = models.CharField(max_length=20, choices=Resolution.choices, blank=True, editable=False)
    intake = models.CharField(max_length=10, choices=Intake.choices, default=Intake.DESK, editable=False)
    watchers = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="+", help_text="Told of every answer and every move."
    )
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, related_name="merged", editable=False)
    agreement = models.ForeignKey(
        "tickets.Agreement", models.PROTECT, null=True, related_name="tickets", editable=False
    )
    opened_at = models.DateTimeField("opened", editable=False)
    first_response_at = models.DateTimeField("first answer", null=True, editable=False)
    resolved_at = models.DateTimeField("resolved", null=True, editable=False)
    closed_at = models.DateTimeField("closed", null=True, editable=False)
    last_word_at = models.DateTimeField("last word", editable=False)
    reopened = models.PositiveSmallIntegerField("times reopened", default=0, editable=False)
    reassigned = models.PositiveSmallIntegerField("times reassigned", default=0, editable=False)

    objects = TicketQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(priority=Least(Value(4), Value(7) - F("impact") - F("urgency"))),
                name="ticket_priority_follows",
                violation_error_message="The priority follows from impact and urgency.",
            ),
            models.CheckConstraint(
                condition=~Q(title=""), name="ticket_has_title", violation_error_message="Say in one line what it is."
            ),
            models.CheckConstraint(
                condition=Q(requester__isnull=False) | ~Q(requester_email="") | Q(intake=Intake.IMPORT),
                name="ticket_has_requester",
                violation_error_message="Name who asks: a colleague, or the e-mail of somebody from outside.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ACTIVE, resolution="") | (Q(state__in=DONE) & ~Q(resolution="")),
                name="ticket_ends_with_resolution",
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(state=TicketState.CLOSED), name="ticket_merged_is_closed"
            ),
        ]
        indexes = [
            models.Index(fields=("queue", "state", "priority"), name="ticket_by_queue"),
            models.Index(fields=("assignee", "state"), name="ticket_by_assignee"),
            models.Index(fields=("requester", "-id"), name="ticket_by_requester"),
            models.Index(fields=("opened_at",), name="ticket_by_opening"),
            models.Index(
                fields=("priority", "opened_at"), condition=Q(state__in=ACTIVE, archived_at=None), name="ticket_active"
            ),
            models.Index(fields=("requester_email",), condition=~Q(requester_email=""), name="ticket_by_outsider"),
            models.Index(fields=("resolved_at",), condition=Q(state=TicketState.RESOLVED), name="ticket_resolved"),
            GinIndex(SearchVector("title", config="english"), name="ticket_title_words"),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "resolution", "queue_id", "impact", "urgency", "priority", "merged_into_id"),
                *("first_response_at", "resolved_at", "closed_at", "reopened", "reassigned", "opened_at"),
                sentence="A ticket moves by the buttons on its page, not by an edit.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ref} {self.title}"

    def erased_values(self) -> dict[str, str]:
        """What stands where a requester from outside was erased: an address that reaches nobody."""
        outside = self.requester_id is None and self.intake != Intake.IMPORT
        return {"requester_email": f"erased-{self.pk}@erased.invalid"} if outside else {}

    @property
    def ref(self) -> str:
        """What people call it: "T-12"."""
        return f"T-{self.pk}" if self.pk else "New ticket"

    @property
    def is_active(self) -> bool:
        """Whether it is still to be done."""
        return self.state in ACTIVE

    @property
    def asked_by(self) -> str:
        """Who asks, by name."""
        return str(self.requester or self.requester_name or self.requester_email or "Unknown")

    @property
    def team(self) -> Any:
        """The team that works on it."""
        return self.queue.team


class TicketLink(GovernedModel):
    """How two tickets belong together, read from the first to the second."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="links")
    kind = models.CharField(max_length=10, choices=LinkKind.choices, default=LinkKind.RELATED)
    other = models.ForeignKey(Ticket, models.PROTECT, related_name="linked_from")

    class Meta(GovernedModel.Meta):
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=("ticket", "kind", "other"),
                condition=Q(archived_at__isnull=True),
                name="ticket_link_once",
                violation_error_message="These two are linked that way already.",
            ),
            models.CheckConstraint(
                condition=~Q(ticket=F("other")),
                name="ticket_link_to_another",
                violation_error_message="A ticket cannot be linked to itself.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket.ref} {self.get_kind_display()} {self.other.ref}"


class TicketRecord(GovernedModel):
    """A campaign, lead, tool or SOP that a ticket is about."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="records")
    content_type = models.ForeignKey("contenttypes.ContentType", models.PROTECT, related_name="+")
    object_id = models.BigIntegerField()
    record = GenericForeignKey()

    class Meta(GovernedModel.Meta):
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=("ticket", "content_type", "object_id"),
                condition=Q(archived_at__isnull=True),
                name="ticket_record_once",
                violation_error_message="The ticket is about this already.",
            ),
        ]
        indexes = [models.Index(fields=("content_type", "object_id"), name="ticket_record_of")]

    def __str__(self) -> str:
        return f"{self.ticket.ref} is about {self.record}"


class ChecklistItem(GovernedModel):
    """One thing to do within a ticket."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="checklist")
    text = models.CharField(max_length=200)
    position = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True, editable=False)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.text
