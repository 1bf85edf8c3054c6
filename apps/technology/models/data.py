"""What data there is: entities and fields, their approved definitions, and where each is kept for real."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from apps.accounts.models import OwnedModel
from apps.core.governed import GovernedModel
from apps.core.transitions import guarded_columns
from apps.technology.enums import CaseState, FieldType, Known
from apps.technology.models.flow_triggers import definition_of_its_entity, field_of_its_entity


class DataEntity(OwnedModel, GovernedModel):
    """Something we keep data about: contacts, accounts, campaigns."""

    name = models.CharField(max_length=100)
    summary = models.CharField("in a line", max_length=250, blank=True)
    personal_data = models.CharField(
        max_length=10, choices=Known.choices, default=Known.UNKNOWN, help_text="Is it about people?"
    )

    class Meta(GovernedModel.Meta):
        ordering = ("name",)
        verbose_name = "data entity"
        verbose_name_plural = "data entities"
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="entity_once", violation_error_message="There is already such an entity."
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DataField(GovernedModel):
    """One thing that is kept of an entity."""

    entity = models.ForeignKey(DataEntity, models.PROTECT, related_name="fields")
    name = models.CharField(max_length=100)
    kind = models.CharField("type", max_length=10, choices=FieldType.choices, default=FieldType.TEXT)
    values = models.TextField("allowed values", blank=True, help_text="One a line, where it is one of a list.")
    personal_data = models.CharField(max_length=10, choices=Known.choices, default=Known.UNKNOWN)
    required = models.BooleanField(default=False, help_text="Must every record have it?")

    class Meta(GovernedModel.Meta):
        ordering = ("entity", "name")
        verbose_name = "data field"
        constraints = [
            models.UniqueConstraint(
                "entity",
                Lower("name"),
                name="field_once",
                violation_error_message="This entity already has a field of that name.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entity}.{self.name}"


class DataDefinition(GovernedModel):
    """What an entity or a field means, in one version that somebody else has approved."""

    entity = models.ForeignKey(DataEntity, models.PROTECT, related_name="definitions")
    field = models.ForeignKey(
        DataField,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="definitions",
        help_text="Empty: the definition of the entity itself.",
    )
    number = models.PositiveSmallIntegerField("version", default=1, editable=False)
    text = models.TextField("definition", help_text="So that two people count the same.")
    example = models.CharField(max_length=250, blank=True)
    state = models.CharField(max_length=15, choices=CaseState.choices, default=CaseState.DRAFT, editable=False)
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False, null=True, verbose_name="written by"
    )
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("entity", "field", "-number")
        constraints = [
            models.UniqueConstraint(
                fields=("entity", "field", "number"), nulls_distinct=False, name="definition_version_once"
            ),
            models.UniqueConstraint(
                fields=("entity", "field"),
                condition=Q(state=CaseState.APPROVED),
                nulls_distinct=False,
                name="definition_one_approved",
                violation_error_message="Another version of this definition is approved.",
            ),
            models.UniqueConstraint(
                fields=("entity", "field"),
                condition=Q(state__in=(CaseState.DRAFT, CaseState.IN_APPROVAL, CaseState.REFUSED), archived_at=None),
                nulls_distinct=False,
                name="definition_one_open",
                violation_error_message="There is an open version of this definition; finish that one.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "decided_at", "number"),
                starts={"state": CaseState.DRAFT.value},
                sentence="A definition is approved by somebody else, not by an edit.",
            ),
            definition_of_its_entity(),
        ]

    def __str__(self) -> str:
        return f"{self.field or self.entity}, version {self.number}"

    @property
    def is_editable(self) -> bool:
        """Whether it can still be worked on."""
        return self.state in (CaseState.DRAFT, CaseState.REFUSED)


class SystemOfRecord(GovernedModel):
    """The one tool that decides what is true of an entity, or of one of its fields."""

    entity = models.ForeignKey(DataEntity, models.PROTECT, related_name="records")
    field = models.ForeignKey(
        DataField,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="records",
        help_text="Empty: for every field of the entity that names no tool of its own.",
    )
    tool = models.ForeignKey("technology.Tool", models.PROTECT, related_name="records")
    why = models.CharField(max_length=250, blank=True)

    class Meta(GovernedModel.Meta):
        ordering = ("entity", "field")
        verbose_name = "system of record"
        verbose_name_plural = "systems of record"
        constraints = [
            models.UniqueConstraint(
                fields=("entity", "field"),
                condition=Q(archived_at__isnull=True),
                nulls_distinct=False,
                name="one_system_of_record",
                violation_error_message="There is a system of record for this already; there can be only one.",
            ),
        ]
        triggers = [*GovernedModel.Meta.triggers, field_of_its_entity()]

    def __str__(self) -> str:
        return f"{self.field or self.entity}: {self.tool}"
