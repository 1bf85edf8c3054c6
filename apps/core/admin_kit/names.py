"""The words for fields, as people read them."""

from django.core.exceptions import FieldDoesNotExist
from django.db import models


def label_of(model: type[models.Model] | models.Model, name: str) -> str:
    """Return a field's label with a capital first letter, or its name in words where there is no such field."""
    try:
        label = str(getattr(model._meta.get_field(name), "verbose_name", name))
    except FieldDoesNotExist:
        label = name.replace("_", " ")
    return label[:1].upper() + label[1:]
