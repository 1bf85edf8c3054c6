"""The box a day is given in: the browser's own calendar, which reads a day in one format alone."""

from typing import Any

from django import forms


class DayInput(forms.DateInput):
    """A day; written as browsers read it, whatever the language of the page, or what stands there would look empty."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        """Write days as 2026-03-31."""
        super().__init__(attrs=attrs, format="%Y-%m-%d")
