"""Deadlines of stages: counted in business hours, reminded and escalated. Nothing is ever approved by time."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from apps.accounts.models import User
from apps.approvals.domain.definition import read_stage
from apps.approvals.enums import StageState
from apps.approvals.models import StageInstance
from apps.core.clocks.domain.clocks import begin_clock_of, end_clock_of
from apps.core.clocks.enums import RungKind
from apps.core.clocks.registry import Metric, Rung
from apps.core.events import publish
from apps.core.transitions import transition

if TYPE_CHECKING:
    from apps.core.clocks.models import Clock

STAGE = "approvals.stage"
LADDER = (Rung(50), Rung(90), Rung(100, RungKind.ESCALATE), Rung(200, RungKind.ESCALATE))


def start_deadline(stage: StageInstance, *, by: User, at: dt.datetime) -> None:
    """Start the clock of a stage that begins and set when it is due, for the caller to save; none without a time."""
    hours = read_stage(stage.spec).due_hours
    if hours is None:
        return
    stage.due_at = begin_clock_of(stage, STAGE, target=dt.timedelta(hours=hours), by=by, at=at).due_at


def end_deadline(stage: StageInstance, *, by: User, at: dt.datetime, decided: bool) -> None:
    """Stop the clock of a stage that was decided; cancel it where nothing was measured."""
    if stage.due_at is None:
        return
    end_clock_of(stage, STAGE, by=by, cancel=not decided, at=at)


def on_rung(clock: "Clock", rung: Rung, *, at: dt.datetime) -> None:
    """Remind those who have not decided, or ask further people too; called once for each rung."""
    stage: Any = clock.subject
    if stage is None or stage.state != StageState.ACTIVE:
        return
    if rung.kind == RungKind.ESCALATE:
        escalate(stage, at=at)
        publish("approval.stage_late", stage_id=stage.pk, percent=rung.percent)
    else:
        publish("approval.stage_due_soon", stage_id=stage.pk, percent=rung.percent)


def escalate(stage: StageInstance, *, at: dt.datetime) -> None:
    """Let those decide too whom the policy names for a late stage; the quorum stays what it is."""
    further = [token for token in read_stage(stage.spec).escalate if token not in stage.named]
    stage.named, stage.escalated_at = [*stage.named, *further], stage.escalated_at or at
    with transition(StageInstance):
        stage.save(update_fields=["named", "escalated_at"])


def metric() -> Metric:
    """Return what clocks know about stages."""
    return Metric(key=STAGE, title="Decision", on_rung=on_rung, ladder=LADDER)
