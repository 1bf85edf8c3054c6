"""Finding tickets by words: titles and what was said, by index, and internal notes for the desk alone."""

import re
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import BooleanField, F, Func, Q, QuerySet

from apps.accounts.models import User
from apps.core import access
from apps.tickets.domain.queries import own_tickets
from apps.tickets.enums import MessageKind
from apps.tickets.models import Message, Ticket

if TYPE_CHECKING:
    from django.contrib.postgres.search import SearchQueryCombinable

LONGEST, MOST_PEOPLE = 200, 50
_NUMBER = re.compile(r"[Tt]-?(\d{1,11})|#(\d{1,11})")
_WRITTEN = re.compile(r'["“”]|(?:^|\s)-\w|\bOR\b')


class _IsAnyOf(Func):
    """Whether a value is one of an array's."""

    template = "(%(expressions)s))"
    arg_joiner = " = ANY("
    output_field = BooleanField()


def tickets_with(rows: QuerySet[Ticket], words: str, *, internal: bool) -> QuerySet[Ticket]:
    """Return those of `rows` in whose title, messages or asker the words occur; all of them where there are none.

    Args:
        rows: tickets the person may see: the words are looked for in nothing else.
        words: as typed: all must occur, the last one may be the beginning of a word; "in quotation marks" together,
            a minus before what must not occur, OR between alternatives; T-12 is the ticket of that number.
        internal: look into notes among colleagues as well.
    """
    words = " ".join(words[:LONGEST].replace("\x00", " ").split())
    if not words:
        return rows
    if found := _NUMBER.fullmatch(words):
        return rows.filter(pk=int(found[1] or found[2]))
    # as an array, so that the tickets are fetched by their keys however many PostgreSQL expects to be found
    return rows.filter(_IsAnyOf(F("pk"), ArraySubquery(_keys(words, internal=internal))))


def found_by(user: User, words: str) -> QuerySet[Ticket]:
    """Return the tickets of the desk that `user` may see and that fit the words."""
    return tickets_with(access.visible(user, Ticket), words, internal=True)


def found_among_own(user: User, words: str) -> QuerySet[Ticket]:
    """Return the tickets that `user` asked and that fit; notes among colleagues are never looked into."""
    return tickets_with(own_tickets(user), words, internal=False)


def query_of(words: str) -> "SearchQueryCombinable":
    """Return the words as PostgreSQL asks for them."""
    if _WRITTEN.search(words):
        return SearchQuery(words, search_type="websearch", config="english")
    parts = re.findall(r"\w+", words)
    if not parts:
        return SearchQuery(words, search_type="plain", config="english")
    whole = SearchQuery(words, search_type="plain", config="english")
    begun = SearchQuery(" & ".join((*parts[:-1], f"{parts[-1]}:*")), search_type="raw", config="english")
    return whole | begun


def _keys(words: str, *, internal: bool) -> QuerySet[Any]:
    """Return the keys of the tickets that fit: a union, so that each part is answered by its own index."""
    query = query_of(words)
    titles = Ticket.objects.annotate(found=SearchVector("title", config="english")).filter(found=query)
    said = Message.objects.annotate(found=SearchVector("body", config="english")).filter(found=query)
    if not internal:
        said = said.exclude(kind=MessageKind.INTERNAL)
    parts = [said.order_by().values_list("ticket_id")]
    if "@" in words:
        parts.append(Ticket.objects.filter(requester_email=words.lower()).order_by().values_list("pk"))
    if internal and (people := _people(words)):
        parts.append(Ticket.objects.filter(requester__in=people).order_by().values_list("pk"))
    return titles.order_by().values_list("pk").union(*parts)


def _people(words: str) -> list[int]:
    """Return who is called so: the desk finds tickets by who asked."""
    named = Q(full_name__icontains=words) | Q(email__iexact=words)
    return list(User.objects.filter(named, is_system=False).values_list("pk", flat=True)[:MOST_PEOPLE])
