"""What hangs on a record: rows that belong to any governed row, and who may see and write them."""

from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models

from apps.core import access
from apps.core.governed import GovernedBase, GovernedModel, GovernedQuerySet

if TYPE_CHECKING:
    from apps.accounts.models import User


def kind_of(record: models.Model | type[models.Model]) -> ContentType:
    """Return the content type under which rows about `record` (or about records of that model) are kept."""
    return ContentType.objects.get_for_model(record)


class AboutRecordQuerySet(GovernedQuerySet):
    """Rows about records."""

    def about(self, record: models.Model) -> "AboutRecordQuerySet":
        """Rows about one record."""
        return self.filter(content_type=kind_of(record), object_id=record.pk)

    def about_model(self, model: type[models.Model]) -> "AboutRecordQuerySet":
        """Rows about any record of one model."""
        return self.filter(content_type=kind_of(model))


class AboutRecord(GovernedModel):
    """A governed row about one governed record of any kind; records are never deleted, so none is ever orphaned.

    Write `class Meta(AboutRecord.Meta)` in every subclass.
    """

    content_type = models.ForeignKey(
        ContentType, models.PROTECT, related_name="+", editable=False, verbose_name="kind of record"
    )
    object_id = models.BigIntegerField("record", editable=False)
    record = GenericForeignKey()

    objects = AboutRecordQuerySet.as_manager()  # type: ignore[misc]  # managers of abstract models confuse the stubs

    class Meta(GovernedModel.Meta):
        abstract = True


def scope_by_record(user: "User", rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
    """Narrow rows about records to those whose record `user` may view; a scope for `access.register_scope`."""
    seen = models.Q(pk__in=[])
    for kind in ContentType.objects.filter(pk__in=rows.order_by().values("content_type").distinct()):
        if (model := kind.model_class()) is not None:
            seen |= models.Q(content_type=kind, object_id__in=access.visible(user, model).values("pk"))
    return rows.filter(seen)


def refuse_write(user: "User", record: GovernedBase) -> str | None:
    """Return why `user` may not add to or change what hangs on `record`, None when it works."""
    if not access.may(user, "change", record):
        return f"You may view {record}, not change it."
    if record.is_archived:
        return f"{record} is archived and read-only; restore it first."
    return None
