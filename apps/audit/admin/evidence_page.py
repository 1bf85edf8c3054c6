"""Taking evidence out: what the list shows, or a sample of it, as one package that proves itself."""

import secrets
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from apps.audit.admin.searching import named_in
from apps.audit.domain.evidence import MOST_SAMPLED, ask_for_evidence, refuse_evidence, write_package
from apps.audit.domain.filters import in_words
from apps.audit.domain.population import Population, gap_statement, population_of
from apps.core import clock
from apps.core.access_log import log_access
from apps.core.actors import acting_as, current_actor
from apps.core.admin_kit.searching import reach_all
from apps.core.admin_kit.step_up import ask_for_recent_authentication
from apps.core.errors import DomainError

SEED_BYTES = 8


class EvidenceForm(forms.Form):
    """Everything, or how many and drawn with what."""

    what = forms.ChoiceField(
        label="Entries",
        choices=[("everything", "Every entry of the population"), ("sample", "A random sample, with all its evidence")],
        initial="everything",
        widget=forms.RadioSelect,
    )
    size = forms.IntegerField(
        label="Size of the sample",
        required=False,
        min_value=1,
        max_value=MOST_SAMPLED,
        initial=25,
        help_text="For a sample. 25 is usual for a control that runs daily.",
    )
    seed = forms.CharField(
        label="Seed",
        required=False,
        max_length=64,
        help_text="For a sample: the same population and seed draw the same entries. Keep this one or bring your own.",
    )
    purpose = forms.CharField(
        required=False, max_length=300, help_text="For instance the engagement and the control. It is kept."
    )

    def clean(self) -> dict[str, Any]:
        """A sample has a size and a seed."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("what") == "sample":
            for name in ("size", "seed"):
                if not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, "A sample needs this.")
        return cleaned


def evidence_page(model_admin: Any, request: HttpRequest) -> HttpResponseBase:
    """Show what would be taken out, then take it out."""
    person: Any = request.user
    if refused := refuse_evidence(person):
        log_access("export", by=person, detail={"evidence": request.GET.urlencode(), "refused": refused})
        raise PermissionDenied(refused)
    back = reverse("admin:audit_auditevent_changelist") + (f"?{request.GET.urlencode()}" if request.GET else "")
    try:
        population = _population(model_admin, request)
    except IncorrectLookupParameters:
        messages.error(request, "A filter in this address cannot be read, so there is nothing to take out by it.")
        return HttpResponseRedirect(reverse("admin:audit_auditevent_changelist"))
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return HttpResponseRedirect(back)
    form = EvidenceForm(request.POST or None, initial={"seed": secrets.token_hex(SEED_BYTES)})
    if request.method == "POST" and form.is_valid():
        ask_for_recent_authentication(request)
        try:
            return _download(request, population, form.cleaned_data)
        except DomainError as refusal:
            messages.error(request, refusal.message)
    return _page(model_admin, request, population, form, back)


def _population(model_admin: Any, request: HttpRequest) -> Population:
    reach_all(request)
    shown = model_admin.get_changelist_instance(request)
    found = named_in(request, shown.query)
    filters = in_words(request.GET.dict(), by_name=found.in_words())
    return population_of(shown.queryset, query=request.GET.urlencode(), filters=filters)


def _page(
    model_admin: Any, request: HttpRequest, population: Population, form: EvidenceForm, back: str
) -> HttpResponse:
    counted = population.count()
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Take evidence out",
        "form": form,
        "counted": counted,
        "population": population,
        "gaps": gap_statement(counted["first"], counted["last"]) if counted["count"] else None,
        "back": back,
    }
    return TemplateResponse(request, "admin/audit/evidence.html", context)


def _download(request: HttpRequest, population: Population, given: dict[str, Any]) -> StreamingHttpResponse:
    person: Any = request.user
    is_sample = given["what"] == "sample"
    chosen = {
        "by": person,
        "purpose": given["purpose"],
        "size": given["size"] if is_sample else 0,
        "seed": given["seed"] if is_sample else "",
    }
    ask_for_evidence(population, **chosen)
    actor, zone = current_actor(), timezone.get_current_timezone()

    def stream() -> Iterator[bytes]:  # runs when the request's own context is gone
        with acting_as(person, channel=actor.channel, request_id=actor.request_id), timezone.override(zone):
            yield from write_package(population, **chosen)

    name = f"mops-{'sample' if is_sample else 'evidence'}-{clock.now():%Y%m%d-%H%M%S}.zip"
    return StreamingHttpResponse(
        stream(),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )
