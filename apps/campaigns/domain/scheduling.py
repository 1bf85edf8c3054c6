"""A launch at a chosen moment: scheduled by a person, carried out once by the clock if the gate holds then."""

import datetime as dt
import zoneinfo
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from apps.campaigns.domain.blackouts import raise_start
from apps.campaigns.domain.launch import go_live, launch_conditions, unmet_sentence, write_attempt
from apps.campaigns.domain.moves import locked, move, raise_refusal, refuse_move
from apps.campaigns.enums import CampaignState
from apps.campaigns.models import Campaign
from apps.core import access, clock
from apps.core.actors import acting_as, system_principal
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.errors import InvalidInput
from apps.core.words import reason_given

if TYPE_CHECKING:
    from apps.accounts.models import User

RUNBOOK = "Open the campaign: “Before it goes live” says what is not met and who can meet it. Then launch or schedule."
MOST_AT_ONCE = 200


def exact_moment(given: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """Return the moment that `given` names; where it says no zone, read in `zone`.

    Raises:
        InvalidInput: on the day clocks are changed the wall clock never shows this time, or shows it twice.
    """
    if given.tzinfo is not None:
        return given
    early, late = (given.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if early.astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None) != given:
        raise InvalidInput(
            f"On {given:%-d %B %Y} clocks in {zone.key} go forward: {given:%H:%M} does not come. Choose another time."
        )
    if early.utcoffset() != late.utcoffset():
        raise InvalidInput(
            f"On {given:%-d %B %Y} clocks in {zone.key} go back: {given:%H:%M} comes twice. Choose another time."
        )
    return early


def refuse_schedule(user: "User", campaign: Campaign) -> str | None:
    """Return why the launch of `campaign` cannot be scheduled now, None when it can."""
    return refuse_move(user, campaign, CampaignState.SCHEDULED)


def schedule_launch(
    campaign: Campaign, *, by: "User", launch_at: dt.datetime, note: str = "", now: dt.datetime | None = None
) -> str:
    """Choose the moment at which an approved campaign goes live by itself.

    Args:
        campaign: it must be approved.
        by: who chooses; the launch is carried out for them.
        launch_at: the moment; without a zone it is read in the zone of the installation.
        note: why then.
        now: the present moment.

    Raises:
        InvalidInput: the moment has passed, does not exist, or is outside the dates of the plan.
        NotAllowed, WrongState: as `refuse_schedule` says, or the day is kept free of launches.
    """
    present, zone = now or clock.now(), zoneinfo.ZoneInfo(settings.TIME_ZONE)
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = locked(campaign)
        raise_refusal(by, row, refuse_schedule(by, row))
        moment = exact_moment(launch_at, zone)
        if moment <= present:
            raise InvalidInput("This moment has passed; launch the campaign now, or choose a later one.")
        day = moment.astimezone(zone).date()
        if (row.starts_on and day < row.starts_on) or (row.ends_on and day > row.ends_on):
            raise InvalidInput(
                f"The plan runs from {row.starts_on:%-d %B %Y} to {row.ends_on:%-d %B %Y}; {day:%-d %B %Y} is outside."
            )
        raise_start(row, day)
        move(row, CampaignState.SCHEDULED, at=present, launch_at=moment, scheduled_by=by)
        unmet = [each.title for each in launch_conditions(row, day) if not each.is_met]
    hint = f" Until then must be met: {'; '.join(unmet)}." if unmet else ""
    return f"{row} goes live on {moment.astimezone(zone):%-d %B %Y at %H:%M} ({zone.key}) if the gate holds then.{hint}"


def refuse_unschedule(user: "User", campaign: Campaign) -> str | None:
    """Return why the chosen moment cannot be taken back, None when it can."""
    if campaign.state != CampaignState.SCHEDULED:
        return f"{campaign} is not scheduled."
    return refuse_move(user, campaign, CampaignState.APPROVED)


def unschedule(campaign: Campaign, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Take the chosen moment back; the campaign is approved as before.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as `refuse_unschedule` says.
    """
    reason = reason_given(reason, "Say why it is not to go live then.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row = locked(campaign)
        raise_refusal(by, row, refuse_unschedule(by, row))
        move(row, CampaignState.APPROVED, at=at)
    return f"{row} is not scheduled any more; it is approved."


def due_launches(now: dt.datetime) -> list[int]:
    """Return the scheduled campaigns whose moment has come, the longest waiting first."""
    rows = Campaign.objects.filter(state=CampaignState.SCHEDULED, launch_at__lte=now, archived_at__isnull=True)
    return list(rows.order_by("launch_at").values_list("pk", flat=True)[:MOST_AT_ONCE])


def launch_due(campaign_id: int, *, at: dt.datetime | None = None) -> str:
    """Carry a scheduled launch out, once: the gate is checked again now.

    What does not hold brings the campaign back to approved, with an alert to its owner; it is not tried again by
    itself. A second worker that comes at the same time finds nothing to do.

    Returns:
        "launched", "held", or "gone" where somebody else was faster or the moment was taken back.
    """
    moment, system = at or clock.now(), system_principal()
    with transaction.atomic():
        rows = Campaign.objects.select_for_update(of=("self",), skip_locked=True).select_related("scheduled_by")
        row = rows.filter(
            pk=campaign_id, state=CampaignState.SCHEDULED, launch_at__lte=moment, archived_at__isnull=True
        ).first()
        if row is None:
            return "gone"
        with acting_as(
            system, on_behalf_of=row.scheduled_by, reason=f"Scheduled for {row.launch_at:%Y-%m-%d %H:%M %Z}"
        ):
            return _carry_out(row, system, moment)


def _carry_out(row: Campaign, system: "User", moment: dt.datetime) -> str:
    person, zone = row.scheduled_by, zoneinfo.ZoneInfo(settings.TIME_ZONE)
    conditions = launch_conditions(row, moment.astimezone(zone).date())
    held = unmet_sentence(conditions)
    if held is None and (person is None or not access.can(person, "change", row)):
        held = f"{person or 'Who scheduled it'} may not change {row} any more; somebody who may launches it."
    if held is None:
        go_live(row, conditions, by=system, at=moment, by_clock=True)
        resolve_alert(_cause(row), why="It went live.")
        return "launched"
    write_attempt(row, conditions, by=system, at=moment, by_clock=True, succeeded=False)
    with acting_as(system, reason=f"Held at the launch: {held}"[:500]):
        move(row, CampaignState.APPROVED, at=moment)
    title = f"{row} did not go live as scheduled"
    raise_alert(
        _cause(row), title=title, severity="critical", detail=held, subject=row, owner=row.owner, runbook=RUNBOOK
    )
    return "held"


def _cause(row: Campaign) -> str:
    return f"campaign.held:{row.pk}"
