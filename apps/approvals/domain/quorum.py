"""Quorum arithmetic: what a stage's votes amount to. Values in, values out."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from apps.approvals.enums import APPROVING, Mode, Verdict

REFUSING = (Verdict.REQUEST_CHANGES, Verdict.REJECT)


class Outcome(Enum):
    """What the votes of a stage amount to."""

    OPEN = "open"
    APPROVED = "approved"
    CHANGES_REQUESTED = "changes requested"
    REJECTED = "rejected"
    STUCK = "stuck"  # nobody refused, but too few are left who could approve: somebody must look at it


@dataclass(frozen=True)
class Quorum:
    """How many of whom must say yes.

    Attributes:
        mode: any one, all of the roster, or a number.
        number: how many, for `Mode.SOME`.
        veto: whether one refusal ends the stage.
        required: names of groups of which at least one person each must approve.
    """

    mode: Mode
    number: int = 1
    veto: bool = True
    required: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Seat:
    """One person who may vote.

    Attributes:
        groups: the required groups to which the person belongs.
        counts: whether an approval counts towards the number; an optional approver's does not.
        on_roster: whether the person was there when the stage began, so that "all of them" includes them.
    """

    groups: frozenset[int] = frozenset()
    counts: bool = True
    on_roster: bool = True


def stage_outcome(quorum: Quorum, seats: Mapping[int, Seat], votes: Mapping[int, Verdict]) -> Outcome:
    """Return what the votes amount to.

    Args:
        quorum: what the policy asks for.
        seats: everybody who may vote now, by key; votes of others do not count.
        votes: what was said so far, by key of the seat.
    """
    heard = {key: verdict for key, verdict in votes.items() if key in seats}
    of_all = quorum.mode == Mode.ALL
    counting = {key for key, seat in seats.items() if seat.counts and (seat.on_roster or not of_all)}
    approvals = {key for key, verdict in heard.items() if verdict in APPROVING} & counting
    refusals = {key: verdict for key, verdict in heard.items() if verdict in REFUSING}
    binding = refusals if quorum.veto else {}
    if any(seats[key].counts for key in binding):
        return _refused(refusals)
    undecided = counting - heard.keys()
    needed = _needed(quorum, counting, heard)
    if not _suffices(quorum, seats, approvals | undecided, needed):
        return _refused(refusals) if refusals else Outcome.STUCK
    if _suffices(quorum, seats, approvals, needed):
        return Outcome.APPROVED
    return Outcome.OPEN


def _needed(quorum: Quorum, counting: set[int], heard: Mapping[int, Verdict]) -> int:
    """Return how many approvals it takes. Who abstains is not among "all"; nobody at all never is enough."""
    if quorum.mode == Mode.ALL:
        return max(len([key for key in counting if heard.get(key) != Verdict.ABSTAIN]), 1)
    return max(quorum.number, 1) if quorum.mode == Mode.SOME else 1


def _suffices(quorum: Quorum, seats: Mapping[int, Seat], approving: set[int], needed: int) -> bool:
    reached = frozenset().union(*(seats[key].groups for key in approving)) if approving else frozenset()
    return len(approving) >= needed and quorum.required <= reached


def _refused(refusals: Mapping[int, Verdict]) -> Outcome:
    rejected = [verdict for verdict in refusals.values() if verdict == Verdict.REJECT]
    return Outcome.REJECTED if 2 * len(rejected) >= len(refusals) else Outcome.CHANGES_REQUESTED
