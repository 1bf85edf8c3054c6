"""What the page of a source shows: its addresses, and what became of what came in the last weeks."""

import datetime as dt
from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse

from apps.core import access, clock
from apps.core.admin_kit.locking import RowVersionForm
from apps.leads.domain.contracts import problems
from apps.leads.domain.profiling import next_questions
from apps.leads.enums import IntakeState
from apps.leads.models import Intake, IntakeSource

DAYS = 30


class SourceForm(RowVersionForm):
    """A contract: what cannot be used is told beside its field."""

    def clean(self) -> dict[str, Any]:
        """Read the contract as a delivery would."""
        cleaned = super().clean()
        for name in ("fields", "required", "origins", "asks"):
            if name in cleaned and cleaned[name] is None:  # the box was emptied
                cleaned[name] = IntakeSource._meta.get_field(name).get_default()  # type: ignore[union-attr]
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
        "counts": [(state.label, counted.get(state.value, 0)) for state in IntakeState],
        "reasons": list(reasons.order_by("-number", "reason")[:5]),
        "asked": [each.label for each in next_questions(source, None)] if source.is_web_form else [],
        "all": f"{reverse('admin:leads_intake_changelist')}?source__id__exact={source.pk}",
    }
