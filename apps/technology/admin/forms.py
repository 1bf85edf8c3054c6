"""The forms of the technology stack; what they refuse, the rules of `domain` say."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSingleDateWidget, UnfoldAdminTextInputWidget

from apps.core import clock
from apps.core.admin_kit.locking import RowVersionForm
from apps.technology.domain.cases import refuse_without_case
from apps.technology.domain.cost_lines import refuse_values
from apps.technology.domain.currencies import refuse_currency
from apps.technology.enums import Lifecycle
from apps.technology.models import CostLine


class CurrencyForm(RowVersionForm):
    """A form whose currency must be one of ISO 4217."""

    def clean_currency(self) -> str:
        """Refuse what is no currency."""
        code = str(self.cleaned_data.get("currency") or "").strip()
        if code and (refused := refuse_currency(code)):
            raise forms.ValidationError(refused)
        return code


class CostLineForm(CurrencyForm):
    """A new cost."""

    def clean(self) -> dict[str, Any]:
        """Refuse what the rules refuse, field by field, and a cost that no case covers."""
        cleaned = super().clean()
        wanted = ("tool", "amount", "currency", "valid_from")
        if self.errors or any(cleaned.get(name) is None for name in wanted):
            return cleaned
        values = {name: value for name, value in cleaned.items() if name in {f.name for f in CostLine._meta.fields}}
        for name, sentence in refuse_values(CostLine(**values)).items():
            self.add_error(name, sentence)
        tool = cleaned["tool"]
        if tool.lifecycle == Lifecycle.RETIRED:
            self.add_error("tool", f"{tool} is retired and costs nothing more.")
        elif refused := refuse_without_case(tool):
            self.add_error("tool", refused)
        return cleaned


class NewPriceForm(forms.Form):
    """Asks for the next price."""

    amount = forms.DecimalField(
        min_value=0, max_digits=14, decimal_places=4, widget=UnfoldAdminDecimalFieldWidget, label="New amount"
    )
    quantity = forms.DecimalField(
        min_value=0,
        max_digits=14,
        decimal_places=3,
        required=False,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="Only where the number of seats or units changes too.",
    )
    starts_on = forms.DateField(widget=UnfoldAdminSingleDateWidget, label="From", help_text="Its first day.")
    note = forms.CharField(required=False, max_length=250, widget=UnfoldAdminTextInputWidget, label="Why")


class CloseCostForm(forms.Form):
    """Asks for the last day."""

    ends_on = forms.DateField(widget=UnfoldAdminSingleDateWidget, label="Last day")
    note = forms.CharField(required=False, max_length=250, widget=UnfoldAdminTextInputWidget, label="Why")


class CorrectCostForm(forms.Form):
    """Asks what was written wrongly; what is left empty stays as it is."""

    amount = forms.DecimalField(
        min_value=0, max_digits=14, decimal_places=4, required=False, widget=UnfoldAdminDecimalFieldWidget
    )
    quantity = forms.DecimalField(
        min_value=0, max_digits=14, decimal_places=3, required=False, widget=UnfoldAdminDecimalFieldWidget
    )
    currency = forms.CharField(max_length=3, required=False, widget=UnfoldAdminTextInputWidget)
    valid_from = forms.DateField(required=False, widget=UnfoldAdminSingleDateWidget, label="From")
    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}), help_text="What was wrong. What you leave empty above stays as it is."
    )


class CorrectRateForm(forms.Form):
    """Asks for the right rate."""

    rate = forms.DecimalField(
        min_value=0, max_digits=18, decimal_places=8, widget=UnfoldAdminDecimalFieldWidget, label="The right rate"
    )
    source = forms.CharField(required=False, max_length=100, widget=UnfoldAdminTextInputWidget)


class RateForm(RowVersionForm):
    """A new exchange rate."""

    def clean(self) -> dict[str, Any]:
        """Refuse what is no currency, and a day to come."""
        cleaned = super().clean()
        for name in ("currency", "into"):
            if (code := cleaned.get(name)) and (refused := refuse_currency(code)):
                self.add_error(name, refused)
        if (on := cleaned.get("on")) and on > clock.today():
            self.add_error("on", "Nobody knows tomorrow's rate; choose a day up to today.")
        return cleaned


class WaiverForm(RowVersionForm):
    """A waiver."""

    def clean_expires_on(self) -> Any:
        """Refuse a last day in the past."""
        day = self.cleaned_data["expires_on"]
        if day < clock.today():
            raise forms.ValidationError("A waiver cannot end in the past; choose a later day.")
        return day
