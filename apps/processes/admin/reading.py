"""Reading a version and saying so; who is qualified for which process and tool."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import display

from apps.core import access
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.errors import DomainError
from apps.core.markdown import render
from apps.processes.admin.maps import map_panel
from apps.processes.domain.acknowledging import STATEMENT, acknowledge
from apps.processes.domain.quiz import read_questions
from apps.processes.domain.reading import refuse_acknowledgement
from apps.processes.domain.skills import bus_factors, skills_matrix
from apps.processes.models import Acknowledgement, Process, SOPVersion


class ReadForm(forms.Form):
    """The questions about a version, and the statement."""

    def __init__(self, version: SOPVersion, *args: Any, **kwargs: Any) -> None:
        """Ask what the version wants to be asked."""
        super().__init__(*args, **kwargs)
        self.questions = read_questions(version.questions)
        for place, question in enumerate(self.questions):
            self.fields[f"question-{place}"] = forms.MultipleChoiceField(
                label=question.text,
                choices=[(str(number), answer) for number, answer in enumerate(question.answers)],
                widget=forms.CheckboxSelectMultiple,
                help_text="More than one answer is right." if question.has_several else "",
                error_messages={"required": "Choose an answer."},
            )
        self.fields["understood"] = forms.BooleanField(
            label=STATEMENT, error_messages={"required": "Tick this once you have read it."}
        )

    def answers(self) -> dict[int, frozenset[int]]:
        """Return what was chosen, by the place of the question."""
        return {
            place: frozenset(int(number) for number in self.cleaned_data[f"question-{place}"])
            for place in range(len(self.questions))
        }


def read_page(model_admin: Any, request: HttpRequest, object_id: int) -> HttpResponse:
    """Show a version to read, and take the word of who has read it."""
    person: Any = request.user
    version = access.visible(person, SOPVersion).select_related("process").filter(pk=object_id).first()
    if version is None:
        raise Http404
    refused = refuse_acknowledgement(person, version)
    given = request.POST if request.method == "POST" else None
    form = ReadForm(version, given) if refused is None else None
    if request.method == "POST":
        if form is None:
            raise PermissionDenied(refused)
        if form.is_valid():
            try:
                said = acknowledge(version, by=person, answers=form.answers())
            except DomainError as refusal:
                messages.error(request, refusal.message)
            else:
                messages.success(request, said)
                return HttpResponseRedirect(reverse("admin:processes_sopversion_change", args=(version.pk,)))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Read {version}",
        "version": version,
        "html": render(version.body),
        "map": next(iter(map_panel(request, version)), None),
        "form": form,
        "refused": refused,
        "back": reverse("admin:processes_sopversion_change", args=(version.pk,)),
    }
    return TemplateResponse(request, "admin/processes/read.html", context)


@admin.register(Acknowledgement)
class AcknowledgementAdmin(ReadOnlyAdmin):
    """Who has read which version: evidence."""

    list_display = ("who", "version", "at", "questions")
    list_filter = ("version__process",)
    search_fields = ("person_label", "person__full_name", "version__process__title")
    list_select_related = ("version__process", "person")
    fields = ("who", "version", "at", "statement", "questions", "digest")
    empty_state = "Nobody has confirmed a version yet. Open one that is approved or in force and press “Read it”."

    @display(description="Who", ordering="person__full_name")
    def who(self, acknowledgement: Acknowledgement) -> str:
        """Who has read it, by name."""
        return str(acknowledgement.person)


@admin.site.admin_view
def skills_page(request: HttpRequest) -> HttpResponse:
    """Show who is qualified for which process, and where everything hangs on one person."""
    person: Any = request.user
    if not access.has_model_permission(person, "view", Process):
        raise PermissionDenied
    context = {
        **admin.site.each_context(request),
        "title": "Skills and bus factor",
        "matrix": skills_matrix(person),
        "factors": bus_factors(person),
    }
    return TemplateResponse(request, "admin/processes/skills.html", context)
