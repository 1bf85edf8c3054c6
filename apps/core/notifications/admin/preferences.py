"""The form in which a person chooses how to be told."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from django import forms

from apps.core.notifications.enums import Reach
from apps.core.notifications.kinds import all_kinds
from apps.core.notifications.models import MailHours

PREFIX = "kind:"


class PreferencesForm(forms.Form):
    """One choice per kind, and the hours of mail."""

    quiet_from = forms.TimeField(
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text="From then on mail waits; only what is broken right now still comes.",
    )
    quiet_until = forms.TimeField(
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text="What waited comes then. Earlier than the beginning means the next morning.",
    )
    digest_at = forms.TimeField(
        label="Daily digest at",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text="One mail a day with what is unread; none when nothing waits.",
    )

    def __init__(self, *args: Any, choices: Mapping[str, Reach], hours: MailHours, **kwargs: Any) -> None:
        """Offer one choice per kind."""
        super().__init__(*args, **kwargs)
        for name in ("quiet_from", "quiet_until", "digest_at"):
            self.fields[name].initial = getattr(hours, name)
        for kind in all_kinds():
            self.fields[f"{PREFIX}{kind.key}"] = forms.ChoiceField(
                label=kind.label,
                choices=kind.choices,
                initial=choices[kind.key],
                help_text="Cannot be switched off." if kind.mandatory else "",
            )

    def groups(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """Return the choices under the names of their groups."""
        for group, kinds in groupby(all_kinds(), key=lambda kind: kind.group):
            yield group, [self[f"{PREFIX}{kind.key}"] for kind in kinds]

    def hours(self) -> list[forms.BoundField]:
        """Return the fields about times of day."""
        return [self[name] for name in ("quiet_from", "quiet_until", "digest_at")]

    def wishes(self) -> dict[str, Any]:
        """Return what `preferring.prefer` takes."""
        given = dict(self.cleaned_data)
        reaches = {name.removeprefix(PREFIX): given.pop(name) for name in list(given) if name.startswith(PREFIX)}
        return {"reaches": reaches, **given}
