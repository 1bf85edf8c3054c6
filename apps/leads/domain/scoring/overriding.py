"""A score set by hand: with a reason and an end, beside what the rules say."""

import datetime as dt
import math
from typing import TYPE_CHECKING

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.asking import once
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.words import reason_given
from apps.leads.domain.scoring.engine import score_leads
from apps.leads.domain.scoring.model import model_in_force
from apps.leads.models import Lead, ScoreOverride

if TYPE_CHECKING:
    from apps.accounts.models import User

LONGEST = dt.timedelta(days=365)
OVERRIDDEN = "lead overridden"  # the question, for `asking_once`


def standing(lead: Lead) -> ScoreOverride | None:
    """Return what stands in the place of the rules' score of `lead` now, None where nothing does."""
    rows = ScoreOverride.objects.select_related("set_by")
    return once((OVERRIDDEN, lead.pk), rows.filter(lead=lead, ended_at__isnull=True, expires_at__gt=clock.now()).first)


def refuse_override(user: "User", lead: Lead) -> str | None:
    """Return why `user` cannot set the score of `lead` by hand, None when they can."""
    if not access.may(user, "change", lead):
        return f"You may not change {lead}."
    if lead.is_archived:
        return f"{lead} is archived; restore it first."
    if standing(lead) is not None:
        return "The score of this lead is set by hand already; end that first."
    return None


def set_score(lead: Lead, *, value: float, until: dt.date, reason: str, by: "User") -> str:
    """Put a score in the place of the rules' until a day.

    Raises:
        NotAllowed, WrongState: as `refuse_override` says.
        InvalidInput: no reason, a score out of range, or a day that is past or more than a year away.
    """
    reason = reason_given(reason, "Say why the rules are wrong about this lead.")
    now = clock.now()
    if not now.date() <= until <= now.date() + LONGEST:
        raise InvalidInput("A score set by hand holds until today or a later day, within a year.")
    ends, model = dt.datetime.combine(until, dt.time(), dt.UTC) + dt.timedelta(days=1), model_in_force()
    if not math.isfinite(value):
        raise InvalidInput("A score is a number.")
    if model is not None and not model.lowest <= value <= model.highest:
        raise InvalidInput(f"Scores go from {model.lowest:g} to {model.highest:g}.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row: Lead = Lead.objects.select_for_update(of=("self",)).get(pk=lead.pk)
        if refused := refuse_override(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        for past in ScoreOverride.objects.filter(lead=row, ended_at__isnull=True):
            past.ended_at = past.expires_at
            past.save(update_fields=["ended_at"])
        ScoreOverride.objects.create(lead=row, value=value, reason=reason[:500], set_by=by, set_at=now, expires_at=ends)
        score_leads([row.pk], as_of=now)
    return f"{value:g} points until {until:%-d %B %Y}; what the rules say stands beside it."


def refuse_end(user: "User", lead: Lead) -> str | None:
    """Return why `user` cannot give `lead` back to the rules, None when they can."""
    if not access.may(user, "change", lead):
        return f"You may not change {lead}."
    if standing(lead) is None:
        return "The rules score this lead; nothing was set by hand."
    return None


def end_override(lead: Lead, *, by: "User", reason: str = "") -> str:
    """Let the rules score a lead again.

    Raises:
        NotAllowed, WrongState: as `refuse_end` says.
    """
    now = clock.now()
    with transaction.atomic(), acting_as(by, reason=reason or None):
        row: Lead = Lead.objects.select_for_update(of=("self",)).get(pk=lead.pk)
        if refused := refuse_end(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        for each in ScoreOverride.objects.filter(lead=row, ended_at__isnull=True):
            each.ended_at = now
            each.save(update_fields=["ended_at"])
        score_leads([row.pk], as_of=now)
    return "The rules score this lead again."
