"""What the buttons of leads ask."""

from typing import Any

from django import forms

from apps.accounts.enums import Role
from apps.accounts.models import User
from apps.core.admin_kit.days import DayInput
from apps.core.admin_kit.json_text import JSONText
from apps.leads.enums import ConsentPurpose, ContactKind, RejectReason

# Who can be given leads and customers: people in sales and in marketing operations.
LOOKS_AFTER_LEADS = User.objects.filter(
    is_active=True,
    is_system=False,
    memberships__archived_at__isnull=True,
    memberships__role__in=(Role.SALES, Role.OPS),
).distinct()


class ConsentForm(forms.Form):
    """Asks what a lead agreed to, and how it is known."""

    purpose = forms.ChoiceField(choices=ConsentPurpose.choices)
    is_given = forms.TypedChoiceField(
        label="The person",
        choices=(("yes", "agrees"), ("no", "takes it back")),
        coerce=lambda value: value == "yes",
    )
    evidence = forms.CharField(
        max_length=300, help_text="The form and its wording, the letter, the call: what can be shown later."
    )


class ScoreForm(forms.Form):
    """Asks for a score, why, and until when."""

    value = forms.FloatField(label="Score")
    until = forms.DateField(widget=DayInput(), help_text="Until the end of that day.")
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), help_text="Why the rules are wrong here.")


class RejectForm(forms.Form):
    """Asks why a lead goes back."""

    rejection = forms.ChoiceField(label="Why it goes back", choices=RejectReason.choices)
    reason = forms.CharField(
        label="What you found",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Marketing reads it, and the rules of scoring are judged by it.",
    )


class ReassignForm(forms.Form):
    """Asks who takes a lead over, and why."""

    person = forms.ModelChoiceField(label="To", queryset=LOOKS_AFTER_LEADS)
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), help_text="It stays with the lead.")


class ContactForm(forms.Form):
    """Asks how somebody was in touch."""

    kind = forms.ChoiceField(label="How", choices=ContactKind.choices)
    note = forms.CharField(
        label="What came of it", required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )


class HandOnForm(forms.Form):
    """Asks who takes a customer over."""

    to = forms.ModelChoiceField(queryset=LOOKS_AFTER_LEADS)
    note = forms.CharField(label="What they should know", required=False, widget=forms.Textarea(attrs={"rows": 3}))


class DeliveryForm(forms.Form):
    """Asks for one delivery, as the source sends it."""

    key = forms.CharField(
        label="Key of the delivery", max_length=120, help_text="Names it at the source; the same key again is the same."
    )
    payload = JSONText(
        label="What it brings",
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="As JSON, for instance {“work_email”: “ann@example.com”} with straight quotes.",
    )

    def clean_payload(self) -> dict[str, Any]:
        """Take an object alone."""
        given = self.cleaned_data["payload"]
        if not isinstance(given, dict):
            raise forms.ValidationError("A delivery is an object: names with their values.")
        return given
