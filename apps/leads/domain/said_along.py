"""What a form says beside its fields: a yes to marketing, whose browser sent it, and from which page by which link.

It is kept with the delivery and done once that is taken in, be that later, when a reject is judged again.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from apps.core.actors import system_principal
from apps.core.errors import InvalidInput
from apps.leads.domain.consent import record_consent
from apps.leads.domain.touches import UTM
from apps.leads.domain.visits import alone_with, cleaned, read_visitor, stitch
from apps.leads.enums import ConsentPurpose
from apps.leads.models import Intake, IntakeSource, Lead

VISITOR, PAGE, WORDING = "_visitor", "_page", "_wording"
YES = ("1", "on", "true", "yes")
LONGEST_WORDING = 160


def visitor_of(payload: Mapping[str, Any]) -> uuid.UUID | None:
    """Return the visitor a delivery names; None where none is, or what cannot be read: no form is lost for that."""
    try:
        return read_visitor(payload[VISITOR]) if payload.get(VISITOR) else None
    except InvalidInput:
        return None


def hold(payload: Mapping[str, Any]) -> None:
    """Let what this visitor does elsewhere wait; the first lock of a delivery, as it is of visits."""
    if (visitor := visitor_of(payload)) is not None:
        alone_with(visitor)


def is_ticked(source: IntakeSource, payload: Mapping[str, Any]) -> bool:
    """Whether the form says yes to marketing."""
    given = payload.get(source.consent_field, "") if source.consent_field else ""
    return str(given).strip().lower() in YES


def tags_of(payload: Mapping[str, Any]) -> dict[str, str]:
    """Return the UTM tags a form brings, as hidden fields do: utm_source, utm_medium, utm_campaign and so on."""
    found = {name: cleaned(payload.get(f"utm_{name}")) for name in UTM}
    return {name: value for name, value in found.items() if value}


def page_of(payload: Mapping[str, Any]) -> str:
    """Return the page a form was sent from, "" where it does not say."""
    return cleaned(payload.get(PAGE))


def keep(row: Intake, lead: Lead, *, now: dt.datetime) -> None:
    """Record the consent of a delivery that was taken in, as of the day it came, and join its visitor to the lead."""
    source, payload, by = row.source, row.payload, system_principal()
    if is_ticked(source, payload):
        page = " ".join(str(payload.get(PAGE) or "").split())[:80]
        wording = str(payload.get(WORDING) or source.consent_wording)[:LONGEST_WORDING]
        record_consent(
            lead,
            purpose=ConsentPurpose.MARKETING_EMAIL,
            is_given=True,
            evidence=f"“{wording}” ticked on {source}{f', {page}' if page else ''}",
            by=by,
            source=source.key,
            given_at=row.received_at,
        )
    if (visitor := visitor_of(payload)) is not None:
        stitch(visitor, lead, how=f"Sent “{source}” from this browser.", by=by, at=now)
