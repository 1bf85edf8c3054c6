"""Where a row is: by a field of its own, by the record it is a part of, or by the records it is about."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Lower, Trim
from django.db.models.lookups import In

Kinds = Callable[[], "list[type[models.Model]]"]
_fields: dict[type[models.Model], str] = {}
_about: "dict[type[models.Model], About]" = {}


@dataclass(frozen=True)
class Limit:
    """Where a right holds: what rows may be called, in small letters, and the territories in words."""

    names: frozenset[str]
    words: str


@dataclass(frozen=True)
class About:
    """How rows of a kind name the records they are about, in `content_type` and `object_id`.

    Attributes:
        kinds: returns the kinds of records that carry a territory and that rows may be about.
        links: the kind of the rows between, where a row may be about several records; None where it names one itself.
        back: the foreign key from a row between to the row.
    """

    kinds: Kinds
    links: type[models.Model] | None = None
    back: str = ""


def register_territory(model: type[models.Model], field: str) -> None:
    """Say which field of `model` holds its territory; whoever is limited sees no row, and no part of one, elsewhere."""
    _fields[model] = field
    home_of.cache_clear()


def register_about(
    model: type[models.Model], *, kinds: Kinds, links: type[models.Model] | None = None, back: str = ""
) -> None:
    """Say that rows of `model` are about records: whoever is limited sees none that is about records elsewhere alone.

    A row about nothing, or about records that are in no territory by their kind, stays open.
    """
    _about[model] = About(kinds, links, back)
    home_of.cache_clear()


def territorial_kinds() -> dict[type[models.Model], str]:
    """Return the kinds that carry a territory themselves, each with its field."""
    return dict(_fields)


def about_of(model: type[models.Model]) -> About | None:
    """Return how rows of `model` name the records they are about, None where they name none."""
    return _about.get(model)


@cache
def home_of(model: type[models.Model]) -> tuple[str, type[models.Model]] | None:
    """Return what says where rows of `model` are: the lookup that leads to it ("" for the row itself), and its kind.

    A part of a record (a version, a touchpoint, a cost) belongs where its record does: followed are the foreign keys
    inside the app, those that must be there first. None for what belongs to no territory.
    """
    return _home_of(model, frozenset())


def _home_of(model: type[models.Model], seen: frozenset[type[models.Model]]) -> tuple[str, type[models.Model]] | None:
    if model in _fields or model in _about:
        return "", model
    keys = [each for each in model._meta.concrete_fields if each.many_to_one or each.one_to_one]
    for key in sorted(keys, key=lambda each: each.null):
        to: Any = key.related_model
        if to is not model and to not in seen and to._meta.app_label == model._meta.app_label:
            further = _home_of(to, seen | {model})
            if further and not (key.null and further[1] in _about):  # part of nothing is elsewhere; about nothing, open
                return "__".join(filter(None, (key.name, further[0]))), further[1]
    return None


def territory_path(model: type[models.Model]) -> str | None:
    """Return the lookup that leads from `model` to the field with its territory; None where there is no such field."""
    path, home = home_of(model) or ("", None)
    return "__".join(filter(None, (path, _fields[home]))) if home in _fields else None


def within(model: type[models.Model], limit: Limit) -> Q:
    """Return the condition on rows of `model`: they are in these territories."""
    path, home = home_of(model) or ("", model)
    if home not in _about:
        place = Lower(Trim(F(territory_path(model) or "")))
        return Q(In(place, sorted(limit.names)))  # type: ignore[no-untyped-call]
    inside = _about_within(_about[home], limit)
    return Q(**{f"{path}__in": home._base_manager.filter(inside).values("pk")}) if path else inside


def _about_within(about: About, limit: Limit) -> Q:
    """Return the condition on rows about records: one of these is within, or none is in any territory by its kind."""
    kinds = {ContentType.objects.get_for_model(kind).pk: kind for kind in about.kinds()}
    inside = Q(pk__in=[])
    for key, kind in kinds.items():
        rows = kind._base_manager.filter(within(kind, limit)).order_by().values("pk")
        inside |= Q(content_type=key, object_id__in=rows)
    if about.links is None:
        return inside | ~Q(content_type__in=list(kinds))
    links = about.links._base_manager.filter(**{about.back: OuterRef("pk")}, archived_at__isnull=True)
    return Q(Exists(links.filter(inside))) | ~Q(Exists(links.filter(content_type__in=list(kinds))))


def where_is(thing: models.Model, *, inside: bool) -> str:
    """In which territory a record is, in words.

    Args:
        thing: the record.
        inside: whether it was found to be where the reader's roles hold.
    """
    model = type(thing)
    if path := territory_path(model):
        name = model._base_manager.filter(pk=thing.pk).values_list(path, flat=True).first()
        return f"{thing} is in {name}" if name else f"{thing} is in no territory"
    if inside:
        return f"{thing} is about records there, or about none that is in a territory"
    return f"{thing} is about records that are elsewhere or in no territory"
