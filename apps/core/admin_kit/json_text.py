"""A form field of JSON that somebody wrote by hand: whatever stands in it, the answer is a sentence beside it."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput

from apps.core.storable import no_number

DEEPEST = 100  # what reads it goes down by itself, and Python only a thousand steps


class JSONText(forms.JSONField):
    """JSON as text; Django's own field stops at what is no JSON, not at numbers or depths that nothing reads."""

    def to_python(self, value: Any) -> Any:
        """Return what was written.

        Raises:
            ValidationError: it cannot be read.
        """
        if isinstance(value, str) and value and not _is_readable(value):
            raise ValidationError(self.error_messages["invalid"], code="invalid", params={"value": value})
        return super().to_python(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Show what cannot be read as it was written."""
        if not self.disabled and isinstance(data, str) and not _is_readable(data):
            return InvalidJSONInput(data)
        return super().bound_data(data, initial)


def _is_readable(text: str) -> bool:
    try:
        level = [json.loads(text, parse_constant=no_number)]
        json.dumps(level, ensure_ascii=False).encode()  # a page with half a character could not be sent
    except (ValueError, RecursionError):
        return False
    for _ in range(DEEPEST):
        inner = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, (dict, list)))
        level = [value for values in inner for value in values]
        if not level:
            return True
    return False
