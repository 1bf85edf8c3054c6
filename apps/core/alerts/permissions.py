"""Who sees which alert: nobody one about a record that their scope or territory keeps from them."""

from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Case, Exists, OuterRef, QuerySet, Value, When
from django.db.models.functions import Cast

from apps.core import access
from apps.core.alerts.models import Alert

if TYPE_CHECKING:
    from apps.accounts.models import User

_CASTS = ((models.IntegerField, models.BigIntegerField), (models.UUIDField, models.UUIDField))


def about_what_is_seen(user: "User", rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """Leave out alerts about records that `user` may see some of, but not this one; those about nothing stay."""
    kinds = ContentType.objects.filter(pk__in=Alert.objects.order_by().values("subject_type"))
    seen = [
        When(subject_type=kind.pk, then=Exists(_records(user, model).filter(pk=_key(model))))
        for kind in kinds
        if (model := kind.model_class()) is not None and model is not Alert and access.is_narrowed(user, model)
    ]
    return rows.filter(Case(*seen, default=Value(True), output_field=models.BooleanField())) if seen else rows


def may_be_told(person: "User", alert: Alert) -> bool:
    """Whether `person` may know of what the alert is about."""
    model: Any = alert.subject_type.model_class() if alert.subject_type is not None else None
    if model is None or model is Alert or not access.is_narrowed(person, model):
        return True
    return _records(person, model).filter(pk=alert.subject_id).exists()


def _records(user: "User", model: type[models.Model]) -> "QuerySet[Any]":
    return access.visible(user, model).order_by()


def _key(model: type[models.Model]) -> Any:
    """The text in which an alert keeps the key of its record, as the key itself."""
    kind = next((cast for each, cast in _CASTS if isinstance(model._meta.pk, each)), models.CharField)
    return Cast(OuterRef("subject_id"), kind())
