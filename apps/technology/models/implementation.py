"""The gates that a tool passes while it is implemented."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.core.governed import GovernedModel
from apps.core.transitions import guarded_columns
from apps.technology.enums import Gate
from apps.technology.models.gate_triggers import gates_in_order


class ImplementationGate(GovernedModel):
    """One thing to show before a tool that is implemented becomes active."""

    tool = models.ForeignKey("technology.Tool", models.PROTECT, related_name="gates")
    kind = models.CharField("gate", max_length=10, choices=Gate.choices)
    position = models.PositiveSmallIntegerField(editable=False)
    evidence = models.TextField(blank=True, editable=False)
    passed_at = models.DateTimeField(null=True, blank=True, editable=False)
    passed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )

    class Meta(GovernedModel.Meta):
        ordering = ("tool", "position")
        constraints = [
            models.UniqueConstraint(fields=("tool", "kind"), name="gate_once_per_tool"),
            models.CheckConstraint(
                condition=Q(passed_at__isnull=True) | ~Q(evidence=""),
                name="gate_passed_with_evidence",
                violation_error_message="A gate is passed with evidence.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("passed_at", "passed_by_id", "evidence", "kind", "position", "tool_id"),
                sentence="A gate is passed by its button, not by an edit.",
            ),
            gates_in_order(),
        ]

    def __str__(self) -> str:
        return f"{self.tool}: {self.get_kind_display().lower()}"
