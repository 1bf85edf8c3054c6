"""Problems: made of tickets that have something in common, investigated, worked around, and solved for good."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import DomainError, InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.records import kind_of
from apps.core.transitions import transition
from apps.core.words import fitting, reason_given
from apps.processes.domain.proposing import propose
from apps.processes.models import Improvement
from apps.tickets.domain.rows import locked, record
from apps.tickets.enums import EventKind, ProblemState
from apps.tickets.models import Problem, Ticket, TicketType

if TYPE_CHECKING:
    from apps.accounts.models import User

LONGEST_TITLE = 200
MOST_TICKETS = 500


def refuse_opening(user: "User") -> str | None:
    """Return why `user` cannot write down a problem, None when they can."""
    if access.has_model_permission(user, "add", Problem):
        return None
    return "Problems are written down by the people of the desk."


def open_problem(
    *,
    title: str,
    by: "User",
    description: str = "",
    kind: TicketType | None = None,
    tickets: Sequence[Ticket] = (),
    at: dt.datetime | None = None,
) -> Problem:
    """Write down a problem with the tickets it is seen in.

    Raises:
        InvalidInput: it has no title, or more tickets than anybody reads.
        NotAllowed: as `refuse_opening` says.
    """
    if refused := refuse_opening(by):
        raise NotAllowed(refused)
    line = fitting(" ".join(title.split()), LONGEST_TITLE, field="title", what="The title")
    if not line:
        raise InvalidInput("Say in one line what it is.", fields={"title": "Say in one line what it is."})
    with transaction.atomic(), acting_as(by):
        problem: Problem = Problem.objects.create(
            title=line, description=description, type=kind, opened_at=at or clock.now(), owner_person=by
        )
        if tickets:
            _link(problem, tickets, by=by)
        publish("problem.opened", problem_id=problem.pk)
    return problem


def refuse_work(user: "User", problem: Problem) -> str | None:
    """Return why `user` cannot work on `problem`, None when they can."""
    if not access.can(user, "change", problem):
        return "Problems are worked on by the people of the desk."
    return f"{problem} is archived; restore it first." if problem.is_archived else None


def refuse_active_work(user: "User", problem: Problem) -> str | None:
    """Return why `user` cannot go on with `problem`, None when they can."""
    if refused := refuse_work(user, problem):
        return refused
    return f"{problem} is solved; reopen it first." if problem.state == ProblemState.SOLVED else None


def add_ticket(problem: Problem, *, by: "User", ticket: Ticket) -> str:
    """Say that a ticket shows a problem.

    Raises:
        InvalidInput: it says so already, or it has as many as anybody reads.
        NotAllowed, WrongState: as `refuse_work` says.
    """
    with transaction.atomic(), acting_as(by):
        row = _locked(problem)
        _raise(by, row, refuse_work(by, row))
        if row.tickets.filter(pk=ticket.pk).exists():
            raise InvalidInput(f"{ticket.ref} belongs to it already.")
        _link(row, [ticket], by=by)
    return f"{ticket.ref} belongs to {row}."


def refuse_naming(user: "User", ticket: Ticket) -> str | None:
    """Return why `user` cannot say of `ticket` which problem lies behind it, None when they can."""
    if ticket.merged_into_id is not None:
        return f"{ticket.ref} was merged into T-{ticket.merged_into_id}; go on there."
    return refuse_opening(user)


def name_problem(ticket: Ticket, *, by: "User", problem: Problem | None = None, title: str = "") -> str:
    """Say which problem lies behind a ticket: one that is known, or a new one.

    Raises:
        InvalidInput: neither or both are named, or it belongs to it already.
        NotAllowed, WrongState: as `refuse_naming` says.
    """
    if (problem is None) == (not title.strip()):
        raise InvalidInput("Choose a problem that is known, or write down a new one in one line.")
    with transaction.atomic(), acting_as(by):
        row = locked(ticket)
        if refused := refuse_naming(by, row):
            raise (NotAllowed if refuse_opening(by) else WrongState)(refused)
        if problem is not None:
            add_ticket(problem, by=by, ticket=row)
        else:
            problem = open_problem(title=title, by=by, kind=row.type, tickets=[row])
        record(row, EventKind.LINKED, by=by, at=clock.now(), after=f"problem: {problem}")
    return f"{ticket.ref} belongs to {problem}. Find it under Problems."


def refuse_known(user: "User", problem: Problem) -> str | None:
    """Return why `problem` cannot be called a known error, None when it can."""
    if refused := refuse_work(user, problem):
        return refused
    return None if problem.state == ProblemState.OPEN else f"It is {problem.get_state_display().lower()} already."


def call_known(problem: Problem, *, by: "User", root_cause: str, workaround: str) -> str:
    """Call a problem a known error: its cause is known, and what helps until it is solved.

    Raises:
        InvalidInput: one of both is missing.
        NotAllowed, WrongState: as `refuse_known` says.
    """
    cause = reason_given(root_cause, "Say why it happens; without a cause it is still under investigation.")
    around = reason_given(workaround, "Say what helps until it is solved, or that nothing does.")
    with transaction.atomic(), acting_as(by):
        row = _locked(problem)
        _raise(by, row, refuse_known(by, row))
        _write(row, state=ProblemState.KNOWN, root_cause=cause, workaround=around)
        publish("problem.known", problem_id=row.pk)
    return f"{row} is a known error; tickets that belong to it show the way around."


def solve(problem: Problem, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Close a problem for good.

    Raises:
        InvalidInput: it does not say how.
        NotAllowed, WrongState: as `refuse_active_work` says.
    """
    how = reason_given(reason, "Say how it was solved, so that whoever meets it again knows.")
    with transaction.atomic(), acting_as(by, reason=how):
        row = _locked(problem)
        _raise(by, row, refuse_active_work(by, row))
        _write(row, state=ProblemState.SOLVED, solution=how, solved_at=at or clock.now())
        publish("problem.solved", problem_id=row.pk)
    return f"{row} is solved."


def refuse_reopen(user: "User", problem: Problem) -> str | None:
    """Return why `user` cannot open `problem` again, None when they can."""
    if refused := refuse_work(user, problem):
        return refused
    return None if problem.state == ProblemState.SOLVED else f"{problem} is not solved yet."


def reopen(problem: Problem, *, by: "User", reason: str) -> str:
    """Open a problem again that was thought solved.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as `refuse_reopen` says.
    """
    why = reason_given(reason, "Say what was seen again.")
    with transaction.atomic(), acting_as(by, reason=why):
        row = _locked(problem)
        _raise(by, row, refuse_reopen(by, row))
        _write(row, state=ProblemState.OPEN, solution="", solved_at=None)
    return f"{row} is under investigation again."


def refuse_improvement(user: "User", problem: Problem) -> str | None:
    """Return why no improvement can be made of `problem`, None when one can."""
    if refused := refuse_work(user, problem):
        return refused
    if problem.improvement_id is not None:
        return "An improvement has been made of it already."
    if not access.has_model_permission(user, "add", Improvement):
        return "You may not start improvements."
    if problem.type is None or problem.type.process is None:
        return "Say of which type it is, one that is worked on by a process: that process is what gets better."
    return None


def improve(problem: Problem, *, by: "User", figure: str) -> str:
    """Start an improvement of the process behind a problem's type, measured by one of its figures.

    Raises:
        NotAllowed, WrongState: as `refuse_improvement` says, or the process cannot be improved by this person.
    """
    with transaction.atomic(), acting_as(by):
        row = _locked(problem)
        _raise(by, row, refuse_improvement(by, row))
        process: Any = row.type.process if row.type is not None else None
        made = propose(process, by=by, title=row.title[:150], figure=figure, source=row, reason=row.root_cause)
        _write(row, improvement_type=kind_of(made), improvement_id=made.pk)
    return f"“{made}” was started from {row}; it goes on at {process}."


def _link(problem: Problem, tickets: Sequence[Ticket], *, by: "User") -> None:
    if problem.tickets.count() + len(tickets) > MOST_TICKETS:
        raise InvalidInput(f"A problem has at most {MOST_TICKETS} tickets; more prove nothing.")
    seen = access.visible(by, Ticket).filter(pk__in=[each.pk for each in tickets])
    problem.tickets.add(*seen)


def _locked(problem: Problem) -> Problem:
    row: Problem = Problem.objects.select_for_update(of=("self",)).get(pk=problem.pk)
    return row


def _write(problem: Problem, **changed: Any) -> None:
    for name, value in changed.items():
        setattr(problem, name, value)
    with transition(Problem):
        problem.save(update_fields=list(changed))


def _raise(user: "User", problem: Problem, sentence: str | None) -> None:
    if sentence is not None:
        kind: type[DomainError] = WrongState if access.can(user, "change", problem) else NotAllowed
        raise kind(sentence)
