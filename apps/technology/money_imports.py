"""What files bring of money: exchange rates and costs, row by row through the operations that people use."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import DatabaseError, transaction

from apps.core import access
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import DomainError, InvalidInput
from apps.core.exchange import values
from apps.core.exchange.registry import Column, Importer, Outcome, Row, register_importer
from apps.technology.domain.cost_lines import add_cost, correct_cost
from apps.technology.domain.currencies import currency
from apps.technology.domain.rates import set_rate
from apps.technology.enums import Basis, CostType, Period
from apps.technology.models import CostLine, ExchangeRate, Tool

_PERIODS = {
    **dict.fromkeys(("monthly", "month", "per month", "mo"), Period.MONTH),
    **dict.fromkeys(("quarterly", "quarter", "per quarter"), Period.QUARTER),
    **dict.fromkeys(("yearly", "annual", "annually", "year", "per year", "p.a."), Period.YEAR),
    **dict.fromkeys(("once", "one-off", "one off", "one-time"), Period.ONCE),
}


def period(cell: str) -> Period:
    """Read how often something is paid: monthly, a year, one-off …"""
    if (found := _PERIODS.get(values.one_line(cell).casefold())) is not None:
        return found
    return Period(values.choice(Period)(cell))


def row_by_row(rows: Sequence[Row], carry: Callable[[Row], Outcome]) -> list[Outcome]:
    """Carry out each row for itself: one that is refused takes none of the others with it."""
    outcomes = []
    for row in rows:
        try:
            with transaction.atomic():
                outcomes.append(carry(row))
        except DomainError as refusal:
            outcomes.append(Outcome.refused(row, refusal.message))
        except DatabaseError as error:
            if (sentence := sentence_of(error)) is None:
                raise
            outcomes.append(Outcome.refused(row, sentence))
    return outcomes


def tools_named(rows: Sequence[Row]) -> dict[str, Tool]:
    """Return the tools that rows name in their column "tool", by name in small letters."""
    names = {str(row.values["tool"]).casefold() for row in rows}
    return {tool.name.casefold(): tool for tool in Tool.objects.live() if tool.name.casefold() in names}


def tool_of(row: Row, tools: Mapping[str, Tool]) -> Tool:
    """Return the tool that a row names.

    Raises:
        InvalidInput: there is none.
    """
    if (tool := tools.get(str(row.values["tool"]).casefold())) is None:
        raise InvalidInput(
            f"There is no tool called {values.quoted(str(row.values['tool']))}; import the inventory first, or correct "
            "the name."
        )
    return tool


@register_importer
class RateImporter(Importer):
    """Exchange rates."""

    key = "technology.rates"
    title = "Exchange rates"
    model = ExchangeRate
    natural_key = ("currency", "into", "on")
    help = (
        "One rate a row: what one unit of the first currency is worth in the second on a day. A rate that is known "
        "otherwise is corrected; the old one stays for who asks what was known before."
    )
    columns = (
        Column("currency", "From", aliases=("currency", "base"), parse=currency, required=True, example="USD"),
        Column("into", "Into", aliases=("to", "quote"), parse=currency, required=True, example="EUR"),
        Column("on", "On", aliases=("date", "day"), parse=values.date, required=True, example="2026-03-31"),
        Column("rate", "Rate", parse=values.decimal_number, required=True, example="0.9215"),
        Column("source", "Source", parse=values.one_line, empty="", example="ECB"),
    )

    def apply(self, rows: Sequence[Row], *, by: Any) -> Sequence[Outcome]:
        """Write the rates that differ."""
        keys = {(row.values["currency"], row.values["into"], row.values["on"]) for row in rows}
        stored = ExchangeRate.objects.known().filter(on__in={key[2] for key in keys})
        known = {(each.currency, each.into, each.on): each for each in stored}

        def carry(row: Row) -> Outcome:
            given = row.values
            before = known.get((given["currency"], given["into"], given["on"]))
            source = given.get("source", "")
            rate, wrote = set_rate(given["currency"], given["into"], given["on"], given["rate"], by=by, source=source)
            if not wrote:
                return Outcome.unchanged(row, object_id=rate.pk)
            changes = {"Rate": (f"{before.rate.normalize():f}" if before else "", f"{rate.rate.normalize():f}")}
            make = Outcome.updated if before else Outcome.created
            return make(row, object_id=rate.pk, changes=changes)

        return row_by_row(rows, carry)


@register_importer
class CostImporter(Importer):
    """Costs of tools."""

    key = "technology.costs"
    title = "Costs"
    model = CostLine
    natural_key = ("tool", "label", "valid_from")
    help = (
        "One price a row: tool, what is paid for, amount, currency and how often, from which day. A row that names a "
        "known cost and day with other figures corrects it; the old figures stay for who asks what was known before."
    )
    columns = (
        Column("tool", "Tool", aliases=("application", "product"), parse=values.one_line, required=True),
        Column("label", "Paid for", aliases=("item", "label"), parse=values.one_line, required=True, example="Seats"),
        Column("cost_type", "Type", parse=values.choice(CostType), empty=CostType.LICENCE, example="Licence"),
        Column("basis", "Basis", parse=values.choice(Basis), empty=Basis.FLAT, example="Per seat"),
        Column("amount", "Amount", aliases=("price",), parse=values.decimal_number, required=True, example="49.50"),
        Column("quantity", "Quantity", aliases=("seats", "units"), parse=values.decimal_number, example="25"),
        Column("currency", "Currency", parse=currency, required=True, example="EUR"),
        Column("period", "Period", aliases=("billing",), parse=period, empty=Period.YEAR, example="monthly"),
        Column("valid_from", "From", aliases=("start",), parse=values.date, required=True, example="2026-01-01"),
        Column("valid_to", "To", aliases=("end",), parse=values.date, example="2026-12-31"),
    )

    def apply(self, rows: Sequence[Row], *, by: Any) -> Sequence[Outcome]:
        """Add the costs that are new and correct those that differ."""
        tools = tools_named(rows)
        stored = CostLine.objects.known().filter(tool__in=tools.values())
        known = {(each.tool_id, each.label.casefold(), each.valid_from): each for each in stored}

        def carry(row: Row) -> Outcome:
            tool, given = tool_of(row, tools), {name: value for name, value in row.values.items() if name != "tool"}
            line = known.get((tool.pk, given["label"].casefold(), given["valid_from"]))
            if line is None:
                made = add_cost(CostLine(tool=tool, **given), by=by)
                return Outcome.created(row, object_id=made.pk)
            new = {name: value for name, value in given.items() if name != "label" and getattr(line, name) != value}
            if not new:
                return Outcome.unchanged(row, object_id=line.pk)
            told = {
                self.column(name).title: (values.shown(getattr(line, name)), values.shown(value))
                for name, value in new.items()
            }
            made = correct_cost(line, by=by, reason="Corrected by an import", **new)
            return Outcome.updated(row, object_id=made.pk, changes=told)

        return row_by_row(rows, carry)

    def refuse(self, user: Any) -> str | None:
        """Return why `user` may not import costs."""
        may = access.has_model_permission(user, "view", Tool)
        return super().refuse(user) if may else "You may not import costs: you do not see the tools."
