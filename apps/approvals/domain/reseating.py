"""Resolving approvers again: when those whom a request names have left or changed, others take their seats, and why."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.db import transaction

from apps.accounts.models import User
from apps.approvals.domain.decisions import advance_without_vote
from apps.approvals.domain.definition import Stage, in_words, passed_on, source_of, spec_of
from apps.approvals.domain.eligibility import Case, case_of, closed_sentence
from apps.approvals.domain.locking import locked
from apps.approvals.domain.own_work import OwnWork
from apps.approvals.domain.quorum import Outcome
from apps.approvals.domain.seats import holders_of
from apps.approvals.domain.stages import outcome_for, roster_of
from apps.approvals.enums import StageState, Via
from apps.approvals.models import ApprovalRequest, StageInstance
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.events import publish
from apps.core.transitions import transition
from apps.core.words import reason_given

PERMISSION = "approvals.reseat_approvalrequest"
NOTHING_TO_DO = "Everybody whom it names is still there: there is nothing to resolve again."


@dataclass(frozen=True)
class Exchange:
    """One seat that passes from one person to another, and why."""

    old: str
    new: str
    why: str


@dataclass(frozen=True)
class Renewal:
    """What resolving again changes in one stage.

    Attributes:
        stage: the stage, being decided or still to come.
        spec: the stage with the seats as they would be.
        exchanges: the seats that pass to somebody else.
        gone: who was asked and no longer is.
        come: who would be asked from now on.
        able: who of those named could still decide.
        outcome: what the decisions already made amount to then; None for a stage that has not begun.
    """

    stage: StageInstance
    spec: Stage
    exchanges: tuple[Exchange, ...]
    gone: tuple[User, ...]
    come: tuple[User, ...]
    able: frozenset[int]
    outcome: Outcome | None

    @property
    def is_stuck(self) -> bool:
        """Whether it could not be approved even then."""
        return len(self.able) < self.spec.least if self.outcome is None else self.outcome is Outcome.STUCK

    @property
    def is_complete(self) -> bool:
        """Whether the decisions already made are all that is asked for then."""
        return self.outcome is Outcome.APPROVED

    @property
    def whom(self) -> str:
        """Whom it would name, in words."""
        return in_words(self.spec.approvers)


def renewals_of(case: Case) -> list[Renewal]:
    """Return what resolving the approvers of a request again would change, stage by stage; only stages that change."""
    return [each for stage in case.stages if (each := _renewal(case, stage)) is not None]


def refuse_reseating(user: User, request: ApprovalRequest) -> str | None:
    """Return why `user` cannot resolve the approvers of `request` again, None when they can."""
    if not (user.is_active and user.has_perm(PERMISSION)):
        return "Approvers are resolved again by administrators."
    if not request.is_open:
        return closed_sentence(request)
    case = case_of(request)
    return _refused(user, case, renewals_of(case))


def _refused(user: User, case: Case, renewals: list[Renewal]) -> str | None:
    own = case.own.get(user.pk)
    if own in (OwnWork.SENT, OwnWork.CHANGED, OwnWork.STANDS_IN):
        return f"{own.about_them.rstrip('.')}: nobody chooses who decides about their own work."
    if any(user.pk in (each.approver, each.principal) for each in case.votes) or _is_asked(user, case, renewals):
        return "You are or would be one of its approvers; an administrator who is not resolves them again."
    if not renewals:
        return NOTHING_TO_DO
    if stuck := next((each for each in renewals if each.is_stuck), None):
        return (
            f"Nobody is found who could take the seats of stage {stuck.stage.position}, {stuck.stage.name}: give "
            "somebody the role, the field or the manager it asks for, or have it withdrawn and sent again."
        )
    return None


def _is_asked(user: User, case: Case, renewals: list[Renewal]) -> bool:
    open_stages = [each for each in case.stages if each.state in (StageState.ACTIVE, StageState.PENDING)]
    asked = set(holders_of({token for each in open_stages for token in each.named}))
    asked |= {person for each in renewals for person in each.able}
    stands_in = {each.from_person_id for each in case.delegations if each.to_person_id == user.pk}
    return bool(asked & {user.pk, *stands_in})


def reseat(request: ApprovalRequest, *, by: User, reason: str, at: dt.datetime | None = None) -> str:
    """Resolve again who decides, in the stage being decided and those to come; announces `approval.reseated`.

    A field or manager is looked up anew; a person who has left is followed by their manager; roles, teams and groups
    are counted anew. What has been decided stays; where that is all that is asked for now, the request goes on.

    Raises:
        InvalidInput: without a reason.
        NotAllowed: `by` is no administrator, is or would be an approver, sent it or worked on it.
        WrongState: it is decided, nobody has changed, or nobody is found.
    """
    reason = reason_given(reason, "Say why its approvers are resolved again.")
    moment = at or clock.now()
    with transaction.atomic(), acting_as(by, reason=reason):
        row, thing = locked(request)
        if refused := refuse_reseating(by, row):
            raise (WrongState if not row.is_open or refused == NOTHING_TO_DO else NotAllowed)(refused)
        case = case_of(row, thing=thing)
        for each in renewals_of(case):
            _write(case, each, by=by, reason=reason, at=moment)
        publish("approval.reseated", request_id=row.pk)
        goes_on = advance_without_vote(case_of(row, thing=thing), by=by, at=moment)
    return f"The approvers of {row} are resolved again.{f' {goes_on}' if goes_on else ''}"


def _write(case: Case, renewal: Renewal, *, by: User, reason: str, at: dt.datetime) -> None:
    row = renewal.stage
    further = [token for token in row.named if token not in spec_of(row).named]
    row.named = list(dict.fromkeys([*renewal.spec.named, *further]))
    row.replaced = [*row.replaced, _entry(renewal, by=by, reason=reason, at=at)]
    if row.state == StageState.ACTIVE:
        row.resolved = roster_of(holders_of(renewal.spec.named), case.own)
    with transition(StageInstance):
        row.save(update_fields=["named", "replaced", "resolved"])


def _entry(renewal: Renewal, *, by: User, reason: str, at: dt.datetime) -> dict[str, object]:
    return {
        "at": at.isoformat(),
        "by": by.pk,
        "by_name": str(by),
        "reason": reason,
        "tokens": {each.old: each.new for each in renewal.exchanges},
        "gone": [{"person": each.pk, "name": str(each)} for each in renewal.gone],
        "come": [{"person": each.pk, "name": str(each)} for each in renewal.come],
        "why": [each.why for each in renewal.exchanges],
    }


def _renewal(case: Case, row: StageInstance) -> Renewal | None:
    if row.state not in (StageState.ACTIVE, StageState.PENDING):
        return None
    before = spec_of(row)
    voted = {each.principal for each in case.votes if each.stage == row.pk}
    exchanges = tuple(_exchanges(case, before, voted))
    passed = {each.old: each.new for each in exchanges}
    spec = replace(before, approvers=tuple(passed_on(each, passed) for each in before.approvers))
    further = [token for token in row.named if token not in before.named]
    now, asked = set(holders_of(spec.named)), _asked_so_far(row, before)
    heard = now | set(holders_of(further))
    if not exchanges and (row.state == StageState.PENDING or asked == now):
        return None
    people = User.objects.in_bulk(asked ^ now)
    is_active = row.state == StageState.ACTIVE
    changed = sorted(people.values(), key=str)
    return Renewal(
        stage=row,
        spec=spec,
        exchanges=exchanges,
        gone=tuple(each for each in changed if each.pk in asked),
        come=tuple(each for each in changed if each.pk in now),
        able=frozenset(heard - set(case.own) - voted),
        outcome=outcome_for(case, spec, [*spec.named, *further], roster=now) if is_active else None,
    )


def _asked_so_far(row: StageInstance, spec: Stage) -> set[int]:
    """Return who was asked when the stage began; for one that has not, the people it names one by one."""
    if row.state == StageState.ACTIVE:
        return {int(each["person"]) for each in row.resolved}
    still = set(holders_of(spec.named))
    return still | {int(each.key) for each in spec.approvers if each.via == Via.PERSON}


def _exchanges(case: Case, spec: Stage, voted: set[int]) -> Iterator[Exchange]:
    """Yield the seats that pass on. Who has decided and still may keeps their seat."""
    for each in spec.approvers:
        if each.via not in (Via.PERSON, Via.OWNER, Via.MANAGER):
            continue
        person = User.objects.filter(pk=each.key).first() if each.via == Via.PERSON else None
        if person is not None and person.is_active and person.pk in voted:
            continue
        found = _successor(case, person, source_of(each))
        if found is not None and found[0].pk != (person.pk if person else None):
            yield Exchange(each.token, f"{Via.PERSON}:{found[0].pk}", found[1])


def _successor(case: Case, person: User | None, source: str) -> tuple[User, str] | None:
    """Return who takes a seat, and why: who the field names now, else the next manager of who has left."""
    meant = _named_now(case, source) if source else None
    if meant is not None and _can_serve(case, meant):
        return meant, f"{meant} is {source.replace('_', ' ')} now."
    if person is None or person.is_active:
        return None
    for manager in _managers(person):
        if _can_serve(case, manager):
            return manager, f"{person} has left; {manager} is the next manager who may decide."
    return None


def _named_now(case: Case, source: str) -> User | None:
    found = case.request.requester.manager if source == "manager" else getattr(case.thing, source, None)
    return found if isinstance(found, User) else None


def _can_serve(case: Case, person: User) -> bool:
    return person.is_active and person.pk not in case.own


def _managers(person: User) -> Iterator[User]:
    seen, manager = {person.pk}, person.manager
    while manager is not None and manager.pk not in seen:
        seen.add(manager.pk)
        yield manager
        manager = manager.manager
