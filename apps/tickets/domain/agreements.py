"""Agreements: written by one side, signed by both through approval, replaced by their next version."""

import datetime as dt
from typing import Any

from django.db import models, transaction

from apps.accounts.models import User
from apps.approvals.domain.decisions import request_approval
from apps.approvals.domain.definition import Definition, Named, Row, Stage
from apps.approvals.enums import Mode, Via
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.clocks.enums import ClockState
from apps.core.clocks.models import Clock
from apps.core.errors import DomainError, InvalidInput, NotAllowed, WrongState
from apps.core.records import kind_of
from apps.core.transitions import transition
from apps.tickets.enums import AgreementState
from apps.tickets.models import Agreement, Queue, Ticket
from apps.tickets.models.service import MATERIAL
from apps.tickets.targets import read_targets

COPIED = tuple(name for name in MATERIAL if name != "effective_on")
SIGNATORIES = ("provider_signatory", "customer_signatory")


def both_sides() -> Definition:
    """Return the policy that agreements start with: both signatories, in either order."""
    names = tuple(Named(Via.OWNER, each) for each in SIGNATORIES)
    return Definition((Stage(1, "Signatures", names, mode=Mode.ALL),), (Row("Everything", {"all": []}, (1,)),))


def refuse_change(user: User, agreement: Agreement) -> str | None:
    """Return why `user` cannot work on `agreement`, None when they can."""
    if not access.can(user, "change", agreement):
        return f"You may not change {agreement}."
    return f"{agreement} is archived; restore it first." if agreement.is_archived else None


def refuse_submission(user: User, agreement: Agreement) -> str | None:
    """Return why `user` cannot send `agreement` to both sides, None when they can."""
    if refused := refuse_change(user, agreement):
        return refused
    if agreement.state != AgreementState.DRAFT:
        return f"{agreement} is {agreement.get_state_display().lower()}; only a draft is sent."
    if agreement.customer_id == agreement.queue.team_id:
        return "Both sides are the same team; an agreement is between two."
    return _refuse_signatories(agreement)


def submit_agreement(agreement: Agreement, *, by: User, note: str = "", at: dt.datetime | None = None) -> str:
    """Send an agreement to both sides for signature; it is fixed until both have signed or one has refused.

    Raises:
        NotAllowed, WrongState: as `refuse_submission` says, or nobody could sign.
        InvalidInput: its promises or steps cannot be read, or a step gives tickets to nobody there is.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = _locked(agreement)
        _raise(by, row, refuse_submission(by, row))
        read_targets(row.promises)
        _check_receivers(row)
        _write(row, state=AgreementState.IN_APPROVAL)
        request_approval(row, by=by, note=note, at=at)
    return f"{row} waits for the signatures of {row.queue.team} and {row.customer}."


def sign(agreement: Agreement, request: Any, *, by: User, at: dt.datetime | None = None) -> None:
    """Bring an agreement into force instead of the one before it: the effect of both signatures.

    Raises:
        WrongState: it no longer waits for signatures.
    """
    if agreement.state != AgreementState.IN_APPROVAL:
        raise WrongState(f"{agreement} no longer waits for signatures.")
    moment = at or clock.now()
    replaced = models.Q(customer=agreement.customer)
    if agreement.for_everybody:
        replaced |= models.Q(for_everybody=True)
    for each in Agreement.objects.filter(replaced, queue=agreement.queue, state=AgreementState.SIGNED):
        _write(each, state=AgreementState.RETIRED, retired_at=moment)
    _write(agreement, state=AgreementState.SIGNED, signed_at=moment)


def return_to_draft(agreement: Agreement, request: Any, *, by: User) -> None:
    """Bring a refused or withdrawn agreement back to its draft."""
    _write(agreement, state=AgreementState.DRAFT)


def refuse_next_version(user: User, agreement: Agreement) -> str | None:
    """Return why `user` cannot write the next version of `agreement`, None when they can."""
    if refused := refuse_change(user, agreement):
        return refused
    if agreement.state not in (AgreementState.SIGNED, AgreementState.RETIRED):
        return f"{agreement} is not signed yet; change it instead."
    following = Agreement.objects.filter(follows=agreement).first()
    return f"{following} follows it already." if following is not None else None


def write_next_version(agreement: Agreement, *, by: User) -> str:
    """Start the next version as a draft that says the same; the one in force holds until it is signed.

    Raises:
        NotAllowed, WrongState: as `refuse_next_version` says.
    """
    with transaction.atomic(), acting_as(by):
        row = _locked(agreement)
        _raise(by, row, refuse_next_version(by, row))
        values = {name: getattr(row, name) for name in COPIED}
        made = Agreement.objects.create(
            **values,
            number=row.number + 1,
            follows=row,
            effective_on=clock.today(),
            owner_person=row.owner_person,
            owner_team=row.owner_team,
        )
    return f"{made} is a draft; change it and send it to both sides."


def refuse_retire(user: User, agreement: Agreement) -> str | None:
    """Return why `user` cannot end `agreement`, None when they can."""
    if refused := refuse_change(user, agreement):
        return refused
    return None if agreement.state == AgreementState.SIGNED else f"{agreement} is not in force."


def retire(agreement: Agreement, *, by: User, reason: str) -> str:
    """End an agreement; tickets under it keep their promises, new ones get none from it.

    Raises:
        NotAllowed, WrongState: as `refuse_retire` says.
    """
    with transaction.atomic(), acting_as(by, reason=reason):
        row = _locked(agreement)
        _raise(by, row, refuse_retire(by, row))
        _write(row, state=AgreementState.RETIRED, retired_at=clock.now())
    return f"{row} has ended."


def receiver(wanted: str) -> tuple[Queue | None, User | None]:
    """Return the queue or the person that "give to …" names; neither where there is none of them any more."""
    queue: Queue | None = Queue.objects.live().filter(name__iexact=wanted).first()
    if queue is not None:
        return queue, None
    return None, User.objects.filter(email__iexact=wanted, is_active=True, is_system=False).first()


def agreement_for(ticket: Ticket) -> Agreement | None:
    """Return the agreement a ticket is under: that of its requester's team with its queue, else the queue's for all."""
    return agreement_of(ticket.queue, ticket.requester, on=ticket.opened_at.date())


def agreement_of(queue: Queue, person: User | None, *, on: dt.date | None = None) -> Agreement | None:
    """Return the agreement that holds between a queue and somebody who asks, on a day; today when not given."""
    rows = Agreement.objects.filter(queue=queue, state=AgreementState.SIGNED, effective_on__lte=on or clock.today())
    if person is not None:
        teams = person.memberships.filter(archived_at__isnull=True).values("team")
        found: Agreement | None = rows.filter(customer__in=teams).order_by("-signed_at").first()
        if found is not None:
            return found
    general: Agreement | None = rows.filter(for_everybody=True).first()
    return general


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


def _locked(agreement: Agreement) -> Agreement:
    rows = Agreement.objects.select_for_update(of=("self",)).select_related(
        "queue__team", "customer", "provider_signatory", "customer_signatory"
    )
    row: Agreement = rows.get(pk=agreement.pk)
    return row


def _write(agreement: Agreement, **changed: Any) -> None:
    for name, value in changed.items():
        setattr(agreement, name, value)
    with transition(Agreement):
        agreement.save(update_fields=list(changed))


def _raise(user: User, agreement: Agreement, sentence: str | None) -> None:
    if sentence is not None:
        kind: type[DomainError] = WrongState if access.can(user, "change", agreement) else NotAllowed
        raise kind(sentence)
