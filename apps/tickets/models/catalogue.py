"""What can be asked for, where it lands, and what is asked with it."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from apps.accounts.models import OwnedModel
from apps.core.governed import GovernedModel, append_only_triggers, ledger_triggers
from apps.core.transitions import guarded_columns
from apps.tickets.enums import Tier


class Queue(GovernedModel):
    """Where tickets wait, and which team works on them."""

    name = models.CharField(max_length=80, unique=True)
    purpose = models.TextField(blank=True, help_text="Which tickets belong here, in a sentence or two.")
    team = models.ForeignKey(
        "accounts.Team", models.PROTECT, related_name="+", help_text="Its people take tickets from here."
    )
    calendar = models.ForeignKey(
        "calendars.BusinessCalendar",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Whose working time counts for its tickets; empty for the default calendar.",
    )
    is_default = models.BooleanField(
        "default", default=False, help_text="Takes what belongs to no other queue; one queue is the default."
    )
    reopen_days = models.PositiveSmallIntegerField(
        "may come back within (days)",
        default=14,
        db_default=14,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="So long a requester's word reopens a ticket that was done; later they open a new one.",
    )
    address = models.EmailField(
        "mail address",
        blank=True,
        help_text="Mail that names it comes here, whichever mailbox it is fetched from: an alias like lists@….",
    )
    close_days = models.PositiveSmallIntegerField(
        "closed after (days)",
        null=True,
        blank=True,
        default=14,
        db_default=14,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="A resolved ticket without another word is closed then; empty: somebody closes it.",
    )
    asks_score = models.BooleanField(
        "asks how it was",
        default=True,
        db_default=True,
        help_text="Requesters of resolved tickets get a link to a page with one question.",
    )
    follow_up_days = models.PositiveSmallIntegerField(
        "followed up after (days)",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="A task for its assignee to ask whether the solution holds; empty: none.",
    )

    class Meta(GovernedModel.Meta):
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                fields=("is_default",),
                condition=Q(is_default=True, archived_at__isnull=True),
                name="queue_one_default",
                violation_error_message="Another queue is the default; take that away first.",
            ),
            models.UniqueConstraint(
                Lower("address"),
                condition=~Q(address="") & Q(archived_at__isnull=True),
                name="queue_address_once",
                violation_error_message="Another queue has this address.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a calendar in which nothing could fall due: no ticket could be promised anything here."""
        super().clean()
        if self.calendar is not None and not self.calendar.versions.exists():
            raise ValidationError({"calendar": f"{self.calendar} has no hours yet; publish its first version."})


class TicketType(OwnedModel, GovernedModel):
    """One entry of the catalogue: something colleagues do alone, ask for, or need a project for."""

    name = models.CharField(max_length=100, unique=True, help_text="As a colleague would ask: “New e-mail template”.")
    tier = models.CharField(
        max_length=15,
        choices=Tier.choices,
        default=Tier.STANDARD,
        help_text="Self-service: anybody does it alone with the guide. Standard: asked for here. Project: planned.",
    )
    summary = models.CharField(max_length=250, blank=True, help_text="One line for the catalogue.")
    guide = models.TextField(
        blank=True, help_text="In Markdown: how to do it alone, or what to know before asking. Shown before the form."
    )
    queue = models.ForeignKey(Queue, models.PROTECT, null=True, blank=True, related_name="types")
    process = models.ForeignKey(
        "processes.Process",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The procedure by which such tickets are worked on.",
    )
    starts_run = models.BooleanField(
        "its procedure starts at once",
        default=False,
        db_default=False,
        help_text="A run of the procedure starts with each ticket, owned by the type's owner; otherwise by a button.",
    )
    in_catalogue = models.BooleanField(default=True, help_text="Colleagues find it on the help page.")

    class Meta(GovernedModel.Meta):
        ordering = ("tier", "name")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a start without a procedure, and runs that nobody would own."""
        super().clean()
        if self.starts_run and self.process_id is None:
            raise ValidationError({"process": "Name the procedure that starts with each ticket."})
        if self.starts_run and self.owner is None:
            raise ValidationError({"owner_person": "Its runs need an owner: say who answers for this type."})

    @property
    def current_form(self) -> "FormVersion | None":
        """What is asked now; None where nothing beyond title and description is."""
        found: FormVersion | None = self.forms.order_by("-number").first()
        return found


class FormVersion(models.Model):
    """What a type asks, as it was published: tickets keep the version they were asked by. Not a governed row."""

    type = models.ForeignKey(TicketType, models.PROTECT, related_name="forms")
    number = models.PositiveIntegerField()
    questions = models.JSONField(help_text="In order: key, label, kind, required, help, choices.")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    published_at = models.DateTimeField()

    class Meta:
        ordering = ("type", "-number")
        constraints = [models.UniqueConstraint(fields=("type", "number"), name="form_number_once")]
        triggers = [
            *ledger_triggers(),
            *append_only_triggers("Published forms stay: tickets were asked by them. Publish a new version."),
        ]

    def __str__(self) -> str:
        return f"{self.type}, form {self.number}"


class ReplyTemplate(OwnedModel, GovernedModel):
    """An answer to start from, with places that are filled in from the ticket; its text comes from its versions."""

    name = models.CharField(max_length=100, unique=True)
    body = models.TextField(blank=True, editable=False)
    guidelines = models.TextField(blank=True, editable=False)
    version = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    queue = models.ForeignKey(
        Queue,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Offered there alone; empty: anywhere.",
    )

    class Meta(GovernedModel.Meta):
        ordering = ("name",)
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("body", "guidelines", "version"),
                starts={"body": ""},
                sentence="What a template says comes from an approved version: write a new version and send it.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
