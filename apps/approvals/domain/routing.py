"""Where a request goes: which row of the decision table, which stages, who could decide there, and what is wrong.

The same answer sends a request and fills the simulator, so that what is shown before is what happens after.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models

from apps.accounts.models import User
from apps.approvals.domain.definition import Definition, Row, Stage, definition_of, in_words, resolved, tokens_in_words
from apps.approvals.domain.eligibility import kept_out_among
from apps.approvals.domain.facts import asked, facts_catalog, facts_of, shown
from apps.approvals.domain.own_work import OwnWork, editors_of, own_work
from apps.approvals.domain.seats import Tokens, delegations_about, holders_of
from apps.approvals.enums import Mode
from apps.approvals.models import ApprovalPolicy, PolicyVersion
from apps.approvals.registry import kind_of, model_of, subject_of
from apps.core import clock
from apps.core.errors import InvalidInput, WrongState
from apps.core.rules.predicates import Catalog, Outcome


@dataclass(frozen=True)
class Answer:
    """Whether one person may decide, and if not, why."""

    person: User
    refused: str | None
    via: str = ""
    delegate: User | None = None


@dataclass(frozen=True)
class JudgedRow:
    """One row of the decision table, whether it holds, and why."""

    row: Row
    holds: bool
    taken: bool
    outcome: Outcome


@dataclass(frozen=True)
class RoutedStage:
    """One stage a request would take, with the people it names today."""

    stage: Stage
    holders: Tokens
    able: frozenset[int]
    unmet: tuple[tuple[str, str], ...]
    kept_out: str = ""

    @property
    def expected(self) -> int:
        """How many approvals it takes as things stand."""
        return max(len(self.able), 1) if self.stage.mode == Mode.ALL else self.stage.least

    @property
    def whom(self) -> str:
        """Whom it names, in words."""
        return in_words(self.stage.approvers)


@dataclass(frozen=True)
class Route:
    """Where a request goes, and what stands against sending it."""

    policy: ApprovalPolicy
    version: PolicyVersion
    definition: Definition
    facts: dict[str, Any]
    rows: tuple[JudgedRow, ...]
    stages: tuple[RoutedStage, ...]
    own: dict[int, OwnWork]
    editors: list[int]
    refusals: tuple[str, ...]
    nobody: bool = False

    @property
    def row(self) -> Row | None:
        """The row of the table that is taken."""
        return next((each.row for each in self.rows if each.taken), None)

    @property
    def required(self) -> int:
        """How many approvals must come in."""
        return sum(each.expected for each in self.stages)


def route_of(thing: models.Model, *, by: User, version: PolicyVersion | None = None) -> Route:
    """Return where `thing` goes when `by` sends it now.

    Args:
        thing: what would be sent.
        by: who would send it.
        version: of the policy, to try out a draft; the active one when not given.

    Raises:
        WrongState: no policy is in force for its kind, or its decision table cannot be read any more.
    """
    model = type(thing)
    version = version or active_version(model)
    editors = editors_of(thing)
    own = own_work(by.pk, editors, delegations_about(kind_of(model)))
    return _routed(version, facts_of(thing, by=by), own, editors, thing=thing, by=by)


def route_of_facts(kind: str, facts: Mapping[str, Any], *, by: User, version: PolicyVersion | None = None) -> Route:
    """Return where something with these facts would go, without there being such a thing.

    Raises:
        InvalidInput: a fact is not what it should be.
        WrongState: no policy is in force for the kind, or nothing of it can be approved.
    """
    model = model_of(kind)
    if model is None:
        raise WrongState(f"Nothing of the kind “{kind}” can be approved.")
    version = version or active_version(model)
    own = own_work(by.pk, [], delegations_about(kind))
    return _routed(version, {"kind": kind, "requester": str(by), **facts}, own, [], thing=None, by=by)


def active_version(model: type[models.Model]) -> PolicyVersion:
    """Return the version of the policy that decides about new requests of a kind.

    Raises:
        WrongState: no policy is in force, or none of its versions has been approved.
    """
    policy = (
        ApprovalPolicy.objects.live()
        .filter(subject_kind=kind_of(model))
        .select_related("active_version__policy")
        .first()
    )
    if policy is None:
        raise WrongState(
            f"No approval policy is in force for {model._meta.verbose_name_plural}. "
            "An administrator adds one under Approvals, Approval policies."
        )
    if policy.active_version is None:
        raise WrongState(
            f"The policy {policy} has no active version yet: its draft must be sent for approval and approved first."
        )
    return policy.active_version  # type: ignore[no-any-return]  # the queryset is shared by all governed models


def answers_of(routed: RoutedStage, own: Mapping[int, OwnWork]) -> list[Answer]:
    """Return the people a stage names, those who could decide first, each with what makes or keeps them."""
    people = User.objects.in_bulk(list(routed.holders))
    answers = [
        Answer(
            person,
            own[key].about_them if key in own else None,
            tokens_in_words(routed.holders[key]),
        )
        for key, person in people.items()
    ]
    return sorted(answers, key=lambda answer: (answer.refused is not None, answer.person.full_name))


def unmet_checks(stage: Stage, thing: Any) -> tuple[tuple[str, str], ...]:
    """Return what must still become true before a stage can be approved: (name of the check, sentence)."""
    known = subject_of(type(thing)).checks if thing is not None else {}
    return tuple((name, sentence) for name in stage.checks if name in known for sentence in known[name](thing))


def _routed(
    version: PolicyVersion, facts: dict[str, Any], own: dict[int, OwnWork], editors: list[int], *, thing: Any, by: User
) -> Route:
    definition = definition_of(version)
    rows = _judged(definition.rows, facts, facts_catalog(version.policy.subject_kind), thing is not None)
    taken = next((each.row for each in rows if each.taken), None)
    known = {stage.number: stage for stage in definition.stages}
    chosen = [known[number] for number in taken.stages if number in known] if taken is not None else []
    stages = tuple(_stage(each, own, thing, by) for each in chosen)
    nobody = tuple(_without_approvers(stages, definition.distinct_stages))
    refusals = [*nobody]
    if not stages:
        refusals.append(f"No row of the decision table of {version.policy} fits; an administrator must add one.")
    if stages:
        refusals += [sentence for _, sentence in stages[0].unmet]
    policy = version.policy
    return Route(policy, version, definition, shown(facts), rows, stages, own, editors, tuple(refusals), bool(nobody))


def _judged(rows: Iterable[Row], facts: Mapping[str, Any], catalog: Catalog, is_record: bool) -> tuple[JudgedRow, ...]:
    judged, found, now = [], False, clock.now()
    for row in rows:
        try:
            outcome = asked(row.when, facts, catalog, as_of=now)
        except InvalidInput as refusal:
            if not is_record:  # what was typed into the simulator is to blame, or told in the same words
                raise InvalidInput(f"Row “{row.name}”: {refusal.message}") from refusal
            raise WrongState(
                f"Row “{row.name}” of the decision table cannot be read any more: {refusal.message} "
                "An administrator must write a new version of the policy."
            ) from refusal
        judged.append(JudgedRow(row, outcome.matched, outcome.matched and not found, outcome))
        found = found or outcome.matched
    return tuple(judged)


def _stage(stage: Stage, own: Mapping[int, OwnWork], thing: Any, by: User) -> RoutedStage:
    stage = resolved(stage, thing, by)
    holders = holders_of(stage.named)
    able = frozenset(key for key, tokens in holders.items() if key not in own and tokens - stage.optional)
    kept = kept_out_among(thing, able)
    said = next(iter(kept.values()), "")
    return RoutedStage(stage, holders, able - set(kept), unmet_checks(stage, thing), said)


def _without_approvers(stages: tuple[RoutedStage, ...], distinct: bool) -> Iterable[str]:
    """Say which stages could never be approved: nobody is left, or the same few would have to decide twice."""
    several = len(stages) > 1
    for each in stages:
        where = f"Stage {each.stage.number}, {each.stage.name}: " if several else ""
        if len(each.able) < each.expected:
            could = f"only {len(each.able)}" if each.able else "nobody"
            yield (
                f"{where}{each.expected} must approve, but {could} could: {each.whom}, without those who "
                "wrote or send it. "
                + (
                    f"To others it says: {each.kept_out}"
                    if each.kept_out
                    else "Ask an administrator to name more approvers in the policy."
                )
            )
        for place in sorted(each.stage.quorum.required):
            wanted = each.stage.approvers[place]
            if not any(wanted.token in each.holders[key] for key in each.able):
                missing = in_words((wanted,))
                yield f"{where}one of {missing} must approve, but nobody of them could decide about this."
    if distinct and several and not _can_seat(stages):
        yield (
            "Nobody decides two stages of one request, and there are too few different people for all stages. "
            "Ask an administrator to name more approvers in the policy."
        )


def _can_seat(stages: tuple[RoutedStage, ...]) -> bool:
    """Whether every stage can have its least number of approvers with nobody in two: a matching of seats to people."""
    seats = [place for place, each in enumerate(stages) for _ in range(each.stage.least)]
    sits: dict[int, int] = {}

    def place_one(seat: int, tried: set[int]) -> bool:
        for person in stages[seats[seat]].able - tried:
            tried.add(person)
            if person not in sits or place_one(sits[person], tried):
                sits[person] = seat
                return True
        return False

    return all(place_one(seat, set()) for seat in range(len(seats)))
