"""Bringing in from files what campaigns really cost, and how they do."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from apps.campaigns.domain.budget import enter
from apps.campaigns.domain.money import first_of
from apps.campaigns.domain.performance import Figure, write_figures
from apps.campaigns.enums import CampaignState, Channel, Money
from apps.campaigns.models import BudgetEntry, Campaign, MetricDay
from apps.core.access import visible
from apps.core.errors import InvalidInput
from apps.core.exchange import values
from apps.core.exchange.registry import Column, Importer, Outcome, Row, register_importer
from apps.core.money import money
from apps.technology.domain.currencies import currency
from apps.technology.money_imports import row_by_row

LONGEST_NAME = 40


def month(cell: str) -> dt.date:
    """Read a month from the cell of a file: 2026-03, or any of its days."""
    text = cell.strip()
    return first_of(values.date(f"{text}-01" if len(text) == 7 else text))


@register_importer
class ActualsImporter(Importer):
    """What campaigns cost."""

    key = "campaigns.actuals"
    title = "Actual costs of campaigns"
    model = BudgetEntry
    natural_key = ("campaign", "channel", "month", "reference")
    help = (
        "One invoice a row: campaign, channel, month, amount, currency and its number. An invoice that is there "
        "already with the same amount is left as it is; with another amount the row is refused: take the old one back "
        "first. Amounts in another currency than the campaign's are refused."
    )
    columns = (
        Column("campaign", "Campaign", parse=values.one_line, required=True, example="Spring webinar"),
        Column("channel", "Channel", parse=values.choice(Channel), required=True, example="E-mail"),
        Column("month", "Month", aliases=("date", "period"), parse=month, required=True, example="2026-03"),
        Column(
            "amount", "Amount", aliases=("cost", "net"), parse=values.decimal_number, required=True, example="1200.50"
        ),
        Column("currency", "Currency", parse=currency, required=True, example="EUR"),
        Column(
            "reference", "Invoice", aliases=("number", "order"), parse=values.one_line, required=True, example="R-17"
        ),
        Column("note", "Note", parse=values.one_line, empty="", example="Media, first half"),
    )

    def apply(self, rows: Sequence[Row], *, by: Any) -> Sequence[Outcome]:
        """Enter the invoices that are new; each row for itself."""
        names = {row.values["campaign"] for row in rows}
        campaigns = {each.name: each for each in visible(by, Campaign).filter(name__in=names)}
        stored = BudgetEntry.objects.filter(campaign__in=campaigns.values(), kind=Money.ACTUAL, retired_at=None)
        known = {(each.campaign_id, each.spent_on, each.month, each.reference): each for each in stored}

        def carry(row: Row) -> Outcome:
            campaign = campaigns.get(row.values["campaign"])
            if campaign is None:
                raise InvalidInput(f"There is no campaign called {values.quoted(row.values['campaign'])}.")
            given = {name: value for name, value in row.values.items() if name != "campaign"}
            there = known.get((campaign.pk, given["channel"], given["month"], given["reference"]))
            if there is None:
                made = enter(campaign, by=by, kind=Money.ACTUAL, **given)
                return Outcome.created(row, object_id=made.pk)
            if (there.amount, there.currency) == (given["amount"], given["currency"]):
                return Outcome.unchanged(row, object_id=there.pk)
            was = money(there.amount, there.currency)
            raise InvalidInput(f"It is entered with {was} already; take that back first.")

        return row_by_row(rows, carry)


def metric_name(cell: str) -> str:
    """Read the name of a figure: small letters, words joined by an underscore."""
    name = "_".join(values.one_line(cell).casefold().split())
    if len(name) > LONGEST_NAME:
        raise InvalidInput(f"The name of a figure has at most {LONGEST_NAME} characters.")
    return name


@register_importer
class FiguresImporter(Importer):
    """Figures of campaigns by day."""

    key = "campaigns.figures"
    title = "Figures of campaigns"
    model = MetricDay
    natural_key = ("campaign", "metric", "day")
    help = (
        "One figure of one day a row: impressions, clicks, conversions, cost, or one of your own. A row that is there "
        "already with another value replaces it; a closed campaign keeps its figures."
    )
    columns = (
        Column("campaign", "Campaign", parse=values.one_line, required=True, example="Spring webinar"),
        Column("metric", "Figure", aliases=("kpi", "measure"), parse=metric_name, required=True, example="clicks"),
        Column("day", "Day", aliases=("date",), parse=values.date, required=True, example="2026-03-31"),
        Column("value", "Value", aliases=("count",), parse=values.decimal_number, required=True, example="128"),
        Column("source", "Source", parse=values.one_line, empty="", example="Web analytics"),
    )

    def apply(self, rows: Sequence[Row], *, by: Any) -> Sequence[Outcome]:
        """Write the figures that differ, all in one statement."""
        names = {row.values["campaign"] for row in rows}
        campaigns = {each.name: each for each in visible(by, Campaign).filter(name__in=names)}
        days = {row.values["day"] for row in rows}
        stored = MetricDay.objects.filter(campaign__in=campaigns.values(), day__in=days)
        known = {(each.campaign_id, each.metric, each.day): each for each in stored}
        outcomes, figures = [], []
        for row in rows:
            outcome, figure = self._one(row, campaigns, known)
            outcomes.append(outcome)
            figures += [figure] if figure is not None else []
        write_figures(figures)
        return outcomes

    def _one(
        self, row: Row, campaigns: dict[str, Campaign], known: dict[Any, MetricDay]
    ) -> tuple[Outcome, Figure | None]:
        given = row.values
        campaign = campaigns.get(given["campaign"])
        if campaign is None:
            return Outcome.refused(row, f"There is no campaign called {values.quoted(given['campaign'])}."), None
        if campaign.state == CampaignState.CLOSED:
            return Outcome.refused(row, f"{campaign} is closed; its figures stay as they were."), None
        if given["value"] < 0:
            return Outcome.refused(row, "A figure is not less than nothing."), None
        there = known.get((campaign.pk, given["metric"], given["day"]))
        if there is not None and there.value == given["value"]:
            return Outcome.unchanged(row, object_id=there.pk), None
        figure = Figure(campaign.pk, given["metric"], given["day"], given["value"], given.get("source", ""))
        if there is None:
            return Outcome.created(row), figure
        changes = {"Value": (f"{there.value.normalize():f}", f"{given['value'].normalize():f}")}
        return Outcome.updated(row, object_id=there.pk, changes=changes), figure
