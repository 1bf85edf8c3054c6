"""A ticket with everything its page shows beside the conversation, in one query and two for what its form edits."""

from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Exists, IntegerField, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, JSONObject

from apps.accounts.models import called
from apps.core import access
from apps.core.records import kind_of
from apps.core.rules.models import RuleVersion
from apps.processes.enums import RunState
from apps.processes.models import Process, Run
from apps.tickets.enums import ProblemState
from apps.tickets.models import ChecklistItem, FollowUp, Problem, Survey, Ticket, TicketLink, TicketRecord, TimeEntry
from apps.tickets.routing_rules import DOCUMENT

if TYPE_CHECKING:
    from apps.accounts.models import User

M = TypeVar("M", bound=models.Model)
MOST = 100  # of each part: nobody reads more beside a conversation


def whole(rows: QuerySet[Any], reader: "User") -> QuerySet[Any]:
    """Return tickets with all that `reader` may see beside the conversation.

    What hangs on a ticket comes as `part_<name>`, a list of values that `rows_of` turns into rows; besides `minutes`
    spent, whether its process may be seen and is under way, and whether rules of routing are in force.
    """
    mine = OuterRef("pk")
    spent = TimeEntry.objects.filter(ticket=mine).order_by().values("ticket").annotate(sum=Sum("minutes")).values("sum")
    checklist = Prefetch("checklist", ChecklistItem.objects.select_related("done_by").order_by("position", "id"))
    runs = Run.objects.filter(content_type=kind_of(Ticket), object_id=mine, state=RunState.ACTIVE)
    decides = RuleVersion.objects.active().filter(document__key=DOCUMENT)
    found: QuerySet[Any] = rows.select_related(
        "form_version", "type__process__effective_version", "merged_into", "agreement__customer"
    )
    known: QuerySet[Any] = found.prefetch_related("watchers", checklist).annotate(
        minutes=Coalesce(Subquery(spent, output_field=IntegerField()), 0),
        sees_process=Exists(access.visible(reader, Process).filter(pk=OuterRef("type__process"))),
        is_under_way=Exists(runs),
        has_rules=Exists(decides),
        **{f"part_{name}": part for name, part in _parts(reader, mine).items()},
    )
    return known


def _parts(reader: "User", mine: OuterRef) -> dict[str, ArraySubquery]:
    live = Q(archived_at__isnull=True)
    links = access.visible(reader, TicketLink).filter(live, Q(ticket=mine) | Q(other=mine))
    problems = access.visible(reader, Problem).filter(tickets=mine).exclude(state=ProblemState.SOLVED)
    follow_ups = FollowUp.objects.filter(live, ticket=mine).annotate(called=called("assignee"))
    return {
        "merged": _part(Ticket.objects.filter(merged_into=mine), "id", "title"),
        "links": _part(links, "id", "kind", "ticket_id", "ticket__title", "other_id", "other__title"),
        "records": _part(TicketRecord.objects.filter(live, ticket=mine), "id", "content_type_id", "object_id"),
        "problems": _part(problems, "id", "title", "workaround"),
        "follow_ups": _part(follow_ups, "id", "question", "outcome", "done_at", "due_on", "ticket_id", "called"),
        "surveys": _part(
            Survey.objects.filter(ticket=mine), "id", "score", "unsolved", "comment", "asked_at", "answered_at"
        ),
    }


def _part(rows: QuerySet[Any], *names: str) -> ArraySubquery:
    return ArraySubquery(rows.order_by("id").values(row=JSONObject(**{name: name for name in names}))[:MOST])


def rows_of(ticket: Ticket, name: str, model: type[M]) -> list[tuple[M, dict[str, Any]]]:
    """Return what hangs on a ticket as rows of `model` that hold what was read, each with all its values."""
    found = []
    for values in getattr(ticket, f"part_{name}"):
        columns = {field.attname: field for field in model._meta.concrete_fields}
        known = {key: columns[key].to_python(value) for key, value in values.items() if key in columns}
        found.append((model(**known), values))
    return found
