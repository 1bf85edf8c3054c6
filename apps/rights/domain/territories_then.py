"""Where a role held at a moment, and in which territory a record was."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Group
from django.db import models

from apps.accounts.domain.territories import limit_to
from apps.core import access
from apps.rights.domain.folding import Row, fold
from apps.rights.domain.shared import IMPLIED

if TYPE_CHECKING:
    from apps.rights.domain.point_in_time import RightsThen


def limit_then(then: "RightsThen", verb: str, model: type[models.Model]) -> access.Limit | None:
    """Return the territories in which the roles held then gave `verb` on the kind; None where nothing limited them.

    Which role gives which right is kept in code; that of today is asked.
    """
    if then.superuser or access.territory_path(model) is None:
        return None
    if not any(each.territory is not None for each in then.roles):
        return None
    name = str(model._meta.model_name)
    codes = [f"{each}_{name}" for each in IMPLIED.get(verb, (verb,))]
    giving = Group.objects.filter(
        name__in=[each.role for each in then.roles],
        permissions__codename__in=codes,
        permissions__content_type__app_label=model._meta.app_label,
    )
    names = set(giving.values_list("name", flat=True))
    held = [each.territory for each in then.roles if each.role in names]
    roots = [each for each in held if each is not None]
    return limit_to(then.places, roots) if held and len(roots) == len(held) else None


def place_of(moment: dt.datetime, model: type[models.Model], row: Row) -> str:
    """Return the territory of a row as it was at `moment`, found along the rows that it is a part of."""
    current: Any = model
    *steps, last = (access.territory_path(model) or "").split("__")
    for name in steps:
        key: Any = current._meta.get_field(name)
        current, number = key.related_model, row.get(key.column)
        row = fold(current._meta.db_table, moment, "id", [number]).get(str(number), {}) if number else {}
    return str(row.get(current._meta.get_field(last).column) or "") if last else ""
