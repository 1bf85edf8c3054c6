"""Writing costs: a new price closes the line and opens the next, a correction retires it; nothing is overwritten."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import DomainError, InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.money import money
from apps.core.transitions import transition
from apps.technology.domain.cases import refuse_without_case
from apps.technology.domain.costing import ONE_DAY, Price
from apps.technology.domain.currencies import refuse_currency
from apps.technology.enums import Basis, Lifecycle, Period
from apps.technology.models import CostLine, Tool
from apps.technology.models.money import MOST

if TYPE_CHECKING:
    from apps.accounts.models import User

COPIED = ("tool_id", "contract_id", "series", "label", "cost_type", "basis", "amount", "quantity", "currency", "period")


def price_of(line: CostLine) -> Price:
    """Return what a line says about money."""
    return Price(line.amount, line.quantity, line.period, line.valid_from, line.valid_to, line.currency)


def refuse_values(line: CostLine) -> dict[str, str]:
    """Return what is wrong with the values of a line, by field; nothing when they can be kept."""
    wrong: dict[str, str] = {}
    if refused := refuse_currency(line.currency):
        wrong["currency"] = refused
    if line.amount < 0:
        wrong["amount"] = "A cost cannot be less than nothing; a refund is a note, or a lower price."
    elif line.amount > MOST:
        wrong["amount"] = "More than 100,000,000 is a slip of the keyboard; look at the decimal point."
    if line.basis == Basis.FLAT and line.quantity is not None:
        wrong["quantity"] = "A flat amount has no quantity; leave it empty, or say what the amount is per."
    if line.basis != Basis.FLAT and not (line.quantity and line.quantity > 0):
        wrong["quantity"] = "A price per seat or unit needs how many there are."
    if line.valid_to and line.valid_to < line.valid_from:
        wrong["valid_to"] = "A cost cannot end before it starts; look at the two dates."
    if line.period == Period.ONCE and line.valid_to:
        wrong["valid_to"] = "What is paid once falls due on its first day; leave the last day empty."
    return wrong


def refuse_cost(user: "User", tool: Tool) -> str | None:
    """Return why `user` cannot give this tool a cost now, None when it works."""
    if not access.has_model_permission(user, "add", CostLine):
        return "You may not write costs."
    if tool.is_archived:
        return f"{tool} is archived; restore it first."
    if tool.lifecycle == Lifecycle.RETIRED:
        return f"{tool} is retired and costs nothing more."
    return refuse_without_case(tool)


def add_cost(line: CostLine, *, by: "User") -> CostLine:
    """Keep a new cost of a tool, known from now on.

    Raises:
        NotAllowed, WrongState: as `refuse_cost` says.
        InvalidInput: the values do not hold, by field.
    """
    with transaction.atomic(), acting_as(by):
        tool = Tool.objects.select_for_update(of=("self",)).get(pk=line.tool_id)
        if refused := refuse_cost(by, tool):
            raise (WrongState if access.has_model_permission(by, "add", CostLine) else NotAllowed)(refused)
        _refuse(line)
        line.recorded_at, line.retired_at = clock.now(), None
        line.save()
        publish("cost.added", line_id=line.pk)
    return line


def refuse_change(user: "User", line: CostLine) -> str | None:
    """Return why `user` cannot change this line, None when it works."""
    if not access.can(user, "change", line):
        return "You may not change costs."
    if line.retired_at:
        return "Another version of this cost counts now; change that one."
    return None


def refuse_price_change(user: "User", line: CostLine) -> str | None:
    """Return why `user` cannot give this line another price, None when it works."""
    if refused := refuse_change(user, line):
        return refused
    if line.period == Period.ONCE:
        return "What is paid once has no next price; add another cost."
    return refuse_cost(user, line.tool)


def change_price(
    line: CostLine,
    *,
    amount: Decimal,
    starts_on: dt.date,
    by: "User",
    quantity: Decimal | None = None,
    note: str = "",
) -> str:
    """Let a new price count from `starts_on` on; the old one ends on the day before.

    Raises:
        NotAllowed, WrongState: as `refuse_price_change` says.
        InvalidInput: the day lies outside the line, or the values do not hold.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = _locked(line)
        _raise(by, row, refuse_price_change(by, row))
        if starts_on <= row.valid_from or (row.valid_to and starts_on > row.valid_to):
            until = f" and up to {row.valid_to:%-d %B %Y}" if row.valid_to else ""
            raise InvalidInput(
                f"A new price counts from a day after {row.valid_from:%-d %B %Y}{until}; for the same day correct the "
                "cost instead.",
                fields={"starts_on": "Outside the days of this cost."},
            )
        _retire(row)
        _write(row, valid_to=starts_on - ONE_DAY, note=row.note)
        new = quantity if quantity is not None else row.quantity
        made = _write(row, valid_from=starts_on, amount=amount, quantity=new, note=note)
        publish("cost.price_changed", line_id=made.pk)
    price = money(amount, row.currency, exact=True)
    return f"{row.label} costs {price} {made.get_period_display()} from {starts_on:%-d %B %Y} on."


def close_cost(line: CostLine, *, ends_on: dt.date, by: "User", note: str = "") -> str:
    """Let a cost end on a day.

    Raises:
        NotAllowed, WrongState: as `refuse_change` says.
        InvalidInput: the day lies before its first.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = _locked(line)
        _raise(by, row, refuse_change(by, row))
        _retire(row)
        _write(row, valid_to=ends_on, note=note or row.note)
    return f"{row.label} ends on {ends_on:%-d %B %Y}."


def correct_cost(line: CostLine, *, by: "User", reason: str, **values: Any) -> CostLine:
    """Correct what was written wrongly; the old version stays for who asks what was known before.

    Raises:
        NotAllowed, WrongState: as `refuse_change` says.
        InvalidInput: the values do not hold.
    """
    with transaction.atomic(), acting_as(by, reason=reason):
        row = _locked(line)
        _raise(by, row, refuse_change(by, row))
        _retire(row)
        return _write(row, **values)


def remove_cost(line: CostLine, *, by: "User", reason: str) -> str:
    """Take back a cost that never was: it is known no longer, and stays for who asks what was known before.

    Raises:
        NotAllowed, WrongState: as `refuse_change` says.
    """
    with transaction.atomic(), acting_as(by, reason=reason):
        row = _locked(line)
        _raise(by, row, refuse_change(by, row))
        _retire(row)
    return f"{row.label} is taken back."


def _locked(line: CostLine) -> CostLine:
    Tool.objects.select_for_update(of=("self",)).get(pk=line.tool_id)
    row: CostLine = CostLine.objects.select_for_update(of=("self",)).select_related("tool").get(pk=line.pk)
    return row


def _retire(row: CostLine) -> None:
    row.retired_at = clock.now()
    with transition(CostLine):
        row.save(update_fields=["retired_at"])


def _write(row: CostLine, **values: Any) -> CostLine:
    kept = {name: getattr(row, name) for name in (*COPIED, "valid_from", "valid_to", "note")}
    made = CostLine(**kept | values, recorded_at=row.retired_at or clock.now())
    _refuse(made)
    made.save()
    return made


def _refuse(line: CostLine) -> None:
    if wrong := refuse_values(line):
        raise InvalidInput(" ".join(wrong.values()), fields=wrong)


def _raise(by: "User", row: CostLine, refused: str | None) -> None:
    if refused:
        kind: type[DomainError] = WrongState if access.may(by, "change", row) else NotAllowed
        raise kind(refused)
