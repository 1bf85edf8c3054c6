"""Working out due moments anew after a calendar was published: open clocks only, closed ones never change."""

from django.db import transaction

from apps.core import clock as time
from apps.core.calendars.models import BusinessCalendar
from apps.core.clocks.domain.counting import BOOKED, newest_version, read_books
from apps.core.clocks.models import Clock
from apps.core.transitions import transition

BATCH = 500


def recount(calendar: BusinessCalendar) -> int:
    """Work out what follows from the calendar's versions for every open clock that counts with it; return how many."""
    last, count = 0, 0
    while True:
        with transaction.atomic(), transition(Clock):
            rows = Clock.objects.open().filter(calendar=calendar, pk__gt=last).order_by("pk")
            clocks = list(rows.select_for_update(of=("self",)).select_related("calendar")[:BATCH])
            if not clocks:
                return count
            newest, now = newest_version(clocks[0]), time.now()
            for book in read_books(clocks):
                book.post(now)
                book.clock.calendar_version = newest
                book.clock.save(update_fields=BOOKED)
        last, count = clocks[-1].pk, count + len(clocks)
