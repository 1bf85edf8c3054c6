"""Conditions of approvals: what must be done before something approved takes effect."""

from django import forms
from django.contrib import admin
from unfold.decorators import display

from apps.approvals.domain import effects
from apps.approvals.models import ApprovalCondition
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button


class ClosingForm(forms.Form):
    """Asks how a condition was met."""

    note = forms.CharField(label="How it was met", widget=forms.Textarea(attrs={"rows": 3}))


@admin.register(ApprovalCondition)
class ApprovalConditionAdmin(ReadOnlyAdmin):
    """What must be done before something approved takes effect."""

    list_display = ("text", "approval", "asked_by", "closed_at", "closed_by")
    list_filter = (("closed_at", admin.EmptyFieldListFilter),)
    search_fields = ("text", "approval__title")
    fields = ("text", "approval", "asked_by", "closed_at", "closed_by", "closing_note")
    readonly_fields = ("asked_by",)
    list_select_related = ("approval", "closed_by", "decision__approver", "decision__principal")
    buttons = (
        Button(
            "close",
            "Close the condition",
            effects.close_condition,
            effects.refuse_closing,
            form=ClosingForm,
            confirm="The last condition that is closed lets what was approved take effect.",
            style="primary",
            icon="task_alt",
            hide_when_refused=False,
        ),
    )
    empty_state = "Nobody has approved anything under a condition."

    @display(description="Asked by")
    def asked_by(self, row: ApprovalCondition) -> str:
        """Who set it."""
        return row.decision.signature
