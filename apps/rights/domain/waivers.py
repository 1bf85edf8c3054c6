"""Waivers of separation-of-duties rules: one administrator asks, another approves, a day ends them."""

import datetime as dt

from django.db import transaction

from apps.accounts.domain.rights import ONLY_ADMINISTRATORS, administrators, is_administrator
from apps.accounts.models import User
from apps.core import clock, events
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.notifications.domain.notifying import notify
from apps.core.words import reason_given
from apps.rights.domain.duties import watch_duties
from apps.rights.models import SodRule, SodWaiver

LONGEST = dt.timedelta(days=366)


def refuse_ask(by: User, rule: SodRule) -> str | None:
    """Return why `by` cannot ask for a waiver of this rule, None when it works."""
    if not is_administrator(by):
        return ONLY_ADMINISTRATORS
    if rule.is_archived or not rule.is_active:
        return "This rule is off; there is nothing to waive."
    return None


def ask_waiver(rule: SodRule, *, person: User, expires_at: dt.datetime, reason: str, by: User) -> SodWaiver:
    """Ask that `person` may have both duties of `rule` until a moment; holds once another administrator approves.

    Raises:
        NotAllowed: `by` is no administrator, or asks for themselves.
        InvalidInput: no reason, an end in the past or more than a year away, or a person who cannot sign in.
        WrongState: the rule is off, or there is a waiver for the person already.
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
        _make_room(rule, person, now)
        waiver = SodWaiver.objects.create(
            rule=rule, person=person, reason=reason[:500], expires_at=expires_at, asked_by=by
        )
        others = administrators().exclude(pk__in=[by.pk, person.pk])
        notify(
            others,
            "rights.waiver",
            title=f"{by} asks you to approve a waiver for {person}.",
            body=reason,
            subject=waiver,
        )
        events.publish("sod_waiver.asked", waiver_id=waiver.pk)
    return waiver


def _make_room(rule: SodRule, person: User, now: dt.datetime) -> None:
    """Refuse a second open waiver; one that has run out ends by itself."""
    open_one = SodWaiver.objects.filter(rule=rule, person=person, ended_at__isnull=True).first()
    if open_one is None:
        return
    if open_one.state_at(now) != "expired":
        raise WrongState(f"There is a waiver for {person} until {open_one.expires_at:%-d %B %Y}; end that one first.")
    _end(open_one, by=open_one.asked_by, why="It had run out and was asked for anew.")


def refuse_approve(by: User, waiver: SodWaiver) -> str | None:
    """Return why `by` cannot approve this waiver now, None when it works."""
    if not is_administrator(by):
        return ONLY_ADMINISTRATORS
    state = waiver.state_at(clock.now())
    if state != "asked for":
        return f"This waiver is {state}; there is nothing to approve."
    if by.pk == waiver.asked_by_id:
        return "You asked for it: another administrator approves."
    return "It is for you: somebody else approves." if by.pk == waiver.person_id else None


def approve_waiver(waiver: SodWaiver, *, by: User, note: str = "") -> str:
    """Let a waiver hold, as the second person.

    Raises:
        NotAllowed: `by` is no administrator, asked for it, or benefits from it.
        WrongState: it holds already, has ended or run out.
    """
    with transaction.atomic(), acting_as(by, reason=note.strip() or None):
        waiver = SodWaiver.objects.select_for_update(of=("self",)).get(pk=waiver.pk)
        if refused := refuse_approve(by, waiver):
            raise (WrongState if waiver.state_at(clock.now()) != "asked for" else NotAllowed)(refused)
        waiver.approved_by, waiver.approved_at = by, clock.now()
        waiver.save(update_fields=["approved_by", "approved_at"])
        watch_duties()
        events.publish("sod_waiver.approved", waiver_id=waiver.pk)
    return f"{waiver.person} may have both duties until {waiver.expires_at:%-d %B %Y}."


def refuse_end(by: User, waiver: SodWaiver) -> str | None:
    """Return why `by` cannot end this waiver now, None when it works."""
    if not is_administrator(by):
        return ONLY_ADMINISTRATORS
    return f"This waiver ended on {waiver.ended_at:%-d %B %Y}." if waiver.ended_at is not None else None


def end_waiver(waiver: SodWaiver, *, by: User, reason: str) -> str:
    """End a waiver or refuse one that was asked for; the combination is a conflict again at once.

    Raises:
        NotAllowed: `by` is no administrator.
        WrongState: it has ended already.
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
    waiver.ended_at, waiver.ended_by, waiver.ended_why = clock.now(), by, why[:500]
    waiver.save(update_fields=["ended_at", "ended_by", "ended_why"])
