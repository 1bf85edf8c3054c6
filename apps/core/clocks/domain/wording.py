"""How clocks say amounts and moments: "2 h 10 min", "Tue 10:20"."""

import datetime as dt
import zoneinfo

A_WEEK = 6
MINUTE = dt.timedelta(minutes=1)


def in_words(amount: dt.timedelta) -> str:
    """Write an amount of working time: "2 h 10 min", "45 min", "under a minute"; whole minutes, rounded down."""
    minutes = amount // MINUTE
    if minutes == 0:
        return "under a minute" if amount else "0 min"
    hours, rest = divmod(minutes, 60)
    return " ".join(filter(None, (f"{hours:,} h" if hours else "", f"{rest} min" if rest else "")))


def moment_in_words(moment: dt.datetime, *, now: dt.datetime, zone: zoneinfo.ZoneInfo) -> str:
    """Write a moment as short as it stays clear: "Tue 10:20" within a week, else with its date, or its year too."""
    local, today = moment.astimezone(zone), now.astimezone(zone)
    if abs((local.date() - today.date()).days) <= A_WEEK:
        return f"{local:%a %H:%M}"
    return (
        f"{local:%a} {local.day} {local:%b %H:%M}" if local.year == today.year else f"{local.day} {local:%b %Y %H:%M}"
    )
