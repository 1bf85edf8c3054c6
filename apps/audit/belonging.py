"""What belongs to a record: versions of a process, decisions about them, its runs. Each app says it for its own kinds.

So one timeline tells the whole story of a thing whose parts are rows of many tables.
"""

from collections.abc import Callable, Iterable

from django.db import models
from django.db.models import Q

Parts = Callable[[models.Model], Iterable[models.Model]]
MOST, DEEPEST = 2000, 4
_parts: dict[type[models.Model], dict[str, Parts]] = {}


def register_belonging(model: type[models.Model], name: str, parts: Parts) -> None:
    """Say what belongs to records of `model`; called from `AppConfig.ready`.

    Args:
        model: the kind of record.
        name: names what is added, so that registering again replaces it.
        parts: `parts(record)` yields rows; what belongs to those is found by what was said about their kinds.
    """
    _parts.setdefault(model, {})[name] = parts


def has_parts(model: type[models.Model]) -> bool:
    """Whether anything was said to belong to records of `model`."""
    return model in _parts


def entries_of(thing: models.Model) -> Q:
    """Return the condition on ledger entries about `thing` and all that belongs to it, at most 2,000 rows."""
    keys: dict[str, set[str]] = {}
    _collect(thing, keys, DEEPEST)
    found = Q()
    for table, wanted in keys.items():
        found |= Q(table_name=table, object_id__in=sorted(wanted))
    return found


def _collect(thing: models.Model, keys: dict[str, set[str]], depth: int) -> None:
    known = keys.setdefault(thing._meta.db_table, set())
    if str(thing.pk) in known or sum(map(len, keys.values())) >= MOST:
        return
    known.add(str(thing.pk))
    if depth:
        for parts in _parts.get(type(thing), {}).values():
            for each in parts(thing):
                _collect(each, keys, depth - 1)
