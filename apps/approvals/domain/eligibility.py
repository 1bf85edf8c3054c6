"""Who may decide, and why not: the one answer behind every button, list and operation."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models.functions import JSONObject

from apps.accounts.models import Membership, User
from apps.approvals.domain.content import live_digest
from apps.approvals.domain.definition import Stage, escalation_in_words, in_words, spec_of, tokens_in_words
from apps.approvals.domain.own_work import OwnWork, own_work, touches_of
from apps.approvals.domain.seats import tokens_of
from apps.approvals.enums import RequestState, StageState, Verdict
from apps.approvals.models import ApprovalRequest, Decision, Delegation, StageInstance
from apps.approvals.registry import kind_of, registered, subject_of
from apps.core import access, clock
from apps.core.errors import DomainError, NotAllowed, WrongState

DECIDED = "You have decided about this already; it waits for others."


@dataclass(frozen=True)
class Vote:
    """What one person said in one stage, as far as arithmetic needs it."""

    stage: int
    approver: int
    principal: int
    verdict: Verdict


@dataclass(frozen=True)
class Case:
    """Everything about one request that its eligibility asks, read once.

    Attributes:
        request: the request.
        thing: its subject as it is now, None when it is gone.
        stages: its stages in their order.
        own: whom the separation of duties keeps out, and why.
        delegations: those that hold now for this kind.
        votes: what was said so far, in all stages.
        mark: the last ledger entry about what is decided, since it was last approved; None where there is none.
    """

    request: ApprovalRequest
    thing: Any
    stages: list[StageInstance]
    own: dict[int, OwnWork]
    delegations: list[Delegation]
    votes: list[Vote]
    mark: int | None = None

    @property
    def stage(self) -> StageInstance | None:
        """The stage being decided, None when there is none."""
        return next((each for each in self.stages if each.state == StageState.ACTIVE), None)

    @property
    def active(self) -> StageInstance:
        """The stage being decided.

        Raises:
            WrongState: there is none.
        """
        if (stage := self.stage) is None:
            raise WrongState("No stage of this request is being decided.")
        return stage

    @property
    def spec(self) -> Stage:
        """The stage as its policy defines it, with the seats that passed to others."""
        return spec_of(self.active)

    @property
    def said(self) -> list[Vote]:
        """What was said in the stage being decided."""
        stage = self.stage
        return [each for each in self.votes if stage is not None and each.stage == stage.pk]


@dataclass(frozen=True)
class Eligibility:
    """Whether somebody may decide, and why or why not.

    Attributes:
        refusal: what keeps them from it, None when nothing does.
        principal: whose approval it would be: their own, or of whom they stand in for.
        delegation: by which they stand in.
        why: what makes them an approver, in words.
    """

    refusal: DomainError | None
    principal: int | None = None
    delegation: Delegation | None = None
    why: str = ""
    tokens: frozenset[str] = field(default_factory=frozenset)

    def __bool__(self) -> bool:
        return self.refusal is None


def eligible(person: User, stage: StageInstance) -> Eligibility:
    """Return whether `person` may decide in `stage` now, and why or why not."""
    case = case_of(stage.approval)
    if case.stage is None or case.stage.pk != stage.pk:
        return Eligibility(WrongState(_not_active(stage)))
    return eligible_in(case, person)


def case_of(request: ApprovalRequest, *, thing: Any = None, at: dt.datetime | None = None) -> Case:
    """Read what the eligibility of everybody for one request depends on.

    Args:
        request: the request.
        thing: its subject when the caller has it, locked for instance.
        at: the moment at which delegations must hold; now when not given.
    """
    thing = subject_row(request) if thing is None else thing
    model: Any = request.content_type.model_class()
    stages, votes, delegations = _read(request, kind_of(model) if model is not None else "", at or clock.now())
    touched = touches_of(thing) if thing is not None else {}
    own = own_work(request.requester_id, [*request.editors, *sorted(touched)], delegations)
    case = Case(request, thing, stages, own, delegations, votes, max(touched.values(), default=None))
    if request.distinct_stages:
        active = case.stage
        for each in votes:
            if active is None or each.stage != active.pk:
                own.setdefault(each.approver, OwnWork.OTHER_STAGE)
                own.setdefault(each.principal, OwnWork.OTHER_STAGE)
    return case


def _read(
    request: ApprovalRequest, kind: str, at: dt.datetime
) -> tuple[list[StageInstance], list[Vote], list[Delegation]]:
    """Read the stages, what was said in them, and who stands in for whom, in one statement."""
    said = Decision.objects.filter(stage=models.OuterRef("pk")).order_by("pk")
    vote = JSONObject(approver="approver_id", principal="principal_id", verdict="verdict")
    rows: Any = StageInstance.objects.filter(approval=request).annotate(
        said=ArraySubquery(said.values(vote=vote)),
        standing_in=ArraySubquery(Delegation.objects.valid_at(at).about(kind).order_by("pk").values(one=_DELEGATION)),
    )
    stages = list(rows.order_by("position"))
    votes = [
        Vote(stage.pk, each["approver"], each["principal"], Verdict(each["verdict"]))
        for stage in stages
        for each in stage.said
    ]
    return stages, votes, [_delegation(each) for each in (stages[0].standing_in if stages else ())]


_DELEGATION = JSONObject(
    pk="pk",
    absent="from_person_id",
    absent_name="from_person__full_name",
    stand_in="to_person_id",
    stand_in_name="to_person__full_name",
    kind="subject_kind",
)


def _delegation(row: dict[str, Any]) -> Delegation:
    absent = User(pk=row["absent"], full_name=row["absent_name"])
    stand_in = User(pk=row["stand_in"], full_name=row["stand_in_name"])
    return Delegation(pk=row["pk"], from_person=absent, to_person=stand_in, subject_kind=row["kind"])


def eligible_in(case: Case, person: User, *, digest: str | None = None, lock: bool = False) -> Eligibility:
    """Return whether `person` may decide in the case, and why or why not.

    Args:
        case: what was read of the request.
        person: who asks.
        digest: of the subject as it is now, when the caller has it.
        lock: whether to keep the person's roles from changing until the transaction ends.
    """
    if refusal := _closed(case):
        return Eligibility(refusal)
    seat = _seat(case, person, lock=lock)
    if seat.refusal is None and (kept := kept_out(case.thing, person)):
        return Eligibility(NotAllowed(kept))
    if seat.refusal is None and (digest or live_digest(case.thing)) != case.request.digest:
        return Eligibility(
            WrongState(
                f"{case.request} was changed since it was sent for approval: what you see is not what would take "
                "effect. Withdraw it and send it again."
            )
        )
    return seat


def kept_out(thing: Any, person: User) -> str | None:
    """Return why this subject is not for `person` to decide about, whatever the policy names; None when it is."""
    known = subject_of(type(thing)).keeps_out
    return (known(thing, person) if known is not None else None) or _elsewhere(thing, person)


def kept_out_among(thing: Any, people: Iterable[int]) -> dict[int, str]:
    """Return which of these people this subject itself, or their territory, keeps from deciding, and why."""
    if thing is None:
        return {}
    kind: type[models.Model] = type(thing)
    asked = list(people)
    if subject_of(kind).keeps_out is None:
        if access.home_of(kind) is None:
            return {}
        limited = Membership.objects.live().filter(person__in=asked, territory__isnull=False)
        asked = list(limited.values_list("person", flat=True).distinct())
    known = User.objects.in_bulk(asked)
    return {key: said for key, person in known.items() if (said := kept_out(thing, person))}


def _elsewhere(thing: Any, person: User) -> str | None:
    """Return why somebody whose roles hold in some territories does not decide about what is in another one."""
    limit = access.limit_of(person, "view", type(thing))
    if limit is None or access.visible(person, type(thing)).filter(pk=thing.pk).exists():
        return None
    return f"The roles of {person} hold in {limit.words} only, and {thing} is elsewhere or in no territory."


def _closed(case: Case) -> DomainError | None:
    if not case.request.is_open:
        return WrongState(closed_sentence(case.request))
    if case.thing is None:
        return WrongState("What was sent for approval no longer exists; withdraw the request.")
    return WrongState("No stage of this request is being decided.") if case.stage is None else None


def _seat(case: Case, person: User, *, lock: bool) -> Eligibility:
    """Find the seat in which `person` may decide: their own first, else one of those they stand in for."""
    standing_in = [each for each in case.delegations if each.to_person_id == person.pk]
    held = tokens_of({person.pk, *(each.from_person_id for each in standing_in)}, lock=lock)
    if person.pk not in held:
        return Eligibility(NotAllowed("Your account is not active."))
    named = set(case.active.named)
    own_seat = held[person.pk] & named
    if own := case.own.get(person.pk):
        seats = own_seat or any(held.get(each.from_person_id, set()) & named for each in standing_in)
        is_work = own in (OwnWork.SENT, OwnWork.CHANGED)
        return Eligibility(NotAllowed(own.to_them if seats or is_work else _none_of_them(case, held[person.pk])))
    if any(each.approver == person.pk for each in case.said):
        return Eligibility(WrongState(DECIDED))
    taken = {each.principal: each.approver for each in case.said}
    if own_seat and person.pk not in taken:
        return Eligibility(None, person.pk, None, _why(own_seat), frozenset(own_seat))
    refused = f"{User.objects.get(pk=taken[person.pk])} has decided for you already." if own_seat else ""
    for each in standing_in:
        absent = held.get(each.from_person_id, set()) & named
        if not absent:
            continue
        refused = refused or _refused_stand_in(case, each, taken)
        if not _refused_stand_in(case, each, taken):
            return Eligibility(None, each.from_person_id, each, _why(absent, each), frozenset(absent))
    return Eligibility(WrongState(refused) if refused else NotAllowed(_none_of_them(case, held[person.pk])))


def _refused_stand_in(case: Case, delegation: Delegation, taken: dict[int, int]) -> str:
    absent = delegation.from_person
    if not case.spec.allow_delegates:
        return f"You stand in for {absent}, but this stage is decided in person."
    if own := case.own.get(absent.pk):
        return f"You stand in for {absent}, who may not decide: {own.about_them[:1].lower()}{own.about_them[1:]}"
    if absent.pk in taken:
        return f"This has been decided for {absent} already."
    return ""


def _why(tokens: set[str], delegation: Delegation | None = None) -> str:
    said = tokens_in_words(tokens)
    return f"{said}, for {delegation.from_person}" if delegation else said


def _none_of_them(case: Case, held: set[str]) -> str:
    """Say that the stage being decided names somebody else; and, where a later one names them, that theirs comes."""
    theirs = next((each for each in case.stages if each.state == StageState.PENDING and held & set(each.named)), None)
    if theirs is not None:
        return (
            f"You decide in stage {theirs.position}, {theirs.name}, which has not begun: {whom(case)} decide first, in "
            f"{case.active.name}."
        )
    return f"You are none of the approvers: {whom(case)} decide here."


def whom(case: Case) -> str:
    """Say whom the stage being decided names; nobody where none is."""
    if case.stage is None:
        return "nobody"
    escalated = escalation_in_words(case.spec.escalate) if case.stage.escalated_at else ""
    return " or ".join(filter(None, (in_words(case.spec.approvers), escalated)))


def subject_row(request: ApprovalRequest, *, lock: bool = False) -> Any:
    """Return the row a request is about, locked when asked; None when it is gone or no longer can be approved."""
    model = request.content_type.model_class()
    if model is None:
        return None
    rows = model._base_manager.all()
    if (subject := registered().get(model)) is not None and subject.related:
        rows = rows.select_related(*subject.related)
    return (rows.select_for_update(of=("self",)) if lock else rows).filter(pk=request.object_id).first()


def closed_sentence(request: ApprovalRequest) -> str:
    """Say that a request is decided."""
    return f"{request} is {RequestState(request.state).label.lower()}; nothing is left to decide."


def _not_active(stage: StageInstance) -> str:
    if not stage.approval.is_open:
        return closed_sentence(stage.approval)
    if stage.state == StageState.PENDING:
        return f"Stage {stage.position}, {stage.name}, has not begun: the one before is not approved yet."
    return f"Stage {stage.position}, {stage.name}, is {StageState(stage.state).label.lower()} already."
