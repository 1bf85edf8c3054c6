"""Implementing a tool: its gates, and the run of an SOP that carries it out."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Min

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.events import publish
from apps.core.transitions import transition
from apps.core.words import reason_given
from apps.technology.enums import Gate, Lifecycle
from apps.technology.models import ImplementationGate, Tool

if TYPE_CHECKING:
    from apps.accounts.models import User

WORDS: dict[str, str] = {
    Gate.PHASED: "Who gets it in which phase, and what must be true before the next one begins.",
    Gate.TESTED: "What was tested with which result: functions, data, access, integrations.",
    Gate.TRAINED: "Who was trained when, and where the material is.",
    Gate.MONITORED: "What is measured against which target, who is told, and since when.",
}


def open_gates(tool: Tool) -> list[ImplementationGate]:
    """Return the gates a tool has still to pass, in their order."""
    return list(ImplementationGate.objects.filter(tool=tool, passed_at__isnull=True).order_by("position"))


def refuse_gates(tool: Tool) -> str | None:
    """Return why an implemented tool cannot become active yet, None when all its gates are passed."""
    waiting = open_gates(tool)
    if not waiting:
        return None
    words = ", ".join(gate.get_kind_display().lower() for gate in waiting)
    return f"{tool} still has gates of its implementation to pass: {words}. Pass them with evidence first."


def refuse_runs(tool: Tool) -> str | None:
    """Return which run of an SOP must be done before a tool that is implemented becomes active, None when none."""
    under_way, is_done, wanted = _rollouts(tool)
    if under_way:
        run = under_way[0]
        return (
            f"“{run}” is under way, {run.steps_closed} of {run.steps_total} steps closed. An implementation ends with "
            "its run: finish its steps, or call it off and say why."
        )
    if wanted and not is_done:
        return (
            f"No run of “{wanted[0]}” was carried out for {tool}. Start it with “Start the implementation run” and "
            "finish its steps."
        )
    return None


def _rollouts(tool: Tool) -> tuple[list[Any], bool, list[str]]:
    """Return the runs under way since the implementation began, whether one is done, and what must be carried out."""
    since = ImplementationGate.objects.filter(tool=tool).aggregate(since=Min("created_at"))["since"]
    if since is None:
        return [], False, []
    found: tuple[list[Any], bool, list[str]] = import_module("mops.wiring").rollouts_of(tool, since)
    return found


def refuse_implementation(tool: Tool) -> str | None:
    """Return why an implemented tool cannot become active yet: an open gate, or a run that is not done."""
    return refuse_gates(tool) or refuse_runs(tool)


def refuse_pass(user: "User", gate: ImplementationGate) -> str | None:
    """Return why `user` cannot pass this gate now, None when it works."""
    if not access.can(user, "change", gate):
        return "You may not pass gates."
    if gate.passed_at is not None:
        return f"It was passed on {gate.passed_at:%-d %B %Y}."
    if gate.tool.lifecycle != Lifecycle.IMPLEMENTING:
        return f"{gate.tool} is {gate.tool.get_lifecycle_display().lower()}; gates are passed while it is implemented."
    first, *later = open_gates(gate.tool)
    if first.pk != gate.pk:
        return f"First comes “{first.get_kind_display().lower()}”; the gates are passed one after the other."
    return None if later else refuse_runs(gate.tool)


def pass_gate(gate: ImplementationGate, *, by: "User", reason: str) -> str:
    """Pass a gate with evidence; announces `tool.gate_passed`.

    Raises:
        NotAllowed, WrongState: as `refuse_pass` says.
        InvalidInput: without evidence.
    """
    evidence = reason_given(reason, "Say what shows it: a gate is passed with evidence.")
    with transaction.atomic(), acting_as(by, reason=evidence):
        Tool.objects.select_for_update(of=("self",)).get(pk=gate.tool_id)
        row = ImplementationGate.objects.select_for_update(of=("self",)).select_related("tool").get(pk=gate.pk)
        if refused := refuse_pass(by, row):
            raise (WrongState if access.can(by, "change", row) else NotAllowed)(refused)
        row.passed_at, row.passed_by, row.evidence = clock.now(), by, evidence
        with transition(ImplementationGate):
            row.save(update_fields=["passed_at", "passed_by", "evidence"])
        publish("tool.gate_passed", tool_id=row.tool_id)
    left = len(open_gates(row.tool))
    return (
        f"{row} is passed; {left} to go." if left else f"{row} is passed, the last one: {row.tool} can become active."
    )


def begin_rollouts(tool: Tool, *, by: "User") -> list[str]:
    """Start the runs of SOPs that begin when a tool is implemented, in the caller's transaction; a sentence each."""
    begun: list[str] = import_module("mops.wiring").begin_rollouts(tool, by=by)
    return begun


def refuse_rollout(user: "User", tool: Tool) -> str | None:
    """Return why `user` cannot start the run that implements this tool, None when it works."""
    if not access.can(user, "change", tool):
        return f"You may not change {tool}."
    if tool.lifecycle != Lifecycle.IMPLEMENTING:
        return f"{tool} is {tool.get_lifecycle_display().lower()}; the run is started while it is implemented."
    under_way = _rollouts(tool)[0]
    return f"“{under_way[0]}” is under way already; it stands on this page." if under_way else None


def start_rollout(tool: Tool, *, by: "User", process: int, due_on: Any = None) -> str:
    """Start a run of an SOP that carries out the implementation of a tool.

    Args:
        tool: what is implemented.
        by: who starts it.
        process: key of the process to follow; see `mops.wiring.rollout_choices`.
        due_on: by when it is to be done.

    Raises:
        NotAllowed, WrongState: as `refuse_rollout` says, or the process has no version in force.
    """
    with transaction.atomic(), acting_as(by):
        row = Tool.objects.select_for_update(of=("self",)).get(pk=tool.pk)
        if refused := refuse_rollout(by, row):
            raise (WrongState if access.can(by, "change", row) else NotAllowed)(refused)
        run: Any = import_module("mops.wiring").start_rollout(row, process=process, by=by, due_on=due_on)
    return f"{run} is under way: {run.steps_total} steps. It stands on this page."
