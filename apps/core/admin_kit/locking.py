"""Optimistic locking: who saves a form that somebody else has overtaken sees what changed and loses nothing."""

from typing import TYPE_CHECKING, Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.core.admin_kit.names import label_of
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
        self.fields["opened_version"].initial = self.instance.row_version
        if self.instance.pk is None and demanded_reason(type(self.instance), "insert") is None:
            self.fields["change_reason"].widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        """Refuse to overwrite a newer version, naming who made it and what it changed."""
        cleaned = super().clean() or {}
        opened = cleaned.pop("opened_version", None)
        if self.instance.pk and opened is not None:
            newest = self.instance.history.order_by("-history_id").first()
            current = type(self.instance)._base_manager.values_list("row_version", flat=True).get(pk=self.instance.pk)
            if current != opened:
                self.add_error(None, self._overtaken(newest))
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

    def _overtaken(self, newest: Any) -> str:
        stored = type(self.instance)._base_manager.get(pk=self.instance.pk)
        differing = [
            label_of(stored, name)
            for name in self.changed_data
            if name in self.initial and getattr(stored, name, None) != self.initial[name]
        ]
        who = newest.actor_label if newest is not None else "somebody"
        what = f" You both changed: {', '.join(differing)}." if differing else ""
        return (
            f"{who} saved a newer version while you were editing.{what} Your entries are still below: "
            "open the history in another tab to compare, then save again to keep yours."
        )
