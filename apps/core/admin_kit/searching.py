"""Search of a long list: over several tables by the index of each, and how far it reaches."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.http import HttpRequest
from django.utils.text import smart_split, unescape_string_literal


def reach_all(request: HttpRequest) -> None:
    """Let the list that this request asks for hold every row of its filters: files have no bound of a page."""
    request.__dict__["_mops_reaches_all"] = True


def reaches_all(request: HttpRequest) -> bool:
    """Whether a search may not stop at the newest rows."""
    return "_mops_reaches_all" in request.__dict__


class SearchesByIndex:
    """For the admin of a kind with very many rows whose search fields lie in several tables.

    Django's search joins the tables and asks “this field or that one” row by row, which no index answers. Here each
    field is asked alone and the answers are united, so that a trigram index on `UPPER(field)` serves each.
    """

    model: type[models.Model]

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """Return the rows that have every word in one of the search fields, and that none comes twice."""
        rows, _ = super().get_search_results(request, queryset, "")  # type: ignore[misc]  # stands before an admin
        fields = self.get_search_fields(request)  # type: ignore[attr-defined]
        for word in smart_split(search_term):
            said = unescape_string_literal(word) if word[:1] in "\"'" and word[:1] == word[-1:] != word else word
            # only narrows `rows`, which hold what this person sees; “or” keeps each answer a table that is made once
            found = Q()
            for field in fields:
                keys = self.model._base_manager.filter(**{f"{field}__icontains": said}).order_by().values("pk")
                found |= Q(pk__in=keys)
            rows = rows.filter(found)
        return rows, False
