"""The filter of the ledger by period: from a day and to a day, with a time where it matters."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.timezone import make_aware
from unfold.contrib.filters.admin import RangeDateTimeFilter

PARAMETERS = ("at_from_0", "at_from_1", "at_to_0", "at_to_1")


class PeriodFilter(RangeDateTimeFilter):  # type: ignore[misc]  # unfold ships no types
    """Entries of a period, in the reader's time zone; a day alone is meant from its first to its last moment.

    The theme's own leaves out a day without a time and what it cannot read: the list, and evidence taken from it,
    would hold everything and say that it holds the period.
    """

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Narrow the list.

        Raises:
            IncorrectLookupParameters: a day or a time cannot be read, or there is a time without its day.
        """
        if (since := self._moment("from", dt.time.min)) is not None:
            queryset = queryset.filter(at__gte=since)
        if (until := self._moment("to", dt.time.max)) is not None:
            queryset = queryset.filter(at__lte=until)
        return queryset

    def _moment(self, side: str, otherwise: dt.time) -> dt.datetime | None:
        day, time = (self.used_parameters.get(f"at_{side}_{part}") or "" for part in (0, 1))
        try:
            read = forms.DateField(required=bool(time)).clean(day)
            at = forms.TimeField(required=False).clean(time) or otherwise
            return make_aware(dt.datetime.combine(read, at)) if read else None
        except (ValidationError, OverflowError) as error:
            raise IncorrectLookupParameters from error
