"""Web forms: what anybody on the internet sends to a source, judged by its contract and answered in a sentence."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from apps.core import clock
from apps.core.storable import storable_object
from apps.leads.domain.intake import receive, refused_by_contract
from apps.leads.domain.payloads import key_within
from apps.leads.domain.said_along import LONGEST_WORDING, WORDING, is_ticked
from apps.leads.domain.visits import lead_of, read_visitor
from apps.leads.enums import IntakeState
from apps.leads.models import Intake, IntakeSource

if TYPE_CHECKING:
    from apps.accounts.models import User

OWN = ("_key", WORDING)  # what names the form, and what nobody but us says


@dataclass(frozen=True)
class Answer:
    """What the person who sent the form reads."""

    is_taken: bool
    sentence: str
    intake: Intake | None = None


def source_of(key: str) -> IntakeSource | None:
    """Return the source that takes forms at this address, None where there is none."""
    return IntakeSource.objects.live().filter(Q(is_web_form=True) | Q(takes_visits=True), key=key, is_open=True).first()


def is_allowed(source: IntakeSource, origin: str) -> bool:
    """Whether a page of this origin may send to `source`; a source that names none takes forms of all."""
    return not source.origins or origin.rstrip("/").lower() in {each.rstrip("/").lower() for each in source.origins}


def take_form(source: IntakeSource, given: Mapping[str, Any], *, by: "User", at: dt.datetime | None = None) -> Answer:
    """Take one form in: a delivery, its consent, and whose browser it was. The same form again is one form.

    What is kept from its lead by something that people have to look at (it is archived) is answered with thanks: who
    sends a form learns nothing about anybody.

    Args:
        source: with its contract.
        given: the fields as they came; `_key` names the delivery, `_visitor` the browser.
        by: mops itself.
        at: now, where another moment is meant.
    """
    now, given = at or clock.now(), storable_object(given)
    fields = {name: value for name, value in given.items() if name not in OWN}
    trapped = bool(source.honeypot and str(fields.pop(source.honeypot, "") or "").strip())
    if is_ticked(source, given):  # the wording of today, whatever the contract says when this is judged again
        fields[WORDING] = source.consent_wording[:LONGEST_WORDING]
    key = key_within(str(given.get("_key") or "")) or _digest(given, now)
    refusal = "A field that people do not see was filled in: a machine sent it." if trapped else ""
    row = receive(source, fields, key=key, by=by, at=now, refusal=refusal)
    if row.state == IntakeState.REJECTED and not trapped and refused_by_contract(row):
        return Answer(False, row.reason, row)
    return Answer(True, _thanks(source), row)  # machines learn nothing from the answer


def _thanks(source: IntakeSource) -> str:
    return source.thanks or "Thank you. We have what you sent and will be in touch."


def _digest(given: Mapping[str, Any], now: dt.datetime) -> str:
    """Return a key for a form that brings none: the same content on the same day is the same form."""
    text = json.dumps({str(name): str(value) for name, value in given.items()}, sort_keys=True)
    return f"{now:%Y%m%d}-{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def known_visitor(given: str) -> Any:
    """Return the lead in use behind the number of a visitor, None where it is none or nobody's."""
    lead = lead_of(read_visitor(given)) if given else None
    return None if lead is None or lead.is_archived else lead
