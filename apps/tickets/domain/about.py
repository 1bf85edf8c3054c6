"""What a ticket is about: campaigns, leads, tools, processes and their runs, found by name and shown by right."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import F, Q, TextField, Value
from django.db.models.functions import Cast

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput
from apps.tickets.domain.linking import add_record
from apps.tickets.domain.rows import locked, raise_refusal, record, refuse_work
from apps.tickets.enums import EventKind
from apps.tickets.models import Ticket, TicketLink, TicketRecord
from apps.tickets.subjects import SUBJECTS, Subject

if TYPE_CHECKING:
    from apps.accounts.models import User

MOST_NAMED, LONGEST = 5, 300
_ADDRESS = re.compile(r"/admin/(\w+)/(\w+)/(\d{1,18})(?:/|$)")


def seen(reader: "User", pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], models.Model]:
    """Return the records behind pairs of kind and key that `reader` may see, unsaved and with their name alone.

    One query however many kinds there are.
    """
    wanted: dict[int, list[int]] = defaultdict(list)
    for kind, key in pairs:
        wanted[kind].append(key)
    parts: list[Any] = []
    for kind, keys in wanted.items():
        model = ContentType.objects.get_for_id(kind).model_class()
        subject = SUBJECTS.get(model._meta.label_lower) if model is not None else None
        if subject is not None:
            rows = access.visible(reader, subject.model).filter(pk__in=keys).order_by()
            parts.append(rows.values_list(Value(kind), F("pk"), Cast(subject.title, TextField())))
    if not parts:
        return {}
    named = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    return {(kind, key): _named(kind, key, title) for kind, key, title in named}


def _named(kind: int, key: int, title: str) -> models.Model:
    model: Any = ContentType.objects.get_for_id(kind).model_class()
    name = "title" if any(each.name == "title" for each in model._meta.concrete_fields) else "name"
    named: models.Model = model(pk=key, **{name: title})
    return named


def link_record(ticket: Ticket, *, by: "User", kind: str, words: str) -> str:
    """Say that a ticket is about a record: found by its name, a part of it, or the address of its page.

    Raises:
        InvalidInput: nothing or more than one record fits, or the ticket says so already.
        NotAllowed, WrongState: as `refuse_work` says.
    """
    raise_refusal(by, ticket, refuse_work(by, ticket))
    if kind not in SUBJECTS:
        raise InvalidInput("Choose what kind of record it is.")
    return add_record(ticket, by=by, thing=find(by, SUBJECTS[kind], words))


def find(reader: "User", subject: Subject, words: str) -> models.Model:
    """Return the one record of a kind that `reader` may see and that `words` name.

    Raises:
        InvalidInput: none fits, or more than one.
    """
    asked = " ".join(words.replace("\x00", " ").split())[:LONGEST]
    if not asked:
        raise InvalidInput(f"Write the name of the {subject.name}.")
    rows = access.visible(reader, subject.model).filter(archived_at__isnull=True).order_by("pk")
    if (found := _ADDRESS.search(asked)) and subject.model is _model_at(found):
        fitting = list(rows.filter(pk=int(found[3])))
    else:
        named = rows.annotate(called=Cast(subject.title, TextField()))
        hidden = access.hidden_columns(reader, subject.model)
        open_ones: list[Any] = [Q(**{each: asked}) for each in subject.found_by if each.split("__")[0] not in hidden]
        fitting = list(named.filter(called__iexact=asked)[:2]) or list(
            named.filter(Q.create(open_ones, connector=Q.OR))[: MOST_NAMED + 1]
        )
    if not fitting:
        raise InvalidInput(f"You see no {subject.name} called “{asked}”; look it up in its list and take its name.")
    if len(fitting) > 1:
        names = ", ".join(str(each) for each in fitting[:MOST_NAMED])
        more = " and more" if len(fitting) > MOST_NAMED else ""
        raise InvalidInput(f"More than one {subject.name} fits “{asked}”: {names}{more}. Write the whole name.")
    return fitting[0]


def _model_at(found: re.Match[str]) -> type[models.Model] | None:
    try:
        return apps.get_model(found[1], found[2])
    except LookupError:
        return None


def unlink(ticket: Ticket, *, by: "User", kind: str, key: int) -> str:
    """Take back that a ticket is about a record ("record"), or belongs to another ticket ("link").

    The row is kept, archived: the trail and its history tell of it.

    Raises:
        InvalidInput: there is no such link.
        NotAllowed, WrongState: as `refuse_work` says.
    """
    model: Any = TicketRecord if kind == "record" else TicketLink
    with transaction.atomic(), acting_as(by):
        row = locked(ticket)
        raise_refusal(by, row, refuse_work(by, row))
        mine = Q(ticket=row) if model is TicketRecord else Q(ticket=row) | Q(other=row)
        found = access.visible(by, model).filter(mine, pk=key, archived_at__isnull=True).first()
        if found is None or (model is TicketRecord and not _may_see(by, found)):
            raise InvalidInput("That is not linked any more.")
        found.archived_at = moment = clock.now()
        found.save(update_fields=["archived_at"])
        record(row, EventKind.LINKED, by=by, at=moment, before=_words(found, row), note="Taken back.")
    return f"Taken back: {_words(found, row)}."


def _may_see(reader: "User", found: TicketRecord) -> bool:
    return bool(seen(reader, [(found.content_type_id, found.object_id)]))


def _words(found: Any, ticket: Ticket) -> str:
    if isinstance(found, TicketLink):
        return str(found)
    return f"{ticket.ref} is about {found.record}"
