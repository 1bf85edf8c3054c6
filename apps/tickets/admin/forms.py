"""The forms that pages of tickets ask with."""

from typing import Any

from django import forms
from django.db.models import Q

from apps.accounts.models import User
from apps.core import clock
from apps.core.admin_kit.days import DayInput
from apps.core.words import NOTHING
from apps.tickets.domain.follow_ups import HOLDS
from apps.tickets.domain.queries import desk_people
from apps.tickets.enums import WAITING, Level, LinkKind, ProblemState, Resolution, TicketState
from apps.tickets.models import FormVersion, Problem, Queue, Ticket, TicketType
from apps.tickets.subjects import SUBJECTS

AREA = forms.Textarea(attrs={"rows": 4})


class TicketField(forms.CharField):
    """Asks for another ticket by its number: "T-12" or "12"."""

    def clean(self, value: Any) -> Any:
        """Find it."""
        text = super().clean(value).strip().upper().removeprefix("T-")
        found = Ticket.objects.live().filter(pk=int(text)).first() if text.isdecimal() and len(text) < 12 else None
        if found is None:
            raise forms.ValidationError(f"There is no ticket {value}; write its number like T-12.")
        return found


class AssignForm(forms.Form):
    """Asks who goes on with a ticket."""

    assignee = forms.ModelChoiceField(
        User.objects.none(), required=False, help_text="Empty: anybody in the queue may take it."
    )
    queue = forms.ModelChoiceField(Queue.objects.live(), required=False, help_text="Empty: it stays where it is.")
    note = forms.CharField(required=False, widget=AREA, help_text="What they should know.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the people of the desk."""
        super().__init__(*args, **kwargs)
        self.fields["assignee"].queryset = desk_people()  # type: ignore[attr-defined]  # a ModelChoiceField


class PriorityForm(forms.Form):
    """Asks how much it matters."""

    impact = forms.TypedChoiceField(
        choices=Level.choices, coerce=int, initial=Level.MEDIUM, help_text="How much or how many it touches."
    )
    urgency = forms.TypedChoiceField(
        choices=Level.choices, coerce=int, initial=Level.MEDIUM, help_text="How soon it matters."
    )
    reason = forms.CharField(required=False, widget=AREA)


class WaitForm(forms.Form):
    """Asks what a ticket waits for."""

    state = forms.ChoiceField(choices=[(state.value, TicketState(state).label) for state in WAITING])
    reason = forms.CharField(widget=AREA, help_text="Kept on the trail: time stands still meanwhile.")


class EscalateForm(forms.Form):
    """Asks why it cannot wait."""

    reason = forms.CharField(widget=AREA, help_text="Everybody who is told reads it.")
    raise_priority = forms.BooleanField(
        label="Raise the priority", required=False, initial=True, help_text="By one, with its promised times."
    )


class ProblemForm(forms.Form):
    """Asks which problem lies behind a ticket."""

    problem = forms.ModelChoiceField(
        Problem.objects.live().exclude(state=ProblemState.SOLVED),
        required=False,
        label="A problem that is known",
        help_text="Or write down a new one below.",
    )
    title = forms.CharField(
        required=False, max_length=200, label="A new problem", help_text="What goes wrong again and again, in one line."
    )


class ResolveForm(forms.Form):
    """Asks how it ended."""

    resolution = forms.ChoiceField(
        choices=[each for each in Resolution.choices if each[0] != Resolution.DUPLICATE],
        help_text="A duplicate is merged instead.",
    )
    note = forms.CharField(required=False, widget=AREA, help_text="The requester reads this.")


class MergeForm(forms.Form):
    """Asks where a ticket goes on."""

    other = TicketField(label="Goes on in", help_text="The number of the ticket that stays, like T-12.")
    note = forms.CharField(required=False, widget=AREA)


class LinkForm(forms.Form):
    """Asks how two tickets belong together."""

    kind = forms.ChoiceField(choices=LinkKind.choices, label="This ticket")
    other = TicketField(label="Other ticket", help_text="Its number, like T-12.")


class RecordForm(forms.Form):
    """Asks what a ticket is about."""

    kind = forms.ChoiceField(
        label="What it is about",
        choices=lambda: [(key, each.name.capitalize()) for key, each in SUBJECTS.items()],
    )
    words = forms.CharField(
        label="Its name", max_length=300, help_text="Or a part of it that no other has, or the address of its page."
    )


class PointsForm(forms.Form):
    """Asks for points to do."""

    points = forms.CharField(widget=AREA, help_text="One a line.")


class FollowUpForm(forms.Form):
    """Asks when to look again, and at what."""

    question = forms.CharField(max_length=200, initial=HOLDS, help_text="What to find out.")
    due_on = forms.DateField(label="On", widget=DayInput())
    assignee = forms.ModelChoiceField(
        User.objects.none(), required=False, help_text="Empty: whoever works on the ticket, else you."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the people of the desk."""
        super().__init__(*args, **kwargs)
        self.fields["assignee"].queryset = desk_people()  # type: ignore[attr-defined]  # a ModelChoiceField


class TimeForm(forms.Form):
    """Asks how long it took."""

    minutes = forms.IntegerField(help_text="A mistake is corrected by another entry, in the minus.")
    spent_on = forms.DateField(label="On", initial=clock.today, widget=DayInput())
    note = forms.CharField(required=False)


class ManyFiles(forms.ClearableFileInput):
    """An input that takes several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Takes several files; the operation that keeps them checks each."""

    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Return the files sent, as a list."""
        return list(data or [])


class AskForm(forms.Form):
    """Asks for a ticket: title, text and the questions of its type's form."""

    title = forms.CharField(max_length=200, label="What is it about?", help_text="In one line.")
    body = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 6}),
        label="Describe it",
        help_text="What you need and until when, or what happened and what you expected.",
    )

    def __init__(self, *args: Any, version: FormVersion | None = None, **kwargs: Any) -> None:
        """Add a field for each question."""
        super().__init__(*args, **kwargs)
        self.asked: list[str] = []
        for each in version.questions if version is not None else []:
            name = f"answer_{each['key']}"
            self.asked.append(each["key"])
            self.fields[name] = _field(each)

    def offer_files(self) -> None:
        """Ask for files as well, last."""
        self.fields["files"] = FilesField(
            required=False,
            label="Files",
            help_text="A screenshot says more than words. At most five, of 25 MB each, pictures of 10.",
        )

    @property
    def answers(self) -> dict[str, Any]:
        """What was answered, by question."""
        return {key: str(self.cleaned_data.get(f"answer_{key}") or "") for key in self.asked}

    def blame(self, fields: dict[str, str]) -> None:
        """Show each sentence at the field it is about."""
        for name, sentence in fields.items():
            key = name if name in self.fields else f"answer_{name}"
            self.add_error(key if key in self.fields else None, sentence)


class DeskForm(AskForm):
    """Asks for a ticket written down for somebody else."""

    requester = forms.ModelChoiceField(User.objects.working(), required=False, label="Who asks (colleague)")
    requester_name = forms.CharField(required=False, max_length=150, label="Who asks (from outside)")
    requester_email = forms.EmailField(required=False, label="Their e-mail")
    queue = forms.ModelChoiceField(Queue.objects.live(), required=False, help_text="Empty: the queue of its type.")
    impact = forms.TypedChoiceField(choices=Level.choices, coerce=int, initial=Level.MEDIUM)
    urgency = forms.TypedChoiceField(choices=Level.choices, coerce=int, initial=Level.MEDIUM)


def types_to_ask() -> Any:
    """Return the types a ticket can be opened of."""
    return TicketType.objects.live().filter(~Q(tier="self_service")).order_by("name")


def _field(question: dict[str, Any]) -> forms.Field:
    common: dict[str, Any] = {
        "label": question["label"],
        "required": question["required"],
        "help_text": question.get("help", ""),
    }
    kind = question["kind"]
    if kind == "long text":
        return forms.CharField(widget=AREA, **common)
    if kind == "choice":
        return forms.ChoiceField(choices=[("", NOTHING), *((each, each) for each in question["choices"])], **common)
    if kind == "yes or no":
        return forms.ChoiceField(choices=[("", NOTHING), ("Yes", "Yes"), ("No", "No")], **common)
    if kind == "date":
        return forms.DateField(widget=DayInput(), **common)
    if kind == "number":
        return forms.DecimalField(**common)
    return forms.CharField(max_length=500, **common)
