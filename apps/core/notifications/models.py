"""What was told to whom, how people want to be told, and which mail went out."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.core.governed import GovernedModel
from apps.core.notifications.enums import DeliveryState, Importance, MailChannel, Reach
from apps.core.notifications.kinds import label_of

Q = models.Q


class NotificationQuerySet(models.QuerySet["Notification"]):
    """Filters over notifications."""

    def of(self, person: Any) -> "NotificationQuerySet":
        """What one person was told."""
        return self.filter(recipient=person)

    def unread(self) -> "NotificationQuerySet":
        """Not yet read."""
        return self.filter(read_at__isnull=True)

    def unread_first(self) -> "NotificationQuerySet":
        """Unread before read, newest first."""
        return self.order_by(models.Case(models.When(read_at__isnull=True, then=0), default=1), "-id")


class Notification(models.Model):
    """One sentence told to one person. A plain row: it repeats what history and ledger already hold."""

    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=64)
    importance = models.CharField(max_length=10, choices=Importance.choices, default=Importance.NORMAL)
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    url = models.CharField("link", max_length=500, blank=True)
    subject_type = models.ForeignKey(ContentType, models.CASCADE, null=True, related_name="+")
    subject_id = models.CharField(max_length=40, blank=True)
    subject_label = models.CharField("about", max_length=200, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    dedupe = models.CharField(max_length=200, blank=True, help_text="Told at most once per person and key.")
    in_digest = models.BooleanField(default=False, help_text="Waits for the person's daily digest.")
    digest = models.ForeignKey("Delivery", models.SET_NULL, null=True, related_name="digested")
    created_at = models.DateTimeField("when")
    read_at = models.DateTimeField("read", null=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=("recipient", "kind", "dedupe"), condition=~Q(dedupe=""), name="notification_told_once"
            ),
        ]
        indexes = [
            models.Index(fields=("recipient", "-id"), name="notification_by_person"),
            models.Index(fields=("recipient",), condition=Q(read_at__isnull=True), name="notification_unread"),
            models.Index(
                fields=("recipient",), condition=Q(in_digest=True, digest__isnull=True), name="notification_undigested"
            ),
            models.Index(fields=("subject_type", "subject_id"), name="notification_by_subject"),
            models.Index(fields=("created_at",), name="notification_by_time"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def kind_label(self) -> str:
        """The kind in words."""
        return label_of(self.kind)


class Preference(GovernedModel):
    """How far one kind of notification reaches one person, where it differs from the kind's default."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notification_preferences")
    kind = models.CharField(max_length=64)
    reach = models.CharField(max_length=10, choices=Reach.choices)

    class Meta(GovernedModel.Meta):
        verbose_name = "notification preference"
        constraints = [models.UniqueConstraint(fields=("person", "kind"), name="preference_once")]

    def __str__(self) -> str:
        return f"{label_of(self.kind)}: {self.get_reach_display()}"


class MailHours(GovernedModel):
    """When mail may reach a person, in the person's own time zone."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="mail_hours")
    quiet_from = models.TimeField(
        null=True, blank=True, help_text="From this time no mail is sent to you; urgent mail still is."
    )
    quiet_until = models.TimeField(null=True, blank=True, help_text="What waited is sent at this time.")
    digest_at = models.TimeField(default=dt.time(8), help_text="When the daily digest comes.")

    class Meta(GovernedModel.Meta):
        verbose_name = verbose_name_plural = "mail hours"
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False) & ~Q(quiet_from=models.F("quiet_until")),
                name="quiet_hours_have_both_ends",
                violation_error_message="Quiet hours need a beginning and an end that differ, or neither.",
            ),
        ]

    def __str__(self) -> str:
        return f"Mail hours of {self.person}"


class Delivery(models.Model):
    """One mail to one person: queued with the notification itself, sent by a job. A plain row: a log of sending."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    notification = models.ForeignKey(Notification, models.CASCADE, null=True, related_name="deliveries")
    channel = models.CharField("mail", max_length=10, choices=MailChannel.choices)
    digest_day = models.DateField(null=True, help_text="The person's day that a digest is for.")
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.QUEUED)
    not_before = models.DateTimeField(help_text="Not sent earlier: quiet hours, or the pause before the next try.")
    attempts = models.PositiveSmallIntegerField(default=0)
    address = models.EmailField(blank=True, help_text="Where it went; taken from the person when it is sent.")
    message_id = models.CharField("message id", max_length=200, blank=True, help_text="Find it in the server's log.")
    error = models.TextField("what went wrong", blank=True)
    created_at = models.DateTimeField("queued")
    claimed_at = models.DateTimeField("last tried", null=True)
    sent_at = models.DateTimeField("sent", null=True)

    class Meta:
        verbose_name_plural = "mail log"
        ordering = ("-id",)
        permissions = [("oversee_delivery", "Can see the mail log of everybody")]
        constraints = [
            models.UniqueConstraint(fields=("notification", "channel"), name="delivery_once"),
            models.UniqueConstraint(
                fields=("person", "digest_day"), condition=Q(channel=MailChannel.DIGEST), name="digest_once_a_day"
            ),
        ]
        indexes = [
            models.Index(fields=("not_before",), condition=Q(state=DeliveryState.QUEUED), name="delivery_due"),
            models.Index(fields=("claimed_at",), condition=Q(state=DeliveryState.SENDING), name="delivery_under_way"),
            models.Index(fields=("person", "-id"), name="delivery_by_person"),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} to {self.address or self.person}"


class StoredMail(models.Model):
    """A mail kept in the product because no mail server is set up. A plain row: it goes away by itself."""

    message_id = models.CharField(max_length=200, unique=True)
    sender = models.CharField("from", max_length=254)
    to = models.CharField(max_length=1000)
    recipients = ArrayField(models.EmailField(), help_text="Everybody it is for, in lower case, blind copies included.")
    subject = models.CharField(max_length=500)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    is_sensitive = models.BooleanField("carries a secret", default=True)
    created_at = models.DateTimeField("when")

    class Meta:
        ordering = ("-id",)
        verbose_name = "stored mail"
        verbose_name_plural = "stored mail"
        permissions = [("oversee_storedmail", "Can read the mail of everybody that carries no secret")]
        indexes = [models.Index(fields=("created_at",), name="storedmail_by_time")]

    def __str__(self) -> str:
        return self.subject
