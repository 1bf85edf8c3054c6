"""The checks that come with mops: what a compliance rule can demand of processes, runs, automations and tools."""

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import Exists, F, OuterRef, Q

from apps.processes.domain.reading import qualified_people, unread
from apps.processes.enums import Disposition, RunState, StepDeed, StepMode
from apps.processes.models import AutomatedStep, Automation, Feedback, Process, Run, RunStepEvent, Step

if TYPE_CHECKING:
    from django.db.models import QuerySet

FEEDBACK_DAYS, RUN_DAYS, QUALIFIED = 30, 90, 2
_NOBODY = Q(owner_person__isnull=True, owner_team__isnull=True)
_NO_BACKUP = Q(backup_person__isnull=True, backup_team__isnull=True)


def live_processes() -> "QuerySet[Any]":
    """Return the processes in use."""
    return Process.objects.live()


def processes_in_force() -> "QuerySet[Any]":
    """Return the processes in use that have a version in force."""
    return live_processes().filter(effective_version__isnull=False)


def recent_runs() -> "QuerySet[Any]":
    """Return all runs; each check looks at those it is about."""
    return Run.objects.live()


def owned(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """Somebody answers for it, and somebody stands in."""
    said = {
        (True, True): "Nobody answers for it, and nobody stands in.",
        (True, False): "Nobody answers for it.",
        (False, True): "Nobody stands in for its owner.",
    }
    return {pk: said[owner, backup] for pk, owner, backup in _missing(rows)}


def _missing(rows: "QuerySet[Any]") -> list[tuple[int, bool, bool]]:
    columns = ("pk", "owner_person", "owner_team", "backup_person", "backup_team")
    gaps = rows.filter(_NOBODY | _NO_BACKUP).values_list(*columns)
    return [(pk, not (one or team), not (second or spare)) for pk, one, team, second, spare in gaps]


def in_force(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """A version with steps is in force."""
    missing = rows.filter(Q(effective_version__isnull=True) | Q(effective_version__flow={}))
    return {
        pk: "The version in force has no steps." if version else "No version is in force."
        for pk, version in missing.values_list("pk", "effective_version")
    }


def reviewed(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """Its review is not overdue; of processes and automations alike."""
    late = rows.filter(next_review_on__lt=at.date()).values_list("pk", "next_review_on")
    return {pk: f"The review was due on {day:%-d %B %Y}." for pk, day in late}


def quota_reached(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """Those who must read the version in force have read it."""
    required = rows.filter(requirements__archived_at__isnull=True, requirements__isnull=False).distinct()
    found = {}
    for process in required.select_related("effective_version"):
        if process.effective_version and (said := unread(process.effective_version)):
            found[process.pk] = said
    return found


def enough_qualified(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """At least two people are qualified, where reading is required."""
    required = rows.filter(requirements__archived_at__isnull=True, requirements__isnull=False).distinct()
    found = {}
    for process in required:
        number = qualified_people(process).count()
        if number < QUALIFIED:
            found[process.pk] = "Nobody is qualified." if not number else "It hangs on one qualified person."
    return found


def feedback_answered(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """Feedback is answered within thirty days."""
    old = Feedback.objects.filter(
        process__in=rows.values("pk"),
        disposition=Disposition.OPEN,
        created_at__lt=at - dt.timedelta(days=FEEDBACK_DAYS),
    )
    found: dict[int, int] = {}
    for pk in old.values_list("process", flat=True):
        found[pk] = found.get(pk, 0) + 1
    return {pk: f"{number} older than {FEEDBACK_DAYS} days wait for an answer." for pk, number in found.items()}


def unregistered_steps(rows: "QuerySet[Any]") -> "QuerySet[Step]":
    """Return the automated steps in force of these processes that no automation in use is linked to."""
    linked = AutomatedStep.objects.filter(
        process=OuterRef("version__process"), key=OuterRef("key"), automation__in=Automation.objects.in_use()
    )
    steps = Step.objects.filter(version__in=rows.values("effective_version"), mode=StepMode.AUTOMATED)
    return steps.exclude(Exists(linked.filter(archived_at__isnull=True)))


def automation_registered(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """Every automated step stands in the register of automations."""
    found: dict[int, list[str]] = {}
    for pk, title in unregistered_steps(rows).values_list("version__process", "title"):
        found.setdefault(pk, []).append(f"“{title}”")
    return {pk: f"Automated and not in the register: {', '.join(titles)}." for pk, titles in found.items()}


def run_on_time(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """Runs are finished by their day."""
    late = rows.filter(state=RunState.ACTIVE, due_on__lt=at.date()).values_list("pk", "due_on")
    return {pk: f"It was due on {day:%-d %B %Y} and is still under way." for pk, day in late}


def run_conforms(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """Runs finished in the last quarter left no blocking step out and stayed on their version."""
    done = rows.filter(state=RunState.DONE, ended_at__gte=at - dt.timedelta(days=RUN_DAYS))
    strayed = RunStepEvent.objects.filter(run__in=done.values("pk")).filter(
        Q(deed=StepDeed.MOVED) | Q(deed=StepDeed.WAIVED, run_step__step__is_blocking=True)
    )
    found: dict[int, str] = {}
    for run, deed, title in strayed.order_by("run", "at").values_list("run", "deed", "run_step__step__title"):
        found[run] = f"“{title}” was left out." if deed == StepDeed.WAIVED else "It changed its version on the way."
    return found


def automation_described(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """Somebody answers for an automation, and the system it runs in is named."""
    found = {}
    for pk, tool, owner, team in rows.values_list("pk", "tool", "owner_person", "owner_team"):
        gaps = [said for said, missing in (("its owner", not (owner or team)), ("its system", tool is None)) if missing]
        if gaps:
            found[pk] = f"Nothing names {' and '.join(gaps)}."
    return found


def automation_is_used(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """An automation is linked to a step that is automated in a version in force."""
    steps = Step.objects.filter(
        version=F("version__process__effective_version"), version__process=OuterRef("process"), key=OuterRef("key")
    ).exclude(mode=StepMode.MANUAL)
    linked = AutomatedStep.objects.filter(automation=OuterRef("pk"), archived_at__isnull=True)
    idle = rows.exclude(Exists(linked.filter(Exists(steps))))
    return dict.fromkeys(idle.values_list("pk", flat=True), "No step in force is linked to it.")


def tools_in_use() -> "QuerySet[Any]":
    """Return the tools somebody works with today."""
    rows: Any = apps.get_model("technology", "Tool")._default_manager
    found: QuerySet[Any] = rows.in_use()
    return found


def purpose_known(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """Tools that hold confidential data say which."""
    unknown: Any = rows.all()
    said = "It holds confidential data, and nothing says which."
    return dict.fromkeys(unknown.sensitive_without_purpose().values_list("pk", flat=True), said)


def tool_known(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """Tools of a process that people work with have an owner."""
    return dict.fromkeys(rows.filter(_NOBODY).values_list("pk", flat=True), "Nobody in mops answers for it.")
