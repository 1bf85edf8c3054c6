"""When mail may reach a person: pure arithmetic on the clock of the person's own time zone."""

import datetime as dt
import zoneinfo


def after_quiet_hours(
    moment: dt.datetime, zone: zoneinfo.ZoneInfo, quiet_from: dt.time | None, quiet_until: dt.time | None
) -> dt.datetime:
    """Return `moment`, or the end of the quiet hours it falls into.

    Args:
        moment: when mail would be sent, aware.
        zone: the person's time zone, in which the two times are meant.
        quiet_from: the first quiet moment of the day; None means never quiet.
        quiet_until: the first moment that is no longer quiet; earlier than `quiet_from` means the next morning.
    """
    if quiet_from is None or quiet_until is None:
        return moment
    local = moment.astimezone(zone)
    clock = local.time().replace(tzinfo=None)
    over_midnight = quiet_from > quiet_until
    evening = over_midnight and clock >= quiet_from
    quiet = evening or (clock < quiet_until if over_midnight else quiet_from <= clock < quiet_until)
    if not quiet:
        return moment
    day = local.date() + dt.timedelta(days=1 if evening else 0)
    return dt.datetime.combine(day, quiet_until, tzinfo=zone).astimezone(dt.UTC)


def zone_of(name: str, default: zoneinfo.ZoneInfo) -> zoneinfo.ZoneInfo:
    """Return the zone called `name`, or `default` where it is empty or unknown to this machine."""
    if not name:
        return default
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return default
