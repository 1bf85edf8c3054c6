"""The form of one step: what it is, who does it, and where it leads."""

import re
from typing import Any

from django import forms
from django.forms.formsets import BaseFormSet, formset_factory

from apps.processes.domain.editing import END, MOST_WAYS, NEXT, Arranged, Lead, new_key
from apps.processes.enums import StepKind, StepMode
from apps.processes.models.values import FlowStep

_TOKEN = re.compile(r"[a-z0-9+_-]{1,60}")
_LINK = re.compile(r"^(?:.*\s)?(https?://\S+|/\S*)$")


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip()[:100] for part in text.split(",") if part.strip()))


class TargetField(forms.CharField):
    """Where a way leads: the token of a step, the next one, the end, or nothing."""

    widget = forms.Select

    def validate(self, value: str) -> None:
        """Take tokens only; whether there is such a step is judged with all of them at hand."""
        super().validate(value)
        if value and not _TOKEN.fullmatch(value):
            raise forms.ValidationError("Choose a step of the list.")


class StepForm(forms.Form):
    """One step of a draft."""

    token = forms.CharField(max_length=60, widget=forms.HiddenInput, required=False)
    title = forms.CharField(max_length=150, error_messages={"required": "Say what is done."})
    kind = forms.ChoiceField(choices=StepKind.choices, initial=StepKind.MANUAL)
    role = forms.CharField(
        max_length=80, required=False, widget=forms.TextInput(attrs={"list": "process-roles", "autocomplete": "off"})
    )
    minutes = forms.IntegerField(min_value=0, max_value=14_400, required=False)
    mode = forms.ChoiceField(label="Done", choices=StepMode.choices, initial=StepMode.MANUAL)
    blocking = forms.BooleanField(label="Nothing after it starts before it is done", required=False, initial=True)
    instructions = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="How it is done, in Markdown."
    )
    links = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="One per line: a title, then the address: Brand guide https://…",
    )
    accountable = forms.CharField(
        max_length=80, required=False, widget=forms.TextInput(attrs={"list": "process-roles", "autocomplete": "off"})
    )
    consulted = forms.CharField(required=False, help_text="With commas between.")
    informed = forms.CharField(required=False, help_text="With commas between.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Add the ways that lead on."""
        super().__init__(*args, **kwargs)
        for number in range(MOST_WAYS):
            self.fields[f"to{number}"] = TargetField(required=False, initial="" if number else NEXT)
            self.fields[f"when{number}"] = forms.CharField(max_length=120, required=False)
            self.fields[f"back{number}"] = forms.BooleanField(required=False)

    def has_changed(self) -> bool:
        """Whether a new card says anything: one without a title and instructions is left alone."""
        if self.empty_permitted and self.is_bound:
            return any(self.data.get(self.add_prefix(name), "").strip() for name in ("title", "instructions", "role"))
        changed: bool = super().has_changed()
        return changed

    @property
    def ways(self) -> list[tuple[Any, Any, Any, str]]:
        """The fields of each way, and what is chosen in it."""
        return [
            (self[f"to{number}"], self[f"when{number}"], self[f"back{number}"], str(self[f"to{number}"].value() or ""))
            for number in range(MOST_WAYS)
        ]

    def clean_token(self) -> str:
        """Take nothing but what a key or a new step's mark can be."""
        token = str(self.cleaned_data["token"])
        if token and not _TOKEN.fullmatch(token):
            raise forms.ValidationError("This step has lost its mark; open the page again.")
        return token

    def clean_links(self) -> str:
        """Refuse what is no address."""
        lines = [line.strip() for line in str(self.cleaned_data["links"]).splitlines() if line.strip()]
        if wrong := next((line for line in lines if not _LINK.match(line)), None):
            raise forms.ValidationError(f"“{wrong}” ends in no address; addresses begin with https:// or /.")
        return "\n".join(lines)

    def clean_instructions(self) -> str:
        """Keep line ends as the product does."""
        return str(self.cleaned_data["instructions"]).replace("\r\n", "\n").strip()


StepFormSet: Any = formset_factory(StepForm, extra=1, can_delete=True, can_order=True, max_num=121, absolute_max=130)


def initial_from(arranged: list[Arranged]) -> list[dict[str, Any]]:
    """Return what the forms show at first."""
    found = []
    for each in arranged:
        step = each.step
        shown: dict[str, Any] = {
            **{name: getattr(step, name) for name in ("title", "kind", "mode", "role", "minutes", "blocking")},
            **{name: getattr(step, name) for name in ("instructions", "links", "accountable")},
            "token": step.key,
            "consulted": ", ".join(step.consulted),
            "informed": ", ".join(step.informed),
        }
        for number, lead in enumerate(each.leads[:MOST_WAYS]):
            shown |= {f"to{number}": lead.to, f"when{number}": lead.condition, f"back{number}": lead.is_rework}
        found.append(shown)
    return found


def arranged_from(formset: "BaseFormSet[StepForm]") -> list[Arranged]:
    """Return what was arranged, in order; new steps get their keys, and ways to steps taken out go with them."""
    rows: list[Any] = [form.cleaned_data for form in formset.ordered_forms if form.cleaned_data.get("title")]
    taken = [row["token"] for row in rows if row["token"] and not row["token"].startswith("+")]
    keys = {}
    for place, row in enumerate(rows):
        token = row["token"] or f"+{place}"
        keys[token] = row["token"] if row["token"] in taken else new_key(row["title"], taken)
        row["token"] = token
    return [Arranged(_step(row, keys[row["token"]]), _leads(row, keys)) for row in rows]


def _step(row: dict[str, Any], key: str) -> FlowStep:
    return FlowStep(
        key=key,
        consulted=_names(row["consulted"]),
        informed=_names(row["informed"]),
        **{name: row[name] for name in ("title", "kind", "mode", "role", "minutes", "blocking")},
        **{name: row[name] for name in ("instructions", "links", "accountable")},
    )


def _leads(row: dict[str, Any], keys: dict[str, str]) -> tuple[Lead, ...]:
    leads = []
    for number in range(MOST_WAYS):
        to = row[f"to{number}"]
        target = to if to in (NEXT, END) else keys.get(to, "")
        if target:
            leads.append(Lead(target, row[f"when{number}"].strip(), row[f"back{number}"]))
    return tuple(leads) or (Lead(NEXT),)
