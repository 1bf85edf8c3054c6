"""Counting that stays fast at millions of rows: beyond a bound a list says “more than”, and is to be narrowed."""

from typing import Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property


class MoreThan(int):
    """A number of rows that is only known to be exceeded; templates show it as words."""

    def __str__(self) -> str:
        return f"more than {int(self):,}"


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # generic for the stubs only
    """Counts up to `most` rows and offers no page beyond; filters, a period or a search reach the rest."""

    most = 10_000

    @cached_property
    def count(self) -> int:  # type: ignore[override]  # Django's is a cached property, too
        """Return the number of rows, `MoreThan(most)` where there are more."""
        rows: Any = self.object_list
        if not hasattr(rows, "order_by"):
            return len(rows)
        counted: int = rows.order_by()[: self.most + 1].count()
        return MoreThan(self.most) if counted > self.most else counted
