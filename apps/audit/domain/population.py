"""A population of entries that stays the same however often it is counted: filtered, and bounded by what is sealed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from apps.audit.models import AuditEvent, AuditSeal, LedgerMonth
from apps.core.errors import WrongState

PORTION = 1_000


class _Draw(models.Func):
    """SHA-256(seed + ":" + sequence)."""

    template = "sha256(convert_to(concat(%(expressions)s), 'UTF8'))"
    arg_joiner = "::text, ':', "
    output_field = models.BinaryField()


@dataclass(frozen=True)
class Population:
    """What a filter shows of the sealed ledger.

    Attributes:
        rows: the entries, without an order.
        up_to: the last sealed entry; later ones are not in it.
        query: the list's address.
        filters: the same in words.
    """

    rows: "models.QuerySet[AuditEvent]"
    up_to: int
    query: str = ""
    filters: list[str] = field(default_factory=list)

    def count(self) -> dict[str, int]:
        """Return how many entries there are, the first and the last."""
        found = self.rows.aggregate(count=models.Count("id"), first=models.Min("id"), last=models.Max("id"))
        return {name: number or 0 for name, number in found.items()}

    def portions(self) -> Iterator[list[AuditEvent]]:
        """Yield the entries in their order, a portion at a time, in constant memory and without a long transaction."""
        last = 0
        while portion := list(self.rows.filter(id__gt=last).select_related("actor").order_by("id")[:PORTION]):
            yield portion
            last = portion[-1].pk

    def sample(self, size: int, seed: str) -> list[AuditEvent]:
        """Return `size` entries drawn by chance, the same ones for the same seed.

        Drawn are those with the smallest SHA-256(seed + ":" + sequence): anybody can do it again with any tool.
        """
        draw = _Draw(models.Value(seed), models.F("id"))
        drawn = self.rows.annotate(draw=draw).order_by("draw").values_list("id", flat=True)[:size]
        return list(AuditEvent.objects.filter(id__in=list(drawn)).select_related("actor").order_by("id"))


def population_of(
    rows: "models.QuerySet[AuditEvent]", *, query: str = "", filters: list[str] | None = None
) -> Population:
    """Bound `rows` by what is sealed.

    Raises:
        WrongState: nothing is sealed yet.
    """
    newest = AuditSeal.objects.first()
    if newest is None:
        raise WrongState(
            "Nothing of the ledger is sealed yet, so there is no evidence to take out. See that the workers run."
        )
    return Population(rows.filter(id__lte=newest.to_id).order_by(), newest.to_id, query, filters or [])


def gap_statement(first: int, last: int) -> dict[str, Any]:
    """Return what the numbers between two entries say about completeness."""
    there = AuditEvent.objects.filter(id__gte=first, id__lte=last).count()
    sealed = AuditSeal.objects.filter(to_id__gte=first, from_id__lte=last)
    covers = sealed.aggregate(first=models.Min("from_id"), last=models.Max("to_id"), entries=models.Sum("count"))
    purged = LedgerMonth.objects.filter(purged_at__isnull=False, first_id__lte=last, last_id__gte=first)
    unused = last - first + 1 - there
    return {
        "numbers": last - first + 1,
        "entries": there,
        "numbers_without_entry": unused,
        "sealed_from": covers["first"],
        "sealed_to": covers["last"],
        "sealed_entries": covers["entries"] or 0,
        "purged_months": [str(month) for month in purged],
        "says": (
            f"From {first} to {last} the ledger has {there:,} entries, whatever the filter; {unused:,} numbers belong "
            "to none: writes that were given up draw a number too, and months may have been purged. The seals cover "
            "every number of the range, so an entry that was taken away after it was sealed would not verify."
        ),
    }
