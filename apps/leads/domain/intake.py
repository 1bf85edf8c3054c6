"""Intake: what a source delivers is kept as it came, judged by its contract, and can be judged again.

The same delivery twice is one delivery. A value replaces another only where its source is trusted as much; what people
typed is trusted most. Nothing is lost: what was not taken stands in the values of the field.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.exchange import values as cells
from apps.core.storable import HALF_SHOWN, NULL_SHOWN, is_storable, storable_object
from apps.leads import phones
from apps.leads.domain import said_along
from apps.leads.domain.duplicates.entry import known_lead, phone_taken
from apps.leads.domain.duplicates.finding import look_again
from apps.leads.domain.duplicates.profile import FREE_MAIL
from apps.leads.domain.payloads import LONGEST_KEY, is_repeated, key_of_content, key_of_touch
from apps.leads.domain.routing.routing import route_new
from apps.leads.domain.scoring.engine import score_leads
from apps.leads.domain.touches import Touch, write_touches
from apps.leads.enums import IntakeState
from apps.leads.models import Company, FieldValue, Intake, IntakeSource, Lead

if TYPE_CHECKING:
    from apps.accounts.models import User

FIELDS = (
    *("name", "email", "phone", "job_title", "company", "country", "territory"),
    *("product_interest", "origin", "source"),
)
MOST_FIELDS, PEOPLE = 200, 100
REJECTED_AGAIN = "Rejected again:"
OTHER_CONTENT = "A delivery “{key}” came before, with other content. Judge it again if this one counts as well."


@dataclass(frozen=True)
class _Read:
    """What a delivery says about a lead, or why it cannot be taken."""

    values: dict[str, str]
    refusal: str = ""


def receive(
    source: IntakeSource,
    payload: Mapping[str, Any],
    *,
    key: str,
    by: "User",
    at: dt.datetime | None = None,
    refusal: str = "",
) -> Intake:
    """Take one delivery in; the same key again returns what became of it the first time.

    Another content under a known key is no repetition: after a reject it is judged as any (somebody mended the form),
    else it is kept as a reject of its own, for a person to judge.

    Args:
        source: with its contract.
        payload: as the source sent it.
        key: names the delivery at the source, for instance the number of the form entry.
        by: who brings it: a person, or mops itself in a job.
        at: now, where another moment is meant.
        refusal: why it is rejected whatever the contract says, for instance that a machine sent it; a person may have
            it judged again.

    Raises:
        NotAllowed: `by` may not add leads.
        WrongState: the source takes no leads now.
        InvalidInput: the key is missing, too long, or no text that can be kept.
    """
    if refused := refuse_delivery(by, source):
        raise (WrongState if access.has_model_permission(by, "add", Lead) else NotAllowed)(refused)
    if not key or len(key) > LONGEST_KEY or not is_storable(key):
        raise InvalidInput(f"Name the delivery, with at most {LONGEST_KEY} characters, so that it counts once.")
    moment = at or clock.now()
    kept = storable_object(payload)
    with transaction.atomic(), acting_as(by):
        said_along.hold(kept)
        locked: IntakeSource = IntakeSource.objects.select_for_update(of=("self",)).get(pk=source.pk)
        rows = Intake.objects.filter(source=locked)
        known = rows.filter(idempotency_key=key).first()
        if known is not None and not is_repeated(known, kept):
            if known.state != IntakeState.REJECTED:
                refusal = refusal or OTHER_CONTENT.format(key=key)
            key = key_of_content(key, kept)
            known = rows.filter(idempotency_key=key).first()
        if known is not None:
            return known
        row = Intake(source=locked, idempotency_key=key, payload=kept, received_at=moment)
        return _judge(row, now=moment, refusal=refusal)


def refuse_delivery(user: "User", source: IntakeSource) -> str | None:
    """Return why `user` cannot bring a delivery of `source` in, None when they can."""
    if not access.has_model_permission(user, "add", Lead):
        return "You may not add leads."
    if source.is_archived or not source.is_open:
        return f"{source} takes no leads now; open it again on its page."
    return None


def receive_by_button(source: IntakeSource, *, by: "User", key: str, payload: Mapping[str, Any]) -> str:
    """Take one delivery in and say what became of it."""
    row = receive(source, payload, key=key, by=by)
    if row.state == IntakeState.REJECTED:
        return f"Rejected: {row.reason}"
    return f"{IntakeState(row.state).label}: {row.lead}."


def refuse_replay(user: "User", intake: Intake) -> str | None:
    """Return why `user` cannot have `intake` judged again, None when they can."""
    if not access.has_model_permission(user, "add", Lead):
        return "You may not add leads."
    if intake.state != IntakeState.REJECTED:
        return "Only what was rejected is judged again."
    return None


def replay(intake: Intake, *, by: "User", at: dt.datetime | None = None) -> str:
    """Judge a rejected delivery again, by the contract as it is now.

    Raises:
        NotAllowed, WrongState: as `refuse_replay` says.
    """
    with transaction.atomic(), acting_as(by):
        said_along.hold(intake.payload)
        row: Intake = Intake.objects.select_for_update(of=("self",)).select_related("source").get(pk=intake.pk)
        if refused := refuse_replay(by, row):
            may = access.has_model_permission(by, "add", Lead)
            raise (WrongState if may else NotAllowed)(refused)
        row.attempts += 1
        done = _judge(row, now=at or clock.now())
    if done.state == IntakeState.REJECTED:
        return f"{REJECTED_AGAIN} {done.reason}"
    return f"Taken in as {done.lead}."


def _judge(row: Intake, *, now: dt.datetime, refusal: str = "") -> Intake:
    row.decided_at = now
    read = _Read({}, refusal) if refusal else _read(row.source, row.payload)
    if read.refusal:
        row.state, row.reason, row.lead = IntakeState.REJECTED, read.refusal[:500], None
        row.save()
        return row
    lead = known_lead(email=read.values.get("email", ""), phone=read.values.get("phone", ""))
    if lead is not None and lead.is_archived:
        row.state, row.reason = IntakeState.REJECTED, f"{lead} is known by what came and is archived; restore it first."
        row.save()
        return row
    row.state = IntakeState.DUPLICATE if lead is not None else IntakeState.ACCEPTED
    row.reason = "The lead was known; its fields follow the precedence of the source." if lead is not None else ""
    lead = lead or Lead(record_source=row.source.key)
    _take(lead, read.values, row.source, now)
    row.lead = lead
    row.save()
    if row.source.touch_type:
        source, utm, page = row.source, said_along.tags_of(row.payload), said_along.page_of(row.payload)
        key = key_of_touch(row.idempotency_key)
        touch = Touch(lead.pk, source.touch_type, now, source.key, key, address=page, utm=utm)
        write_touches([touch], now=now)
    if row.state == IntakeState.ACCEPTED:
        look_again(lead)
    said_along.keep(row, lead, now=now)
    score_leads([lead.pk], as_of=now)
    route_new([lead.pk], at=now)
    return row


def refused_by_contract(row: Intake) -> bool:
    """Whether a delivery is refused for what it says, which who sent it may read."""
    return bool(_read(row.source, row.payload).refusal)


def _read(source: IntakeSource, payload: Mapping[str, Any]) -> _Read:
    if len(payload) > MOST_FIELDS:
        return _Read({}, f"{len(payload)} fields came; a delivery has at most {MOST_FIELDS}.")
    names = {**{name: name for name in FIELDS}, **source.fields}
    found: dict[str, str] = {}
    for theirs, given in payload.items():
        field = names.get(theirs) if theirs != source.consent_field else None
        if field not in FIELDS or given in (None, ""):
            continue
        if not isinstance(given, str | int | float):
            return _Read({}, f"{theirs} is no text.")
        if NULL_SHOWN in str(given):
            return _Read({}, f"{theirs} holds a null byte; the source sent broken text.")
        if HALF_SHOWN in str(given):
            return _Read({}, f"{theirs} holds signs that cannot be read; the source has to send its text in UTF-8.")
        longest = getattr(Lead._meta.get_field(field), "max_length", None) or 254
        text = " ".join(str(given).split())
        if len(text) > longest:
            return _Read({}, f"{theirs} is too long: {len(text)} characters, at most {longest} fit.")
        found[field] = text
    if refused := _unreachable(found):
        return _Read({}, refused)
    missing = [str(Lead._meta.get_field(name).verbose_name) for name in source.required if not found.get(name)]  # type: ignore[union-attr]
    if missing:
        return _Read({}, f"The contract of {source} wants {', '.join(missing)}.")
    return _Read(found) if found else _Read({}, "Nothing in it says who it is about.")


def _unreachable(found: dict[str, str]) -> str:
    """Bring e-mail and phone to their one form; returns why one of them cannot be used, "" where both can."""
    country = found.get("country", "")
    try:
        if "email" in found:
            found["email"] = cells.email(found["email"]).lower()
    except InvalidInput as refusal:
        return f"The e-mail cannot be used. {refusal.message}"
    try:
        if "phone" in found:
            found["phone"] = phones.e164(found["phone"], country=country)
    except InvalidInput as refusal:
        return f"The phone cannot be used. {refusal.message}"
    return phones.refuse_elsewhere(found.get("phone", ""), country=country) or ""


def _take(lead: Lead, given: Mapping[str, str], source: IntakeSource, now: dt.datetime) -> None:
    """Write what the source may write, and keep everything it said."""
    trusted = _trust(lead) if lead.pk else {}
    rows = []
    for field, value in given.items():
        stood = getattr(lead, field) or ""
        mine = not stood or trusted.get(field, PEOPLE) <= source.precedence
        if mine:
            setattr(lead, field, value)
        if mine or value != stood:  # who is trusted less and says the same has said nothing new
            rows.append((field, value, mine))
    if lead.phone and phone_taken(lead):
        lead.is_phone_shared = True  # somebody else has it: the pair is suggested as duplicates, nothing is lost
    if lead.account_id is None:
        lead.account = company_of(lead.email)
    lead.save()
    FieldValue.objects.bulk_create(
        FieldValue(
            lead=lead,
            field=field,
            value=value,
            source=source.key,
            precedence=source.precedence,
            observed_at=now,
            is_taken=taken,
        )
        for field, value, taken in rows
    )


def _trust(lead: Lead) -> dict[str, int]:
    """Return how far the value that stands in each field is trusted; what no source brought, people did."""
    found: dict[str, int] = {}
    for row in FieldValue.objects.filter(lead=lead, is_taken=True).order_by("observed_at", "pk"):
        if row.value == (getattr(lead, row.field) or ""):
            found[row.field] = row.precedence
        else:
            found.pop(row.field, None)
    return found


def company_of(email: str | None) -> Company | None:
    """Return the company an address belongs to, by its domain; none for free mail."""
    domain = (email or "").rpartition("@")[2]
    if not domain or domain in FREE_MAIL:
        return None
    return Company.objects.live().filter(domain__iexact=domain).first()
