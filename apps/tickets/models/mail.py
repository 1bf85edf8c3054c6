"""Mailboxes that tickets come through, every mail that was fetched, and every answer that went out."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from apps.core import access
from apps.core.governed import GovernedModel
from apps.core.private_files import private_files
from apps.tickets.enums import MailOutcome, MailSecurity, SentState
from apps.tickets.models.catalogue import Queue
from apps.tickets.models.conversation import Message
from apps.tickets.models.ticket import Ticket

LOCAL = ("localhost", "127.0.0.1", "::1")
SECRET_NAME = RegexValidator(
    r"^MOPS_MAILBOX_[A-Z0-9_]{1,60}$", "The name begins with MOPS_MAILBOX_ and goes on in capitals, digits and _."
)


class Mailbox(GovernedModel):
    """A mailbox whose mail becomes tickets. Its password stands in the environment, never here."""

    name = models.CharField(max_length=80, unique=True)
    address = models.EmailField(unique=True, help_text="What people write to; answers go out from it.")
    host = models.CharField("IMAP server", max_length=200)
    port = models.PositiveIntegerField(default=993, validators=[MinValueValidator(1), MaxValueValidator(65535)])
    security = models.CharField(max_length=10, choices=MailSecurity.choices, default=MailSecurity.TLS)
    username = models.CharField("user name", max_length=200)
    secret_name = models.CharField(
        "password variable",
        max_length=80,
        validators=[SECRET_NAME],
        help_text="The environment variable that holds the password, like MOPS_MAILBOX_SUPPORT_PASSWORD.",
    )
    folder = models.CharField(max_length=200, default="INBOX")
    queue = models.ForeignKey(
        Queue, models.PROTECT, null=True, blank=True, related_name="+", help_text="Empty: the default queue."
    )
    runs_as = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        help_text="In whose name mail is written down: somebody of the desk.",
    )
    takes_strangers = models.BooleanField(
        "anybody may write", default=True, help_text="Otherwise only colleagues who can sign in open tickets by mail."
    )
    checked_by = models.CharField(
        "checked by",
        max_length=200,
        blank=True,
        help_text="The name your mail server signs its Authentication-Results with. Senders who fail its checks "
        "(SPF, DKIM, DMARC) are then not taken for who they say they are. Empty: nothing is checked.",
    )
    most_per_hour = models.PositiveSmallIntegerField(
        "mails per sender and hour",
        default=20,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text="More are refused: two machines answering each other stop here.",
    )
    is_active = models.BooleanField("fetched", default=True)

    class Meta(GovernedModel.Meta):
        verbose_name_plural = "mailboxes"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a way to the server that others could listen to, and somebody who could not write mail down."""
        super().clean()
        if self.security == MailSecurity.NONE and self.host not in LOCAL:
            raise ValidationError({"security": "Without TLS anybody on the way reads the password; choose TLS."})
        if self.runs_as_id and not access.has_model_permission(self.runs_as, "add", Ticket):
            sentence = f"{self.runs_as} does not work at the desk, so no mail could be written down in their name."
            raise ValidationError({"runs_as": sentence})


class MailboxState(models.Model):
    """How far a mailbox has been fetched. Not a governed row: the job that fetches writes it every minute."""

    mailbox = models.OneToOneField(Mailbox, models.PROTECT, related_name="standing")
    uid_validity = models.BigIntegerField(default=0)
    last_uid = models.BigIntegerField(default=0)
    fetched_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True, help_text="Why it could not be fetched the last time.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.mailbox} up to {self.last_uid}"


def place_of_mail(instance: "ReceivedMail", filename: str) -> str:
    """Return a name on disk that says nothing about the mail."""
    return f"mail/{instance.mailbox_id}/{instance.sha256[:2]}/{instance.sha256}"


class ReceivedMail(models.Model):
    """One mail that was fetched and what became of it. Not a governed row: a log, written by the job that fetches."""

    mailbox = models.ForeignKey(Mailbox, models.PROTECT, related_name="mails", editable=False)
    uid_validity = models.BigIntegerField(editable=False)
    uid = models.BigIntegerField(editable=False)
    header_id = models.CharField("message id", max_length=500, blank=True, editable=False)
    sender = models.CharField("from", max_length=254, blank=True, editable=False)
    subject = models.CharField(max_length=500, blank=True, editable=False)
    size = models.BigIntegerField("size in bytes", editable=False)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True, editable=False)
    raw = models.FileField(storage=private_files, upload_to=place_of_mail, editable=False, max_length=200)
    quoted = models.TextField("cut off", blank=True, editable=False, help_text="What was quoted from earlier mails.")
    remarks = models.TextField(blank=True, editable=False, help_text="What was left out of the ticket, and why.")
    outcome = models.CharField(max_length=10, choices=MailOutcome.choices, editable=False)
    reason = models.TextField(blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField("times tried", default=1, editable=False)
    ticket = models.ForeignKey(Ticket, models.PROTECT, null=True, related_name="mails", editable=False)
    message = models.ForeignKey(Message, models.PROTECT, null=True, related_name="+", editable=False)
    fetched_at = models.DateTimeField("fetched", editable=False)

    class Meta:
        verbose_name = "received mail"
        verbose_name_plural = "received mail"
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=("mailbox", "uid_validity", "uid"), name="mail_fetched_once"),
            models.UniqueConstraint(
                fields=("mailbox", "header_id"),
                condition=Q(outcome__in=(MailOutcome.OPENED, MailOutcome.ANSWERED, MailOutcome.NOTED))
                & ~Q(header_id=""),
                name="mail_accepted_once",
            ),
            models.CheckConstraint(
                condition=~Q(outcome__in=(MailOutcome.REJECTED, MailOutcome.FAILED)) | ~Q(reason=""),
                name="mail_refused_says_why",
            ),
        ]
        indexes = [
            models.Index(fields=("header_id",), name="mail_by_header_id"),
            models.Index(fields=("sender", "fetched_at"), name="mail_by_sender"),
        ]

    def __str__(self) -> str:
        return self.subject or f"Mail {self.pk}"


class SentMail(models.Model):
    """One answer that goes out by mail. Not a governed row: a log of sending; the answer itself is evidence."""

    message = models.OneToOneField(Message, models.PROTECT, related_name="sent_mail", editable=False)
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="sent_mails", editable=False)
    address = models.EmailField("to", editable=False)
    header_id = models.CharField("message id", max_length=200, unique=True, editable=False)
    state = models.CharField(max_length=10, choices=SentState.choices, default=SentState.QUEUED, editable=False)
    attempts = models.PositiveSmallIntegerField("times tried", default=0, editable=False)
    not_before = models.DateTimeField("next try", editable=False)
    claimed_at = models.DateTimeField("last tried", null=True, editable=False)
    sent_at = models.DateTimeField("sent", null=True, editable=False)
    error = models.TextField("what went wrong", blank=True, editable=False)

    class Meta:
        verbose_name = "sent answer"
        ordering = ("-id",)
        indexes = [models.Index(fields=("not_before",), condition=Q(state=SentState.QUEUED), name="answer_due")]

    def __str__(self) -> str:
        return f"{self.ticket.ref} to {self.address}"
