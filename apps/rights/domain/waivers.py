"""Waivers of separation-of-duties rules: an administrator asks, others decide through approval, a day ends them."""

import datetime as dt
from typing import Any

from django.db import transaction

from apps.accounts.domain.rights import ONLY_ADMINISTRATORS, is_administrator
from apps.accounts.models import User
from apps.approvals.domain.asking import request_approval
from apps.approvals.domain.effects import end_request
from apps.approvals.domain.locking import locked
from apps.approvals.enums import RequestState
from apps.approvals.models import ApprovalRequest
from apps.core import clock, events
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.records import kind_of
from apps.core.transitions import transition
from apps.core.words import reason_given
from apps.rights.domain.asking import administrator_among
from apps.rights.domain.duties import watch_duties
from apps.rights.models import SodRule, SodWaiver

LONGEST = dt.timedelta(days=366)
MATERIAL = ("rule", "person", "reason", "expires_at")


def refuse_ask(by: User, rule: SodRule) -> str | None:
    """Return why `by` cannot ask for a waiver of this rule, None when it works."""
    if not is_administrator(by):
        return ONLY_ADMINISTRATORS
    if rule.is_archived or not rule.is_active:
        return "This rule is off; there is nothing to waive."
    return None


def ask_waiver(rule: SodRule, *, person: User, expires_at: dt.datetime, reason: str, by: User) -> SodWaiver:
    """Ask that `person` may have both duties of `rule` until a moment; holds once whom the policy names has approved.

    Raises:
        NotAllowed: `by` is no administrator, or asks for themselves.
        InvalidInput: no reason, an end in the past or more than a year away, or a person who cannot sign in.
        WrongState: the rule is off, there is a waiver for the person already, or nobody could decide.
    """
    reason, now = reason.strip(), clock.now()
    if not reason:
        raise InvalidInput("Say why it cannot be otherwise.", fields={"reason": "Say why."})
    if not now < expires_at <= now + LONGEST:
        raise InvalidInput(
            "A waiver ends on a later day, at most a year from now.", fields={"until": "Choose a day within a year."}
        )
    with transaction.atomic(), acting_as(by, reason=reason):
        rule = SodRule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
        if refused := refuse_ask(by, rule):
            raise (WrongState if is_administrator(by) else NotAllowed)(refused)
        if person.pk == by.pk:
            raise NotAllowed("Nobody asks for a waiver for themselves; another administrator does.")
        if person.is_system or not person.is_active:
            raise InvalidInput(f"{person} cannot sign in; a waiver would allow nothing.")
        _make_room(rule, person, now, by)
        waiver = SodWaiver.objects.create(
            rule=rule, person=person, reason=reason[:500], expires_at=expires_at, asked_by=by
        )
        request_approval(waiver, by=by, note=reason)
        events.publish("sod_waiver.asked", waiver_id=waiver.pk)
    return waiver


def _make_room(rule: SodRule, person: User, now: dt.datetime, by: User) -> None:
    """Refuse a second open waiver; one that has run out ends by itself."""
    open_one = SodWaiver.objects.filter(rule=rule, person=person, ended_at__isnull=True).first()
    if open_one is None:
        return
    if open_one.state_at(now) != "expired":
        raise WrongState(f"There is a waiver for {person} until {open_one.expires_at:%-d %B %Y}; end that one first.")
    _end(open_one, by=by, why="It had run out and was asked for anew.")
    requests = ApprovalRequest.objects.filter(content_type=kind_of(SodWaiver), object_id=open_one.pk)
    for request in requests.unsettled():
        end_request(*locked(request), RequestState.EXPIRED, by=by, at=now)


def keeps_out(waiver: SodWaiver, person: User) -> str | None:
    """Say why somebody whom the policy names may not decide about this waiver."""
    return "The waiver is for you: somebody else decides." if person.pk == waiver.person_id else None


def let_hold(waiver: SodWaiver, request: Any, *, by: User, at: dt.datetime | None = None) -> None:
    """Let a waiver hold: the effect of the approval, in the name of the administrator among those who approved.

    Raises:
        WrongState: it has ended or run out meanwhile, or no administrator approved.
    """
    moment = at or clock.now()
    state = waiver.state_at(moment)
    if state != "asked for":
        raise WrongState(f"This waiver is {state}: there is nothing to approve any more; it is asked for anew.")
    approver = administrator_among(request, by)
    if approver is None:
        raise WrongState("Administrators let rules be waived: let the policy name one among those who approve.")
    _write(waiver, approved_by=approver, approved_at=moment)
    watch_duties()
    events.publish("sod_waiver.approved", waiver_id=waiver.pk)


def drop(waiver: SodWaiver, request: Any, *, by: User) -> None:
    """End a waiver that was refused, withdrawn or never decided about; it never held."""
    if waiver.ended_at is None:
        _end(waiver, by=by, why="Not approved.")


def refuse_end(by: User, waiver: SodWaiver) -> str | None:
    """Return why `by` cannot end this waiver now, None when it works."""
    if not is_administrator(by):
        return ONLY_ADMINISTRATORS
    if waiver.ended_at is not None:
        return f"This waiver ended on {waiver.ended_at:%-d %B %Y}."
    if waiver.state_at(clock.now()) == "asked for":
        return "It does not hold yet: its request for approval is refused or withdrawn instead."
    return None


def end_waiver(waiver: SodWaiver, *, by: User, reason: str) -> str:
    """End a waiver; the combination is a conflict again at once.

    Raises:
        NotAllowed: `by` is no administrator.
        WrongState: it does not hold yet, or has ended already.
        InvalidInput: no reason.
    """
    reason = reason_given(reason, "Say why the waiver ends.")
    with transaction.atomic(), acting_as(by, reason=reason):
        waiver = SodWaiver.objects.select_for_update(of=("self",)).get(pk=waiver.pk)
        if refused := refuse_end(by, waiver):
            raise (WrongState if is_administrator(by) else NotAllowed)(refused)
        _end(waiver, by=by, why=reason.strip())
        watch_duties()
        events.publish("sod_waiver.ended", waiver_id=waiver.pk)
    return f"The waiver for {waiver.person} has ended."


def _end(waiver: SodWaiver, *, by: User, why: str) -> None:
    _write(waiver, ended_at=clock.now(), ended_by=by, ended_why=why[:500])


def _write(waiver: SodWaiver, **changed: Any) -> None:
    for name, value in changed.items():
        setattr(waiver, name, value)
    with transition(SodWaiver):
        waiver.save(update_fields=list(changed))
