"""Optimistic locking: who saves a form that somebody else has overtaken sees what changed and loses nothing."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.core.admin_kit.choosing import show_loaded
from apps.core.admin_kit.names import label_of
from apps.core.money import number_in_words
from apps.core.reasons import demanded_reason

if TYPE_CHECKING:
    AnyModelForm = forms.ModelForm[Any]
else:  # the class takes no parameter at run time
    AnyModelForm = forms.ModelForm


OWN_FIELDS = ("opened_version", "change_reason")


class RowVersionForm(AnyModelForm):
    """A form that remembers which version of the row it was opened on, and asks why it is changed."""

    opened_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    change_reason = forms.CharField(
        label="Reason for this change",
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text="Kept with the change in the history and the ledger.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Note the version now shown; a new row is asked for a reason only where a rule wants one."""
        super().__init__(*args, **kwargs)
        show_loaded(self)
        self.fields["opened_version"].initial = self.instance.row_version
        if self.instance.pk is None and demanded_reason(type(self.instance), "insert") is None:
            self.fields["change_reason"].widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        """Take in what somebody else saved meanwhile; where both changed the same, say so and save nothing yet."""
        cleaned = super().clean() or {}
        opened = cleaned.pop("opened_version", None)
        if self.instance.pk and opened is not None:
            self._catch_up(cleaned, opened)
        if not (cleaned.pop("change_reason", None) or "").strip() and (sentence := self._demanded()):
            self.add_error("change_reason", sentence)
        return cleaned

    def _demanded(self) -> str | None:
        operation = "update" if self.instance.pk else "insert"
        opts = self.instance._meta
        known = {field.name: field.attname for field in opts.concrete_fields}
        columns = {known[name] for name in self.changed_data if name in known}
        if operation == "update" and not columns:
            return None
        return demanded_reason(type(self.instance), operation, columns)

    def _catch_up(self, cleaned: dict[str, Any], opened: int) -> None:
        stored = type(self.instance)._base_manager.get(pk=self.instance.pk)
        if stored.row_version == opened:
            return
        versions = self.instance.history.filter(row_version__lte=opened)
        base = versions.order_by("-row_version", "-history_id").first()
        merged, both = [], []
        for name, field in _columns(stored, cleaned):
            theirs, mine = _plain(getattr(stored, field.attname)), _plain(cleaned[name])
            before = _plain(getattr(base, field.attname)) if base is not None else None
            if before == theirs or mine == theirs:
                continue
            if base is not None and mine == before:
                cleaned[name] = getattr(stored, name)
                merged.append(name)
            else:
                both.append(name)
        if both:
            self._overtaken(stored, both)
            self._show_newest(stored, merged)

    def _overtaken(self, stored: Any, both: list[str]) -> None:
        """Say who was faster and, at each field, what it holds now."""
        newest = stored.history.select_related("history_user").order_by("-history_id").first()
        who = (newest.history_user or newest.actor_label) if newest is not None else "Somebody"
        names = ", ".join(label_of(stored, name) for name in both)
        self.add_error(
            None,
            f"{who} saved a newer version while you were editing. You both changed: {names}. Your entries are still "
            "below, and nothing else is lost: compare, then save again to keep yours.",
        )
        for name in both:
            field = stored._meta.get_field(name)
            shown = getattr(stored, f"get_{name}_display", lambda field=field: getattr(stored, field.name))()
            if isinstance(shown, Decimal):
                shown = number_in_words(field, shown, stored)
            self.add_error(name, f"It now holds “{shown}”." if shown not in (None, "") else "It is empty now.")

    def _show_newest(self, stored: Any, merged: list[str]) -> None:
        """Go on from the newest version: the next save compares with that, and keeps what the others changed."""
        data: Any = dict(self.data) if not hasattr(self.data, "copy") else self.data.copy()
        data[self.add_prefix("opened_version")] = str(stored.row_version)
        for name in merged:
            key, field = self.add_prefix(name), self.fields[name]
            value = field.prepare_value(stored._meta.get_field(name).value_from_object(stored))
            if isinstance(field.widget, forms.MultiWidget):
                for number, part in enumerate(field.widget.decompress(value) or ()):
                    data[f"{key}_{number}"] = "" if part is None else str(part)
            elif isinstance(field, forms.BooleanField):
                data.pop(key, None)
                if value:
                    data[key] = "on"
            else:
                data[key] = "" if value is None else str(value)
        self.data = data


def _columns(stored: Any, cleaned: dict[str, Any]) -> list[tuple[str, Any]]:
    """The columns of the row that the form holds."""
    return [(field.name, field) for field in stored._meta.concrete_fields if field.name in cleaned]


def _plain(value: Any) -> Any:
    """A value as it is compared: a record by its key, a text without the browser's line ends, nothing as nothing."""
    if hasattr(value, "pk"):
        return value.pk
    if isinstance(value, str):
        return value.replace("\r\n", "\n").strip()
    return "" if value is None else value
