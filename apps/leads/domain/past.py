"""What stages leads were in before mops knew them, as the system they come from tells it: told, never rewritten."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed
from apps.leads.domain.touches import AHEAD, OLDEST
from apps.leads.enums import Stage
from apps.leads.models import Lead, StageInterval

if TYPE_CHECKING:
    from apps.accounts.models import User


@dataclass(frozen=True)
class Told:
    """One stage a lead came into.

    Attributes:
        lead_id: whose it is.
        stage: one of `Stage`.
        since: when it came there, with its zone.
        reason: why, as far as the other system says.
    """

    lead_id: int
    stage: str
    since: dt.datetime
    reason: str = ""


def refusal_of(told: Told, first: StageInterval, *, now: dt.datetime) -> str | None:
    """Return why a stage of the past cannot be taken in, None when it can.

    Args:
        told: what the other system says.
        first: the earliest stretch that is recorded of this lead.
        now: nothing lies after it.
    """
    day = f"{told.since:%-d %b %Y}"
    if told.stage not in Stage.values:
        return f"There is no stage “{told.stage}”; there are {', '.join(Stage.values)}."
    if told.since.tzinfo is None:
        return "Say in which time zone it happened."
    if told.since > now + AHEAD:
        return f"It would have come there on {day}, which is still to come."
    if told.since < OLDEST:
        return f"It would have come there on {day}; before 2000 nothing was recorded."
    if told.since >= first.entered_at:
        return (
            f"On {day} its stage is recorded here already ({first.get_stage_display()} since "
            f"{first.entered_at:%-d %b %Y}); only what was before that can be told."
        )
    return None


def first_stretches(leads: Iterable[int]) -> dict[int, StageInterval]:
    """Return the earliest stretch recorded of each lead: one query."""
    rows = StageInterval.objects.filter(lead__in=list(leads)).order_by("lead_id", "entered_at").distinct("lead_id")
    return {each.lead_id: each for each in rows}


def known_stretches(leads: Iterable[int]) -> set[tuple[int, str, dt.datetime]]:
    """Return what is recorded of these leads: lead, stage, since when."""
    return set(StageInterval.objects.filter(lead__in=list(leads)).values_list("lead", "stage", "entered_at"))


def tell_past(told: Sequence[Told], *, by: "User", at: dt.datetime | None = None) -> int:
    """Put stages before what is recorded, each lasting until the next one; return how many stretches that made.

    The stage of the lead stays as it is, and so does what was recorded; where the last stage told is the one in which
    the record begins, that stretch begins earlier.

    Raises:
        NotAllowed: `by` may not change one of the leads.
        InvalidInput: one of them cannot be; nothing was written.
    """
    now, leads = at or clock.now(), {each.lead_id for each in told}
    if access.visible(by, Lead, verb="change").filter(pk__in=leads).count() != len(leads):
        raise NotAllowed("You may not change one of these leads, or there is none of this number.")
    with transaction.atomic(), acting_as(by):
        list(Lead.objects.select_for_update(of=("self",)).filter(pk__in=leads).order_by("pk").values_list("pk"))
        firsts = first_stretches(leads)
        for each in told:
            if refused := refusal_of(each, firsts[each.lead_id], now=now):
                raise InvalidInput(refused)
        of_lead: dict[int, list[Told]] = {}
        for each in sorted(told, key=lambda row: row.since):
            of_lead.setdefault(each.lead_id, []).append(each)
        made = [row for key, rows in of_lead.items() for row in _stretches(rows, firsts[key], by=str(by))]
        replaced = [firsts[key].pk for key, rows in of_lead.items() if rows[-1].stage == firsts[key].stage]
        StageInterval.objects.filter(pk__in=replaced).delete()
        StageInterval.objects.bulk_create(made)
    return len(made)


def _stretches(rows: list[Told], first: StageInterval, *, by: str) -> list[StageInterval]:
    """Return the stretches of one lead, its stages in order of time; the same stage again goes on."""
    kept = [rows[0], *(row for before, row in pairwise(rows) if row.stage != before.stage)]
    joins = kept[-1].stage == first.stage
    ends = [*(row.since for row in kept[1:]), first.exited_at if joins else first.entered_at]
    return [
        StageInterval(
            lead_id=row.lead_id,
            stage=row.stage,
            entered_at=row.since,
            exited_at=end,
            reason=row.reason[:500],
            actor_label=by[:150],
        )
        for row, end in zip(kept, ends, strict=True)
    ]
