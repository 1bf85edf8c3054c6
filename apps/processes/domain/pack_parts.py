"""What the governance pack tells of processes, rules and decisions, each part from the rows at one moment."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q

from apps.approvals.models import ApprovalRequest
from apps.core.clocks.enums import ClockState
from apps.core.clocks.models import Clock
from apps.core.clocks.registry import known_metric
from apps.core.measures import measures
from apps.core.pack_parts import Line, Part, Span
from apps.core.words import NOTHING
from apps.processes.domain.maturity import WHOLE, newest
from apps.processes.domain.measuring import in_words
from apps.processes.domain.roadmap import roadmap
from apps.processes.enums import (
    AutomationState,
    Gain,
    ImprovementState,
    MaturityLevel,
    ReviewOutcome,
    RunState,
    StakeholderAccess,
    Standing,
    WaiverState,
)
from apps.processes.models import (
    Automation,
    ComplianceResult,
    ComplianceRule,
    ComplianceWaiver,
    GovernancePack,
    Improvement,
    MaturityAssessment,
    Process,
    Review,
    Run,
    SOPVersion,
)

NAMED = 20
OPEN = Q(process__stakeholder_access=StakeholderAccess.EVERYBODY)


def _number(value: Decimal | None, unit: str) -> str:
    return NOTHING if value is None else f"{value.normalize():f} {unit}".strip()


def tell_measures(span: Span, before: GovernancePack | None = None) -> Part:
    """Every registered measure now, beside what it was in the pack before."""
    was = {}
    if before is not None:
        told: dict[str, Any] = next((part for part in before.parts if part["key"] == "measures"), {"lines": []})
        was = {line["what"]: line["value"] for line in told["lines"]}
    lines = []
    for each in measures():
        reading = each.read()
        counted = f" ({reading.part} of {reading.whole})" if reading.whole and each.unit else ""
        earlier = f"{was[each.title]} in the pack before. " if each.title in was else ""
        lines.append(Line(each.title, f"{_number(reading.value, each.unit)}{counted}", f"{earlier}{each.formula}"))
    return Part("measures", "Measures", ("Measure", "Now", "Before, and how it is counted"), tuple(lines))


def _levels(span: Span) -> Part:
    whole = newest(None)
    lines = []
    if whole is not None:
        missing = [each["title"] for each in whole.criteria if not each["met"]]
        note = f"Not met: {'; '.join(missing)}." if missing else "Everything is met."
        lines.append(Line(WHOLE, MaturityLevel(whole.level).label, note))
    latest = MaturityAssessment.objects.filter(process__isnull=False, process__archived_at__isnull=True)
    levels = dict(latest.order_by("process", "-at", "-id").distinct("process").values_list("process", "level"))
    counted = [(level, sum(each == level for each in levels.values())) for level in reversed(MaturityLevel)]
    lines += [Line(f"Processes: {level.label.lower()}", str(number)) for level, number in counted]
    changed = latest.filter(span.within("at")).count()
    lines.append(Line("Changes of level or evidence in the quarter", str(changed)))
    return Part("maturity", "Maturity", ("What", "Level or number", "Remark"), tuple(lines))


def _phases(span: Span) -> Part:
    lines = []
    for phase in roadmap(span.last):
        lines.append(Line(str(phase.phase), phase.words, f"{phase.met} of {len(phase.criteria)} exit criteria met."))
        for each in phase.criteria:
            unit = each.measure.unit if each.measure else ""
            needed = f"needed: {_number(each.criterion.at_least, unit)}"
            said = f"{'met' if each.met else 'not met'}, {needed}"
            lines.append(Line(f"  {each.criterion}", _number(each.reading.value, unit), said))
    return Part("roadmap", "Roadmap", ("Phase and criterion", "Stands", "Needed"), tuple(lines))


def _compliance(span: Span) -> Part:
    lines = []
    rules = ComplianceRule.objects.live().annotate(
        failed=Count("standings", filter=Q(standings__outcome=Standing.FAILED)),
        waived=Count("standings", filter=Q(standings__outcome=Standing.WAIVED)),
        met=Count("standings", filter=Q(standings__outcome=Standing.PASSED)),
    )
    came = ComplianceResult.objects.filter(span.within("at"), outcome=Standing.FAILED)
    new = dict(came.order_by().values_list("rule").annotate(Count("pk")))
    for rule in rules.order_by("-failed", "title"):
        note = f"{rule.met} met, {rule.waived} waived, {new.get(rule.pk, 0)} failures in the quarter."
        lines.append(Line(str(rule), f"{rule.failed} not met", note))
    waivers = ComplianceWaiver.objects.filter(state=WaiverState.APPROVED)
    lines.append(Line("Waivers that count", str(waivers.filter(until__gte=span.last).count())))
    ended = waivers.filter(until__gte=span.first, until__lt=span.last).count()
    lines.append(Line("Waivers that ended in the quarter", str(ended)))
    return Part("compliance", "Compliance", ("Rule", "Findings", "Remark"), tuple(lines))


def _improved(span: Span) -> Part:
    rows = Improvement.objects.filter(archived_at__isnull=True)
    closed = rows.filter(span.within("closed_at"), state=ImprovementState.CLOSED)
    lines = [Line(f"Closed: {gain.label.lower()}", str(closed.filter(gain=gain).count())) for gain in Gain]
    under_way = rows.exclude(state__in=(ImprovementState.CLOSED, ImprovementState.DROPPED)).count()
    lines.append(Line("Under way", str(under_way)))
    dropped = rows.filter(span.within("closed_at"), state=ImprovementState.DROPPED).count()
    lines.append(Line("Dropped in the quarter", str(dropped)))
    for row in closed.filter(OPEN).select_related("process").order_by("closed_at")[:NAMED]:
        before, after = (in_words(each, row.figure) for each in (row.baseline, row.after))
        lines.append(Line(f"{row} ({row.process})", f"{before} → {after}", Gain(row.gain).label))
    return Part("improvements", "Improvements", ("What", "Number, or before → after", "Came to"), tuple(lines))


def tell_processes(span: Span) -> Part:
    """Processes in use, what came into force, reviews closed and late."""
    versions = SOPVersion.objects.filter(span.within("effective_at"))
    reviews = Review.objects.filter(span.within("closed_at"))
    late = Process.objects.due_for_review(span.last)
    lines = [
        Line("Processes in use", str(Process.objects.live().count())),
        Line("Versions that came into force", str(versions.count())),
        *(
            Line(f"Reviews closed: {outcome.label.lower()}", str(reviews.filter(outcome=outcome).count()))
            for outcome in ReviewOutcome
        ),
        Line("Reviews overdue", str(late.count())),
    ]
    open_ones = late.filter(stakeholder_access=StakeholderAccess.EVERYBODY).order_by("next_review_on")
    lines += [Line(f"  {each}", f"due {each.next_review_on:%-d %b %Y}", str(each.owner or "nobody")) for each in
              open_ones.select_related("owner_person", "owner_team")[:NAMED]]  # fmt: skip
    return Part("processes", "Processes and reviews", ("What", "Number", "Owner"), tuple(lines))


def _work(span: Span) -> Part:
    runs, register = Run.objects.all(), Automation.objects.filter(archived_at__isnull=True)
    ended = runs.filter(span.within("ended_at"))
    decided = ApprovalRequest.objects.filter(span.within("decided_at"))
    states = dict(decided.order_by().values_list("state").annotate(Count("pk")))
    lines = [
        Line("Runs begun", str(runs.filter(span.within("started_at")).count())),
        Line("Runs finished", str(ended.filter(state=RunState.DONE).count())),
        Line("Runs called off", str(ended.filter(state=RunState.CANCELLED).count())),
        Line("Automations in use", str(register.filter(state=AutomationState.LIVE).count())),
        Line("Automations added", str(register.filter(span.within("created_at")).count())),
        Line(
            "Automations retired",
            str(register.filter(retired_on__gte=span.first, retired_on__lte=span.last).count()),
        ),
        *(
            Line(f"Approval requests: {str(state).replace('_', ' ')}", str(number))
            for state, number in sorted(states.items())
        ),
        Line("Emergency approvals", str(decided.filter(break_glass=True).count())),
    ]
    return Part("work", "Work, automation and decisions", ("What", "Number", ""), tuple(lines))


def _service(span: Span) -> Part:
    """Promises about time, of tickets, decisions and whatever else runs a clock: what ended in time, what is late."""
    ended = Clock.objects.filter(span.within("closed_at"), state__in=(ClockState.MET, ClockState.LATE))
    met = dict(ended.filter(state=ClockState.MET).order_by().values_list("metric").annotate(Count("pk")))
    late = dict(ended.filter(state=ClockState.LATE).order_by().values_list("metric").annotate(Count("pk")))
    running = Clock.objects.open().filter(due_at__lte=span.now).order_by()
    overdue = dict(running.values_list("metric").annotate(Count("pk")))
    lines = []
    for metric in sorted({*met, *late, *overdue}):
        kept, broken = met.get(metric, 0), late.get(metric, 0)
        share = f"{100 * kept / (kept + broken):.0f} % in time" if kept + broken else "nothing ended"
        note = f"{kept} in time, {broken} late; {overdue.get(metric, 0)} late and still running."
        lines.append(Line(_whose(metric), share, note))
    return Part("service", "Promises about time (SLA)", ("What", "Kept", "Remark"), tuple(lines))


def _whose(metric: str) -> str:
    """Return a clock's name with the app it belongs to: Tickets: first response."""
    return f"{metric.partition('.')[0].capitalize()}: {known_metric(metric).title.lower()}"


OWN: tuple[Callable[[Span], Part], ...] = (
    _levels,
    _phases,
    _compliance,
    _improved,
    tell_processes,
    _work,
    _service,
)
