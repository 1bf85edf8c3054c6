"""A/B tests: begun with variants that may be seen, counted by day, decided once with what stood then."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Sum

from apps.campaigns.domain.experiment_math import SPLIT_ALARM, Comparison, assigned, compare, split_chance
from apps.campaigns.domain.moves import raise_refusal
from apps.campaigns.enums import OVER
from apps.campaigns.models import Experiment, Variant, VariantDay
from apps.content.enums import USABLE
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput
from apps.core.transitions import transition
from apps.core.words import reason_given

if TYPE_CHECKING:
    from apps.accounts.models import User

NONE = ""


@dataclass(frozen=True)
class Standing:
    """Where one variant stands; `against` is None for the first one and where nobody was counted."""

    variant: Variant
    people: int
    successes: int
    against: Comparison | None
    significant: bool

    @property
    def percent(self) -> float | None:
        """Its rate in percent; None where nobody was counted."""
        return 100 * self.successes / self.people if self.people else None

    @property
    def points(self) -> tuple[float, float, float] | None:
        """The difference to the first one with its interval, in percentage points."""
        if self.against is None:
            return None
        return 100 * self.against.difference, 100 * self.against.low, 100 * self.against.high


@dataclass(frozen=True)
class Result:
    """Where a test stands: its variants, whether people are split as planned, and what keeps it from a decision."""

    standings: tuple[Standing, ...]
    split: float
    waits: str

    @property
    def is_split_wrong(self) -> bool:
        """Whether the split can hardly be chance."""
        return self.split < SPLIT_ALARM


def variants_of(experiment: Experiment) -> list[Variant]:
    """Return the variants of a test by letter, with their versions."""
    rows: Any = experiment.variants.filter(archived_at=None).select_related("version__asset").order_by("letter")
    return list(rows)


def variant_for(experiment: Experiment, key: str) -> str:
    """Return the letter of the variant that a person gets, the same at every asking."""
    weights = [(each.letter, each.weight) for each in variants_of(experiment)]
    return assigned(str(experiment.salt), key, weights)


def result_of(experiment: Experiment) -> Result:
    """Return where a test stands; against one first variant, further ones share the risk of error (Bonferroni)."""
    variants = variants_of(experiment)
    sums = {
        key: (people, successes)
        for key, people, successes in VariantDay.objects.filter(variant__in=variants)
        .order_by()
        .values_list("variant")
        .annotate(Sum("people"), Sum("successes"))
    }
    counted = [sums.get(each.pk, (0, 0)) for each in variants]
    risk = (1 - experiment.confidence / 100) / max(len(variants) - 1, 1)
    standings = []
    for number, (variant, (people, successes)) in enumerate(zip(variants, counted, strict=True)):
        against = None
        if number and people and counted[0][0]:
            against = compare(successes, people, counted[0][1], counted[0][0], confidence=1 - risk)
        significant = against is not None and against.p < risk
        standings.append(Standing(variant, people, successes, against, significant))
    split = split_chance([people for people, _ in counted], [each.weight for each in variants]) if variants else 1.0
    return Result(tuple(standings), split, _waits(experiment, standings, split))


def _waits(experiment: Experiment, standings: list[Standing], split: float) -> str:
    few = [each for each in standings if each.people < experiment.least]
    if few:
        one = few[0]
        return f"{one.variant.letter} has {one.people:,} of {experiment.least:,} people; who looks earlier is misled."
    if split < SPLIT_ALARM:
        return (
            "People are not split as planned, and hardly by chance: whatever counts or sends is wrong. Find out why, "
            "stop this test and make another one."
        )
    return ""


def _refuse(user: "User", experiment: Experiment) -> str | None:
    if not access.may(user, "change", experiment):
        return "You may not change A/B tests."
    return f"“{experiment}” is archived; restore it first." if experiment.is_archived else None


def refuse_start(user: "User", experiment: Experiment) -> str | None:
    """Return why `user` cannot begin a test, None when they can."""
    if refused := _refuse(user, experiment):
        return refused
    if experiment.state != "draft":
        return f"“{experiment}” is {experiment.get_state_display().lower()}."
    if experiment.campaign.state in OVER:
        return f"{experiment.campaign} is {experiment.campaign.get_state_display().lower()}; nobody is split any more."
    variants = variants_of(experiment)
    if len(variants) < 2:
        return "A test compares at least two variants; add them below."
    bound = [each for each in variants if each.version is not None]
    if bound and len(bound) < len(variants):
        return "Bind a version of content to every variant, or to none."
    if len({each.version_id for each in bound}) < len(bound):
        return "Two variants show the same version; nothing would be compared."
    unusable = next((each for each in bound if each.version is not None and each.version.state not in USABLE), None)
    if unusable is not None and unusable.version is not None:
        said = unusable.version.get_state_display().lower()
        return f"{unusable.version} is {said}; only what is approved is shown to people."
    return None


def start_experiment(experiment: Experiment, *, by: "User", at: dt.datetime | None = None) -> str:
    """Begin a test; what it compares stays from now on.

    Raises:
        NotAllowed, WrongState: as `refuse_start` says.
    """
    with transaction.atomic(), acting_as(by):
        row = _locked(experiment)
        raise_refusal(by, row, refuse_start(by, row))
        row.state, row.started_at = "running", at or clock.now()
        with transition(Experiment):
            row.save(update_fields=["state", "started_at"])
    return f"“{row}” is running."


def refuse_counting(user: "User", experiment: Experiment) -> str | None:
    """Return why `user` cannot enter counts, None when they can."""
    if refused := _refuse(user, experiment):
        return refused
    return None if experiment.state == "running" else f"“{experiment}” is {experiment.get_state_display().lower()}."


def enter_counts(experiment: Experiment, *, by: "User", letter: str, day: dt.date, people: int, successes: int) -> str:
    """Enter what a variant came to on one day; another count of the same day replaces it.

    Raises:
        InvalidInput: no such variant, more successes than people, or the day is to come.
        NotAllowed, WrongState: as `refuse_counting` says.
    """
    with transaction.atomic(), acting_as(by):
        row = _locked(experiment)
        raise_refusal(by, row, refuse_counting(by, row))
        variant = row.variants.filter(archived_at=None, letter=letter).first()
        if variant is None:
            raise InvalidInput(f"“{row}” has no variant {letter}.")
        if people < 0 or not 0 <= successes <= people:
            raise InvalidInput("There cannot be more successes than people, nor fewer than none.")
        if day > clock.today():
            raise InvalidInput(f"{day:%-d %B %Y} is to come; count what has been.")
        VariantDay.objects.update_or_create(
            variant=variant, day=day, defaults={"people": people, "successes": successes}
        )
    return f"{letter} on {day:%-d %B %Y}: {successes:,} of {people:,}."


def refuse_decision(user: "User", experiment: Experiment) -> str | None:
    """Return why `user` cannot decide a test now, None when they can."""
    return refuse_counting(user, experiment) or result_of(experiment).waits or None


def decide(
    experiment: Experiment, *, by: "User", letter: str = NONE, reason: str, at: dt.datetime | None = None
) -> str:
    """Decide a test: go on with a variant, or find no difference; the figures of this moment are kept with it.

    Raises:
        InvalidInput: without a reason, or there is no such variant.
        NotAllowed, WrongState: as `refuse_decision` says.
    """
    reason = reason_given(reason, "Say what the decision stands on.")
    with transaction.atomic(), acting_as(by, reason=reason[:500]):
        row = _locked(experiment)
        raise_refusal(by, row, refuse_decision(by, row))
        result = result_of(row)
        if letter and letter not in {each.variant.letter for each in result.standings}:
            raise InvalidInput(f"“{row}” has no variant {letter}.")
        _end(row, "decided", by=by, reason=reason, chosen=letter, figures=frozen(result), at=at)
    return f"“{row}” is decided: {f'on with {letter}' if letter else 'no difference'}."


def refuse_stop(user: "User", experiment: Experiment) -> str | None:
    """Return why `user` cannot stop a test, None when they can."""
    if refused := _refuse(user, experiment):
        return refused
    return None if experiment.state in ("draft", "running") else f"“{experiment}” has ended."


def stop(experiment: Experiment, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Stop a test without a decision.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as `refuse_stop` says.
    """
    reason = reason_given(reason, "Say why it is stopped.")
    with transaction.atomic(), acting_as(by, reason=reason[:500]):
        row = _locked(experiment)
        raise_refusal(by, row, refuse_stop(by, row))
        _end(row, "stopped", by=by, reason=reason, chosen=NONE, figures=frozen(result_of(row)), at=at)
    return f"“{row}” is stopped."


def frozen(result: Result) -> dict[str, Any]:
    """Return a result as it is kept with a decision."""
    return {
        "split": round(result.split, 6),
        "variants": [
            {
                "letter": each.variant.letter,
                "version": str(each.variant.version or ""),
                "people": each.people,
                "successes": each.successes,
                "p": None if each.against is None else round(each.against.p, 6),
                "significant": each.significant,
            }
            for each in result.standings
        ],
    }


def _end(
    row: Experiment, state: str, *, by: "User", reason: str, chosen: str, figures: Any, at: dt.datetime | None
) -> None:
    row.state, row.ended_at, row.decided_by = state, at or clock.now(), by
    row.reason, row.chosen, row.figures = reason, chosen, figures
    with transition(Experiment):
        row.save(update_fields=["state", "ended_at", "decided_by", "reason", "chosen", "figures"])


def _locked(experiment: Experiment) -> Experiment:
    rows: Any = Experiment.objects.select_for_update(of=("self",)).select_related("campaign")
    row: Experiment = rows.get(pk=experiment.pk)
    return row
