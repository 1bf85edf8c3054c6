"""Tags, and the records that carry them."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

from apps.core.governed import GovernedModel
from apps.core.records import AboutRecord
from apps.core.workspace.enums import Colour

NAME_LENGTH = 50


class Tag(GovernedModel):
    """A word with a colour that can stand on any record declared taggable."""

    name = models.CharField(
        max_length=NAME_LENGTH,
        validators=[RegexValidator(r"^[^,]*$", "A tag cannot hold a comma: commas separate tags.")],
        help_text="Short and without commas, for instance GDPR or Webinar series.",
    )
    colour = models.CharField(max_length=10, choices=Colour.choices, default=Colour.GREY)
    description = models.CharField(max_length=200, blank=True, help_text="When to use it, so that all use it alike.")

    class Meta(GovernedModel.Meta):
        ordering = (Lower("name"),)
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="tag_name_once", violation_error_message="There is already a tag of this name."
            ),
            models.CheckConstraint(
                condition=~models.Q(name__contains=",") & ~models.Q(name=""),
                name="tag_name_sane",
                violation_error_message="A tag needs a name, and commas separate tags.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TaggedRecord(AboutRecord):
    """One tag on one record. Taking the tag off deletes the row; the ledger and its history keep that it was there."""

    tag = models.ForeignKey(Tag, models.PROTECT, related_name="uses")

    class Meta(AboutRecord.Meta):
        ordering = ("content_type", "object_id", "tag")
        constraints = [
            models.UniqueConstraint(
                fields=("content_type", "object_id", "tag"),
                name="tag_on_record_once",
                violation_error_message="The record has this tag already.",
            ),
        ]
        indexes = [models.Index(fields=("tag", "content_type", "object_id"), name="record_by_tag")]

    def __str__(self) -> str:
        return f"{self.tag} on {self.record}"
