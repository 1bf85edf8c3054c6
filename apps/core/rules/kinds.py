"""The kinds of rule documents: each app registers what its rules look like and what switching them on does."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.core.errors import InvalidInput
from apps.core.rules.bodies import BodyShape

if TYPE_CHECKING:
    from apps.core.rules.models import RuleVersion

Simulation = dict[str, Any]


@dataclass(frozen=True)
class RuleKind:
    """One kind of rule document.

    Attributes:
        key: "leads.segment"; never changes.
        title: what people read, for instance "Lead segment".
        body: the shape of the rules (`PredicateBody`, `RuleListBody`, or one of your own).
        simulate: `simulate(version, as_of)` tries the rules without changing anything and returns JSON: `facts`, a
            list of [label, value]; `sample_model` and `sample`, the label of a model and keys of records to show, of
            which each reader sees those they may see, with `sample_words`, a sentence by key, under a `sample_title`;
            `tables`, a list of {title, head, rows} without personal data.
        on_activate: `on_activate(version, before, by, at)` in the transaction of the activation; enqueue what is long.
        on_retire: `on_retire(version, by, at)` where a version ends and no other follows.
        in_background: the simulation takes more than two seconds: it runs as a job.
        page: `page(version)` returns the address of a page of its own, "" for none, as (label, address).
        help: a sentence for whoever starts a document of this kind.
    """

    key: str
    title: str
    body: BodyShape
    simulate: "Callable[[RuleVersion, dt.datetime], Simulation]"
    on_activate: "Callable[[RuleVersion, RuleVersion | None, Any, dt.datetime], None] | None" = None
    on_retire: "Callable[[RuleVersion, Any, dt.datetime], None] | None" = None
    in_background: bool = False
    page: "Callable[[RuleVersion], tuple[str, str] | None] | None" = None
    help: str = ""


_kinds: dict[str, RuleKind] = {}


def register_kind(kind: RuleKind) -> None:
    """Make a kind known; called from `AppConfig.ready` of the app whose rules they are."""
    _kinds[kind.key] = kind


def kind_named(key: str) -> RuleKind:
    """Return the kind of this key.

    Raises:
        InvalidInput: nobody registered it.
    """
    try:
        return _kinds[key]
    except KeyError as error:
        raise InvalidInput(
            f"There is no kind of rules called “{key}”; the app that brings it is not installed."
        ) from error


def kinds() -> list[RuleKind]:
    """Return all kinds by title."""
    return sorted(_kinds.values(), key=lambda each: each.title)
