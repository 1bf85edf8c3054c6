"""What the page of a source shows: its addresses, and what became of what came in the last weeks."""

import datetime as dt
from functools import partial
from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse

from apps.core import access, clock
from apps.core.admin_kit.locking import RowVersionForm
from apps.leads.admin.lines import LinesField, as_lines, one_a_line
from apps.leads.domain.contracts import pairs_as_lines, problems, read_names, read_pairs
from apps.leads.domain.intake import FIELDS
from apps.leads.domain.profiling import QUESTIONS, next_questions
from apps.leads.enums import IntakeState
from apps.leads.models import Intake, IntakeSource, Lead

DAYS = 30


def _written() -> dict[str, LinesField]:
    """Return what of a contract is written one a line, as fields of a form."""
    return {
        "fields": LinesField(
            read_pairs,
            as_lines(pairs_as_lines),
            rows=6,
            label="Fields it brings",
            help_text="One a line, their name there → ours: work_email → email (-> will do). What is not named is "
            f"kept, unused. Ours are {', '.join(FIELDS)}.",
        ),
        "required": LinesField(
            partial(read_names, known=FIELDS),
            one_a_line,
            rows=3,
            label="Fields it must bring",
            help_text="Ours, one a line, for instance email. A delivery without one of them is rejected.",
        ),
        "origins": LinesField(
            read_names,
            one_a_line,
            rows=2,
            label="Sites that may send",
            help_text="One a line, for instance https://www.example.com; empty: every site.",
        ),
        "asks": LinesField(
            partial(read_names, known=QUESTIONS),
            one_a_line,
            rows=4,
            label="Asks next",
            help_text="Our fields, one a line, in the order a form asks for them; of each person only what is not "
            f"known yet. A form can ask for {', '.join(QUESTIONS)}.",
        ),
    }


class SourceForm(RowVersionForm):
    """A contract: what it maps is written one a line, and what cannot be used is told beside its field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Write lists and pairs one a line; who may only look gets no boxes."""
        super().__init__(*args, **kwargs)
        for name, field in _written().items():
            if name in self.fields:
                self.fields[name] = field

    def clean(self) -> dict[str, Any]:
        """Read the contract as a delivery would."""
        cleaned = super().clean()
        if not self.errors:
            own = {field.name for field in IntakeSource._meta.concrete_fields}
            given = {name: value for name, value in cleaned.items() if name in own}
            for name, sentence in problems(IntakeSource(**given)).items():
                self.add_error(name, sentence)
        return cleaned


def source_panel(request: HttpRequest, source: IntakeSource) -> dict[str, Any]:
    """Return addresses, figures of the last 30 days, and what a form asks somebody unknown."""
    person: Any = request.user
    rows = access.visible(person, Intake).filter(source=source, received_at__gte=clock.now() - dt.timedelta(days=DAYS))
    counted = dict(rows.order_by().values_list("state").annotate(Count("pk")))
    reasons = rows.filter(state=IntakeState.REJECTED).order_by().values_list("reason").annotate(number=Count("pk"))
    addresses = []
    if source.is_web_form:
        addresses.append(("Forms are sent to", request.build_absolute_uri(reverse("lead-form", args=(source.key,)))))
        addresses.append(
            ("Forms ask what to ask at", request.build_absolute_uri(reverse("lead-questions", args=(source.key,))))
        )
    if source.takes_visits:
        addresses.append(("Visits are told to", request.build_absolute_uri(reverse("lead-visits", args=(source.key,)))))
    return {
        "template": "admin/leads/source_panel.html",
        "addresses": addresses,
        "days": DAYS,
        "contract": _contract(source),
        "counts": [(state.label, counted.get(state.value, 0)) for state in IntakeState],
        "reasons": list(reasons.order_by("-number", "reason")[:5]),
        "asked": [each.label for each in next_questions(source, None)] if source.is_web_form else [],
        "all": f"{reverse('admin:leads_intake_changelist')}?source__id__exact={source.pk}",
    }


def called(name: str) -> str:
    """Return what pages call a field of ours: “Job title” for job_title."""
    label = str(Lead._meta.get_field(name).verbose_name) if name in FIELDS else name  # type: ignore[union-attr]
    return label[:1].upper() + label[1:]


def _contract(source: IntakeSource) -> list[tuple[str, str, bool]]:
    """Return what becomes of each field: its name there, ours in words, and whether every delivery must bring it."""
    if not isinstance(source.fields, dict) or not isinstance(source.required, list):
        return []
    named = [(theirs, called(ours), ours in source.required) for theirs, ours in source.fields.items()]
    return [*named, *((ours, called(ours), True) for ours in source.required if ours not in source.fields.values())]
