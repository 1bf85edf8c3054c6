"""What the buttons of leads ask."""

from typing import Any

from django import forms

from apps.leads.enums import ConsentPurpose, RejectReason


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
    until = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}), help_text="Until the end of that day.")
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), help_text="Why the rules are wrong here.")


class RejectForm(forms.Form):
    """Asks why a lead goes back."""

    rejection = forms.ChoiceField(label="Why it goes back", choices=RejectReason.choices)
    reason = forms.CharField(
        label="What you found",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Marketing reads it, and the rules of scoring are judged by it.",
    )


class DeliveryForm(forms.Form):
    """Asks for one delivery, as the source sends it."""

    key = forms.CharField(
        label="Key of the delivery", max_length=120, help_text="Names it at the source; the same key again is the same."
    )
    payload = forms.JSONField(
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
