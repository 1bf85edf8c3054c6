"""Naming rules tried on names there are: a dry run over a source, which changes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import models

from apps.core import access
from apps.core.errors import InvalidInput
from apps.technology.domain.naming import Compiled, Judgement, judge

if TYPE_CHECKING:
    from apps.accounts.models import User


@dataclass(frozen=True)
class DryRun:
    """What a rule says about many names; nothing was changed."""

    judged: int
    wrong: tuple[Judgement, ...]
    doubled: tuple[str, ...]

    @property
    def share(self) -> int:
        """How many per cent fit."""
        return 100 * (self.judged - len(self.wrong)) // self.judged if self.judged else 100


def dry_run(rule: Compiled, names: Iterable[str]) -> DryRun:
    """Return what `rule` says about every name, and suggestions that two of them would share."""
    known = list(names)
    wrong = tuple(found for name in known if not (found := judge(name, rule)).fits)
    offered = [each.suggestion for each in wrong if each.suggestion]
    taken = set(known)
    doubled = sorted({each for each in offered if offered.count(each) > 1 or each in taken})
    return DryRun(len(known), wrong, tuple(doubled))


@dataclass(frozen=True)
class Source:
    """Names that rules may check: what they are called and, where they are kept, their kind of record and column."""

    label: str
    model: type[models.Model] | None = None
    field: str = ""


_sources: dict[str, Source] = {}


def register_names(key: str, label: str, model: type[models.Model] | None = None, field: str = "") -> None:
    """Let rules check a kind of name; from `AppConfig.ready` of its app.

    Args:
        key: what `check_name` is asked for later.
        label: what people choose on the page of a rule.
        model: the kind of record these names are kept on, None for names that only pass by (a value of a link).
        field: the column they are kept in.
    """
    _sources[key] = Source(label, model, field)


def name_sources() -> dict[str, Source]:
    """Return what rules can be tried on."""
    return dict(_sources)


def names_of(key: str, viewer: "User", *, most: int = 20_000) -> list[str]:
    """Return the names of a source that `viewer` may see.

    Raises:
        InvalidInput: there is no such source.
    """
    if key not in _sources:
        raise InvalidInput("There are no such names; choose one of the list.")
    source = _sources[key]
    if source.model is None or source.field in access.hidden_columns(viewer, source.model):
        return []
    rows = access.visible(viewer, source.model)
    if hasattr(source.model, "archived_at"):
        rows = rows.filter(archived_at__isnull=True)
    return list(rows.order_by(source.field).values_list(source.field, flat=True)[:most])
