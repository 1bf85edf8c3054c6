"""The stages of a request: written when it is sent, begun one after the other, tallied with every decision."""

import datetime as dt
from collections.abc import Container, Iterable
from dataclasses import asdict
from typing import Any

from apps.accounts.models import User
from apps.approvals.domain.deadlines import end_deadline, start_deadline
from apps.approvals.domain.definition import Stage, spec_of
from apps.approvals.domain.eligibility import Case, Eligibility
from apps.approvals.domain.own_work import OwnWork
from apps.approvals.domain.quorum import Outcome, Seat, stage_outcome
from apps.approvals.domain.routing import Route
from apps.approvals.domain.seats import Tokens, holders_of, named_holders_of
from apps.approvals.enums import APPROVING, Mode, StageState, Verdict
from apps.approvals.models import ApprovalRequest, StageInstance
from apps.core.transitions import transition


def write_stages(request: ApprovalRequest, route: Route, *, at: dt.datetime) -> None:
    """Write the stages a request takes, the first one begun."""
    rows = [
        StageInstance(
            approval=request,
            position=place,
            name=each.stage.name,
            spec=asdict(each.stage),
            least=each.stage.least,
            named=list(each.stage.named),
            row_version=1,
            **(_begun(each.holders, route.own, at) if place == 1 else {}),
        )
        for place, each in enumerate(route.stages, start=1)
    ]
    with transition(StageInstance):
        StageInstance.objects.bulk_create(rows)
        start_deadline(rows[0], by=request.requester, at=at)
        if rows[0].due_at is not None:
            rows[0].save(update_fields=["due_at"])


def begin_next(case: Case, *, by: User, at: dt.datetime) -> StageInstance | None:
    """Begin the next stage, with the people whom it names now; None when there is no further one."""
    row = next((each for each in case.stages if each.state == StageState.PENDING), None)
    if row is None:
        return None
    holders, names = named_holders_of(spec_of(row).named)
    begun = _begun(holders, {**case.own, **_decided_before(case)}, at, names)
    for name, value in begun.items():
        setattr(row, name, value)
    start_deadline(row, by=by, at=at)
    with transition(StageInstance):
        row.save(update_fields=[*begun, "due_at"])
    return row


def close_stages(request: ApprovalRequest, *, by: User, at: dt.datetime) -> None:
    """Close what is left undecided when a request ends."""
    for stage in request.stages.filter(state=StageState.ACTIVE, due_at__isnull=False):
        end_deadline(stage, by=by, at=at, decided=False)
    with transition(StageInstance):
        request.stages.filter(state__in=[StageState.ACTIVE, StageState.PENDING]).update(
            state=StageState.CLOSED, decided_at=at
        )


def settle_stage(stage: StageInstance, state: StageState, *, by: User, at: dt.datetime) -> None:
    """Write down what became of a stage."""
    stage.state, stage.decided_at = state, at
    with transition(StageInstance):
        stage.save(update_fields=["state", "decided_at"])
    end_deadline(stage, by=by, at=at, decided=True)


def tally(case: Case, seat: Eligibility | None) -> Outcome:
    """Return what the votes of the stage being decided amount to; people who lost the right no longer count.

    Args:
        case: the request with all votes, the one just made the last.
        seat: that of who just voted, None where nobody did.
    """
    spec = case.spec
    if seat is not None and _decides_alone(spec, seat, case.said[-1].verdict):
        return Outcome.APPROVED
    roster = {each["person"] for each in case.active.resolved if not each.get("refused")}
    return outcome_for(case, spec, case.active.named, roster=roster)


def outcome_for(case: Case, spec: Stage, named: Iterable[str], *, roster: Container[int]) -> Outcome:
    """Return what the votes so far amount to in a stage that is so and names these.

    Args:
        case: the request with all votes.
        spec: the stage.
        named: the tokens that make somebody an approver, of escalation too.
        roster: who is among "all of them".
    """
    votes = {each.principal: each.verdict for each in case.said}
    holders = holders_of(named)
    groups = {place: spec.approvers[place].token for place in spec.quorum.required}
    seats = {
        person: Seat(
            groups=frozenset(place for place, wanted in groups.items() if wanted in tokens),
            counts=bool(tokens - spec.optional),
            on_roster=person in roster,
        )
        for person, tokens in holders.items()
        if person not in case.own
    }
    return stage_outcome(spec.quorum, seats, votes)


def _decides_alone(spec: Stage, seat: Eligibility, verdict: Verdict) -> bool:
    """Whether this approval is enough whoever else there is: any one of them was asked, and nobody in particular."""
    counts = bool(seat.tokens - spec.optional)
    return verdict in APPROVING and spec.mode == Mode.ANY and not spec.quorum.required and counts


def _begun(
    holders: Tokens, own: dict[int, OwnWork], at: dt.datetime, names: dict[int, str] | None = None
) -> dict[str, Any]:
    return {"state": StageState.ACTIVE, "activated_at": at, "resolved": roster_of(holders, own, names=names)}


def roster_of(holders: Tokens, own: dict[int, OwnWork], *, names: dict[int, str] | None = None) -> list[dict[str, Any]]:
    """Return who is asked, each with what makes them an approver and what keeps them from deciding.

    Args:
        holders: who is asked, by which tokens.
        own: whom the separation of duties keeps out.
        names: what they are called, where the caller has read it.
    """
    if names is None:
        names = {key: str(person) for key, person in User.objects.in_bulk(list(holders)).items()}
    return [
        {
            "person": person,
            "name": name,
            "via": sorted(holders[person]),
            "refused": own[person].about_them if person in own else "",
        }
        for person, name in sorted(names.items())
    ]


def _decided_before(case: Case) -> dict[int, OwnWork]:
    if not case.request.distinct_stages:
        return {}
    people = {key for each in case.votes for key in (each.approver, each.principal)}
    return dict.fromkeys(people, OwnWork.OTHER_STAGE)
