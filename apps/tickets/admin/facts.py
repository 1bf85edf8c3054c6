"""The form of a ticket's facts; what the page has read with the ticket is not asked for again."""

from collections.abc import Iterable
from typing import Any

from django.utils.choices import BaseChoiceIterator

from apps.core.admin_kit.locking import RowVersionForm
from apps.tickets.models import Ticket


class _Known(BaseChoiceIterator):  # type: ignore[misc]  # the stubs know it by another name
    """The choices of a box one types into: those that are chosen, at hand already."""

    def __init__(self, field: Any, rows: Iterable[Any]) -> None:
        self.field, self.rows, self.queryset = field, list(rows), self
        self.model = field.queryset.model

    def using(self, alias: str | None) -> "_Known":
        """Return these: they are read."""
        return self

    def filter(self, **where: Any) -> list[Any]:
        """Return those whose key is among the chosen."""
        ((_, keys),) = where.items()
        wanted = {str(key) for key in keys}
        return [each for each in self.rows if str(each.pk) in wanted]

    def __iter__(self) -> Any:
        return iter(())


class FactsForm(RowVersionForm):
    """Title, type, who asks and who watches."""

    class Meta:
        model = Ticket
        fields = "__all__"  # those the page declares

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Name what is chosen without asking for it, where the form is only shown."""
        super().__init__(*args, **kwargs)
        ticket = self.instance
        if self.is_bound or ticket.pk is None:
            return
        known = {
            "type": [ticket.type] if ticket.type is not None else [],
            "requester": [ticket.requester] if ticket.requester is not None else [],
            "watchers": list(ticket.watchers.all()),
        }
        for name, rows in known.items():
            if name in self.fields:
                field: Any = self.fields[name]
                inner = getattr(field.widget, "widget", field.widget)
                inner.choices = _Known(field, rows)
