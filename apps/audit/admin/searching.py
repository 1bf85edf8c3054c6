"""The search of the ledger: by name whatever bears it, however old its entries; by text among the newest entries."""

from typing import Any

from django.contrib import messages
from django.db import models
from django.http import HttpRequest

from apps.audit.domain.finding import Named, named
from apps.audit.models import AuditEvent
from apps.core.admin_kit.counting import CappedPaginator
from apps.core.admin_kit.searching import reaches_all

SEARCHED = 250_000  # entries; half a second at most
NARROWING = ("at_", "object_id", "txid", "request_id", "job_id")


def named_in(request: HttpRequest, text: str) -> Named:
    """Return who and what bears the name that was typed, asked once per request."""
    person: Any = request.user
    known: dict[str, Named] = request.__dict__.setdefault("_mops_named", {})
    if text not in known:
        known[text] = named(text, by=person)
    return known[text]


class SearchesLedger:
    """The part of the ledger's admin that searches."""

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """Return the entries by and about whoever bears the name, and those whose texts hold every word.

        No index serves “contains”, and one on every entry would be paid for by every write; so texts are searched
        among the newest entries only, unless a period or a record narrows the ledger already, and that is said. What
        bears a name is found by the indexes of the ledger; each way brings its newest entries, as many as a list has
        pages for.
        """
        whole = reaches_all(request)
        newest = None if whole else _newest_searched(request, search_term)
        if newest and _by_reason(request):
            queryset = queryset.filter(id__gt=newest)
        texts = queryset.filter(id__gt=newest) if newest else queryset
        texts, _ = super().get_search_results(request, texts, search_term)  # type: ignore[misc]  # stands before an admin
        found = named_in(request, search_term)
        if not found:
            return texts, False
        if whole:
            either = models.Q(pk__in=texts.order_by().values("pk")) | models.Q(actor__in=found.people)
            return queryset.filter(either | found.about()), False
        ways = [texts, queryset.filter(found.about()), *(queryset.filter(actor=each) for each in found.people)]
        first, *others = (way.order_by("-id").values("pk")[: CappedPaginator.most + 1] for way in ways)
        return queryset.filter(pk__in=first.union(*others)), False


def _by_reason(request: HttpRequest) -> bool:
    return any(name.startswith("reason__") and str(value).strip() for name, value in request.GET.items())


def _newest_searched(request: HttpRequest, search_term: str) -> int | None:
    """The number from which on texts are searched, told to the person; None where all of the ledger is."""
    narrowed = any(name.startswith(NARROWING) and value for name, value in request.GET.items())
    if narrowed or not (search_term.strip() or _by_reason(request)):
        return None
    newest = AuditEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0
    if newest <= SEARCHED:
        return None
    says = f"The newest {SEARCHED:,} entries were searched. Set a period under Filters to look further back."
    if named_in(request, search_term):
        says += " What bears the name that you typed was found however old it is."
    messages.info(request, says)
    return newest - SEARCHED
