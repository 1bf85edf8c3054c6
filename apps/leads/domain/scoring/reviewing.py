"""Reviews of scoring: one opens each month by itself, judges the champion and its challengers, and is concluded."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as, system_principal
from apps.core.errors import DomainError, InvalidInput, NotAllowed, WrongState
from apps.core.notifications.domain.notifying import notify
from apps.core.rules.domain.queries import active_version
from apps.core.rules.enums import VersionState
from apps.core.rules.models import RuleVersion
from apps.core.transitions import transition
from apps.core.words import reason_given
from apps.leads.domain.scoring import judging
from apps.leads.domain.scoring.model import read_model
from apps.leads.enums import ReviewState, Verdict
from apps.leads.models import ScoringReview
from apps.leads.scoring_rules import BODY, DOCUMENT

if TYPE_CHECKING:
    from apps.accounts.models import User

LOOKS_BACK, DUE_WITHIN = dt.timedelta(days=90), dt.timedelta(days=14)
GOAL = 0.25  # more accurate than the first version
OPENED = "lead.scoring_review"
CHALLENGES = (VersionState.DRAFT, VersionState.IN_REVIEW, VersionState.APPROVED)


def open_review(*, at: dt.datetime | None = None) -> ScoringReview | None:
    """Open the review of this month, once, and tell who answers for the rules; None where no rules are in force."""
    moment = at or clock.now()
    month, version = moment.date().replace(day=1), active_version(DOCUMENT)
    known = ScoringReview.objects.filter(month=month).first()
    if version is None or known is not None:
        return known
    as_of = moment - LOOKS_BACK
    figures = figures_of(version, as_of=as_of, until=moment)
    with transaction.atomic(), acting_as(system_principal(), reason="A month is over"):
        made = ScoringReview.objects.create(
            month=month,
            version=version,
            opened_at=moment,
            due_on=(moment + DUE_WITHIN).date(),
            as_of=as_of,
            figures=figures,
        )
        notify([version.document.owner], OPENED, title=f"{made} is open for review.", subject=made)
    return made


def figures_of(champion: RuleVersion, *, as_of: dt.datetime, until: dt.datetime) -> dict[str, Any]:
    """Return the figures of the first version, the one in force and those that would follow, on the same leads.

    Where nobody was known here then, leads are judged whose past another system told, by what is known of them today.
    """
    facts_now = not judging.population(read_model(champion), as_of=as_of, until=until)
    numbers = champion.document.versions.order_by("number")
    chosen = {each.pk: each for each in (numbers.first(), *numbers.filter(state__in=CHALLENGES), champion) if each}
    judged = []
    for version in sorted(chosen.values(), key=lambda each: each.number):
        if BODY.problems(version.body):
            continue
        try:
            model = read_model(version)
        except DomainError:  # a draft that cannot be read is judged once it can be
            continue
        seen = judging.population(model, as_of=as_of, until=until, facts_now=facts_now)
        figures = judging.judged(model, seen)
        judged.append({**figures, "role": _role(version, champion)})
    first = next((each for each in judged if each["number"] == 1), None)
    for each in judged:
        each["gained"] = gained(each["auc"], first["auc"] if first is not None else None)
    rejections = judging.rejections(read_model(champion), since=as_of)
    return {"versions": judged, "rejections": rejections, "facts_now": facts_now and any(e["leads"] for e in judged)}


def gained(figure: float | None, first: float | None) -> float | None:
    """Return how much more accurate a version is than the first: of what it tells beyond a coin; None: not known.

    An AUC of 0.5 is a coin, so accuracy is AUC − 0.5.
    """
    if figure is None or first is None or first <= 0.5:
        return None
    return (figure - 0.5) / (first - 0.5) - 1


def _role(version: RuleVersion, champion: RuleVersion) -> str:
    if version.pk == champion.pk:
        return "Champion"
    return "Challenger" if version.state in CHALLENGES else "First"


def advice(review: ScoringReview) -> str:
    """Return what the figures of a review say, in a sentence."""
    versions = review.figures.get("versions", [])
    champion = next((each for each in versions if each["role"] == "Champion"), None)
    if champion is not None and not champion["leads"]:
        return (
            f"No lead was known here and with marketing on {review.as_of:%-d %b %Y}, so nothing is judged yet. Keep "
            "the rules and look again next month."
        )
    if champion is None or champion["auc"] is None:
        return (
            "Too few leads became SQL, or all did: nothing can be said yet. Keep the rules and look again next month."
        )
    rivals = [each for each in versions if each["role"] == "Challenger" and each["auc"] is not None]
    best = max(rivals, key=lambda each: each["auc"], default=None)
    if best is not None and best["auc"] - champion["auc"] >= judging.TELLING:
        return (
            f"Version {best['number']} tells better who becomes an SQL (AUC {best['auc']:.3f}, now "
            f"{champion['auc']:.3f}): send it for approval."
        )
    gain = champion["gained"]
    if gain is not None and gain < GOAL and champion["number"] > 1:
        return f"{GOAL:.0%} more accuracy than the first version is the goal, {gain:+.0%} is reached: look at the lift."
    return "No challenger tells better than the rules in force."


def refuse_conclusion(user: "User", review: ScoringReview) -> str | None:
    """Return why `user` cannot conclude `review`, None when they can."""
    if not access.can(user, "change", review):
        return f"You may not change {review}."
    return None if review.state == ReviewState.OPEN else f"{review} is concluded."


def conclude(review: ScoringReview, *, verdict: str, conclusion: str, by: "User", at: dt.datetime | None = None) -> str:
    """End a review with a verdict and what was found.

    Raises:
        NotAllowed, WrongState: as `refuse_conclusion` says.
        InvalidInput: no verdict, or nothing found.
    """
    conclusion = reason_given(conclusion, "Say what you found; the next review begins with it.")
    if verdict not in Verdict.values:
        raise InvalidInput("Say whether the rules stay.", fields={"verdict": "Choose one."})
    with transaction.atomic(), acting_as(by):
        row: ScoringReview = ScoringReview.objects.select_for_update(of=("self",)).get(pk=review.pk)
        if refused := refuse_conclusion(by, row):
            raise (WrongState if access.can(by, "change", row) else NotAllowed)(refused)
        row.state, row.verdict, row.conclusion = ReviewState.CLOSED, verdict, conclusion
        row.closed_by, row.closed_at = by, at or clock.now()
        with transition(ScoringReview):
            row.save(update_fields=["state", "verdict", "conclusion", "closed_by", "closed_at"])
    if verdict == Verdict.CHANGE:
        return "Concluded. Start the next version of the rules on their page; it is the challenger of the next review."
    return "Concluded: the rules stay."
