"""Who can take what: skills and profiles of the desk's people; and why a ticket went where it went, kept for good."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from apps.core.governed import GovernedModel, append_only_triggers, ledger_triggers
from apps.tickets.models.catalogue import Queue
from apps.tickets.models.ticket import Ticket


class Skill(GovernedModel):
    """Something that somebody must know to take certain tickets: a tool, a language, a kind of work."""

    name = models.CharField(max_length=60, help_text="Like “Consent law” or “German”.")
    purpose = models.CharField(max_length=200, blank=True, help_text="Which tickets need it, in a sentence.")

    class Meta(GovernedModel.Meta):
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="skill_name_once", violation_error_message="There is already a skill of this name."
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DeskProfile(GovernedModel):
    """What routing knows about somebody of the desk. Without one a person has no skills, no limit and is there."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="desk_profile")
    skills = models.ManyToManyField(Skill, blank=True, related_name="holders")
    most_open = models.PositiveSmallIntegerField(
        "most tickets at once",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(500)],
        help_text="With so many active ones routing gives no more; empty: no limit.",
    )
    away_from = models.DateField(null=True, blank=True, help_text="Routing passes over them from this day on.")
    away_until = models.DateField("away until", null=True, blank=True, help_text="The last day away.")

    class Meta(GovernedModel.Meta):
        ordering = ("person__full_name",)
        constraints = [
            models.CheckConstraint(
                condition=Q(away_from__isnull=True, away_until__isnull=True)
                | Q(away_from__isnull=False, away_until__gte=F("away_from")),
                name="desk_profile_away_in_order",
                violation_error_message="Say both days, the first not after the last, or neither.",
            ),
            models.CheckConstraint(
                condition=Q(most_open__isnull=True) | Q(most_open__gte=1), name="desk_profile_takes_some"
            ),
        ]

    def __str__(self) -> str:
        return f"Desk profile of {self.person}"


class RoutingDecision(models.Model):
    """Why a ticket went to a queue and a person: what was asked, who was considered. Not a governed row: evidence."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="routings")
    version = models.ForeignKey("rules.RuleVersion", models.PROTECT, null=True, related_name="+")
    rule_key = models.CharField(max_length=60, blank=True)
    rule_name = models.CharField(max_length=150, blank=True)
    queue = models.ForeignKey(Queue, models.PROTECT, related_name="+")
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    sentence = models.TextField(help_text="The reason in words, as the ticket shows it.")
    explanation = models.JSONField(help_text="Rules tried with what each said, people considered and why not.")
    at = models.DateTimeField()

    class Meta:
        ordering = ("-at", "-id")
        indexes = [
            models.Index(fields=("ticket", "-at", "-id"), name="routing_of_ticket"),
            models.Index(fields=("version", "rule_key"), name="routing_by_rule"),
        ]
        triggers = [*ledger_triggers(), *append_only_triggers("Why a ticket was routed stays on record.")]

    def __str__(self) -> str:
        return self.sentence


class RoutingCursor(models.Model):
    """Whose turn it is in a team. A plain row: its lock lets one ticket be given at a time, so nobody gets two."""

    team = models.OneToOneField("accounts.Team", models.CASCADE, related_name="+")
    last_person = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    given = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"Turn of {self.team}"
