"""Custom fields: columns that an organisation adds to a kind of record, and their values."""

from typing import ClassVar

import pgtrigger
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models

from apps.core.governed import GovernedModel
from apps.core.records import AboutRecord
from apps.core.workspace.enums import FieldType


class CustomField(GovernedModel):
    """One field that every record of a kind gets. Its key and type never change; archived, it stops being asked."""

    content_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+", verbose_name="kind of record")
    key = models.CharField(
        max_length=40,
        validators=[
            RegexValidator(r"^[a-z][a-z0-9_]*$", "A key is lower-case letters, digits and _, and starts with a letter.")
        ],
        help_text="The name in exports and interfaces, for instance contract_number. It never changes.",
    )
    label = models.CharField(max_length=60, help_text="What people read beside the value.")
    type = models.CharField(max_length=10, choices=FieldType.choices, default=FieldType.TEXT)
    required = models.BooleanField(default=False, help_text="The custom fields of a record cannot be saved without it.")
    choices = ArrayField(
        models.CharField(max_length=60),
        blank=True,
        default=list,
        help_text="For the type Choice: the answers, one a line. Answers already given stay when one is taken away.",
    )
    help_text = models.CharField("help", max_length=200, blank=True, help_text="Shown below the field.")
    position = models.PositiveSmallIntegerField(default=100, help_text="Lower numbers are shown first.")

    FIXED: ClassVar[tuple[str, ...]] = ("content_type", "key", "type")

    class Meta(GovernedModel.Meta):
        ordering = ("content_type", "position", "label")
        constraints = [
            models.UniqueConstraint(
                fields=("content_type", "key"),
                name="custom_field_key_once",
                violation_error_message="This kind of record has such a key already, perhaps on an archived field.",
            ),
            models.CheckConstraint(
                condition=models.Q(type=FieldType.CHOICE, choices__len__gte=2) | ~models.Q(type=FieldType.CHOICE),
                name="custom_field_choices",
                violation_error_message="A field of the type Choice needs at least two answers, one a line.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            pgtrigger.Trigger(
                name="field_keeps_its_type",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("content_type", "key", "type"),
                func=(
                    "RAISE EXCEPTION 'The key, the type and the kind of record of a custom field never change: "
                    "archive it and make a new one.';"
                ),
            ),
            pgtrigger.Trigger(
                name="fields_stay",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                func="RAISE EXCEPTION 'Custom fields are archived, never deleted: their values stay readable.';",
            ),
        ]

    def __str__(self) -> str:
        return self.label


class CustomValues(AboutRecord):
    """The values of all custom fields of one record, by key: texts, true or false; numbers and dates as texts."""

    values = models.JSONField(default=dict)

    class Meta(AboutRecord.Meta):
        verbose_name_plural = "custom values"
        ordering = ("content_type", "object_id")
        constraints = [
            models.UniqueConstraint(fields=("content_type", "object_id"), name="custom_values_once"),
        ]
        indexes = [GinIndex(fields=("values",), opclasses=("jsonb_path_ops",), name="custom_values_by_value")]

    def __str__(self) -> str:
        return f"Custom fields of {self.record}"
