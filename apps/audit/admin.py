"""The auditor's desk: the ledger, filtered."""

from django.contrib import admin

from apps.audit.models import AuditEvent
from apps.core.admin_kit.base import ReadOnlyAdmin


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Who changed what, when, through which door and why."""

    list_display = ("at", "actor_label", "action", "table_name", "object_label", "channel", "reason")
    list_filter = ("action", "channel", "table_name")
    search_fields = ("object_label", "actor_label", "reason", "object_id")
    fields = (
        "at",
        "actor_label",
        "on_behalf_of_label",
        "action",
        "table_name",
        "object_id",
        "object_label",
        "changes",
        "reason",
        "channel",
        "request_id",
        "job_id",
        "txid",
    )
    empty_state = "Nothing has been changed yet."
