"""Counting that stays fast at millions of rows: beyond a bound a list says “more than”, and is to be narrowed."""

from typing import Any

from django.core.paginator import Page, Paginator
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


class KeysFirstPaginator(Paginator):  # type: ignore[type-arg]  # generic for the stubs only
    """Sorts by keys alone and reads what the columns show for the rows of one page: in one statement, as before.

    For lists that are wide and sorted by something no index knows: to sort 200,000 rows with all that is joined to
    them takes seconds, to sort their keys a fraction of one.
    """

    def page(self, number: Any) -> "Page[Any]":
        """Return one page."""
        rows: Any = self.object_list
        if not hasattr(rows, "order_by"):
            return super().page(number)
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        keys = rows.values("pk")[first : first + self.per_page]
        return Page(rows.filter(pk__in=keys), number, self)
