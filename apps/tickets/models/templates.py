"""Versions of reply templates: written as drafts, approved by somebody else, then offered to the desk."""

from django.conf import settings
from django.db import models

from apps.core.governed import GovernedModel
from apps.core.versions import version_constraints, version_triggers
from apps.tickets.enums import TemplateState
from apps.tickets.models.catalogue import ReplyTemplate

MATERIAL = ("body", "guidelines", "change_note")


class TemplateVersion(GovernedModel):
    """One version of what a template says."""

    template = models.ForeignKey(ReplyTemplate, models.PROTECT, related_name="versions", editable=False)
    number = models.PositiveIntegerField(editable=False)
    body = models.TextField(
        "text",
        blank=True,
        help_text="In Markdown. Filled in: {requester}, {ticket}, {title}, {agent}, {queue}, {type}, {due}.",
    )
    guidelines = models.TextField(blank=True, help_text="When to use it and what to check before it is sent.")
    change_note = models.CharField("what is new", max_length=250, blank=True, help_text="For approvers.")
    state = models.CharField(max_length=10, choices=TemplateState.choices, default=TemplateState.DRAFT, editable=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    in_force_at = models.DateTimeField("in force since", null=True, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("template", "-number")
        constraints = version_constraints(
            "template", in_force=TemplateState.IN_FORCE, once="template_version_number_once"
        )
        triggers = [
            *GovernedModel.Meta.triggers,
            *version_triggers(MATERIAL),
        ]

    def __str__(self) -> str:
        return f"{self.template}, version {self.number}"

    @property
    def is_draft(self) -> bool:
        """Whether it can still be written."""
        return self.state == TemplateState.DRAFT
