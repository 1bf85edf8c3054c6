"""What the steps of an improvement ask for."""

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSingleDateWidget, UnfoldAdminTextInputWidget

from apps.processes.enums import MeasuredOver, ProcessFigure


class ProposeForm(forms.Form):
    """Asks what gets better, and by which figure."""

    title = forms.CharField(
        max_length=150,
        widget=UnfoldAdminTextInputWidget,
        help_text="What gets better, in a line: Leads are answered sooner.",
    )
    figure = forms.ChoiceField(
        choices=ProcessFigure.choices,
        label="Measured by",
        widget=UnfoldAdminSelectWidget,
        help_text="The figure of the process that has to move. mops captures it before and after; nobody types it.",
    )
    measured_over = forms.TypedChoiceField(
        choices=MeasuredOver.choices,
        coerce=int,
        initial=MeasuredOver.QUARTER,
        widget=UnfoldAdminSelectWidget,
        help_text="How far back the figure before the change looks.",
    )
    due_on = forms.DateField(
        label="Due", required=False, widget=UnfoldAdminSingleDateWidget, help_text="By when it is validated."
    )


class GapForm(forms.Form):
    """Asks what keeps the figure where it is, and where it has to go."""

    gap = forms.CharField(
        label="The gap",
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What keeps the figure where it is, and how you know.",
    )
    target = forms.DecimalField(
        min_value=0, max_digits=12, decimal_places=2, help_text="In the unit of the figure: minutes or percent."
    )


class SolutionForm(forms.Form):
    """Asks what will be different."""

    solution = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}), help_text="What will be different, step by step."
    )
