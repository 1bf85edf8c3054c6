"""What the buttons of leads ask."""

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
