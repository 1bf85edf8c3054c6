"""Consent: what a lead agreed to, with its evidence; the newest word on a purpose counts."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.words import reason_given
from apps.leads.enums import ConsentPurpose
from apps.leads.models import Consent, Lead

if TYPE_CHECKING:
    from apps.accounts.models import User


def refuse_consent(user: "User", lead: Lead) -> str | None:
    """Return why `user` cannot record a consent of `lead`, None when they can."""
    if not access.may(user, "change", lead):
        return f"You may not change {lead}."
    return f"{lead} is archived; restore it first." if lead.is_archived else None


def record_consent(
    lead: Lead,
    *,
    purpose: str,
    is_given: bool,
    evidence: str,
    by: "User",
    source: str = "people",
    given_at: dt.datetime | None = None,
) -> str:
    """Keep that `lead` agreed to a purpose, or took it back.

    The evidence is the form and its wording, the letter, the call; `given_at` is when the person said so. What is
    taken back is kept of an archived lead as well.

    Raises:
        NotAllowed, WrongState: as `refuse_consent` says.
        InvalidInput: no evidence, no such purpose, or a day to come.
    """
    evidence = reason_given(evidence, "A consent counts with its evidence alone: say where it is written.")
    now = clock.now()
    if purpose not in ConsentPurpose.values:
        raise InvalidInput(f"There is no purpose “{purpose}”.")
    if given_at is not None and given_at > now:
        raise InvalidInput("A consent is not given in the future.")
    refused = refuse_consent(by, lead)
    if refused and (is_given or not access.may(by, "change", lead)):
        raise (WrongState if access.may(by, "change", lead) else NotAllowed)(refused)
    with transaction.atomic(), acting_as(by):
        row = Consent.objects.create(
            lead=lead,
            purpose=purpose,
            is_given=is_given,
            given_at=given_at or now,
            recorded_at=now,
            source=source,
            evidence=evidence[:300],
            recorded_by=by,
        )
    said = "agrees to" if is_given else "takes back"
    return f"It is recorded that {lead} {said} “{row.get_purpose_display()}”."


def consents_of(lead: Lead) -> list[Consent]:
    """Return the newest word of `lead` on each purpose, of those merged into it too: one query."""
    rows = (
        Consent.objects.filter(Q(lead=lead) | Q(lead__merged_into=lead))
        .order_by("purpose", "-given_at", "-pk")
        .distinct("purpose")
    )
    return list(rows)
