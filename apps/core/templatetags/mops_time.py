"""How long ago, in as few words as people need."""

import datetime as dt

from django import template
from django.utils.timesince import timesince

from apps.core import clock

register = template.Library()
MOMENT = dt.timedelta(minutes=1)


@register.filter
def ago(moment: dt.datetime) -> str:
    """Return "just now" or "3 hours ago"."""
    now = clock.now()
    return "just now" if now - moment < MOMENT else f"{timesince(moment, now, depth=1)} ago"
