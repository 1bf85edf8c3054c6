"""What needs attention: one open alert per cause, and everything that happened to it."""

from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models

from apps.core.alerts.enums import AlertState, Severity, What
from apps.core.governed import append_only_triggers

Q = models.Q


def most_urgent_first() -> list[Any]:
    """Return the ordering: what waits for somebody first, the most severe and the latest of it first."""
    state = models.Case(*(models.When(state=each, then=n) for n, each in enumerate(AlertState)))
    severity = models.Case(*(models.When(severity=each, then=each.rank) for each in Severity))
    return [state.asc(), severity.desc(), "-last_seen", "-id"]


class AlertQuerySet(models.QuerySet["Alert"]):
    """Filters over alerts."""

    def unresolved(self) -> "AlertQuerySet":
        """Open, acknowledged or snoozed."""
        return self.exclude(state=AlertState.RESOLVED)

    def most_urgent_first(self) -> "AlertQuerySet":
        """In the order in which somebody should look at them."""
        return self.order_by(*most_urgent_first())


class Alert(models.Model):
    """One cause that needs attention, until it is resolved; its story is `AlertEvent`, append-only."""

    fingerprint = models.CharField(max_length=200, help_text="Names the cause: one open alert each.")
    title = models.CharField(max_length=200)
    detail = models.TextField(blank=True)
    severity = models.CharField(max_length=10, choices=Severity.choices)
    state = models.CharField(max_length=15, choices=AlertState.choices, default=AlertState.OPEN)
    occurrences = models.PositiveIntegerField("times", default=1, help_text="How often it was raised.")
    first_seen = models.DateTimeField("since")
    last_seen = models.DateTimeField("last raised")
    subject_type = models.ForeignKey(ContentType, models.SET_NULL, null=True, related_name="+")
    subject_id = models.CharField(max_length=40, blank=True)
    subject_label = models.CharField("about", max_length=200, blank=True)
    owner_person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="owner (person)"
    )
    owner_team = models.ForeignKey(
        "accounts.Team", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="owner (team)"
    )
    owner_role = models.CharField("owner (role)", max_length=20, blank=True)
    runbook = models.TextField(blank=True, help_text="What to do, or where that is written down.")
    acknowledged_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    acknowledged_at = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    previous = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="last time",
        help_text="The same cause before.",
    )

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=("fingerprint",), condition=~Q(state=AlertState.RESOLVED), name="one_open_alert_per_cause"
            ),
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="alert_severity_known"),
            models.CheckConstraint(
                condition=~Q(state=AlertState.SNOOZED) | Q(snoozed_until__isnull=False), name="snoozed_until_when"
            ),
        ]
        indexes = [
            models.Index(fields=("fingerprint", "-id"), name="alert_by_fingerprint"),
            models.Index(fields=("state", "severity"), condition=~Q(state=AlertState.RESOLVED), name="alert_open"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def owner(self) -> Any:
        """Who is told: a person, a team, or the name of a role."""
        return self.owner_person or self.owner_team or self.owner_role

    @property
    def owner_label(self) -> str:
        """The owner in words."""
        return str(self.owner_person or self.owner_team or self.owner_role.replace("_", " ").capitalize())


class AlertEvent(models.Model):
    """One thing that happened to an alert: who, when, why. Append-only evidence."""

    alert = models.ForeignKey(Alert, models.PROTECT, related_name="events")
    at = models.DateTimeField("when")
    what = models.CharField(max_length=15, choices=What.choices)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    actor_label = models.CharField("who", max_length=254)
    note = models.TextField(blank=True)

    class Meta:
        ordering = ("id",)
        triggers = append_only_triggers("What happened to an alert is never changed or deleted.")

    def __str__(self) -> str:
        return f"{self.get_what_display()} by {self.actor_label}"
