"""The quarterly review: one statement tells every tool's figures and freezes them; verify, gaps, actions."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import Q

from apps.core import access, clock
from apps.core.access import visible
from apps.core.actors import acting_as
from apps.core.errors import DomainError, InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.overdue import LateRows
from apps.core.packs import quarter_of
from apps.core.transitions import transition
from apps.technology.domain.rates import missing_rate, policy
from apps.technology.domain.review_sql import DIGEST, DIGEST_OF_THE_FIRST, FREEZE, GAPS, MISSING, OVERLAPS
from apps.technology.domain.stack import AsOf
from apps.technology.enums import ActionState
from apps.technology.models import ReviewAction, ReviewPack

if TYPE_CHECKING:
    from apps.accounts.models import User


def refuse_pack(user: "User") -> str | None:
    """Return why `user` cannot make a review pack, None when it is allowed."""
    return None if access.has_model_permission(user, "add", ReviewPack) else "You may not make technology reviews."


def make_pack(*, by: "User", on: dt.date | None = None) -> ReviewPack:
    """Freeze the figures of every tool in use as of a day, in one statement; announces `review.made`.

    Raises:
        NotAllowed: `by` may not.
        InvalidInput: an exchange rate is missing; the nearest is named.
    """
    if refused := refuse_pack(by):
        raise NotAllowed(refused)
    steering = policy()
    as_of = AsOf.of(on, by=steering)
    quarter = quarter_of(as_of.on)
    with transaction.atomic(), acting_as(by), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('technology.review'))")
        cursor.execute("SELECT nextval(pg_get_serial_sequence('technology_reviewpack', 'id'))")
        key = cursor.fetchone()[0]
        asked = {**as_of.parameters, "pack": key, "low": steering.low_use_percent}
        cursor.execute(FREEZE, {**asked, "inactive": steering.inactive_days})
        lacks_rate, tools, yearly, saving, totals, digest = cursor.fetchone()
        if lacks_rate:  # what was frozen is rolled back with the refusal
            cursor.execute(MISSING, as_of.parameters)
            codes = [code for (code,) in cursor.fetchall()]
            raise InvalidInput(" ".join(missing_rate(each, as_of.into, as_of.on) for each in codes))
        cursor.execute(GAPS)
        gaps = [name for (name,) in cursor.fetchall()]
        cursor.execute(OVERLAPS, {"pack": key})
        overlaps = [
            {"capability": name, "tools": tools_, "yearly": str(cost)} for name, tools_, cost in cursor.fetchall()
        ]
        pack: ReviewPack = ReviewPack(
            pk=key,
            quarter=quarter,
            number=ReviewPack.objects.filter(quarter=quarter).count() + 1,
            on=as_of.on,
            known_at=as_of.known,
            currency=as_of.into,
            low_use_percent=steering.low_use_percent,
            tools=tools,
            yearly=yearly,
            saving=saving,
            totals={"verdicts": json.loads(totals or "{}"), "gaps": gaps, "overlaps": overlaps},
            digest=digest,
            made_by=by,
        )
        pack.save(force_insert=True)
        publish("review.made", pack_id=pack.pk)
    return pack


def is_untouched(pack: ReviewPack) -> bool:
    """Whether the items of a pack, line by line in the order of the tools, are exactly what was frozen."""
    return any(_digest_of(pack, statement) == pack.digest for statement in (DIGEST, DIGEST_OF_THE_FIRST))


def _digest_of(pack: ReviewPack, statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"pack": pack.pk})
        return str(cursor.fetchone()[0])


@dataclass(frozen=True)
class Progress:
    """How far the actions of a pack have come."""

    open: int
    done: int
    dropped: int
    late: int


def progress_of(pack: ReviewPack, today: dt.date) -> Progress:
    """Count the actions of a pack."""
    rows = list(ReviewAction.objects.live().filter(pack=pack).values_list("state", "due_on"))
    states = [state for state, _ in rows]
    late = sum(state == ActionState.OPEN and due < today for state, due in rows)
    return Progress(states.count(ActionState.OPEN), states.count(ActionState.DONE), states.count("dropped"), late)


def refuse_close(user: "User", action: ReviewAction) -> str | None:
    """Return why `user` cannot close this action now, None when it works."""
    if user.pk != action.owner_id and not access.can(user, "change", action):
        return "Only who does it, or who may change review actions, closes one."
    return None if action.state == ActionState.OPEN else f"It is {action.get_state_display().lower()} already."


def complete_action(action: ReviewAction, *, by: "User", reason: str) -> str:
    """Note that an action is done, and what came out of it.

    Raises:
        NotAllowed, WrongState: as `refuse_close` says.
    """
    return _close(action, ActionState.DONE, by=by, outcome=reason)


def drop_action(action: ReviewAction, *, by: "User", reason: str) -> str:
    """Note that an action will not be done, and why.

    Raises:
        NotAllowed, WrongState: as `refuse_close` says.
    """
    return _close(action, ActionState.DROPPED, by=by, outcome=reason)


def overdue_actions(person: "User", today: dt.date) -> LateRows:
    """Return the review actions of `person` that are late."""
    rows = visible(person, ReviewAction).filter(Q(owner=person), state=ActionState.OPEN, due_on__lt=today)
    rows = rows.filter(archived_at__isnull=True).select_related("tool").order_by("due_on")
    return LateRows(rows, "finish what the technology review agreed")


def _close(action: ReviewAction, state: ActionState, *, by: "User", outcome: str) -> str:
    with transaction.atomic(), acting_as(by, reason=outcome):
        row: Any = ReviewAction.objects.select_for_update(of=("self",)).select_related("tool").get(pk=action.pk)
        if refused := refuse_close(by, row):
            kind: type[DomainError] = WrongState if row.state != ActionState.OPEN else NotAllowed
            raise kind(refused)
        row.state, row.closed_on, row.outcome = state, clock.today(), outcome
        with transition(ReviewAction):
            row.save(update_fields=["state", "closed_on", "outcome"])
    return f"{row} is {state.label.lower()}."
