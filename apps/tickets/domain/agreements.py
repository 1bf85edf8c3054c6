"""Agreements: written by one side, signed by both through approval, replaced by their next version."""

import datetime as dt
from typing import Any

from django.db import models, transaction

from apps.accounts.models import User
from apps.approvals.domain import signing
from apps.approvals.domain.asking import request_approval
from apps.approvals.domain.definition import Definition
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.clocks.enums import ClockState
from apps.core.clocks.models import Clock
from apps.core.errors import InvalidInput
from apps.core.records import kind_of
from apps.core.rules.domain.applying import problem_of
from apps.tickets.enums import AgreementState
from apps.tickets.models import Agreement, Queue, Ticket
from apps.tickets.models.service import MATERIAL
from apps.tickets.targets import read_targets

COPIED = tuple(name for name in MATERIAL if name != "effective_on")
SIGNATORIES = ("provider_signatory", "customer_signatory")


def both_sides() -> Definition:
    """Return the policy that agreements start with: both signatories, in either order."""
    return signing.both_sides(SIGNATORIES)


def refuse_submission(user: User, agreement: Agreement) -> str | None:
    """Return why `user` cannot send `agreement` to both sides, None when they can."""
    if refused := signing.refuse_sending(user, agreement):
        return refused
    if agreement.customer_id == agreement.queue.team_id:
        return "Both sides are the same team; an agreement is between two."
    if wrong := problem_of(agreement.applies_to, Ticket):
        return f"Say anew which tickets it applies to. {wrong}"
    return _refuse_calendar(agreement) or _refuse_signatories(agreement)


def submit_agreement(agreement: Agreement, *, by: User, note: str = "", at: dt.datetime | None = None) -> str:
    """Send an agreement to both sides for signature; it is fixed until both have signed or one has refused.

    Raises:
        NotAllowed, WrongState: as `refuse_submission` says, or nobody could sign.
        InvalidInput: its promises or steps cannot be read, or a step gives tickets to nobody there is.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = signing.locked(agreement, "queue__team", "customer", *SIGNATORIES)
        signing.ensure(by, row, refuse_submission(by, row))
        read_targets(row.promises)
        _check_receivers(row)
        signing.write_state(row, state=AgreementState.IN_APPROVAL)
        request_approval(row, by=by, note=note, at=at)
    return f"{row} waits for the signatures of {row.queue.team} and {row.customer}."


def sign(agreement: Agreement, request: Any, *, by: User, at: dt.datetime | None = None) -> None:
    """Bring an agreement into force instead of the one before it: the effect of both signatures.

    Raises:
        WrongState: it no longer waits for signatures.
    """
    replaced = models.Q(customer=agreement.customer)
    if agreement.for_everybody:
        replaced |= models.Q(for_everybody=True)
    same = models.Q(replaced, applies_to=agreement.applies_to) | models.Q(pk=agreement.follows_id)
    before = Agreement.objects.filter(same, queue=agreement.queue, state=AgreementState.SIGNED)
    signing.sign(agreement, before, waits=AgreementState.IN_APPROVAL, at=at)


def write_next_version(agreement: Agreement, *, by: User) -> str:
    """Start the next version as a draft that says the same; the one in force holds until it is signed.

    Raises:
        NotAllowed, WrongState: as `signing.refuse_next` says.
    """
    return signing.write_next(agreement, by=by, copied=COPIED, effective_on=clock.today())


def receiver(wanted: str) -> tuple[Queue | None, User | None]:
    """Return the queue or the person that "give to …" names; neither where there is none of them any more."""
    queue: Queue | None = Queue.objects.live().filter(name__iexact=wanted).first()
    if queue is not None:
        return queue, None
    return None, User.objects.working().filter(email__iexact=wanted).first()


def attainment(agreement: Agreement) -> list[tuple[str, int, int, int]]:
    """Return for each promise how many clocks were met, were late, and run still, under this version."""
    rows = (
        Clock.objects.filter(content_type=kind_of(Ticket), object_id__in=agreement.tickets.values("pk"))
        .exclude(state__in=(ClockState.CANCELLED, ClockState.REPLACED))
        .values("metric")
        .annotate(
            met=models.Count("pk", filter=models.Q(state=ClockState.MET)),
            late=models.Count("pk", filter=models.Q(state__in=(ClockState.LATE, ClockState.BREACHED))),
            open=models.Count("pk", filter=models.Q(state__in=(ClockState.RUNNING, ClockState.PAUSED))),
        )
        .order_by("metric")
    )
    return [(each["metric"], each["met"], each["late"], each["open"]) for each in rows]


def _check_receivers(agreement: Agreement) -> None:
    for step in agreement.steps:
        if step.gives_to and receiver(step.gives_to) == (None, None):
            raise InvalidInput(
                f"At {step.percent} % tickets would go to “{step.gives_to}”: no queue is called that, and nobody has "
                "that e-mail."
            )


def _refuse_calendar(agreement: Agreement) -> str | None:
    """Say that nothing could fall due in the calendar it counts with, if so: no ticket could be opened under it."""
    calendar = agreement.calendar or agreement.queue.calendar
    if calendar is None or calendar.versions.exists():
        return None
    return f"{calendar} has no hours yet, so nothing could fall due; publish its first version, or choose another one."


def _refuse_signatories(agreement: Agreement) -> str | None:
    """Say why one side could not sign, if so."""
    sides = (
        (agreement.queue.team, agreement.provider_signatory),
        (agreement.customer, agreement.customer_signatory),
    )
    for team, person in sides:
        if person is None:
            return f"Say who signs for {team}."
        if not team.memberships.filter(person=person, archived_at__isnull=True).exists():
            return f"{person} is not in {team} and cannot sign for it."
        if not access.can(person, "view", agreement):
            return f"{person} may not read agreements, so they could not sign; ask an administrator for the role."
    if agreement.provider_signatory_id == agreement.customer_signatory_id:
        return "One person cannot sign for both sides."
    return None
