"""The pages of mail: mailboxes, what was fetched from them, and the answers that went out."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display

from apps.core import access
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button
from apps.core.admin_kit.links import link_to
from apps.core.words import NOTHING
from apps.tickets.domain.mail.receiving import refuse_replay, replay
from apps.tickets.domain.mail.running import fetch_now, refuse_fetch
from apps.tickets.enums import MailOutcome, SentState
from apps.tickets.models import Mailbox, ReceivedMail, SentMail, Ticket

OUTCOMES = {
    MailOutcome.OPENED.label: "success",
    MailOutcome.ANSWERED.label: "success",
    MailOutcome.NOTED.label: "info",
    MailOutcome.REJECTED.label: "warning",
    MailOutcome.FAILED.label: "danger",
}


@admin.register(Mailbox)
class MailboxAdmin(MopsAdmin):
    """Mailboxes."""

    list_display = ("name", "address", "queue", "is_active", "fetched", "trouble")
    list_filter = ("is_active", "queue")
    search_fields = ("name", "address", "host")
    autocomplete_fields = ("queue", "runs_as")
    fieldsets = (
        (None, {"fields": (("name", "address"), ("queue", "is_active"), "runs_as")}),
        ("Server", {"fields": (("host", "port", "security"), ("username", "secret_name"), "folder")}),
        ("Whom it trusts", {"fields": (("takes_strangers", "most_per_hour"), "checked_by")}),
    )
    buttons = (Button("fetch", "Fetch now", fetch_now, refuse_fetch), *ARCHIVE_BUTTONS)
    empty_state = (
        "No mailbox yet. Mail to it becomes tickets, and answers go back to the sender. Its password stands in the "
        "environment of the workers, not here."
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load how far each has been fetched with the rows."""
        return super().get_queryset(request).select_related("queue", "standing")

    @display(description="Last fetched", ordering="standing__fetched_at")
    def fetched(self, mailbox: Mailbox) -> Any:
        """When it was fetched."""
        return _standing(mailbox, "fetched_at")

    @display(description="Problem", ordering="standing__problem")
    def trouble(self, mailbox: Mailbox) -> Any:
        """Why it could not be fetched."""
        return _standing(mailbox, "problem") or NOTHING


@admin.register(ReceivedMail)
class ReceivedMailAdmin(ReadOnlyAdmin):
    """Every mail that was fetched."""

    list_display = ("subject_line", "sender", "mailbox", "became", "about", "reason", "fetched_at")
    list_filter = ("outcome", "mailbox", "fetched_at")
    search_fields = ("subject", "sender", "header_id")
    fieldsets = (
        (None, {"fields": (("sender", "mailbox"), "subject", "became", "about", "reason", "remarks")}),
        ("The mail", {"fields": (("size", "attempts", "fetched_at"), "header_id", "sha256")}),
        ("Cut off", {"fields": ("quoted",)}),
    )
    buttons = (
        Button(
            "replay",
            "Bring it in all the same",
            replay,
            refuse_replay,
            confirm="It is taken in as if a person had sent it: also where a machine wrote it or too many came.",
        ),
    )
    empty_state = "No mail yet. Every mail that is fetched from a mailbox stands here with what became of it."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load mailboxes and tickets with the rows."""
        return super().get_queryset(request).select_related("mailbox", "ticket")

    @display(description="Subject", ordering="subject")
    def subject_line(self, mail: ReceivedMail) -> str:
        """What it is about."""
        return mail.subject or "(no subject)"

    @display(description="Became", ordering="outcome", label=OUTCOMES)
    def became(self, mail: ReceivedMail) -> str:
        """What became of it."""
        return MailOutcome(mail.outcome).label

    @display(description="Ticket", ordering="ticket")
    def about(self, mail: ReceivedMail) -> str:
        """The ticket it went to."""
        return format_html("{}", link_to(mail.ticket))


@admin.register(SentMail)
class SentMailAdmin(ReadOnlyAdmin):
    """Answers that went out by mail."""

    list_display = ("about", "address", "standing", "attempts", "sent_at", "error")
    list_filter = ("state", "sent_at")
    search_fields = ("address", "header_id", "ticket__title")
    fieldsets = ((None, {"fields": ("about", "address", "standing", ("attempts", "sent_at"), "error", "header_id")}),)
    empty_state = (
        "No answer went out by mail yet. Those to people from outside, and to colleagues who asked by mail, do."
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load tickets with the rows; only those this person may see."""
        person: Any = request.user
        rows: models.QuerySet[Any] = super().get_queryset(request).select_related("ticket")
        return rows.filter(ticket__in=access.visible(person, Ticket))

    @display(description="Ticket", ordering="ticket")
    def about(self, mail: SentMail) -> str:
        """The ticket."""
        return format_html("{}", link_to(mail.ticket))

    @display(description="State", ordering="state", label={"Sent": "success", "Given up": "danger"})
    def standing(self, mail: SentMail) -> str:
        """How far it has come."""
        return SentState(mail.state).label


def _standing(mailbox: Mailbox, name: str) -> Any:
    found = getattr(mailbox, "standing", None)
    return getattr(found, name, None)
