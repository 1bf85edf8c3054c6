"""The mail log, and mail that stays in the product because there is no mail server."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.text import Truncator
from unfold.decorators import display

from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button
from apps.core.notifications.domain.delivering import refuse_resend, resend
from apps.core.notifications.enums import DeliveryState
from apps.core.notifications.kinds import label_of
from apps.core.notifications.mail import is_in_use
from apps.core.notifications.models import Delivery, StoredMail

STATE_COLOURS = {
    DeliveryState.QUEUED.label: "info",
    DeliveryState.SENDING.label: "info",
    DeliveryState.SENT.label: "success",
    DeliveryState.DEAD.label: "danger",
    DeliveryState.CANCELLED.label: "default",
}


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """The mail log: to whom, when, what became of it; never what it said."""

    list_display = ("created_at", "person", "what", "state_chip", "attempts", "sent_at", "error_start")
    list_filter = ("state", "channel")
    search_fields = ("person__full_name", "address", "message_id")
    list_select_related = ("person", "notification")
    fields = (
        "person",
        "what",
        "state_chip",
        "address",
        "attempts",
        "error",
        "created_at",
        "not_before",
        "claimed_at",
        "sent_at",
        "message_id",
    )
    readonly_fields = ("what", "state_chip")
    empty_state = "No mail has been queued yet. People who chose mail for a kind of notification get it from here."
    buttons = (
        Button(
            "resend",
            "Send again",
            resend,
            refuse_resend,
            confirm="The mail is queued again. If the first one arrived after all, the person gets it twice.",
            style="primary",
        ),
    )

    @display(description="state", ordering="state", label=STATE_COLOURS)
    def state_chip(self, delivery: Delivery) -> str:
        """Show what became of it."""
        return delivery.get_state_display()

    @display(description="what")
    def what(self, delivery: Delivery) -> str:
        """Show the kind of notification; its words are the person's own."""
        if delivery.notification is None:
            return delivery.get_channel_display()
        return label_of(delivery.notification.kind)

    @display(description="what went wrong")
    def error_start(self, delivery: Delivery) -> str:
        """Show the beginning of what went wrong."""
        return Truncator(delivery.error).chars(45)


@admin.register(StoredMail)
class StoredMailAdmin(ReadOnlyAdmin):
    """Mail that would have left mops if there were a mail server."""

    list_display = ("subject", "to", "created_at", "kind_chip")
    list_filter = ("is_sensitive",)
    search_fields = ("subject", "to")
    fields = ("to", "sender", "created_at")
    empty_state = "No mail yet. There is no mail server here, so invitations and notifications show up on this page."

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Leave the page out of the menu where mail really leaves."""
        return is_in_use() and bool(super().has_module_permission(request))

    @display(description="kind", label={"Sign-in": "warning", "Notification": "info"})
    def kind_chip(self, mail: StoredMail) -> str:
        """Tell mail that opens an account from the rest."""
        return "Sign-in" if mail.is_sensitive else "Notification"

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the text with links that can be followed."""
        mail = self.get_object(request, object_id)
        panels = [{"template": "admin/mops/stored_mail.html", "mail": mail}] if mail is not None else []
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "row_panels": panels})
