"""Fields of a form that keep a list or pairs and are written one a line: no braces, no quotes, errors by line."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget

Read = Callable[[str], tuple[Any, list[str]]]


class LinesField(forms.CharField):
    """Lines of text that stand for a list or for pairs.

    Args:
        read: turns the text into what is kept, and says what is wrong, each sentence naming its line.
        show: turns what is kept into lines.
        rows: how many lines the box shows.
    """

    def __init__(self, read: Read, show: Callable[[Any], str], *, rows: int, **options: Any) -> None:
        self.read, self.show = read, show
        box = {"rows": rows, "spellcheck": "false", "autocomplete": "off", "class": "leads-lines"}
        super().__init__(required=False, widget=UnfoldAdminTextareaWidget(attrs=box), **options)

    def prepare_value(self, value: Any) -> Any:
        """Show what is kept as lines; what was typed stands as it was typed."""
        return value if isinstance(value, str) or value is None else self.show(value)

    def to_python(self, value: Any) -> Any:
        """Read the lines.

        Raises:
            ValidationError: a sentence for each line that cannot be read.
        """
        found, wrong = self.read(value or "")
        if wrong:
            raise ValidationError(wrong)
        return found


def one_a_line(names: Any) -> str:
    """Return names below each other."""
    return "\n".join(str(name) for name in names) if isinstance(names, (list, tuple)) else str(names)


def as_lines(show: Callable[[Mapping[str, str]], str]) -> Callable[[Any], str]:
    """Return `show` for what may have been stored otherwise: it is shown as it is."""
    return lambda value: show(value) if isinstance(value, dict) else str(value)
