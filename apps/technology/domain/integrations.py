"""Integrations: live, paused, ended; how their transfers go; and what keeps a tool from being retired."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.db.models import Q

from apps.accounts.domain.ownership import owned_by
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.alerts.enums import Severity
from apps.core.errors import DomainError, InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.overdue import Overdue
from apps.core.redaction import redact
from apps.core.transitions import transition
from apps.core.words import fitting
from apps.technology.enums import LATE_AFTER, FlowHealth, IntegrationState, Lifecycle
from apps.technology.models import Integration, SystemOfRecord, Tool, Transfer

if TYPE_CHECKING:
    from apps.accounts.models import User

SHOWN = 20
ALERTS = "technology.integration:"
MOVES: dict[str, tuple[IntegrationState, ...]] = {
    IntegrationState.PLANNED: (IntegrationState.LIVE, IntegrationState.ENDED),
    IntegrationState.LIVE: (IntegrationState.PAUSED, IntegrationState.ENDED),
    IntegrationState.PAUSED: (IntegrationState.LIVE, IntegrationState.ENDED),
    IntegrationState.ENDED: (),
}


def health_of(frequency: str, state: str, at: dt.datetime | None, ok: bool | None, *, now: dt.datetime) -> FlowHealth:
    """Return how an integration does: what nobody has seen working is unknown, never good.

    Args:
        frequency: how often data goes over.
        state: only what is live has a health.
        at: when the newest transfer was; None: none on record.
        ok: whether that one went well.
        now: the moment asked about.
    """
    if state != IntegrationState.LIVE or at is None:
        return FlowHealth.UNKNOWN
    if not ok:
        return FlowHealth.FAILING
    late_after = LATE_AFTER[frequency]
    if late_after is not None and now - at > dt.timedelta(minutes=late_after):
        return FlowHealth.LATE
    return FlowHealth.GOOD


def with_health(rows: "models.QuerySet[Integration]") -> "models.QuerySet[Integration]":
    """Add `last_at`, `last_ok` and `last_note` of the newest transfer to the integrations of a list."""
    newest = Transfer.objects.filter(integration=models.OuterRef("pk")).order_by("-at", "-id")
    return rows.annotate(
        last_at=models.Subquery(newest.values("at")[:1]),
        last_ok=models.Subquery(newest.values("ok")[:1]),
        last_note=models.Subquery(newest.values("note")[:1]),
    )


def health_now(row: Any, now: dt.datetime | None = None) -> FlowHealth:
    """Return the health of a row of `with_health`."""
    return health_of(row.frequency, row.state, row.last_at, row.last_ok, now=now or clock.now())


def refuse_move(user: "User", integration: Integration, *, to: IntegrationState) -> str | None:
    """Return why `user` cannot bring an integration to `to` now, None when it works."""
    if not access.can(user, "change", integration):
        return "You may not change integrations."
    if to not in MOVES[integration.state]:
        return (
            f"The integration is {integration.get_state_display().lower()}; it cannot be {to.label.lower()} from there."
        )
    if to == IntegrationState.LIVE:
        for tool in (integration.source, integration.target):
            if tool.lifecycle == Lifecycle.RETIRED:
                return f"{tool} is retired; data cannot flow over it."
        if not integration.flows.filter(archived_at__isnull=True).exists():
            return "It says nothing about what it carries; add the entities it carries first."
        if integration.owner is None:
            return "Nobody answers for it; name an owner first."
    return None


def move_integration(integration: Integration, *, to: IntegrationState, by: "User", reason: str = "") -> str:
    """Let an integration go live, pause or end; announces `integration.moved`.

    Raises:
        NotAllowed, WrongState: as `refuse_move` says.
    """
    with transaction.atomic(), acting_as(by, reason=reason or None):
        rows = Integration.objects.select_for_update(of=("self",)).select_related("source", "target")
        row: Integration = rows.get(pk=integration.pk)
        if refused := refuse_move(by, row, to=to):
            kind: type[DomainError] = WrongState if access.can(by, "change", row) else NotAllowed
            raise kind(refused)
        row.state = to
        with transition(Integration):
            row.save(update_fields=["state"])
        if to != IntegrationState.LIVE:
            resolve_alert(alert_key(row), why=f"The integration is {to.label.lower()}.")
        publish("integration.moved", integration_id=row.pk, to=to.value)
    return f"{row} is {to.label.lower()} now."


def refuse_transfer(user: "User", integration: Integration) -> str | None:
    """Return why `user` cannot record a transfer of this integration now, None when it works."""
    if not access.can(user, "change", integration):
        return "You may not record transfers of this integration."
    if integration.state not in (IntegrationState.LIVE, IntegrationState.PAUSED):
        return f"The integration is {integration.get_state_display().lower()}; nothing goes over it."
    return None


def record_transfer(
    integration: Integration,
    *,
    by: "User",
    ok: bool,
    note: str = "",
    records: int | None = None,
    source: str = "Checked by hand",
    at: dt.datetime | None = None,
) -> str:
    """Record how a transfer went; a failure raises one alert for the owner, the next success resolves it.

    Args:
        integration: which one.
        by: who says so.
        ok: whether it went well.
        note: what was seen; secrets in it are blacked out.
        records: how many records went over.
        source: where this comes from.
        at: when it was; now when not given.

    Raises:
        NotAllowed, WrongState: as `refuse_transfer` says.
        InvalidInput: it lies in the future, or the note is too long.
    """
    moment = at or clock.now()
    if moment > clock.now():
        raise InvalidInput("A transfer that has not happened yet cannot be recorded.", fields={"at": "In the future."})
    with transaction.atomic(), acting_as(by):
        rows = Integration.objects.select_for_update(of=("self",)).select_related("owner_person", "owner_team")
        row: Integration = rows.get(pk=integration.pk)
        if refused := refuse_transfer(by, row):
            kind: type[DomainError] = WrongState if access.can(by, "change", row) else NotAllowed
            raise kind(refused)
        said = redact(fitting(note, 300, field="note", what="The note"))
        Transfer.objects.create(
            integration=row,
            at=moment,
            ok=ok,
            records=records,
            note=said[:300],
            source=fitting(source, 100, field="source", what="The source"),
            recorded_by=by.get_username(),
        )
        if ok:
            resolve_alert(alert_key(row), why="A transfer went well again.")
        else:
            tell_failure(row, said)
        publish("integration.transferred", integration_id=row.pk, ok=int(ok))
    return f"{row}: recorded as {'gone well' if ok else 'failed; its owner is told'}."


def live_flows(tool: Tool) -> str:
    """Return how many integrations a tool still has, in words; a claim that keeps it from being retired."""
    number = Integration.objects.flowing().filter(Q(source=tool) | Q(target=tool)).count()
    return f"{number} live integration{'s' if number > 1 else ''}" if number else ""


def live_records(tool: Tool) -> str:
    """Return of how much a tool is the system of record, in words; a claim that keeps it from being retired."""
    number = SystemOfRecord.objects.filter(tool=tool, archived_at__isnull=True).count()
    return f"the record of {number} kind{'s' if number > 1 else ''} of data" if number else ""


def troubled_integrations(person: "User", today: dt.date) -> list[Overdue]:
    """Return the live integrations of `person` that fail or are late."""
    mine = access.visible(person, Integration).filter(owned_by(person), state="live", archived_at__isnull=True)
    late = []
    for row in with_health(mine).order_by("name")[:200]:
        health = health_now(row)
        if health in (FlowHealth.FAILING, FlowHealth.LATE):
            last = getattr(row, "last_at", None)
            since = last.date() if last else None
            late.append(Overdue(row, f"the integration is {health.label.lower()}: see to it", since))
    return late[:SHOWN]


def alert_key(integration: Integration) -> str:
    """Return what the alert about an integration is found by."""
    return f"{ALERTS}{integration.pk}"


def tell_failure(integration: Integration, note: str) -> None:
    """Tell who answers for an integration that it failed."""
    raise_alert(
        alert_key(integration),
        title=f"The integration “{integration.name}” failed."[:200],
        severity=Severity.WARNING,
        detail=note or "Nothing more is known.",
        subject=integration,
        owner=integration.owner,
    )
