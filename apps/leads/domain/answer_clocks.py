"""The clocks of leads: started in bulk when leads come in and when they are given to somebody, by the SLA in force."""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db import models
from django.db.models.expressions import RawSQL

from apps.accounts.models import User
from apps.core import clock
from apps.core.calendars.domain.queries import default_calendar
from apps.core.clocks.domain.clocks import end_clock_of
from apps.core.clocks.domain.starting_many import start_clocks
from apps.core.clocks.enums import RungKind
from apps.core.clocks.models import Clock
from apps.core.clocks.registry import Rung
from apps.core.records import kind_of
from apps.leads.domain.sla_choice import slas_in_force, tell_unreadable_slas, under_sla
from apps.leads.enums import Stage
from apps.leads.models import Lead, LeadSla, SalesContact

SPEED, TOUCH = "leads.speed_to_lead", "leads.first_touch"
TITLES = {SPEED: "Speed to lead", TOUCH: "First contact after assignment"}
OVER = 100
WAITING_STAGES = (Stage.KNOWN_LEAD, Stage.MQL)
BATCH = 5_000


def begin(leads: Sequence[int], *, at: dt.datetime) -> int:
    """Start the clocks of leads that were given to a person at `at`; nothing where no SLA is in force."""
    slas = slas_in_force()
    if not slas or not leads:
        return 0
    rows = Lead.objects.filter(pk__in=_each_of(leads), stage__in=WAITING_STAGES, owner_person__isnull=False)
    answered = SalesContact.objects.filter(lead=models.OuterRef("pk"), person=models.OuterRef("owner_person"))
    found = under_sla(rows.exclude(models.Exists(answered)), slas, at=at).values_list("pk", "sla")
    return _start(TOUCH, ((key, sla, at) for key, sla in found), slas)


def begin_captured(*, at: dt.datetime | None = None) -> int:
    """Start speed to lead for what came in since the SLA is in force and nobody has been in touch with."""
    slas = slas_in_force()
    if not slas:
        return 0
    tell_unreadable_slas(slas)
    moment = at or clock.now()
    since = max(min(each.signed_at for each in slas if each.signed_at), moment - dt.timedelta(days=2))
    clocks = Clock.objects.filter(content_type=kind_of(Lead), metric=SPEED, object_id=models.OuterRef("pk"))
    rows = Lead.objects.filter(
        created_at__gte=since, created_at__lte=moment, stage__in=WAITING_STAGES, archived_at=None
    )
    rows = rows.exclude(models.Exists(clocks))
    for name in ("lead", "lead__merged_into"):  # a contact with who was merged into it was one with this lead
        rows = rows.exclude(models.Exists(SalesContact.objects.filter(**{name: models.OuterRef("pk")})))
    held = under_sla(rows, slas, at=moment)  # others would take the places of those that wait, for ever
    found = list(held.order_by("pk").values_list("pk", "sla", "created_at")[:BATCH])
    return _start(SPEED, found, slas)


def _each_of(leads: Sequence[int]) -> RawSQL:
    """Return the keys as one value: an IN of five thousand is put together and read one by one."""
    return RawSQL("SELECT unnest(%s::bigint[])", ["{" + ",".join(str(key) for key in leads) + "}"])


def _start(metric: str, leads: Iterable[tuple[int, int, dt.datetime]], slas: Sequence[LeadSla]) -> int:
    """Start a clock for leads, each with the key of its SLA and since when it counts."""
    by_sla: dict[int, list[tuple[int, dt.datetime]]] = {}
    for key, number, moment in leads:
        by_sla.setdefault(number, []).append((key, moment))
    started, known = 0, {each.pk: each for each in slas}
    for number, begun in by_sla.items():
        sla = known[number]
        target = sla.speed_minutes if metric == SPEED else sla.touch_minutes
        calendar = sla.calendar or default_calendar()
        started += start_clocks(
            Lead, begun, metric, target=target, calendar=calendar, ladder=ladder_of(sla, metric), by=None
        )
    return started


def ladder_of(sla: LeadSla, metric: str) -> tuple[Rung, ...]:
    """Return the steps of a clock: at risk, late, and for the clock of the assignment given to somebody else."""
    steps = [Rung(sla.at_risk_percent, RungKind.NOTIFY), Rung(OVER, RungKind.ESCALATE)]
    if metric == TOUCH and sla.reassign_percent is not None:
        steps.append(Rung(sla.reassign_percent, RungKind.ESCALATE))
    return tuple(steps)


def cancel(lead: Lead, *, by: User) -> None:
    """End the clocks of a lead that needs no answer any more."""
    for key in (SPEED, TOUCH):
        end_clock_of(lead, key, by=by, cancel=True)


def restart(leads: Sequence[int], *, at: dt.datetime, by: User | None = None) -> int:
    """Begin the clock of the assignment anew for leads that somebody else was given at `at`."""
    known = Clock.objects.open().filter(content_type=kind_of(Lead), metric=TOUCH, object_id__in=_each_of(leads))
    running = known.values_list("object_id", flat=True)
    for lead in Lead.objects.filter(pk__in=list(running)):
        end_clock_of(lead, TOUCH, by=by, cancel=True)
    return begin(leads, at=at)


def unanswered(rows: "models.QuerySet[Lead]", how: str, *, now: dt.datetime) -> "models.QuerySet[Lead]":
    """Return those of `rows` that wait for a contact: "late", due "today" (within a day), or "open" (all)."""
    clocks = Clock.objects.open().filter(
        content_type=kind_of(Lead), metric__in=(SPEED, TOUCH), object_id=models.OuterRef("pk")
    )
    if how == "late":
        clocks = clocks.filter(due_at__lte=now)
    elif how == "today":
        clocks = clocks.filter(due_at__gt=now, due_at__lte=now + dt.timedelta(days=1))
    return rows.filter(models.Exists(clocks))
