"""Whether a change needs a reason: asked by forms before the database refuses; answered by whoever keeps the rules."""

from collections.abc import Callable, Collection

from django.db import models

Demand = Callable[[type[models.Model], str, Collection[str] | None], str | None]
_demand: list[Demand] = []


def register_reason_rules(demand: Demand) -> None:
    """Say who knows the rules; called once, from the app that keeps them."""
    _demand[:] = [demand]


def demanded_reason(model: type[models.Model], operation: str, columns: Collection[str] | None = None) -> str | None:
    """Return the sentence that asks for a reason, None where none is needed.

    Args:
        model: whose rows are written.
        operation: "insert", "update" or "delete".
        columns: the database columns that change; None when that is not known yet, then any rule of the model counts.
    """
    return _demand[0](model, operation, columns) if _demand else None
