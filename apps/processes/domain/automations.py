"""The register of automations: which steps each carries out, its reviews, its end; and what is automated and where."""

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from apps.accounts.domain.ownership import owned_by
from apps.core import access, clock
from apps.core.access import visible
from apps.core.actors import acting_as
from apps.core.errors import DomainError, InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.overdue import LateRows
from apps.core.transitions import transition
from apps.core.words import reason_given
from apps.processes.domain.calendar import next_review
from apps.processes.enums import AutomationState, StepMode
from apps.processes.models import AutomatedStep, Automation, Process, Step

if TYPE_CHECKING:
    from apps.accounts.models import User


def steps_to_automate(person: "User") -> "QuerySet[Step]":
    """Return the steps in force that a machine does, wholly or in part, of the processes that `person` sees."""
    steps = visible(person, Step).filter(version=F("version__process__effective_version"))
    steps = steps.exclude(mode=StepMode.MANUAL).filter(version__process__archived_at__isnull=True)
    return steps.select_related("version__process").order_by("version__process__title", "position")


def refuse_change(user: "User", automation: Automation) -> str | None:
    """Return why `user` cannot link, review or retire an automation now, None when they can."""
    if not access.may(user, "change", automation):
        return "You may read the register of automations, not change it."
    return None if automation.is_live else f"{automation} is retired; add what runs instead."


def link_steps(automation: Automation, *, by: "User", steps: Iterable[Step]) -> str:
    """Say which steps an automation carries out; what was linked and is not among them is no longer.

    Steps of processes that `by` does not see stay linked.

    Raises:
        InvalidInput: a step is done by hand.
        NotAllowed, WrongState: `refuse_change`.
    """
    chosen = list(steps)
    if by_hand := next((each for each in chosen if each.mode == StepMode.MANUAL), None):
        said = f"“{by_hand}” is done by hand; say in a new version of the process that it is automated."
        raise InvalidInput(said, fields={"steps": said})
    wanted = {(each.version.process_id, each.key) for each in chosen}
    with transaction.atomic(), acting_as(by):
        row = _locked(automation, by)
        seen = visible(by, Process).values("pk")
        before = {(each.process_id, each.key): each for each in row.steps.filter(process__in=seen)}
        for place, each in before.items():
            if place not in wanted:
                each.delete()
        for process_id, key in sorted(wanted - set(before)):
            AutomatedStep.objects.create(automation=row, process_id=process_id, key=key)
        publish("automation.linked", automation_id=row.pk)
    return f"{row} carries out {len(wanted)} {'step' if len(wanted) == 1 else 'steps'}."


def review_automation(automation: Automation, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Note that somebody compared what an automation does with what is written; the next review is counted from today.

    Raises:
        InvalidInput: nothing says what was found.
        NotAllowed, WrongState: `refuse_change`.
    """
    said, moment = reason_given(reason, "Say what you compared, and what you found."), at or clock.now()
    with transaction.atomic(), acting_as(by, reason=said):
        row = _locked(automation, by)
        row.next_review_on = next_review(moment.date(), row.review_every)
        with transition(Automation):
            row.save(update_fields=["next_review_on"])
    return f"{row} is reviewed; the next review is due on {row.next_review_on:%-d %B %Y}."


def retire_automation(automation: Automation, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Take an automation out of use for good; steps it carried out are findings until something else does.

    Raises:
        InvalidInput: nothing says why.
        NotAllowed, WrongState: `refuse_change`.
    """
    said, moment = reason_given(reason, "Say why it is retired, and what does the work now."), at or clock.now()
    with transaction.atomic(), acting_as(by, reason=said):
        row = _locked(automation, by)
        row.state, row.retired_on, row.retired_because = AutomationState.RETIRED, moment.date(), said
        with transition(Automation):
            row.save(update_fields=["state", "retired_on", "retired_because"])
        publish("automation.retired", automation_id=row.pk)
    return f"{row} is retired."


def _locked(automation: Automation, by: "User") -> Automation:
    row: Automation = Automation.objects.select_for_update(of=("self",)).get(pk=automation.pk)
    if refused := refuse_change(by, row):
        kind: type[DomainError] = WrongState if access.may(by, "change", row) else NotAllowed
        raise kind(refused)
    return row


def automations_of(process: Process, person: "User") -> dict[str, Any]:
    """Return what automates the steps in force of a process: each step with its automations, those missing named."""
    steps = process.effective_version.steps.exclude(mode=StepMode.MANUAL) if process.effective_version else []
    links = AutomatedStep.objects.filter(process=process, automation__in=Automation.objects.in_use())
    found: dict[str, list[Automation]] = {}
    for each in links.select_related("automation"):
        found.setdefault(each.key, []).append(each.automation)
    lines = [
        {"step": step, "automations": found.get(step.key, []), "missing": step.mode == StepMode.AUTOMATED}
        for step in steps
    ]
    return {"lines": lines, "may_see": access.has_model_permission(person, "view", Automation)}


def registered_on() -> Q:
    """Return the condition on a process: a step in force is automated, and an automation in use is linked to it."""
    linked = AutomatedStep.objects.filter(
        process=OuterRef("version__process"), key=OuterRef("key"), automation__in=Automation.objects.in_use()
    )
    steps = Step.objects.filter(version=OuterRef("effective_version")).exclude(mode=StepMode.MANUAL)
    return Q(Exists(steps.filter(Exists(linked))))


def overdue_automations(person: "User", today: dt.date) -> LateRows:
    """Return the automations of `person` (or of their teams) whose review is due, longest first."""
    rows = visible(person, Automation).filter(
        owned_by(person), state=AutomationState.LIVE, archived_at__isnull=True, next_review_on__lte=today
    )
    return LateRows(rows.order_by("next_review_on"), "is due for review", "next_review_on")
