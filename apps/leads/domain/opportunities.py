"""Opportunities: opened on an SQL or a customer, moved, won and lost. A won one makes its lead a customer."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import models, transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.money import money
from apps.core.transitions import transition
from apps.core.words import reason_given
from apps.leads.domain.lifecycle import move_lead, refuse_stage
from apps.leads.enums import LossReason, OpportunityStage, Stage
from apps.leads.models import Lead, Opportunity
from apps.leads.models.opportunity import CLOSED

if TYPE_CHECKING:
    from apps.accounts.models import User

BUYERS = (Stage.SQL, Stage.CUSTOMER, Stage.ADVOCATE)
STEPS = (OpportunityStage.DISCOVERY, OpportunityStage.PROPOSAL, OpportunityStage.NEGOTIATION)


def refuse_open(user: "User", lead: Lead) -> str | None:
    """Return why `user` cannot open an opportunity of `lead`, None when they can."""
    if not access.may(user, "change", lead):
        return f"You may not change {lead}."
    if lead.is_archived:
        return f"{lead} is archived; restore it first."
    if lead.stage not in BUYERS:
        return f"{lead} is at the stage “{Stage(lead.stage).label}”; opportunities are opened on SQLs and customers."
    return None


def open_opportunity(
    lead: Lead,
    *,
    name: str,
    amount: Decimal,
    by: "User",
    currency: str = "EUR",
    expected_on: dt.date | None = None,
    at: dt.datetime | None = None,
) -> Opportunity:
    """Open an opportunity; whoever looks after the lead looks after it. Announces `opportunity.opened`.

    Raises:
        NotAllowed, WrongState: as `refuse_open` says.
        InvalidInput: no name, or an amount below nothing.
    """
    name = reason_given(name, "Say what it is about.")
    if amount < 0:
        raise InvalidInput("An opportunity is worth nothing or more.", fields={"amount": "Nothing or more."})
    with transaction.atomic(), acting_as(by):
        row: Lead = Lead.objects.select_for_update(of=("self",)).get(pk=lead.pk)
        if refused := refuse_open(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        made = Opportunity(
            lead=row,
            name=name[:150],
            amount=amount,
            currency=currency,
            expected_on=expected_on,
            opened_at=at or clock.now(),
            owner_person=row.owner_person or by,
            owner_team=row.owner_team,
        )
        made.full_clean(exclude=("owner_person", "owner_team"))
        made.save()
        publish("opportunity.opened", opportunity_id=made.pk)
    return made


def open_by_button(
    lead: Lead, *, name: str, amount: Decimal, currency: str, by: "User", expected_on: dt.date | None = None
) -> str:
    """Open an opportunity and say so."""
    made = open_opportunity(lead, name=name, amount=amount, currency=currency, expected_on=expected_on, by=by)
    return f"{made} is open: {money(made.amount, made.currency)}."


def refuse_move(user: "User", opportunity: Opportunity) -> str | None:
    """Return why `user` cannot move, win or lose `opportunity`, None when they can."""
    if not access.can(user, "change", opportunity):
        return f"You may not change {opportunity}."
    if opportunity.is_archived:
        return f"{opportunity} is archived; restore it first."
    if not opportunity.is_open:
        return f"{opportunity} is {OpportunityStage(opportunity.stage).label.lower()}; open another one."
    return None


def refuse_step(user: "User", opportunity: Opportunity) -> str | None:
    """Return why `user` cannot bring `opportunity` one step on, None when they can."""
    if refused := refuse_move(user, opportunity):
        return refused
    if opportunity.stage == STEPS[-1]:
        return f"{opportunity} is being negotiated; it is won or lost next."
    return None


def step_on(opportunity: Opportunity, *, by: "User", note: str = "") -> str:
    """Bring an opportunity to its next step.

    Raises:
        NotAllowed, WrongState: as `refuse_step` says.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = _locked(opportunity)
        _raise(by, row, refuse_step(by, row))
        _write(row, stage=STEPS[STEPS.index(OpportunityStage(row.stage)) + 1])
    return f"{row} is at the stage “{OpportunityStage(row.stage).label}” now."


def win(opportunity: Opportunity, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Win an opportunity: an SQL becomes a customer. Announces `opportunity.won`.

    Raises:
        NotAllowed, WrongState: as `refuse_move` says, or the lead cannot become a customer.
        InvalidInput: nothing is said about why.
    """
    reason = reason_given(reason, "Say what decided it; others learn from it.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row = _locked(opportunity)
        _raise(by, row, refuse_move(by, row))
        _write(row, stage=OpportunityStage.WON, closed_at=at or clock.now(), outcome=reason[:500])
        publish("opportunity.won", opportunity_id=row.pk)
        if row.lead.stage != Stage.SQL:
            return f"{row} is won."
        move_lead(row.lead, to=Stage.CUSTOMER, by=by, reason=f"Won: {row}")
    return f"{row} is won; {row.lead} is a customer now. Offer it to customer success."


def lose(opportunity: Opportunity, *, loss: str, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Lose an opportunity: an SQL without another open one is recycled. Announces `opportunity.lost`.

    Raises:
        NotAllowed, WrongState: as `refuse_move` says.
        InvalidInput: no reason.
    """
    reason = reason_given(reason, "Say what decided it; others learn from it.")
    if loss not in LossReason.values:
        raise InvalidInput("Choose why it was lost.", fields={"loss": "Choose a reason."})
    with transaction.atomic(), acting_as(by, reason=reason):
        row = _locked(opportunity)
        _raise(by, row, refuse_move(by, row))
        _write(row, stage=OpportunityStage.LOST, closed_at=at or clock.now(), loss=loss, outcome=reason[:500])
        publish("opportunity.lost", opportunity_id=row.pk)
        others = Opportunity.objects.filter(lead=row.lead, archived_at=None).exclude(stage__in=CLOSED)
        recycles = row.lead.stage == Stage.SQL and not others.exists()
        if not recycles or refuse_stage(by, row.lead, to=Stage.RECYCLED):
            return f"{row} is lost."
        move_lead(row.lead, to=Stage.RECYCLED, by=by, reason=f"Lost: {LossReason(loss).label}. {reason}")
    return f"{row} is lost; {row.lead} is recycled and can qualify again."


def pipeline(user: "User") -> list[tuple[str, str, int, Decimal]]:
    """Return for each step and currency how many opportunities `user` sees there, and for how much: one query."""
    rows = access.visible(user, Opportunity).filter(archived_at=None).order_by().values_list("stage", "currency")
    found = rows.annotate(number=models.Count("pk"), amount=models.Sum("amount"))
    known = {(stage, currency): (number, amount) for stage, currency, number, amount in found}
    currencies = sorted({currency for _, currency in known})
    return [
        (stage.label, currency, *known[stage.value, currency])
        for stage in OpportunityStage
        for currency in currencies
        if (stage.value, currency) in known
    ]


def _locked(opportunity: Opportunity) -> Opportunity:
    rows = Opportunity.objects.select_for_update(of=("self",)).select_related("lead")
    row: Opportunity = rows.get(pk=opportunity.pk)
    return row


def _write(row: Opportunity, **changed: object) -> None:
    for name, value in changed.items():
        setattr(row, name, value)
    with transition(Opportunity):
        row.save(update_fields=list(changed))


def _raise(user: "User", row: Opportunity, sentence: str | None) -> None:
    if sentence is not None:
        raise (WrongState if access.can(user, "change", row) else NotAllowed)(sentence)
