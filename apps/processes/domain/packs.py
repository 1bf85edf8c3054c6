"""The quarterly governance pack: told from the rows at one moment, then frozen with its digest.

A pack is read by more people than a closed process is, so lines name only processes open to everybody; the others are
counted.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import Count, Q

from apps.approvals.models import ApprovalRequest
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.events import publish
from apps.core.measures import measures
from apps.core.packs import quarter_of
from apps.core.rules.canonical import digest_of
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

if TYPE_CHECKING:
    from apps.accounts.models import User

NAMED = 20
OPEN = Q(process__stakeholder_access=StakeholderAccess.EVERYBODY)


@dataclass(frozen=True)
class Line:
    """One line of a part: what, its number, and what to know about it."""

    what: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Part:
    """One part of a pack."""

    key: str
    title: str
    head: tuple[str, str, str]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Span:
    """The quarter a pack tells about: from its first day to the last day that counts."""

    first: dt.date
    last: dt.date
    now: dt.datetime

    @property
    def moments(self) -> tuple[dt.datetime, dt.datetime]:
        """From when to when, the end left out."""
        start, end = (dt.datetime.combine(day, dt.time(), dt.UTC) for day in (self.first, self.last))
        return start, end + dt.timedelta(days=1)

    def within(self, column: str) -> Q:
        """Return the condition that a moment falls into it."""
        start, end = self.moments
        return Q(**{f"{column}__gte": start, f"{column}__lt": end})


def refuse_pack(user: "User") -> str | None:
    """Return why `user` cannot make a pack, None when they can."""
    may = access.has_model_permission(user, "add", GovernancePack)
    return None if may else "You may read governance packs, not make them."


def make_pack(*, by: "User", on: dt.date | None = None) -> GovernancePack:
    """Tell the quarter of a day from the rows, and freeze it; announces `governance.pack_made`.

    Events of the quarter are counted up to that day; levels, measures and findings are those of this moment.

    Args:
        by: who makes it; mops itself at the end of each quarter.
        on: the last day that counts; today when not given.

    Raises:
        NotAllowed: `refuse_pack`.
        InvalidInput: the day is to come.
    """
    if refused := refuse_pack(by):
        raise NotAllowed(refused)
    now = clock.now()
    day = on or now.date()
    if day > now.date():
        raise InvalidInput(f"{day:%-d %B %Y} is to come; a pack tells what was.")
    span = Span(quarter_of(day), day, now)
    with transaction.atomic(), acting_as(by):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('processes.governance_pack'))")
        before = GovernancePack.objects.filter(quarter__lt=span.first).first()
        parts = [asdict(tell(span, before) if tell is _measured else tell(span)) for tell in PARTS]
        parts = [{**part, "head": list(part["head"]), "lines": list(part["lines"])} for part in parts]
        pack = GovernancePack.objects.create(
            quarter=span.first,
            number=GovernancePack.objects.filter(quarter=span.first).count() + 1,
            ends_on=day,
            known_at=now,
            parts=parts,
            digest=digest_of(parts),
            made_by=by,
        )
        publish("governance.pack_made", pack_id=pack.pk)
    return pack


def is_untouched(pack: GovernancePack) -> bool:
    """Whether the parts of a pack are exactly what was frozen."""
    return digest_of(pack.parts) == pack.digest


def _number(value: Decimal | None, unit: str) -> str:
    return "—" if value is None else f"{value.normalize():f} {unit}".strip()


def _measured(span: Span, before: GovernancePack | None = None) -> Part:
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


def _processes(span: Span) -> Part:
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


PARTS: tuple[Callable[..., Part], ...] = (_measured, _levels, _phases, _compliance, _improved, _processes, _work)


def lines_of(pack: GovernancePack) -> list[tuple[Any, ...]]:
    """Return every line of a pack with its part, for a workbook."""
    return [
        (part["title"], line["what"].strip(), line["value"], line["note"])
        for part in pack.parts
        for line in part["lines"]
    ]
