"""An evaluation from its need to the request for what was chosen."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.audit.models import AuditEvent
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import DomainError, InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.money import money
from apps.core.notifications.domain.notifying import notify
from apps.core.transitions import transition
from apps.core.words import reason_given
from apps.technology.domain.scoring import standings
from apps.technology.domain.tco import sensitivity_of, unstated
from apps.technology.enums import CriteriaState, EvaluationState, Lifecycle
from apps.technology.models import TCO_FIELDS, Candidate, Evaluation, Evaluator, Tool, ToolRequest

if TYPE_CHECKING:
    from apps.accounts.models import User

SCORING_KIND = "technology.scoring"
FEWEST_EVALUATORS = 2
_OVER = (EvaluationState.DECIDED, EvaluationState.DROPPED)


def still_open(rows: Any) -> Any:
    """Evaluations that are not over: what is handed over when who leads them leaves."""
    return rows.exclude(state__in=_OVER)


def refuse_naming(user: "User", evaluation: Evaluation) -> str | None:
    """Return why `user` cannot name evaluators now, None when it works."""
    return _refuse(user, evaluation, EvaluationState.DRAFT, "evaluators are named before scoring starts")


def refuse_evaluator(person: "User", evaluation: Evaluation) -> str | None:
    """Return why `person` cannot be an evaluator here, None when they can."""
    if not person.is_active or not access.may(person, "view", evaluation):
        return f"{person} may not see evaluations; give them a role that may first."
    if access.has_model_permission(person, "view", AuditEvent):
        return f"{person} reads the ledger, where every score is recorded, and so cannot score blind."
    return None


def name_evaluators(evaluation: Evaluation, *, by: "User", people: Iterable["User"]) -> str:
    """Add people who score; whoever is one already stays one.

    Raises:
        NotAllowed, WrongState: as `refuse_naming` says.
        InvalidInput: one of them cannot score, saying why.
    """
    with transaction.atomic(), acting_as(by):
        row = _locked(evaluation, by, refuse_naming)
        named = list(people)
        if refused := [sentence for each in named if (sentence := refuse_evaluator(each, row))]:
            raise InvalidInput(" ".join(refused))
        for person in named:
            Evaluator.objects.get_or_create(evaluation=row, person=person)
    return f"{row} has {row.evaluators.filter(excused_at__isnull=True).count()} evaluators."


def refuse_excuse(user: "User", evaluation: Evaluation) -> str | None:
    """Return why `user` cannot excuse evaluators now, None when it works."""
    if not access.can(user, "change", evaluation):
        return "You may not change evaluations."
    if evaluation.state not in (EvaluationState.DRAFT, EvaluationState.SCORING):
        return f"The evaluation is {evaluation.get_state_display().lower()}; nobody is to score any more."
    if not _waiting(evaluation).exists():
        return "Nobody is left to excuse."
    return None


def excuse_evaluator(evaluation: Evaluation, *, by: "User", evaluator: Evaluator, reason: str) -> str:
    """Let an evaluator go who has not submitted; what they scored so far does not count.

    Raises:
        NotAllowed, WrongState: as `refuse_excuse` says.
        InvalidInput: without a reason, or for somebody who has submitted.
    """
    reason = reason_given(reason, "Say why this person does not score.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row = _locked(evaluation, by, refuse_excuse)
        seat = _waiting(row).select_for_update(of=("self",)).filter(pk=evaluator.pk).first()
        if seat is None:
            raise InvalidInput("This person has submitted, or does not score here.")
        seat.excused_at, seat.why_excused = clock.now(), reason[:250]
        with transition(Evaluator):
            seat.save(update_fields=["excused_at", "why_excused"])
    return f"{seat.person} does not score {row} any more."


def refuse_start(user: "User", evaluation: Evaluation) -> str | None:
    """Return why scoring cannot start now, None when it works."""
    if refused := _refuse(user, evaluation, EvaluationState.DRAFT, "scoring starts from a draft"):
        return refused
    if evaluation.criteria.state == CriteriaState.DRAFT:
        return f"{evaluation.criteria} is a draft; put it in force first."
    if not Candidate.objects.live().filter(evaluation=evaluation).exists():
        return "There is no candidate yet; add what could meet the need."
    if _waiting(evaluation).count() < FEWEST_EVALUATORS:
        return f"Scores of one person alone are no comparison; name at least {FEWEST_EVALUATORS} evaluators."
    return None


def start_scoring(evaluation: Evaluation, *, by: "User") -> str:
    """Fix the candidates and ask the evaluators for their scores.

    Raises:
        NotAllowed, WrongState: as `refuse_start` says.
    """
    with transaction.atomic(), acting_as(by):
        row = _locked(evaluation, by, refuse_start)
        _move(row, EvaluationState.SCORING)
        until = f" by {row.due_on:%-d %B %Y}" if row.due_on else ""
        people = [seat.person for seat in _waiting(row).select_related("person")]
        notify(people, SCORING_KIND, title=f"Score the candidates of “{row.title}”{until}.", subject=row)
        publish("evaluation.started", evaluation_id=row.pk)
    return f"{len(people)} evaluators are asked to score; each sees the others only after submitting."


def refuse_close(user: "User", evaluation: Evaluation) -> str | None:
    """Return why scoring cannot be closed now, None when it works."""
    if refused := _refuse(user, evaluation, EvaluationState.SCORING, "only scoring is closed"):
        return refused
    waiting = [str(seat.person) for seat in _waiting(evaluation).select_related("person")]
    if waiting:
        return f"Still to submit: {', '.join(waiting)}. Wait for them, or excuse them with a reason."
    if evaluation.evaluators.filter(submitted_at__isnull=False).count() < FEWEST_EVALUATORS:
        return f"Fewer than {FEWEST_EVALUATORS} evaluators have submitted; this is no comparison."
    return None


def close_scoring(evaluation: Evaluation, *, by: "User") -> str:
    """End the scoring, so that a candidate can be chosen.

    Raises:
        NotAllowed, WrongState: as `refuse_close` says.
    """
    with transaction.atomic(), acting_as(by):
        row = _locked(evaluation, by, refuse_close)
        _move(row, EvaluationState.SCORED)
        best = standings(row, by)[0]
    return f"Scoring is closed. Best: {best.candidate}, {best.score} of 100."


def refuse_choice(user: "User", evaluation: Evaluation) -> str | None:
    """Return why nothing can be chosen now, None when it works."""
    return _refuse(user, evaluation, EvaluationState.SCORED, "a choice follows closed scoring")


def choose_candidate(evaluation: Evaluation, *, by: "User", candidate: Candidate, reason: str) -> str:
    """Choose a candidate and make the request for it, with business case, integration assessment and cost.

    Raises:
        NotAllowed, WrongState: as `refuse_choice` says, or its tool is retired or has an open request.
        InvalidInput: the candidate's integration assessment or cost is not complete, or there is no reason.
    """
    reason = reason_given(reason, "Say why this candidate; approvers read it.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row = _locked(evaluation, by, refuse_choice)
        chosen = Candidate.objects.live().filter(evaluation=row).select_related("tool").filter(pk=candidate.pk).first()
        if chosen is None:
            raise InvalidInput("Choose one of the candidates that were compared.")
        _refuse_incomplete(chosen)
        tool = chosen.tool or _tool_called(chosen, row)
        if chosen.tool is None:
            chosen.tool = tool
            chosen.save(update_fields=["tool"])
        _move(row, EvaluationState.DECIDED, chosen=chosen, outcome=reason, closed_at=clock.now())
        made = ToolRequest.objects.create(
            tool=tool,
            evaluation=row,
            title=row.title,
            requester=by,
            business_case=_business_case(row, chosen, by, reason),
            integration_assessment=chosen.integration_assessment,
            currency=chosen.currency,
            **{name: getattr(chosen, name) for name in TCO_FIELDS},
        )
        publish("evaluation.decided", evaluation_id=row.pk)
    return f"{chosen} is chosen. Its request “{made}” is a draft now; read it once more and send it for approval."


def refuse_drop(user: "User", evaluation: Evaluation) -> str | None:
    """Return why the evaluation cannot be dropped now, None when it works."""
    if not access.can(user, "change", evaluation):
        return "You may not change evaluations."
    return f"It is {evaluation.get_state_display().lower()} already." if evaluation.state in _OVER else None


def drop_evaluation(evaluation: Evaluation, *, by: "User", reason: str) -> str:
    """End an evaluation without a choice.

    Raises:
        NotAllowed, WrongState: as `refuse_drop` says.
        InvalidInput: without a reason.
    """
    reason = reason_given(reason, "Say why it ends without a choice.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row = _locked(evaluation, by, refuse_drop)
        _move(row, EvaluationState.DROPPED, outcome=reason, closed_at=clock.now())
    return f"{row} is dropped."


def _refuse_incomplete(candidate: Candidate) -> None:
    missing = [] if candidate.integration_assessment.strip() else ["the integration assessment"]
    if unsaid := unstated(candidate):
        missing.append(f"the three-year cost of {', '.join(unsaid)} (0 where it costs nothing)")
    if missing:
        raise InvalidInput(f"{candidate} cannot be chosen yet; still missing: {'; '.join(missing)}.")
    tool = candidate.tool
    if tool is not None and tool.lifecycle == Lifecycle.RETIRED:
        raise WrongState(f"{tool} is retired.")
    if tool is not None and tool.requests.filter(state__in=("draft", "in_approval"), archived_at=None).exists():
        raise WrongState(f"There is an open request for {tool}; finish or archive that one first.")


def _tool_called(candidate: Candidate, evaluation: Evaluation) -> Tool:
    """Return the tool of this name, a new one where there is none: who ran the evaluation answers for it."""
    found: Tool | None = Tool.objects.filter(name__iexact=candidate.name).first()
    return found or Tool.objects.create(name=candidate.name, function="", owner_person=evaluation.lead)


def _business_case(evaluation: Evaluation, chosen: Candidate, by: "User", reason: str) -> str:
    lines = [
        f"- {each.candidate}: {each.score} of 100, three years "
        f"{money(sensitivity_of(each.candidate).total, each.candidate.currency)}"
        for each in standings(evaluation, by)
    ]
    return (
        f"## Need\n\n{evaluation.need.strip()}\n\n## Compared by {evaluation.criteria}\n\n"
        + "\n".join(lines)
        + f"\n\n## Why {chosen}\n\n{reason}\n"
    )


def _waiting(evaluation: Evaluation) -> Any:
    return evaluation.evaluators.filter(submitted_at__isnull=True, excused_at__isnull=True)


def _refuse(user: "User", evaluation: Evaluation, state: EvaluationState, otherwise: str) -> str | None:
    if not access.can(user, "change", evaluation):
        return "You may not change evaluations."
    if evaluation.state != state:
        return f"The evaluation is {evaluation.get_state_display().lower()}; {otherwise}."
    return None


def _locked(evaluation: Evaluation, by: "User", refuse: Callable[["User", Evaluation], str | None]) -> Evaluation:
    rows = Evaluation.objects.select_for_update(of=("self",)).select_related("criteria")
    row: Evaluation = rows.get(pk=evaluation.pk)
    if refused := refuse(by, row):
        kind: type[DomainError] = WrongState if access.can(by, "change", row) else NotAllowed
        raise kind(refused)
    return row


def _move(evaluation: Evaluation, to: EvaluationState, **more: object) -> None:
    evaluation.state = to
    for name, value in more.items():
        setattr(evaluation, name, value)
    with transition(Evaluation):
        evaluation.save(update_fields=["state", *more])
