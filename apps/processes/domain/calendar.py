"""Months from one review to the next."""

import calendar
import datetime as dt


def next_review(last: dt.date, months: int) -> dt.date:
    """Return the day `months` months after `last`; the last day of the month where that day does not exist."""
    year, month = divmod(last.year * 12 + last.month - 1 + months, 12)
    return dt.date(year, month + 1, min(last.day, calendar.monthrange(year, month + 1)[1]))
