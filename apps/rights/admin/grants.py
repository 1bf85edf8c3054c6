"""Every grant there is or was: readable by administrators and auditors, ended by a button."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from unfold.decorators import display

from apps.core import clock
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.rights.domain.granting import refuse_revoke, revoke_access
from apps.rights.models import AccessGrant


@admin.register(AccessGrant)
class AccessGrantAdmin(ReadOnlyAdmin):
    """Shared records."""

    list_display = ("shared_with", "may", "kind", "object_label", "state", "granted_by", "created_at", "expires_at")
    list_filter = ("verb", "content_type", "role", "team", "revoked_at")
    search_fields = ("object_label", "reason", "person__full_name", "person__email", "team__name")
    fields = (
        *("shared_with", "may", "kind", "record", "reason", "granted_by", "created_at", "expires_at"),
        *("state", "revoked_at", "revoked_by", "revoked_why"),
    )
    readonly_fields = ("shared_with", "may", "kind", "record", "state")
    empty_state = (
        "Nothing is shared. Open a tool, an SOP or a campaign that you own: “Shared with” stands below its form."
    )
    buttons = (
        Button(
            "revoke",
            "Revoke",
            revoke_access,
            refuse_revoke,
            ReasonForm,
            confirm="What this grant opens is refused from the next request on.",
            style="danger",
            icon="key_off",
            step_up=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load who has it, who gave it and the kind with the rows."""
        return (
            super().get_queryset(request).select_related("person", "team", "granted_by", "revoked_by", "content_type")
        )

    @display(description="Shared with", ordering="person__full_name")
    def shared_with(self, grant: AccessGrant) -> str:
        """Who has it."""
        return grant.principal_label

    @display(description="May", ordering="verb")
    def may(self, grant: AccessGrant) -> str:
        """What it lets them do."""
        return grant.get_verb_display().lower()

    @display(description="Kind", ordering="content_type")
    def kind(self, grant: AccessGrant) -> str:
        """The kind of record."""
        return capfirst(str(grant.content_type.name))

    @display(description="Record")
    def record(self, grant: AccessGrant) -> str:
        """The record, with the way to it."""
        opts = grant.content_type
        try:
            url = reverse(f"admin:{opts.app_label}_{opts.model}_change", args=(grant.object_id,))
        except NoReverseMatch:
            return grant.object_label
        return format_html('<a class="mops-link" href="{}">{}</a>', url, grant.object_label)

    @display(description="State", label={"in force": "success", "expired": "warning", "ended": "danger"})
    def state(self, grant: AccessGrant) -> str:
        """Whether it opens anything now."""
        return grant.state_at(clock.now())
