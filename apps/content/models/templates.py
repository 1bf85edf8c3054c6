"""Templates of content: written as versions, approved by somebody else, then started from."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.accounts.models import OwnedModel
from apps.content.enums import Kind, VersionState
from apps.core.governed import GovernedModel
from apps.core.versions import version_constraints, version_triggers

TEMPLATE_STATES = [
    (VersionState.DRAFT.value, "Draft"),
    (VersionState.IN_REVIEW.value, "In review"),
    (VersionState.APPROVED.value, "In force"),
    (VersionState.ARCHIVED.value, "Replaced"),
]
TEMPLATE_MATERIAL = ("subject", "body", "change_note")


class ContentTemplate(OwnedModel, GovernedModel):
    """What content of a kind begins with; its text stands in its versions."""

    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=15, choices=Kind.choices)
    guidelines = models.TextField(blank=True, help_text="When to use it, and what to write where.")

    class Meta(GovernedModel.Meta):
        verbose_name = "content template"
        ordering = ("name", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=("name",),
                condition=Q(archived_at__isnull=True),
                name="content_template_once",
                violation_error_message="There is already a template of this name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ContentTemplateVersion(GovernedModel):
    """One version of what a template says."""

    template = models.ForeignKey(ContentTemplate, models.PROTECT, related_name="versions", editable=False)
    number = models.PositiveIntegerField(editable=False)
    subject = models.CharField("subject or headline", max_length=250, blank=True)
    body = models.TextField(
        "text",
        blank=True,
        help_text="Places to fill in are written {{ contact.first_name }}, as the data dictionary says.",
    )
    change_note = models.CharField("what is new", max_length=250, blank=True, help_text="For approvers.")
    state = models.CharField(max_length=10, choices=TEMPLATE_STATES, default="draft", editable=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    in_force_at = models.DateTimeField("in force since", null=True, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("template", "-number")
        verbose_name = "content template version"
        constraints = version_constraints("content_template", once="content_template_version_once")
        triggers = [
            *GovernedModel.Meta.triggers,
            *version_triggers(TEMPLATE_MATERIAL),
        ]

    def __str__(self) -> str:
        return f"{self.template}, version {self.number}"

    @property
    def is_draft(self) -> bool:
        """Whether it can still be written."""
        return self.state == VersionState.DRAFT
