"""How many rows a predicate selects: exactly where that is quick, else by the planner's estimate."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import OperationalError, connection, models, transaction

from apps.core import access
from apps.core.rules.catalog import Catalog
from apps.core.rules.domain.compiling import compile_q
from apps.core.rules.domain.tree import Node, Predicate

if TYPE_CHECKING:
    from apps.accounts.models import User

PATIENCE = 1500  # milliseconds


@dataclass(frozen=True)
class Counted:
    """How many rows a person would see selected; `exact` is False for an estimate."""

    rows: int
    of: int
    exact: bool

    @property
    def sentence(self) -> str:
        """The figure in words."""
        if not self.exact:
            return f"About {self.rows:,} of about {self.of:,} (estimated; counting would take too long)"
        return f"{self.rows:,} of {self.of:,}"


def count_matching(
    predicate: Predicate | Node,
    catalog: Catalog,
    *,
    user: "User",
    as_of: dt.datetime,
    patience: int = PATIENCE,
) -> Counted:
    """Return how many of the rows that `user` sees fit; archived rows do not count.

    Args:
        predicate: right, on `catalog`.
        catalog: of the kind of record, without what the person must not see (`Catalog.for_person`).
        user: who asks.
        as_of: the moment relative dates count from.
        patience: milliseconds after which the count is given up for an estimate.

    Raises:
        InvalidInput: the predicate is not right.
    """
    if catalog.model is None:
        raise ValueError("This catalog belongs to no table.")
    seen = in_use(access.visible(user, catalog.model))
    fit = seen.filter(compile_q(predicate, catalog, as_of=as_of))
    try:
        with transaction.atomic(), _patience(patience):
            return Counted(fit.order_by().count(), seen.order_by().count(), exact=True)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != "57014":  # the statement took too long
            raise
    return Counted(estimate(fit), estimate(seen), exact=False)


def in_use(rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
    """Return the rows that are not archived."""
    governed = any(field.name == "archived_at" for field in rows.model._meta.fields)
    return rows.filter(archived_at__isnull=True) if governed else rows


def estimate(rows: "models.QuerySet[Any]") -> int:
    """Return how many rows the planner expects."""
    return int(_plan(rows)["Plan Rows"])


def relative_cost(predicate: Predicate | Node, catalog: Catalog, *, as_of: dt.datetime) -> float:
    """Return what finding the rows that fit costs, as a multiple of reading every row in use once.

    Nothing is run: both figures are the planner's, whose units cancel out.

    Args:
        predicate: right, on `catalog`.
        catalog: of the kind of record.
        as_of: the moment relative dates count from.
    """
    if catalog.model is None:
        raise ValueError("This catalog belongs to no table.")
    rows = in_use(catalog.model._default_manager.all())
    fit = rows.filter(compile_q(predicate, catalog, as_of=as_of))
    return float(_plan(fit)["Total Cost"]) / max(float(_plan(rows)["Total Cost"]), 0.01)


def cost_in_words(cost: float, what: str) -> str:
    """Return a cost as a sentence: "Finding them costs 1.3 × reading all leads once"."""
    return f"Finding them costs {cost:.1f} × reading all {what} once."


def _plan(rows: "models.QuerySet[Any]") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rows.order_by().explain(format="json"))[0]["Plan"]
    return found


class _patience:  # noqa: N801  # reads as a word where it is used
    """Let each statement of the block run for some milliseconds at most."""

    def __init__(self, milliseconds: int) -> None:
        self.milliseconds = milliseconds
        self.before = "0"

    def __enter__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            self.before = cursor.fetchone()[0]
            cursor.execute(f"SET LOCAL statement_timeout = {int(self.milliseconds)}")

    def __exit__(self, kind: Any, *rest: Any) -> None:
        if kind is None:  # an error takes the setting back with the savepoint
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [self.before])
