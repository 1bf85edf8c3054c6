"""The catalogue as a colleague reads it: what is done alone, what is asked for and how soon, what needs a project."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.core.clocks.domain.wording import in_words
from apps.tickets.domain.agreement_choice import agreement_of, in_question
from apps.tickets.domain.queries import catalogue
from apps.tickets.enums import Priority, Tier
from apps.tickets.models import Agreement, TicketType

if TYPE_CHECKING:
    from apps.accounts.models import User

WORDS = {
    Tier.SELF_SERVICE: ("You can do this alone", "No ticket is needed; each has a guide."),
    Tier.STANDARD: ("Ask for it", "The desk does it, in the time that was agreed with your team."),
    Tier.PROJECT: ("Needs a project", "Takes planning, people and a budget; asking starts the conversation."),
}


@dataclass(frozen=True)
class Entry:
    """One entry, with what is promised to the person who reads it."""

    pk: int
    name: str
    summary: str
    promise: str


@dataclass(frozen=True)
class Group:
    """The entries of one tier."""

    tier: Tier
    title: str
    words: str
    types: list[Entry]


def catalogue_for(person: "User") -> list[Group]:
    """Return what colleagues find on the help page, with the times promised to this one: a query per queue."""
    known: dict[Any, list[Agreement]] = {}
    groups = []
    for label, types in catalogue():
        tier = next(each for each in Tier if each.label == label)
        entries = [Entry(each.pk, each.name, each.summary, promise_of(each, person, known)) for each in types]
        groups.append(Group(tier, *WORDS[tier], entries))
    return groups


def promise_of(kind: TicketType, person: "User", known: "dict[Any, list[Agreement]] | None" = None) -> str:
    """Return what is promised for a normal ticket of a type, "" where nothing is."""
    if kind.tier == Tier.SELF_SERVICE or kind.queue is None:
        return ""
    known = known if known is not None else {}
    if kind.queue_id not in known:
        known[kind.queue_id] = in_question(kind.queue, person)
    agreement = agreement_of(kind, person, known[kind.queue_id])
    target = agreement.targets.of(kind.tier, Priority.NORMAL) if agreement is not None else None
    if target is None:
        return ""
    parts = [
        f"{words} within {in_words(amount)}"
        for words, amount in (("an answer", target.first_response), ("done", target.resolution))
        if amount is not None
    ]
    return f"Normally {' and '.join(parts)} of working time." if parts else ""
