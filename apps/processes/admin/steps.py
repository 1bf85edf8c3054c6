"""Steps: the list of all of them, and the editor of those of one draft."""

from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import display

from apps.core import access
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.typed import keep_typed, typed_in
from apps.core.errors import DomainError
from apps.processes.admin.step_form import StepForm, StepFormSet, arranged_from, initial_from
from apps.processes.domain.drawing import svg_of
from apps.processes.domain.editing import arrange, flow_from, refuse_steps, save_steps
from apps.processes.domain.flow import flow_of, flow_with_roles_of_today
from apps.processes.domain.layout import lay_out
from apps.processes.domain.step_roles import unlisted
from apps.processes.models import ProcessRole, SOPVersion, Step
from apps.processes.models.values import Flow


def _version(request: HttpRequest, object_id: int) -> SOPVersion:
    person: Any = request.user
    found = access.visible(person, SOPVersion).select_related("process").filter(pk=object_id).first()
    if found is None:
        raise Http404
    return found


def steps_page(model_admin: Any, request: HttpRequest, object_id: int) -> HttpResponse:
    """Show the steps of a draft as cards, and save what was arranged."""
    version, person = _version(request, object_id), request.user
    back = reverse("admin:processes_sopversion_change", args=(version.pk,))
    if refused := refuse_steps(person, version):  # type: ignore[arg-type]  # a person: the view is behind the door
        return keep_typed(model_admin, request, refused, typed_in(request), back=back)
    if request.method == "POST":
        formset = StepFormSet(request.POST, prefix="steps")
        if formset.is_valid() and _save(request, version, formset):
            again = "_continue" in request.POST
            return HttpResponseRedirect(request.path if again else back)
    else:
        formset = StepFormSet(initial=initial_from(arrange(flow_with_roles_of_today(version))), prefix="steps")
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Steps of {version}",
        "version": version,
        "formset": formset,
        "opened": request.POST.get("opened", version.row_version),
        "unlisted": _unlisted(person, formset),
        "new_roles": request.POST.getlist("new_role"),
        "roles": ProcessRole.objects.live().values_list("name", flat=True),
        "targets": [(step.key, step.title) for step in flow_of(version).steps],
        "preview": reverse("admin:processes_sopversion_steps_preview", args=(version.pk,)),
        "back": back,
    }
    return TemplateResponse(request, "admin/processes/steps.html", context)


def _save(request: HttpRequest, version: SOPVersion, formset: Any) -> bool:
    person: Any = request.user
    opened = request.POST.get("opened", "")
    try:
        flow, new_roles = flow_from(arranged_from(formset)), request.POST.getlist("new_role")
        since = int(opened) if opened.isdecimal() else None
        said = save_steps(version, flow, by=person, opened=since, new_roles=new_roles)
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return False
    messages.success(request, said)
    return True


def _unlisted(person: Any, formset: Any) -> list[str]:
    """The roles that were typed and do not exist, each marked in its card; offered to who may add them."""
    if not formset.is_bound or not formset.is_valid():
        return []
    names = unlisted(Flow(tuple(each.step for each in arranged_from(formset))))
    for form in formset.forms:
        for name in ("role", "accountable"):
            if form.cleaned_data.get(name) in names:
                form.add_error(name, "There is no role of this name.")
    return names if access.has_model_permission(person, "add", ProcessRole) else []


def preview_steps(request: HttpRequest, object_id: int) -> HttpResponse:
    """Answer what was arranged with the map it would make; keeps nothing."""
    version = _version(request, object_id)
    formset = StepFormSet(request.POST, prefix="steps")
    if not formset.is_valid():
        return TemplateResponse(
            request, "admin/processes/preview_refused.html", {"problem": "Finish the marked fields."}
        )
    try:
        flow = flow_from(arranged_from(formset))
    except DomainError as refusal:
        return _refused(request, refusal.message)
    return HttpResponse(svg_of(lay_out(flow), f"Map of {version}"))


def _refused(request: HttpRequest, problem: str) -> HttpResponse:
    return TemplateResponse(request, "admin/processes/preview_refused.html", {"problem": problem})


@admin.register(Step)
class StepAdmin(ReadOnlyAdmin):
    """Every step of every version; written on the page of its version."""

    list_display = ("title", "document", "position", "kind", "mode", "role", "minutes", "is_blocking")
    list_filter = ("version__state", "kind", "mode", "role", "is_blocking", "version__process__family")
    search_fields = ("title", "instructions", "version__process__title")
    fields = (
        *("document", "title", "key", ("kind", "mode"), ("role", "accountable"), ("minutes", "is_blocking")),
        *("instructions", "links", ("consulted", "informed")),
    )
    list_select_related = ("version__process", "role", "accountable")
    empty_state = "No step yet. Open a draft and press “Edit the steps”."

    @display(description="Version", ordering="version__process__title")
    def document(self, step: Step) -> str:
        """Which version it belongs to."""
        return str(step.version)


__all__ = ["StepAdmin", "StepForm", "preview_steps", "steps_page"]
