"""The lifecycle of a lead: six stages and the ways beside them, each move with its reason, no stage for ever."""

from typing import TYPE_CHECKING

from django.db import transaction

from apps.core import access
from apps.core.actors import acting_as
from apps.core.asking import once
from apps.core.errors import NotAllowed, WrongState
from apps.core.events import publish
from apps.core.rules.domain.queries import active_version
from apps.core.transitions import transition
from apps.core.words import reason_given
from apps.leads.domain import answer_clocks
from apps.leads.domain.scoring.explaining import Explanation, explain
from apps.leads.enums import MOVES, OPEN_STAGES, HandoffKind, HandoffState, OpportunityStage, Stage
from apps.leads.models import Handoff, Lead, LeadScore, Opportunity
from apps.leads.quality_rules import bars_of
from apps.leads.scoring_rules import DOCUMENT

if TYPE_CHECKING:
    from apps.accounts.models import User

OFFERED = "lead offered"  # the question, for `asking_once`
EXPLAINED, SCORING = "what the score of a lead is made of", "whether rules of scoring are in force"  # likewise
NEEDED = ("name", "email")  # an incomplete lead may come in, but nobody is sent to call on it


def refuse_stage(user: "User", lead: Lead, *, to: Stage) -> str | None:
    """Return why `user` cannot bring `lead` to stage `to` now, None when it works."""
    if not access.may(user, "change", lead):
        return f"You may not change {lead}."
    return _barred(lead, to)


def _barred(lead: Lead, to: Stage) -> str | None:
    """Return why a lead cannot go to a stage now, whoever asks; None when it can."""
    if lead.is_archived:
        return f"{lead} is archived; restore it first."
    if to in MOVES[Stage(lead.stage)]:
        if to == Stage.CUSTOMER and not Opportunity.objects.filter(lead=lead, stage=OpportunityStage.WON).exists():
            return f"{lead} becomes a customer by an opportunity that is won; open one and win it."
        return _unready(lead) if to == Stage.MQL else _offered(lead)
    ways = " or ".join(stage.label for stage in MOVES[Stage(lead.stage)])
    now = Stage(lead.stage).label
    return f"{lead} is at the stage “{now}”; from there it goes to {ways}."


def is_offered(lead: Lead, kind: HandoffKind = HandoffKind.SALES) -> bool:
    """Whether somebody has to answer for `lead`."""
    open_ones = Handoff.objects.filter(lead=lead, kind=kind, state=HandoffState.OFFERED)
    return once((OFFERED, lead.pk, kind), open_ones.exists)


def _offered(lead: Lead) -> str | None:
    """Return that sales has to answer first, None where nothing is offered."""
    if lead.stage == Stage.MQL and is_offered(lead):
        return f"{lead} is offered to sales; let them take it or give it back."
    return None


def _unready(lead: Lead) -> str | None:
    """Return why a lead cannot be handed to sales whatever it scores, None when it can."""
    missing = [str(Lead._meta.get_field(name).verbose_name) for name in NEEDED if not getattr(lead, name)]  # type: ignore[union-attr]
    if missing:
        return f"{lead} cannot become an MQL: sales needs {' and '.join(missing)}. Fill in what is missing first."
    if barred := bars_of(lead):
        return f"{lead} cannot become an MQL: {'; '.join(barred)}. Mend it first."
    lacks = lacking(lead)
    return f"{lead} cannot become an MQL yet: {lacks}" if lacks else None


def is_scoring() -> bool:
    """Whether rules of scoring are in force."""
    return once(SCORING, lambda: active_version(DOCUMENT) is not None)


def lacking(lead: Lead) -> str:
    """Return what `lead` lacks to be ready for sales by the rules of scoring; "" where it is, or none are in force."""
    if not is_scoring():
        return ""
    found = once((EXPLAINED, lead.pk), lambda: _explained(lead))
    return found.lacks if found is not None else "it is not scored; the rules in force reach it within a minute."


def _explained(lead: Lead) -> Explanation | None:
    score: LeadScore | None = getattr(lead, "score", None)
    return explain(score) if score is not None else None


def move_lead(lead: Lead, *, to: Stage, by: "User", reason: str) -> str:
    """Bring `lead` to stage `to`; announces `lead.moved`.

    Raises:
        NotAllowed: `by` may not change the lead.
        WrongState: there is no way from where it is, or what sales needs is missing.
        InvalidInput: no reason is given.
    """
    reason = reason_given(reason, "Say why the lead moves; it stays with the stage.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row: Lead = Lead.objects.select_for_update(of=("self",)).get(pk=lead.pk)
        if refused := refuse_stage(by, row, to=to):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        return step(row, to=to, by=by)


def step(lead: Lead, *, to: Stage, by: "User") -> str:
    """Bring a locked lead to stage `to` inside an operation that has asked who may and keeps why.

    Raises:
        WrongState: there is no way from where it is, or what sales needs is missing.
    """
    if refused := _barred(lead, to):
        raise WrongState(refused)
    lead.stage = to
    with transition(Lead):
        lead.save(update_fields=["stage"])
    if to not in OPEN_STAGES:
        answer_clocks.cancel(lead, by=by)
    publish("lead.moved", lead_id=lead.pk, to=to.value)
    return f"{lead} is at the stage “{to.label}” now."
