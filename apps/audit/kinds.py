"""What people call the rows of a table."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models


@cache
def models_by_table() -> Mapping[str, type[models.Model]]:
    """Return the model of each table, connecting tables included."""
    return {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}


def kind_of(table: str) -> str:
    """Return what people call the rows of `table`."""
    model = models_by_table().get(table)
    if model is None:
        return table.replace("_", " ")
    name = str(model._meta.verbose_name)
    owner: Any = model._meta.auto_created
    if owner:
        name = f"{owner._meta.verbose_name}: {name.rsplit('-', 1)[-1].replace(' relationship', '')}"
    return name[:1].upper() + name[1:]
