"""On the page of a campaign, lead, tool, process or run: the tickets that are about it, in one question."""

from collections.abc import Sequence
from typing import Any

from django.db.models import BooleanField, Case, Count, Value, When, Window
from django.http import HttpRequest

from apps.core import access
from apps.core.admin_kit.kits import Kit, register_kit
from apps.core.admin_kit.links import url_of
from apps.core.records import kind_of
from apps.tickets.enums import ACTIVE, Priority, TicketState
from apps.tickets.models import Ticket
from apps.tickets.subjects import SUBJECTS

SHOWN = 10


class AboutKit(Kit):
    """A list below the record: what is still to be done first, then the newest."""

    key = "tickets"
    order = 60

    def applies(self, model_admin: Any) -> bool:
        """Every kind that a ticket can be about has it without naming it."""
        return model_admin.model._meta.label_lower in SUBJECTS

    def panels(self, model_admin: Any, request: HttpRequest, thing: Any) -> Sequence[dict[str, Any]]:
        """Show the tickets about the record among those the reader may see; nothing to who sees no ticket at all."""
        reader: Any = request.user
        if not access.has_model_permission(reader, "view", Ticket):
            return ()
        active = Case(When(state__in=ACTIVE, then=Value(True)), default=Value(False), output_field=BooleanField())
        about = {"content_type": kind_of(type(thing)), "object_id": thing.pk, "archived_at__isnull": True}
        rows = (
            access.visible(reader, Ticket)
            .filter(archived_at__isnull=True, **{f"records__{name}": value for name, value in about.items()})
            .select_related("queue", "assignee")
            .annotate(on=active, all=Window(Count("pk")))
            .order_by("-on", "-pk")[:SHOWN]
        )
        untitled = "title" in access.hidden_columns(reader, Ticket)
        found = [_told(each, each.ref if untitled else str(each)) for each in rows]
        more = (found[0]["all"] - len(found)) if found else 0
        name = str(model_admin.opts.verbose_name)
        return ({"template": "admin/tickets/about_panel.html", "rows": found, "more": more, "kind": name},)


def _told(ticket: Any, name: str) -> dict[str, Any]:
    """Return what a line says."""
    nobody = "nobody yet" if ticket.on else "nobody"
    return {
        "name": name,
        "ticket": ticket,
        "url": url_of(ticket),
        "state": TicketState(ticket.state).label,
        "priority": Priority(ticket.priority).label,
        "who": f"{ticket.queue}, {ticket.assignee or nobody}",
        "all": ticket.all,
    }


register_kit(AboutKit())
