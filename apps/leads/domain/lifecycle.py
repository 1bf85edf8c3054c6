"""The lifecycle of a lead: six stages, each move with its reason."""

from typing import TYPE_CHECKING

from django.db import transaction

from apps.core import access
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.events import publish
from apps.core.transitions import transition
from apps.leads.enums import MOVES, Stage
from apps.leads.models import Lead

if TYPE_CHECKING:
    from apps.accounts.models import User


def refuse_stage(user: "User", lead: Lead, *, to: Stage) -> str | None:
    """Return why `user` cannot bring `lead` to stage `to` now, None when it works."""
    if not access.may(user, "change", lead):
        return f"You may not change {lead}."
    if lead.is_archived:
        return f"{lead} is archived; restore it first."
    if to in MOVES[Stage(lead.stage)]:
        return None
    ways = " or ".join(stage.label for stage in MOVES[Stage(lead.stage)])
    now = Stage(lead.stage).label
    return f"{lead} is at {now}; from there it goes to {ways}." if ways else f"{lead} is at {now}, the last stage."


def move_lead(lead: Lead, *, to: Stage, by: "User", reason: str) -> str:
    """Bring `lead` to stage `to`; announces `lead.moved`.

    Raises:
        NotAllowed: `by` may not change the lead.
        WrongState: there is no way from where it is.
    """
    with transaction.atomic(), acting_as(by, reason=reason or None):
        row: Lead = Lead.objects.select_for_update(of=("self",)).get(pk=lead.pk)
        if refused := refuse_stage(by, row, to=to):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        row.stage = to
        with transition(Lead):
            row.save(update_fields=["stage"])
        publish("lead.moved", lead_id=row.pk, to=to.value)
    return f"{row} is at {to.label} now."
