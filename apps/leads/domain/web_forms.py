"""Web forms: what anybody on the internet sends to a source, judged by its contract and answered in a sentence."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q

from apps.core import clock
from apps.leads.domain.consent import record_consent
from apps.leads.domain.intake import LONGEST_KEY, receive
from apps.leads.domain.visits import lead_of, read_visitor, stitch
from apps.leads.enums import ConsentPurpose, IntakeState
from apps.leads.models import Intake, IntakeSource

if TYPE_CHECKING:
    from apps.accounts.models import User

OWN = ("_key", "_visitor", "_page")  # what the form says about itself, not about the person
YES = ("1", "on", "true", "yes")


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

    Args:
        source: with its contract.
        given: the fields as they came; `_key` names the delivery, `_visitor` the browser.
        by: mops itself.
        at: now, where another moment is meant.
    """
    now = at or clock.now()
    fields = {name: value for name, value in given.items() if name not in OWN and name != source.consent_field}
    trapped = bool(source.honeypot and str(fields.pop(source.honeypot, "") or "").strip())
    key = str(given.get("_key") or "")[:LONGEST_KEY] or _digest(given, now)
    with transaction.atomic():
        refusal = "A field that people do not see was filled in: a machine sent it." if trapped else ""
        row = receive(source, fields, key=key, by=by, at=now, refusal=refusal)
        if trapped:  # machines learn nothing from the answer
            return Answer(True, _thanks(source), row)
        if row.state == IntakeState.REJECTED or row.lead is None:
            return Answer(False, row.reason, row)
        if row.received_at == now:
            _consented(source, given, row, by=by)
        if given.get("_visitor"):
            how = f"Sent “{source}” from this browser."
            stitch(read_visitor(given["_visitor"]), row.lead, how=how, by=by, at=now)
    return Answer(True, _thanks(source), row)


def _thanks(source: IntakeSource) -> str:
    return source.thanks or "Thank you. We have what you sent and will be in touch."


def _digest(given: Mapping[str, Any], now: dt.datetime) -> str:
    """Return a key for a form that brings none: the same content on the same day is the same form."""
    text = json.dumps({str(name): str(value) for name, value in given.items()}, sort_keys=True)
    return f"{now:%Y%m%d}-{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def _consented(source: IntakeSource, given: Mapping[str, Any], row: Intake, *, by: "User") -> None:
    ticked = str(given.get(source.consent_field, "") if source.consent_field else "").strip().lower()
    if row.lead is not None and ticked in YES:
        page = " ".join(str(given.get("_page") or "").split())[:80]
        record_consent(
            row.lead,
            purpose=ConsentPurpose.MARKETING_EMAIL,
            is_given=True,
            evidence=f"“{source.consent_wording[:160]}” ticked on {source}{f', {page}' if page else ''}",
            by=by,
            source=source.key,
            given_at=row.received_at,
        )


def known_visitor(given: str) -> Any:
    """Return the lead behind the number of a visitor, None where it is none or nobody's."""
    return lead_of(read_visitor(given)) if given else None
