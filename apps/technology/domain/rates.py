"""Exchange rates: which one counts for a day, what to say where none does, and how one is corrected."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.transitions import transition
from apps.technology.domain.currencies import refuse_currency
from apps.technology.models import ExchangeRate, StackPolicy

if TYPE_CHECKING:
    from apps.accounts.models import User

_COUNTING = """
    SELECT DISTINCT ON (r.currency) r.currency, r.rate
    FROM technology_exchangerate r
    WHERE r.into = %(into)s AND r.on <= %(on)s AND r.on >= %(on)s::date - %(age)s::int
      AND r.recorded_at <= %(known)s AND (r.retired_at IS NULL OR r.retired_at > %(known)s)
    ORDER BY r.currency, r.on DESC, r.id DESC
"""


def policy() -> StackPolicy:
    """Return the figures that steer the stack; those mops ships with where nobody has saved any."""
    return StackPolicy.objects.select_related("calendar").first() or StackPolicy()


def counting_rates_sql() -> str:
    """Return the statement that tells, per currency, the rate that counts: the newest of the last days before `on`."""
    return _COUNTING


def rates_on(
    on: dt.date, *, into: str, age: int, known: dt.datetime | None = None, currencies: Iterable[str] | None = None
) -> dict[str, Decimal]:
    """Return the rates that count on a day, by currency, the reporting currency itself as 1.

    Args:
        on: the day.
        into: the reporting currency.
        age: how many days before `on` a rate may be from.
        known: as of which moment the table is read; now without it.
        currencies: those that are needed; each must have its rate.

    Raises:
        InvalidInput: a needed rate is missing, naming the nearest one there is.
    """
    at = known or clock.now()
    rows = ExchangeRate.objects.raw(
        f"SELECT DISTINCT ON (counting.currency) 0 AS id, counting.* FROM ({_COUNTING}) counting",
        {"into": into, "on": on, "age": age, "known": at},
    )
    found = {row.currency: row.rate for row in rows} | {into: Decimal(1)}
    missing = sorted(set(currencies or ()) - set(found))
    if missing:
        raise InvalidInput(" ".join(missing_rate(each, into, on) for each in missing))
    return found


def missing_rate(currency: str, into: str, on: dt.date) -> str:
    """Say that a rate is missing, which one is nearest, and where to add it."""
    known = ExchangeRate.objects.known().filter(currency=currency, into=into)
    earlier, later = known.filter(on__lte=on).order_by("-on").first(), known.filter(on__gt=on).order_by("on").first()
    near = sorted((each for each in (earlier, later) if each is not None), key=lambda each: abs(each.on - on))
    nearest = (
        f"the nearest is {near[0].rate.normalize():f} of {near[0].on:%-d %B %Y}" if near else "there is none of any day"
    )
    return (
        f"There is no exchange rate from {currency} into {into} for {on:%-d %B %Y}; {nearest}. "
        "Add one under Contracts and costs, Exchange rates."
    )


def refuse_rate(user: "User") -> str | None:
    """Return why `user` cannot write exchange rates, None when it is allowed."""
    return None if access.has_model_permission(user, "change", ExchangeRate) else "You may not change exchange rates."


def set_rate(
    currency: str, into: str, on: dt.date, rate: Decimal, *, by: "User", source: str = ""
) -> tuple[ExchangeRate, bool]:
    """Write the rate of a day; one that was known otherwise is retired, not overwritten.

    Returns:
        The rate that counts now, and whether anything was written.

    Raises:
        NotAllowed: `by` may not.
        InvalidInput: an unknown currency, or no rate.
    """
    if refused := refuse_rate(by):
        raise NotAllowed(refused)
    for name, code in (("currency", currency), ("into", into)):
        if refused := refuse_currency(code):
            raise InvalidInput(refused, fields={name: refused})
    if currency == into:
        raise InvalidInput("A rate leads from one currency to another.")
    if rate <= 0:
        raise InvalidInput("An exchange rate is more than nothing.", fields={"rate": "More than nothing."})
    with transaction.atomic(), acting_as(by), transition(ExchangeRate):
        known = ExchangeRate.objects.known().select_for_update(of=("self",))
        before: ExchangeRate | None = known.filter(currency=currency, into=into, on=on).first()
        if before is not None and before.rate == rate and (not source or before.source == source):
            return before, False
        now = clock.now()
        if before is not None:
            before.retired_at = now
            before.save(update_fields=["retired_at"])
        made = ExchangeRate(currency=currency, into=into, on=on, rate=rate, source=source, recorded_at=now)
        made.save()
    return made, True


def refuse_rate_change(user: "User", rate: ExchangeRate) -> str | None:
    """Return why `user` cannot correct this rate, None when it works."""
    if refused := refuse_rate(user):
        return refused
    return "This rate was corrected; correct the one that counts now." if rate.retired_at else None


def correct_rate(thing: ExchangeRate, *, rate: Decimal, by: "User", source: str = "") -> str:
    """Correct what a rate says; the old figure stays for who asks what was known before.

    Raises:
        NotAllowed, WrongState, InvalidInput: as `refuse_rate_change` and `set_rate` say.
    """
    if refused := refuse_rate_change(by, thing):
        raise (WrongState if thing.retired_at else NotAllowed)(refused)
    set_rate(thing.currency, thing.into, thing.on, rate, by=by, source=source or thing.source)
    return f"{thing} is {rate.normalize():f} now."
