"""The page of trials: a version that scores beside the one in force, and which of the two tells better."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.core.admin_kit.archive import refuse_restore, restore
from apps.core.admin_kit.base import MopsAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.words import NOTHING
from apps.leads.admin.judging import share, three, told_band
from apps.leads.domain.scoring.trials import (
    advice,
    archive_trial,
    candidates,
    end_trial,
    refuse_archive_trial,
    refuse_end,
    refuse_start,
    start_trial,
)
from apps.leads.enums import TrialState
from apps.leads.models import ScoringTrial

STATES = {TrialState.RUNNING.label: "info", TrialState.ENDED.label: "success", TrialState.PLANNED.label: ""}


@admin.register(ScoringTrial)
class ScoringTrialAdmin(MopsAdmin):
    """Trials of scoring rules."""

    list_display = ("of", "standing", "champion", "leads", "accuracy", "started_at", "ended_at")
    list_filter = ("state",)
    search_fields = ("purpose", "conclusion")
    fields = ("challenger", "purpose", ("champion", "started_by", "started_at"), ("ended_by", "ended_at"), "conclusion")
    readonly_fields = ("champion", "started_by", "started_at", "ended_by", "ended_at", "conclusion")
    empty_state = "No trial yet. Write the next version of the scoring rules, then let it score beside these."
    buttons = (
        Button(
            "start",
            "Start the trial",
            start_trial,
            refuse_start,
            confirm="Every lead with marketing is scored by both versions, new ones each night. The challenger decides "
            "nothing: no stage, no route, no SLA.",
            style="primary",
        ),
        Button(
            "end",
            "End the trial",
            end_trial,
            refuse_end,
            form=ReasonForm,
            confirm="Its figures stay as they are now. To bring the challenger into force, send it for approval.",
        ),
        Button(
            "archive",
            "Archive",
            archive_trial,
            refuse_archive_trial,
            confirm="It leaves the lists and can be restored at any time; nothing is deleted.",
            icon="archive",
        ),
        Button("restore", "Restore", restore, refuse_restore, icon="unarchive", on_archived=True),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the versions and people with the rows."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("challenger__document", "champion__document", "started_by", "ended_by")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only what has not begun is edited."""
        return super().has_change_permission(request, obj) and (obj is None or obj.state == TrialState.PLANNED)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the versions that can challenge."""
        if db_field.name == "challenger":
            kwargs["queryset"] = candidates().select_related("document")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @display(description="Challenger", ordering="challenger")
    def of(self, trial: ScoringTrial) -> str:
        """Which version."""
        return str(trial.challenger)

    @display(description="State", ordering="state", label=STATES)
    def standing(self, trial: ScoringTrial) -> str:
        """Where it stands."""
        return TrialState(trial.state).label

    @display(description="Leads", ordering="figures")
    def leads(self, trial: ScoringTrial) -> str:
        """How many both have scored."""
        return f"{trial.figures['champion']['leads']:,}" if trial.figures else NOTHING

    @display(description="AUC, champion → challenger", ordering="figures")
    def accuracy(self, trial: ScoringTrial) -> str:
        """How well each tells who becomes an SQL."""
        if not trial.figures or trial.figures["champion"]["auc"] is None:
            return NOTHING
        return f"{three(trial.figures['champion']['auc'])} → {three(trial.figures['challenger']['auc'])}"

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show which of the two tells better."""
        trial, extra = self.get_object(request, object_id), dict(extra_context or {})
        if trial is not None and trial.figures and self.has_view_permission(request, trial):
            extra["row_panels"] = [*extra.get("row_panels", []), _panel(trial)]
        return super().change_view(request, object_id, form_url, extra)


def _panel(trial: ScoringTrial) -> dict[str, Any]:
    versions = (("champion", trial.champion, "Champion"), ("challenger", trial.challenger, "Challenger"))
    told = []
    for name, version, role in versions:
        found = trial.figures[name]
        bands = [told_band(each) for each in found["bands"]]
        more = {"auc": three(found["auc"]), "precision": share(found["ready_sql"], found["ready"]), "bands": bands}
        told.append({**found, **more, "version": version, "role": role})
    return {"template": "admin/leads/trial_panel.html", "advice": advice(trial), "versions": told, "trial": trial}
