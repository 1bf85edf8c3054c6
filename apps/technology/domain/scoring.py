"""Scoring blind: who may score, what they see meanwhile, and what all scores together say."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.db.models import Q

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.transitions import transition
from apps.technology.enums import EvaluationState
from apps.technology.models import Candidate, Criterion, Evaluation, Evaluator, Score
from apps.technology.models.evaluation import BEST

if TYPE_CHECKING:
    from apps.accounts.models import User

TENTH = Decimal("0.1")
# (candidate, criterion) → value and evidence as typed; a value that is not chosen yet is None
Entries = Mapping[tuple[int, int], tuple[int | None, str]]


def seen_scores(user: "User", rows: "models.QuerySet[Score]") -> "models.QuerySet[Score]":
    """Return one's own scores, and submitted ones of evaluations in which one has no scores left to submit."""
    still_blind = Evaluator.objects.filter(
        person=user, submitted_at__isnull=True, excused_at__isnull=True, archived_at__isnull=True
    ).exclude(evaluation__state__in=(EvaluationState.DECIDED, EvaluationState.DROPPED, EvaluationState.SCORED))
    others = Q(evaluator__submitted_at__isnull=False) & ~Q(evaluator__evaluation__in=still_blind.values("evaluation"))
    return rows.filter(Q(evaluator__person=user) | others)


def criteria_of(evaluation: Evaluation) -> list[Criterion]:
    """Return the criteria of an evaluation in their order."""
    return list(Criterion.objects.live().filter(criteria=evaluation.criteria_id).order_by("position", "pk"))


def candidates_of(evaluation: Evaluation) -> list[Candidate]:
    """Return the candidates of an evaluation by name."""
    return list(Candidate.objects.live().filter(evaluation=evaluation).select_related("tool").order_by("name"))


def seat_of(user: "User", evaluation: Evaluation) -> Evaluator | None:
    """Return the place of `user` among the evaluators, None where they have none."""
    rows = Evaluator.objects.filter(evaluation=evaluation, person=user, excused_at__isnull=True)
    found: Evaluator | None = rows.first()
    return found


def refuse_scoring(user: "User", evaluation: Evaluation) -> str | None:
    """Return why `user` cannot score here now, None when they can."""
    if not access.may(user, "view", evaluation):
        return "You may not see this evaluation."
    seat = seat_of(user, evaluation)
    if seat is None:
        return "You are not among the evaluators; who runs the evaluation names them."
    if evaluation.state == EvaluationState.DRAFT:
        return "Scoring has not started yet."
    if evaluation.state != EvaluationState.SCORING:
        return f"Scoring is over; the evaluation is {evaluation.get_state_display().lower()}."
    if seat.submitted_at is not None:
        return "You have submitted your scores; they stay as they are."
    return None


def save_scores(evaluation: Evaluation, entries: Entries, *, by: "User") -> str:
    """Keep one's scores as far as they have come; nobody else sees them before they are submitted.

    Raises:
        NotAllowed, WrongState: as `refuse_scoring` says.
        InvalidInput: a score is not between 0 and 5, or rests on nothing.
    """
    with transaction.atomic(), acting_as(by):
        seat = _locked_seat(evaluation, by)
        number = _write(seat, evaluation, entries)
    return f"{number} score{'s are' if number != 1 else ' is'} kept; nobody else sees them before you submit."


def submit_scores(evaluation: Evaluation, entries: Entries, *, by: "User") -> str:
    """Submit one's scores for good; from then on one sees those of the others who have submitted.

    Raises:
        NotAllowed, WrongState: as `refuse_scoring` says.
        InvalidInput: a score is missing, not between 0 and 5, or rests on nothing.
    """
    with transaction.atomic(), acting_as(by):
        seat = _locked_seat(evaluation, by)
        _write(seat, evaluation, entries)
        wanted = len(criteria_of(evaluation)) * len(candidates_of(evaluation))
        given = seat.scores.count()
        if given < wanted:
            missing = wanted - given
            raise InvalidInput(
                f"{missing} of {wanted} scores {'are' if missing > 1 else 'is'} still missing; every candidate needs a "
                "score with evidence by every criterion."
            )
        seat.submitted_at = clock.now()
        with transition(Evaluator):
            seat.save(update_fields=["submitted_at"])
        publish("evaluation.scored", evaluation_id=evaluation.pk)
    return "Your scores are submitted. You see those of the others who have submitted theirs."


def _locked_seat(evaluation: Evaluation, by: "User") -> Evaluator:
    row = Evaluation.objects.select_for_update(of=("self",)).get(pk=evaluation.pk)
    if refused := refuse_scoring(by, row):
        raise (WrongState if seat_of(by, row) is not None else NotAllowed)(refused)
    seat: Evaluator = Evaluator.objects.select_for_update(of=("self",)).get(evaluation=row, person=by)
    return seat


def _write(seat: Evaluator, evaluation: Evaluation, entries: Entries) -> int:
    criteria = {each.pk: each for each in criteria_of(evaluation)}
    candidates = {each.pk: each for each in candidates_of(evaluation)}
    known = {(each.candidate_id, each.criterion_id): each for each in seat.scores.all()}
    for (candidate, criterion), (value, evidence) in entries.items():
        if candidate not in candidates or criterion not in criteria:
            raise InvalidInput("A score names a candidate or a criterion that is not compared here.")
        where, evidence = f"{candidates[candidate]}, {criteria[criterion].name.lower()}", evidence.strip()
        row = known.get((candidate, criterion))
        if value is None:
            if evidence:
                raise InvalidInput(f"{where}: choose a score from 0 to {BEST} for what you wrote.")
            continue
        if not 0 <= value <= BEST:
            raise InvalidInput(f"{where}: a score goes from 0 to {BEST}.")
        if not evidence:
            raise InvalidInput(f"{where}: say on what the score rests, for instance a test, a reference or a page.")
        row = row or Score(evaluator=seat, candidate_id=candidate, criterion_id=criterion)
        if row.pk is None or (row.value, row.evidence) != (value, evidence):
            row.value, row.evidence = value, evidence
            row.save()
    return int(seat.scores.count())


@dataclass(frozen=True)
class Cell:
    """What the evaluators say about one candidate by one criterion."""

    criterion: Criterion
    mean: Decimal | None
    lowest: int | None
    highest: int | None
    scores: tuple[Score, ...]

    @property
    def disagreed(self) -> bool:
        """Whether two evaluators are three or more apart: worth talking about."""
        return self.lowest is not None and self.highest is not None and self.highest - self.lowest >= 3


@dataclass(frozen=True)
class Standing:
    """How one candidate stands: its weighted score of 100, and what makes it."""

    candidate: Candidate
    score: Decimal | None
    cells: tuple[Cell, ...]


def weighted(means: Sequence[tuple[int, Decimal]]) -> Decimal:
    """Return the score of 100 from (weight, mean of 0 to 5) pairs, rounded to a tenth, half to even."""
    return (sum((weight * mean / BEST for weight, mean in means), Decimal(0))).quantize(TENTH, ROUND_HALF_EVEN)


def standings(evaluation: Evaluation, viewer: "User") -> list[Standing]:
    """Return how the candidates stand by the scores that `viewer` may see, best first."""
    by_cell: dict[tuple[int, int], list[Score]] = defaultdict(list)
    rows: Any = access.visible(viewer, Score)
    rows = rows.filter(evaluator__evaluation=evaluation, evaluator__submitted_at__isnull=False)
    for score in rows.select_related("evaluator__person").order_by("evaluator"):
        by_cell[score.candidate_id, score.criterion_id].append(score)
    criteria = criteria_of(evaluation)
    found = [_standing(each, criteria, by_cell) for each in candidates_of(evaluation)]
    return sorted(found, key=lambda each: (-(each.score if each.score is not None else -1), each.candidate.name))


def _standing(candidate: Candidate, criteria: list[Criterion], by_cell: dict[tuple[int, int], list[Score]]) -> Standing:
    cells = []
    for criterion in criteria:
        scores = by_cell.get((candidate.pk, criterion.pk), [])
        values = [score.value for score in scores]
        mean = Decimal(sum(values)) / len(values) if values else None
        low, high = (min(values), max(values)) if values else (None, None)
        cells.append(Cell(criterion, mean, low, high, tuple(scores)))
    pairs = [(cell.criterion.weight, cell.mean) for cell in cells if cell.mean is not None]
    return Standing(candidate, weighted(pairs) if len(pairs) == len(cells) else None, tuple(cells))
