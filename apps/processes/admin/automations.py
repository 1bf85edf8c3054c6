"""The register of automations, and the steps each carries out."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.decorators import display

from apps.core import access, clock
from apps.core.access import visible
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.admin_kit.consistency import Check
from apps.core.admin_kit.links import url_of
from apps.core.errors import DomainError
from apps.core.words import NOTHING
from apps.processes.domain import automations
from apps.processes.enums import AutomationState
from apps.processes.models import AutomatedStep, Automation, Process, Step


@admin.register(Automation)
class AutomationAdmin(MopsAdmin):
    """What machines do, how, and who answers for it."""

    list_display = ("name", "set_off", "system", "carries_out", "owned_by", "review", "standing")
    list_filter = ("state", "trigger", "tool", "owner_team", "steps__process", "next_review_on")
    search_fields = ("name", "trigger_detail", "logic", "exceptions", "tool__name")
    autocomplete_fields = ("tool", "owner_person", "owner_team", "backup_person", "backup_team")
    fieldsets = (
        (None, {"fields": ("name", ("trigger", "tool"), "trigger_detail", "logic", "exceptions")}),
        ("Who answers for it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
        ("Review", {"fields": (("review_every", "review"), ("standing", "retired_on"), "retired_because")}),
    )
    readonly_fields = ("review", "standing", "retired_on", "retired_because")
    list_select_related = ("tool", "owner_person", "owner_team")
    in_palette = True
    empty_state = "No automation yet. Add what sets it off, what it does and what happens when it cannot; then link it."
    buttons = (
        Button(
            "review",
            "Reviewed",
            automations.review_automation,
            automations.refuse_change,
            form=ReasonForm,
            confirm="You compared what it does with what is written here; the next review is counted from today.",
            style="primary",
            icon="fact_check",
        ),
        Button(
            "retire",
            "Retire",
            automations.retire_automation,
            automations.refuse_change,
            form=ReasonForm,
            confirm="It stays in the register as retired, for good. Steps it carried out are findings until something "
            "else does.",
            style="danger",
            icon="power_settings_new",
        ),
        *ARCHIVE_BUTTONS,
    )
    consistency_checks = (
        Check("Nobody answers for it", lambda rows: rows.filter(owner_person__isnull=True, owner_team__isnull=True)),
        Check("Nothing names its system", lambda rows: rows.filter(tool__isnull=True)),
        Check("No step is linked to it", lambda rows: rows.filter(steps__isnull=True)),
    )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What is retired stays as it was."""
        return super().has_change_permission(request, obj) and (obj is None or obj.is_live)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Who adds an automation answers for it until they name somebody else."""
        return {"owner_person": request.user.pk, **super().get_changeform_initial_data(request)}

    def get_urls(self) -> list[URLPattern]:
        """Add the page on which steps are chosen."""
        view = self.admin_site.admin_view(self.steps_view)
        return [path("<int:automation_id>/steps/", view, name="processes_automation_steps"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Count the steps with the rows."""
        links = AutomatedStep.objects.filter(automation=OuterRef("pk")).order_by().values("automation")
        counted = Subquery(links.annotate(number=Count("pk")).values("number"))
        rows: models.QuerySet[Any] = super().get_queryset(request).annotate(number=counted)
        return rows

    @display(description="Set off by", ordering="trigger")
    def set_off(self, row: Automation) -> str:
        """What sets it off."""
        return row.get_trigger_display()

    @display(description="System", ordering="tool__name")
    def system(self, row: Automation) -> str:
        """Where it runs."""
        return str(row.tool or NOTHING)

    @display(description="Steps", ordering="number")
    def carries_out(self, row: Any) -> str:
        """How many steps it carries out."""
        return str(row.number or "none")

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, row: Automation) -> str:
        """Who answers for it."""
        return str(row.owner or NOTHING)

    @display(description="Next review", ordering="next_review_on", label={"danger": "danger"})
    def review(self, row: Automation) -> Any:
        """When it has to be looked at again."""
        if row.next_review_on is None or not row.is_live:
            return NOTHING
        day = f"{row.next_review_on:%-d %b %Y}"
        return ("danger", f"{day}, overdue") if row.next_review_on < clock.today() else day

    @display(description="State", ordering="state", label={"In use": "success", "Retired": "default"})
    def standing(self, row: Automation) -> str:
        """Whether it runs."""
        return AutomationState(row.state).label

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the steps it carries out."""
        row, extra = self.get_object(request, object_id), dict(extra_context or {})
        if row is not None:
            extra["row_panels"] = [*extra.get("row_panels", []), self._panel(request, row)]
        return super().change_view(request, object_id, form_url, extra)

    def _panel(self, request: HttpRequest, row: Automation) -> dict[str, Any]:
        person: Any = request.user
        seen = row.steps.filter(process__in=visible(person, Process).values("pk"))
        links = list(seen.select_related("process").order_by("process__title", "key"))
        wanted = Q(pk__in=[])
        for each in links:
            wanted |= Q(version=each.process.effective_version_id, key=each.key)
        steps = {(each.version_id, each.key): each for each in visible(person, Step).filter(wanted)}
        return {
            "template": "admin/processes/automation_panel.html",
            "automation": row,
            "lines": [
                {
                    "process": each.process,
                    "key": each.key,
                    "step": steps.get((each.process.effective_version_id or 0, each.key)),
                }
                for each in links
            ],
            "hidden": row.steps.count() - len(links),
            "may_link": automations.refuse_change(person, row) is None and not row.is_archived,
        }

    def steps_view(self, request: HttpRequest, automation_id: int) -> HttpResponse:
        """Choose the steps an automation carries out."""
        row = self.get_object(request, str(automation_id))
        if row is None:
            raise Http404
        person: Any = request.user
        if automations.refuse_change(person, row) is not None or row.is_archived:
            raise PermissionDenied
        steps = list(automations.steps_to_automate(person))
        if request.method == "POST":
            wanted = set(request.POST.getlist("steps"))
            try:
                chosen = [each for each in steps if str(each.pk) in wanted]
                messages.success(request, automations.link_steps(row, by=person, steps=chosen))
            except DomainError as refusal:
                messages.error(request, refusal.message)
            return HttpResponseRedirect(url_of(row))
        linked = set(row.steps.values_list("process", "key"))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Steps of {row}",
            "opts": self.opts,
            "automation": row,
            "steps": steps,
            "chosen": {each.pk for each in steps if (each.version.process_id, each.key) in linked},
        }
        return TemplateResponse(request, "admin/processes/automation_steps.html", context)


def automation_panel(request: HttpRequest, process: Process) -> list[dict[str, Any]]:
    """Return the box of a process with what automates its steps; none before a version is in force."""
    person: Any = request.user
    if process.effective_version is None or not access.has_model_permission(person, "view", Automation):
        return []
    found = automations.automations_of(process, person)
    return [{"template": "admin/processes/process_automation_panel.html", **found}]
