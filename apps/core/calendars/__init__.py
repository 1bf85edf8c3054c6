"""Business calendars: the zone, hours, holidays and half days that every deadline in mops counts in."""
