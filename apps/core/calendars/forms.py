"""What a person types to publish a version of a calendar, and to try a calendar out."""

import datetime as dt
import zoneinfo
from collections.abc import Iterator
from typing import Any

from django import forms

from apps.core.calendars.domain.definition import (
    DAY_KEYS,
    Definition,
    check_definition,
    day_text,
    read_date,
    read_definition,
)
from apps.core.calendars.domain.public_holidays import countries, country_name
from apps.core.calendars.domain.publishing import check_start
from apps.core.calendars.domain.queries import definition_of
from apps.core.calendars.domain.schedule import CalendarError
from apps.core.calendars.models import CalendarVersion

HOURS_HELP = "Like 09:00-17:30 or 09:00-12:00, 13:00-17:30; empty is closed; 24:00 is the end of the day."
TEXT = forms.Textarea(attrs={"rows": 4})


def _zones() -> list[tuple[str, str]]:
    """The time zones people choose from: those with a place in their name, and UTC."""
    places = (name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))
    return [(name, name) for name in ("UTC", *sorted(places))]


def _countries() -> list[tuple[str, str]]:
    """The countries whose holidays are known, by name."""
    named = sorted((country_name(code), code) for code in countries())
    return [("", "No public holidays"), *((code, name) for name, code in named)]


class NewVersionForm(forms.Form):
    """A new version; what it would say is checked as a whole before it can be published."""

    effective_from = forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="It takes over at midnight on this date, in its own time zone.",
    )
    zone = forms.ChoiceField(label="Time zone", choices=_zones)
    monday = forms.CharField(required=False, help_text=HOURS_HELP)
    tuesday = forms.CharField(required=False)
    wednesday = forms.CharField(required=False)
    thursday = forms.CharField(required=False)
    friday = forms.CharField(required=False)
    saturday = forms.CharField(required=False)
    sunday = forms.CharField(required=False)
    country = forms.ChoiceField(required=False, choices=_countries, help_text="Whose public holidays are closed.")
    subdivision = forms.CharField(
        required=False,
        help_text="State or region with holidays of its own, like BY in Germany; empty for the whole country.",
    )
    extra_holidays = forms.CharField(required=False, widget=TEXT, help_text="One a line: 2026-12-31 Company day")
    removed_holidays = forms.CharField(
        required=False, widget=TEXT, help_text="Public holidays that are worked all the same, one date a line."
    )
    half_days = forms.CharField(required=False, widget=TEXT, help_text="One a line: 2026-12-24 09:00-12:00")
    note = forms.CharField(required=False, help_text="Why, for whoever asks later.")

    def __init__(self, *args: Any, last: CalendarVersion | None, now: dt.datetime, zone: str, **kwargs: Any) -> None:
        """Start from the last version, or from a plain office week in `zone` when it is the first one."""
        super().__init__(*args, **kwargs)
        self.last, self.now = last, now
        self.definition: Definition | None = None
        self.initial = {**_initial(last, now, zone), **self.initial}

    def clean(self) -> dict[str, Any]:
        """Read everything typed into what `publish_version` takes; every refusal lands beside its field."""
        typed = super().clean() or {}
        try:
            said = _as_said(typed)
            self.definition = read_definition(**said)
            if start := typed.get("effective_from"):
                check_definition(self.definition, first_year=start.year)
                check_start(self.definition, start, after=self.last.effective_from if self.last else None, now=self.now)
        except CalendarError as refusal:
            for field, sentence in (refusal.fields or {"": refusal.message}).items():
                self.add_error(self._place(field, sentence), sentence)
            return typed
        return {**said, "effective_from": typed.get("effective_from"), "note": typed.get("note", "")}

    def _place(self, field: str, sentence: str) -> str | None:
        weekday = sentence.partition(":")[0].lower()
        place = weekday if field == "weekly_hours" and weekday in DAY_KEYS else field
        return place if place in self.fields else None


class TryOutForm(forms.Form):
    """From when, and how many hours of working time."""

    start = forms.DateTimeField(widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"))
    hours = forms.DecimalField(label="Working hours", min_value=0, max_value=2000, decimal_places=2, initial=8)

    def clean_start(self) -> dt.datetime:
        """Refuse a start so far away that counting would be idle."""
        start: dt.datetime = self.cleaned_data["start"]
        if not 2000 <= start.year <= 2099:
            raise forms.ValidationError("Try a moment between 2000 and 2099.")
        return start


def _initial(last: CalendarVersion | None, now: dt.datetime, zone: str) -> dict[str, Any]:
    tomorrow = now.astimezone(zoneinfo.ZoneInfo(zone)).date() + dt.timedelta(days=1)
    if last is None:
        return {"effective_from": tomorrow, "zone": zone, **dict.fromkeys(DAY_KEYS[:5], "09:00-17:30")}
    said = definition_of(last)
    return {
        "effective_from": max(tomorrow, last.effective_from + dt.timedelta(days=1)),
        "zone": last.zone,
        **{key: day_text(stretches) for key, stretches in zip(DAY_KEYS, said.weekly, strict=True)},
        "country": last.country,
        "subdivision": last.subdivision,
        "extra_holidays": "\n".join(f"{day} {name}" for day, name in said.extra_holidays.items()),
        "removed_holidays": "\n".join(str(day) for day in sorted(said.removed_holidays)),
        "half_days": "\n".join(f"{day} {day_text(stretches)}" for day, stretches in said.half_days.items()),
    }


def _as_said(typed: dict[str, Any]) -> dict[str, Any]:
    return {
        "zone": typed.get("zone", ""),
        "weekly_hours": {key: typed.get(key, "") for key in DAY_KEYS},
        "country": typed.get("country", ""),
        "subdivision": typed.get("subdivision", ""),
        "extra_holidays": _dated(typed.get("extra_holidays", ""), "extra_holidays"),
        "removed_holidays": list(_lines(typed.get("removed_holidays", ""))),
        "half_days": _dated(typed.get("half_days", ""), "half_days"),
    }


def _dated(text: str, field: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in _lines(text):
        day, _, rest = line.partition(" ")
        try:
            key = str(read_date(day))
        except CalendarError as refusal:
            raise CalendarError(str(refusal), fields={field: str(refusal)}) from refusal
        if key in found:
            sentence = f"{key} is there twice."
            raise CalendarError(sentence, fields={field: sentence})
        found[key] = rest.strip()
    return found


def _lines(text: str) -> Iterator[str]:
    return filter(None, (line.strip() for line in text.splitlines()))
