"""Where a role held at a moment, and in which territory a record was."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import models

from apps.accounts.domain.territories import limit_to
from apps.accounts.models.territories import spelled
from apps.core import access
from apps.rights.domain.folding import Row, fold
from apps.rights.domain.shared import IMPLIED

if TYPE_CHECKING:
    from apps.rights.domain.point_in_time import RightsThen


def limit_then(then: "RightsThen", verb: str, model: type[models.Model]) -> access.Limit | None:
    """Return the territories in which the roles held then gave `verb` on the kind; None where nothing limited them.

    Which role gives which right is kept in code; that of today is asked.
    """
    if then.superuser or access.home_of(model) is None:
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


@dataclass(frozen=True)
class Where:
    """Where a row was: the territories that say so, each as written; None for a row that no territory keeps closed."""

    names: tuple[str, ...] | None

    def inside(self, limit: access.Limit) -> bool:
        """Whether the row was open to a role limited so."""
        return self.names is None or any(spelled(name) in limit.names for name in self.names)

    @property
    def words(self) -> str:
        """Where it was, in words."""
        if self.names is None:
            return "was about nothing that is in a territory"
        return f"was in {' and '.join(sorted(filter(None, set(self.names)))) or 'no territory'}"


def place_of(moment: dt.datetime, model: type[models.Model], row: Row) -> Where:
    """Return where a row was at `moment`, found along the rows that it was a part of, or the records it was about."""
    path, home = access.home_of(model) or ("", model)
    row = _along(moment, model, path, row)
    if (field := access.territorial_kinds().get(home)) is not None:
        column: Any = home._meta.get_field(field)
        return Where((str(row.get(column.column) or ""),))
    about = access.about_of(home)
    named = [row]
    if about is not None and about.links is not None:
        key: Any = about.links._meta.get_field(about.back)
        links = fold(about.links._meta.db_table, moment, key.column, [row.get("id")]) if row.get("id") else {}
        named = [each for each in links.values() if not each.get("archived_at")]
    kinds = {ContentType.objects.get_for_model(kind).pk: kind for kind in about.kinds()} if about is not None else {}
    found: list[str] = []
    for each in named:
        if (kind := kinds.get(each.get("content_type_id") or 0)) is not None:
            number = each.get("object_id")
            there = fold(kind._meta.db_table, moment, "id", [number]).get(str(number), {})
            found += place_of(moment, kind, there).names or ()
    return Where(tuple(found) if found else None)


def _along(moment: dt.datetime, model: type[models.Model], path: str, row: Row) -> Row:
    current: Any = model
    for name in filter(None, path.split("__")):
        key: Any = current._meta.get_field(name)
        current, number = key.related_model, row.get(key.column)
        row = fold(current._meta.db_table, moment, "id", [number]).get(str(number), {}) if number else {}
    return row
