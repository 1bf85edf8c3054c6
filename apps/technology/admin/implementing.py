"""The pages of implementation gates, and the run of an SOP that implements a tool."""

from importlib import import_module
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSingleDateWidget

from apps.core import access
from apps.core.actors import current_actor
from apps.core.admin_kit.base import MopsAdmin
from apps.core.admin_kit.buttons import Button
from apps.technology.domain import implementing
from apps.technology.enums import Lifecycle
from apps.technology.models import ImplementationGate, Tool


def evidence_form(gate: ImplementationGate) -> type[forms.Form]:
    """Return the form that asks for the evidence of one gate."""
    words = implementing.WORDS[gate.kind]
    field = forms.CharField(label="Evidence", widget=forms.Textarea(attrs={"rows": 5}), help_text=words)
    return type("GateForm", (forms.Form,), {"reason": field})


@admin.register(ImplementationGate)
class ImplementationGateAdmin(MopsAdmin):
    """Gates of implementations."""

    list_display = ("tool", "gate", "stands", "passed_at", "passed_by")
    list_filter = ("kind", ("passed_at", admin.EmptyFieldListFilter), "tool__lifecycle")
    search_fields = ("tool__name", "evidence")
    fieldsets = ((None, {"fields": ("tool", "gate", "evidence", ("passed_at", "passed_by"))}),)
    readonly_fields = ("tool", "gate", "evidence", "passed_at", "passed_by")
    buttons = (
        Button(
            "pass",
            "Pass the gate",
            implementing.pass_gate,
            implementing.refuse_pass,
            form_for=evidence_form,
            confirm="What you write stays as the evidence; a gate that is passed stays passed.",
            style="primary",
            hide_when_refused=False,
        ),
    )
    empty_state = "No gate yet. A tool gets its four the moment its implementation begins."

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Gates come with the implementation."""
        return False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load tools and people with the rows."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("tool", "passed_by")

    @display(description="Gate", ordering="position")
    def gate(self, found: ImplementationGate) -> str:
        """Which one."""
        return str(found.get_kind_display())

    @display(description="State", ordering="passed_at", label={"Passed": "success", "Open": "warning"})
    def stands(self, found: ImplementationGate) -> str:
        """Whether it is passed."""
        return "Passed" if found.passed_at else "Open"


def rollout_form(tool: Tool) -> type[forms.Form]:
    """Return the form that asks which SOP implements the tool; those this person may see."""
    choices = import_module("mops.wiring").rollout_choices(current_actor().user)
    process = forms.TypedChoiceField(
        choices=choices, coerce=int, widget=UnfoldAdminSelectWidget, help_text="Processes with a version in force."
    )
    due = forms.DateField(required=False, widget=UnfoldAdminSingleDateWidget, label="Done by")
    return type("RolloutForm", (forms.Form,), {"process": process, "due_on": due})


ROLLOUT = Button(
    "rollout",
    "Start the implementation run",
    implementing.start_rollout,
    implementing.refuse_rollout,
    form_for=rollout_form,
    confirm="A run of that SOP begins for this tool; its steps show who does what, and are the evidence of the gates.",
    icon="play_circle",
)


def implementation_panel(request: HttpRequest, tool: Tool) -> list[dict[str, Any]]:
    """Return the box with the gates and runs of a tool; none before it is implemented, or for who may see no gates."""
    person: Any = request.user
    if not access.has_model_permission(person, "view", ImplementationGate):
        return []
    gates = list(tool.gates.select_related("passed_by").order_by("position"))
    if not gates:
        return []
    runs = import_module("mops.wiring").runs_about(tool, request.user)
    return [
        {
            "template": "admin/technology/gates_panel.html",
            "gates": gates,
            "runs": runs,
            "open": tool.lifecycle == Lifecycle.IMPLEMENTING,
            "words": implementing.WORDS,
        }
    ]
