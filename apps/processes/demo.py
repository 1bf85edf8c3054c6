"""The demo's chapter about processes being carried out: a weekly review in force, and runs at different points."""

import datetime as dt
from typing import Any

from apps.accounts.models import User
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.core.actors import acting_as
from apps.processes.domain import doing, waiving
from apps.processes.domain.flow import write_flow
from apps.processes.domain.publishing import submit_for_approval, write_draft
from apps.processes.domain.running import start_run
from apps.processes.enums import Every, Family, StepKind, StepMode
from apps.processes.models import Process, Recurrence, Run
from apps.processes.models.values import Flow, FlowEdge, FlowStep

TITLE = "Lead sample of the week"
_STEPS = (
    FlowStep("export", "Export the leads of the week", mode=StepMode.AUTOMATED, role="Marketing analyst", minutes=10),
    FlowStep(
        "sample",
        "Read a sample of thirty leads",
        role="Marketing analyst",
        minutes=60,
        instructions="Take **thirty** at random.\n\n- Is the company real?\n- Does the role fit?\n- Is consent there?",
    ),
    FlowStep("check", "Compare with what sales accepted", kind=StepKind.CHECK, role="Sales lead", minutes=30),
    FlowStep("decide", "Is the quality good enough?", kind=StepKind.DECISION, role="Operations manager", minutes=15),
    FlowStep("fix", "Correct the scoring rules", mode=StepMode.ASSISTED, role="Automation specialist", minutes=90),
    FlowStep("report", "Share the figures", kind=StepKind.EVIDENCE, role="Marketing analyst", minutes=20),
    FlowStep("thanks", "Thank who reported bad leads", role="Marketing analyst", minutes=10, blocking=False),
)
_WAYS = (
    *(FlowEdge("export", "sample"), FlowEdge("sample", "check"), FlowEdge("check", "decide")),
    FlowEdge("check", "sample", "the sample is too small", is_rework=True),
    *(FlowEdge("decide", "report", "good enough"), FlowEdge("decide", "fix", "not good enough")),
    *(FlowEdge("fix", "report"), FlowEdge("report", "thanks")),
)


def tell(company: Any) -> None:
    """Bring the weekly review into force and carry it out: finished, in the middle, just begun."""
    people: dict[str, User] = company.people
    manager, first, second = people["manager"], people["specialist"], people["specialist_2"]
    process = _in_force(company, manager, people["approver"])
    for weeks in (4, 3, 2):
        _finished(company, process, weeks, first, second)
    run = _started(company, process, 7, first)
    _do(company, run, "export", first, 7)
    doing.begin_step(_step(run, "sample"), by=first, at=company.at(6, 9))
    doing.wait_step(_step(run, "sample"), by=first, reason="The export lacks one country.", at=company.at(5, 9))
    with acting_as(manager):
        Recurrence.objects.create(
            title=TITLE,
            process=process,
            every=Every.WEEK,
            starts_on=company.today + dt.timedelta(days=7 - company.today.weekday()),
            days_to_finish=4,
            owner_person=first,
        )
    run = _started(company, process, 1, second)
    reason = "The warehouse is being moved; the figures of last week are used instead."
    waiving.ask_waiver(_step(run, "export"), by=second, reason=reason, at=company.at(1, 11))


def _in_force(company: Any, author: User, approver: User) -> Process:
    with acting_as(author):
        process = Process.objects.create(
            title=TITLE,
            family=Family.LEAD,
            summary="Every week a sample of new leads is read and compared with what sales accepted.",
            owner_person=author,
            backup_person=company.people["specialist"],
        )
        version = write_draft(process, by=author)
        version.body = "## Purpose\n\nBad leads are found within a week, and the rules that let them in are corrected."
        version.change_log = "The first written version."
        version.save()
        write_flow(version, Flow(_STEPS, _WAYS))
    submit_for_approval(version, by=author, at=company.at(40))
    request = ApprovalRequest.objects.get(object_id=version.pk, content_type__model="sopversion", state="in_review")
    approve(request, by=approver, note="Clear.", at=company.at(38, 14))
    return Process.objects.get(pk=process.pk)


def _finished(company: Any, process: Process, weeks: int, first: User, second: User) -> None:
    day = weeks * 7
    run = _started(company, process, day, first)
    _do(company, run, "export", first, day)
    _do(company, run, "sample", first, day - 1)
    if weeks == 3:
        _do(company, run, "check", second, day - 1, hour=15, ways=("sample",))
        _do(company, run, "sample", first, day - 2)
    _do(company, run, "check", second, day - 3, ways=("decide",))
    _do(company, run, "decide", second, day - 3, hour=15, ways=("fix" if weeks == 4 else "report",))
    if weeks == 4:
        _do(company, run, "fix", first, day - 4)
    _do(company, run, "report", first, day - 5, evidence="26 of 30 leads were good; all figures are in the deck.")
    reason = "Nobody reported one this week."
    waiving.waive_step(_step(run, "thanks"), by=first, reason=reason, at=company.at(day - 5, 16))


def _started(company: Any, process: Process, day: int, by: User) -> Run:
    week: dt.date = company.today - dt.timedelta(days=day)
    return start_run(process, by=by, title=f"Week {week.isocalendar().week}, {week.year}", at=company.at(day, 8))


def _step(run: Run, key: str) -> Any:
    return run.steps.select_related("run__process", "run__version", "step").get(key=key)


def _do(
    company: Any,
    run: Run,
    key: str,
    by: User,
    day: int,
    *,
    hour: int = 9,
    evidence: str = "",
    ways: tuple[str, ...] = (),
) -> None:
    doing.begin_step(_step(run, key), by=by, at=company.at(day, hour))
    doing.finish_step(_step(run, key), by=by, evidence=evidence, ways=ways, at=company.at(day, hour + 1))
