"""Entering the money of a campaign: what may be planned and committed, and who is told when too much is spent."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.campaigns.domain.money import ZERO, Amount, Standing, first_of, standing_of
from apps.campaigns.enums import CampaignState, Money
from apps.campaigns.models import BudgetEntry, Campaign
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.errors import DomainError, InvalidInput, NotAllowed, WrongState
from apps.core.gates import Finding
from apps.core.money import decimals, money
from apps.core.transitions import transition
from apps.core.words import reason_given
from apps.technology.domain.currencies import refuse_currency

if TYPE_CHECKING:
    from apps.accounts.models import User

_S = CampaignState
# In which states of the campaign what can be entered.
OPEN_FOR: dict[str, tuple[CampaignState, ...]] = {
    Money.PLANNED: (_S.PLANNING, _S.IN_CREATIVE),
    Money.COMMITTED: (_S.APPROVED, _S.SCHEDULED, _S.LIVE, _S.PAUSED),
    Money.ACTUAL: (_S.APPROVED, _S.SCHEDULED, _S.LIVE, _S.PAUSED, _S.COMPLETED, _S.CANCELLED),
}
_WHEN = {
    Money.PLANNED: "is planned while the campaign is; later a budget shift moves what was approved",
    Money.COMMITTED: "is committed once the plan is approved, and until the campaign ends",
    Money.ACTUAL: "is spent once the plan is approved, and until the campaign is closed",
}
RUNBOOK = "Open the campaign: “Budget” shows what used it up. Stop further orders, or take the plan back and raise it."


def standing(campaign: Campaign) -> Standing:
    """Return where the budget of a campaign stands."""
    counting = (each for each in campaign.live_parts("budget_entries") if each.retired_at is None)
    amounts = (Amount(each.kind, each.spent_on, each.month, each.reference, each.amount) for each in counting)
    return standing_of(campaign.budget, amounts)


def refuse_entry(user: "User", campaign: Campaign, kind: str) -> str | None:
    """Return why `user` cannot enter money of this kind now, None when they can."""
    if not access.has_model_permission(user, "add", BudgetEntry) or not access.may(user, "change", campaign):
        return f"You may not enter money for {campaign}."
    if campaign.is_archived:
        return f"{campaign} is archived; restore it first."
    if campaign.state not in OPEN_FOR[kind]:
        return f"{campaign} is {CampaignState(campaign.state).label.lower()}: money {_WHEN[Money(kind)]}."
    return None


def enter(
    campaign: Campaign,
    *,
    by: "User",
    kind: str,
    channel: str,
    month: dt.date,
    amount: Decimal,
    currency: str = "",
    reference: str = "",
    note: str = "",
) -> BudgetEntry:
    """Enter an amount into the budget of a campaign.

    Args:
        campaign: whose money it is.
        by: who enters it.
        kind: planned, committed or actual.
        channel: what it is spent on.
        month: any day of the month it belongs to.
        amount: in the campaign's currency; an actual one may be a credit, less than nothing.
        currency: must be that of the campaign; its own where empty.
        reference: number of the order or invoice; what is committed needs one.
        note: what it is for.

    Raises:
        NotAllowed, WrongState: as `refuse_entry` says, or it would go beyond the budget.
        InvalidInput: the amount or the currency cannot be used.
    """
    with transaction.atomic(), acting_as(by):
        row: Campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
        _raise(by, row, refuse_entry(by, row, kind))
        _check_amount(row, kind, amount, currency or row.currency, reference)
        _check_room(row, kind, amount, reference)
        entry: BudgetEntry = BudgetEntry.objects.create(
            campaign=row,
            kind=kind,
            spent_on=channel,
            month=first_of(month),
            amount=amount,
            currency=currency or row.currency,
            reference=reference.strip(),
            note=note.strip(),
        )
        warn(row)
    return entry


def enter_from_page(campaign: Campaign, *, by: "User", **given: Any) -> str:
    """Enter an amount and say what is left; see `enter`."""
    entry = enter(campaign, by=by, **given)
    left = standing(campaign).left
    return f"{entry} is entered" + (f"; {money(left, entry.currency)} are left." if left is not None else ".")


def refuse_any_entry(user: "User", campaign: Campaign) -> str | None:
    """Return why `user` can enter no money at all now, None when some kind can be entered."""
    refusals = [refuse_entry(user, campaign, kind) for kind in Money.values]
    return None if None in refusals else refusals[-1]


def refuse_taking_back(user: "User", entry: BudgetEntry) -> str | None:
    """Return why an entry cannot be taken back, None when it can."""
    if entry.retired_at is not None:
        return "It was taken back already."
    if entry.shift_id is not None:
        return "It comes from an approved budget shift; another shift moves it back."
    return refuse_entry(user, entry.campaign, entry.kind)


def take_back(entry: BudgetEntry, *, by: "User", reason: str) -> str:
    """Take an entry back: it counts no longer; that it was there stays.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as `refuse_taking_back` says.
    """
    reason = reason_given(reason, "Say what was wrong with it.")
    with transaction.atomic(), acting_as(by, reason=reason):
        rows: Any = BudgetEntry.objects.select_for_update(of=("self",)).select_related("campaign")
        row: BudgetEntry = rows.get(pk=entry.pk)
        _raise(by, row.campaign, refuse_taking_back(by, row))
        row.retired_at = clock.now()
        with transition(BudgetEntry):
            row.save(update_fields=["retired_at"])
        warn(row.campaign)
    return f"{row} counts no longer."


def budget_finding(campaign: Campaign, today: dt.date) -> Finding:
    """Say whether there is a budget, what is planned fits it, and not more is ordered than there is."""
    now = standing(campaign)
    if now.budget is None:
        return Finding(False, "the plan names no budget")
    if now.total.planned > now.budget:
        return Finding(False, f"{money(now.total.planned)} planned is more than {money(now.budget, campaign.currency)}")
    if now.is_overspent:
        return Finding(False, f"{money(-(now.left or ZERO), campaign.currency)} more is used up than was approved")
    return Finding(True, f"{money(now.total.used)} of {money(now.budget, campaign.currency)} used up")


def warn(campaign: Campaign) -> None:
    """Raise, worsen or resolve the alert about what a campaign has spent."""
    now, cause = standing(campaign), f"campaign.budget:{campaign.pk}"
    if not (now.is_overspent or now.is_nearly_spent):
        resolve_alert(cause, why="There is budget again.")
        return
    what = "has spent more than its budget" if now.is_overspent else "has used up nine tenths of its budget"
    raise_alert(
        cause,
        title=f"{campaign} {what}",
        severity="critical" if now.is_overspent else "warning",
        detail=f"{money(now.total.used)} of {money(now.budget, campaign.currency)}: {money(now.total.actual)} actual, "
        f"{money(now.total.committed)} committed.",
        subject=campaign,
        owner=campaign.owner,
        runbook=RUNBOOK,
    )


def _check_amount(campaign: Campaign, kind: str, amount: Decimal, currency: str, reference: str) -> None:
    if refused := refuse_currency(currency):
        raise InvalidInput(refused, fields={"currency": refused})
    if currency != campaign.currency:
        raise InvalidInput(
            f"{campaign} is counted in {campaign.currency}; an amount in {currency} is converted before it is entered."
        )
    places = decimals(currency)
    if amount != round(amount, places):
        raise InvalidInput(f"{amount.normalize():f} {currency}: amounts in {currency} have {places} decimals.")
    if amount == 0 or (amount < 0 and kind != Money.ACTUAL):
        raise InvalidInput("An amount is more than nothing; only an actual one may be a credit.")
    if kind == Money.COMMITTED and not reference.strip():
        raise InvalidInput("What is committed has the number of its order.")


def _check_room(campaign: Campaign, kind: str, amount: Decimal, reference: str) -> None:
    """Stop what would go beyond the budget; what is spent is a fact, and raises an alert instead."""
    now = standing(campaign)
    if now.budget is None or kind == Money.ACTUAL:
        return
    room = now.budget - now.total.planned if kind == Money.PLANNED else now.left or ZERO
    if amount > room:
        word = "planned" if kind == Money.PLANNED else "ordered"
        raise WrongState(
            f"Only {money(max(room, ZERO), campaign.currency)} of {money(now.budget)} can still be {word}; "
            f"{money(amount)} is more. Raise the budget in the plan and have it approved."
        )


def _raise(by: "User", campaign: Campaign, sentence: str | None) -> None:
    if sentence is not None:
        kind: type[DomainError] = WrongState if access.may(by, "change", campaign) else NotAllowed
        raise kind(sentence)
