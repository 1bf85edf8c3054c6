"""When a scheduled job is due: pure functions of a schedule and a moment.

Wall-clock times follow the zone: a time that a change to summer time leaves out is due as much later as the clocks
jumped (02:30 becomes 03:30), one that comes twice in autumn is due the first time only. A schedule for every hour
(`*` in the hour field) goes on through both of the double hours.
"""

import datetime as dt
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field

from croniter import CroniterBadDateError, croniter

from apps.core.jobs.registry import Argument

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
SHORTEST = dt.timedelta(seconds=5)
LONGEST_JUMP = dt.timedelta(hours=3)
FIELDS = 5
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


@dataclass(frozen=True)
class Schedule:
    """A job that runs by the clock.

    Attributes:
        job: the key of the job.
        every: the time between two runs, counted from 1970 so that every machine agrees; or
        cron: minute, hour, day of month, month, day of week, as in crontab(5).
        zone: the time zone of `cron`.
        args: what the job is given.
        name: names the schedule where one job has several; the job's key when empty.
    """

    job: str
    every: dt.timedelta | None = None
    cron: str = ""
    zone: str = "UTC"
    args: Mapping[str, Argument] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse a schedule that says both or neither, or that nobody can read.

        Raises:
            ValueError: says what is wrong with it.
        """
        if (self.every is None) == (not self.cron):
            raise ValueError(f"{self.job}: give either `every` or `cron`.")
        if self.every is not None and self.every < SHORTEST:
            raise ValueError(f"{self.job}: schedules look at the clock every second; {SHORTEST} is the least.")
        if self.cron:
            self._check_cron()
        zoneinfo.ZoneInfo(self.zone)

    def _check_cron(self) -> None:
        if len(self.cron.split()) != FIELDS or not croniter.is_valid(self.cron):
            raise ValueError(f"{self.job}: {self.cron!r} is no cron text of five fields.")
        try:
            croniter(self.cron, EPOCH).get_next(dt.datetime)
        except CroniterBadDateError as error:
            raise ValueError(f"{self.job}: {self.cron!r} never comes.") from error

    @property
    def key(self) -> str:
        """What the schedule is called in rows."""
        return self.name or self.job

    @property
    def words(self) -> str:
        """When it runs, as people read it."""
        if self.every is None:
            return f"{_cron_in_words(self.cron)} ({self.zone})"
        seconds = int(self.every.total_seconds())
        for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
            if seconds % size == 0:
                number = seconds // size
                return f"Every {unit}" if number == 1 else f"Every {number} {unit}s"
        return f"Every {seconds} seconds"


def _cron_in_words(cron: str) -> str:
    minute, hour, day, month, weekday = cron.split()
    if not (minute.isdecimal() and hour.isdecimal() and month == "*"):
        return cron
    at = f"at {int(hour):02d}:{int(minute):02d}"
    if (day, weekday) == ("*", "*"):
        return f"Every day {at}"
    if day == "*" and weekday.isdecimal():
        return f"Every {WEEKDAYS[int(weekday) % 7]} {at}"
    if day == "*" and weekday in {"1-5", "mon-fri", "MON-FRI"}:
        return f"Monday to Friday {at}"
    if weekday == "*" and day.isdecimal():
        return f"On day {day} of every month {at}"
    return cron


def latest_due(schedule: Schedule, now: dt.datetime) -> dt.datetime:
    """Return the last moment not after `now` at which the schedule was due."""
    if schedule.every is not None:
        return now - (now - EPOCH) % schedule.every
    # a moment later, so that a run due at this very moment counts
    steps = croniter(schedule.cron, _wall(schedule, now) + dt.timedelta(seconds=1))
    while (due := _moment(schedule, steps.get_prev(dt.datetime), now)) > now:
        pass  # a time that the clocks leave out is due after they have jumped
    return due


def next_due(schedule: Schedule, now: dt.datetime) -> dt.datetime:
    """Return the first moment after `now` at which the schedule is due."""
    if schedule.every is not None:
        return now - (now - EPOCH) % schedule.every + schedule.every
    steps = croniter(schedule.cron, _wall(schedule, now) - LONGEST_JUMP)
    while (due := _moment(schedule, steps.get_next(dt.datetime), now)) <= now:
        pass
    return due


def _wall(schedule: Schedule, now: dt.datetime) -> dt.datetime:
    """What the clock on the wall shows."""
    return now.astimezone(zoneinfo.ZoneInfo(schedule.zone)).replace(tzinfo=None, fold=0)


def _moment(schedule: Schedule, wall: dt.datetime, now: dt.datetime) -> dt.datetime:
    """When the clock on the wall shows `wall`: by the clock as it is set now for a schedule of every hour."""
    zone = zoneinfo.ZoneInfo(schedule.zone)
    if schedule.cron.split()[1].startswith("*"):
        return (wall - (now.astimezone(zone).utcoffset() or dt.timedelta(0))).replace(tzinfo=dt.UTC)
    return wall.replace(tzinfo=zone).astimezone(dt.UTC)
