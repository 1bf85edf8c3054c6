"""The pages of integrations, what they carry, and how their transfers went."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.core import access, clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.admin_kit.consistency import Check
from apps.core.admin_kit.locking import RowVersionForm
from apps.core.jobs.registry import all_jobs
from apps.core.redaction import redact
from apps.core.words import NOTHING
from apps.technology.domain import integrations
from apps.technology.domain.records import conflicts
from apps.technology.enums import FlowHealth, IntegrationState
from apps.technology.models import DataFlow, Integration, Transfer

HEALTH_COLOURS = {"Good": "success", "Late": "warning", "Failing": "danger"}
_STATES = {"Live": "success", "Paused": "warning", "Planned": "info"}
_MOVES = {
    IntegrationState.LIVE: ("Go live", "play_arrow", "primary", "Data flows from now on; its health is watched."),
    IntegrationState.PAUSED: ("Pause", "pause", "default", "It is no longer expected to bring data."),
    IntegrationState.ENDED: ("End", "block", "danger", "It is over for good; the tools may be retired then."),
}


class IntegrationForm(RowVersionForm):
    """An integration."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the jobs there are."""
        super().__init__(*args, **kwargs)
        if (field := self.fields.get("job")) is not None:
            offered = [
                ("", "None"),
                *((each.key, each.title) for each in sorted(all_jobs(), key=lambda job: job.title)),
            ]
            kept = self.instance.job
            offered += [(kept, kept)] if kept and kept not in dict(offered) else []
            field.widget = UnfoldAdminSelectWidget(choices=offered)

    def clean(self) -> dict[str, Any]:
        """Refuse a tool that exchanges with itself, and secrets written down."""
        cleaned = super().clean()
        if cleaned.get("source") is not None and cleaned.get("source") == cleaned.get("target"):
            self.add_error("target", "A tool does not exchange data with itself; choose another source or target.")
        for name in ("secret_kept_in", "notes", "objects_carried"):
            text = str(cleaned.get(name) or "")
            if redact(text) != text:
                self.add_error(name, "This looks like a secret. Keep it in the vault, and write down only where.")
        return cleaned


class TransferForm(forms.Form):
    """Asks how a transfer went."""

    ok = forms.TypedChoiceField(
        label="How did it go?",
        choices=(("yes", "It went well"), ("no", "It failed")),
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    records = forms.IntegerField(min_value=0, max_value=2**31 - 1, required=False, widget=UnfoldAdminTextInputWidget)
    note = forms.CharField(required=False, max_length=300, widget=UnfoldAdminTextInputWidget)


class DataFlowForm(RowVersionForm):
    """What an integration carries."""

    def clean(self) -> dict[str, Any]:
        """Refuse fields of another entity."""
        cleaned = super().clean()
        entity, chosen = cleaned.get("entity"), cleaned.get("fields") or ()
        if entity is not None and (foreign := [str(each) for each in chosen if each.entity_id != entity.pk]):
            self.add_error("fields", f"These belong to another entity: {', '.join(foreign)}.")
        return cleaned


def _move_button(state: IntegrationState) -> Button:
    label, icon, style, words = _MOVES[state]
    return Button(
        f"to-{state.value}",
        label,
        partial(integrations.move_integration, to=state),
        partial(integrations.refuse_move, to=state),
        form=ReasonForm if state != IntegrationState.LIVE else None,
        confirm=words,
        style=style,
        icon=icon,
    )


@admin.register(Integration)
class IntegrationAdmin(MopsAdmin):
    """Integrations."""

    form = IntegrationForm
    list_display = ("name", "source", "target", "way", "method", "frequency", "stands", "health", "last_at", "owned_by")
    list_filter = ("state", "method", "frequency", "auth", "flows__entity", "owner_team")
    search_fields = ("name", "source__name", "target__name", "objects_carried")
    autocomplete_fields = (
        "source",
        "target",
        "file_source",
        "owner_person",
        "owner_team",
        "backup_person",
        "backup_team",
    )
    fieldsets = (
        (None, {"fields": ("name", ("source", "target"), ("direction", "stands"), "objects_carried")}),
        ("How", {"fields": (("method", "frequency"), ("auth", "secret_kept_in"), ("file_source", "job"), "notes")}),
        ("Who answers for it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
    )
    readonly_fields = ("stands",)
    bulk_fields = ("owner_person", "owner_team", "backup_person", "backup_team", "method", "frequency")
    buttons = (
        *(_move_button(state) for state in _MOVES),
        Button(
            "transfer",
            "Record a transfer",
            integrations.record_transfer,
            integrations.refuse_transfer,
            form=TransferForm,
            confirm="What is recorded stays. A failure tells the owner; the next success takes that back.",
            icon="sync_alt",
        ),
        *ARCHIVE_BUTTONS,
    )
    consistency_checks = (
        Check("Live, and nobody answers for it", lambda rows: _live(rows).filter(owner_person=None, owner_team=None)),
        Check(
            "Live, and nobody says how the sides recognise each other", lambda rows: _live(rows).filter(auth="unknown")
        ),
        Check("Live without a transfer on record", lambda rows: _live(rows).filter(transfers__isnull=True)),
    )
    taggable = True
    in_palette = True
    empty_state = "No integration yet. Write down what exchanges data with what; the map draws itself from it."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load tools, owners and the newest transfer with the rows."""
        rows: Any = super().get_queryset(request)
        return integrations.with_health(rows.select_related("source", "target", "owner_person", "owner_team"))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show what it carries, how it does, and what it writes that another tool decides."""
        found, extra = self.get_object(request, object_id), dict(extra_context or {})
        if found is not None and self.has_view_permission(request, found):
            person: Any = request.user
            flows = access.visible(person, DataFlow).filter(integration=found, archived_at=None)
            panel = {
                "template": "admin/technology/integration_panel.html",
                "integration": found,
                "health": integrations.health_now(found),
                "flows": list(flows.select_related("entity").prefetch_related("fields")),
                "transfers": list(access.visible(person, Transfer).filter(integration=found)[:10]),
                "conflicts": [each for each in conflicts() if each.integration_id == found.pk],
                "may_add": access.has_model_permission(person, "add", DataFlow),
                "map": reverse("technology-map"),
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)

    @display(description="Way", ordering="direction")
    def way(self, found: Integration) -> str:
        """Which way data goes."""
        return "both" if found.direction == "both" else "→"

    @display(description="State", ordering="state", label=_STATES)
    def stands(self, found: Integration) -> str:
        """Whether data flows."""
        return IntegrationState(found.state).label

    @display(description="Health", label=HEALTH_COLOURS)
    def health(self, found: Any) -> str:
        """How it does by its last transfer."""
        return FlowHealth(integrations.health_now(found, clock.now())).label

    @display(description="Last transfer", ordering="last_at")
    def last_at(self, found: Any) -> Any:
        """When data last went over."""
        return found.last_at

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, found: Integration) -> str:
        """Who answers for it."""
        return str(found.owner or NOTHING)


@admin.register(DataFlow)
class DataFlowAdmin(MopsAdmin):
    """What integrations carry."""

    form = DataFlowForm
    list_display = ("entity", "integration", "written", "note")
    list_filter = ("entity", "integration__state")
    search_fields = ("entity__name", "integration__name")
    autocomplete_fields = ("integration", "entity", "fields")
    fieldsets = ((None, {"fields": ("integration", "entity", "fields", "note")}),)
    buttons = ARCHIVE_BUTTONS
    empty_state = "Nothing flows yet. Open an integration and say which entities it carries."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load what a row names."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("integration", "entity").prefetch_related("fields")

    @display(description="Writes")
    def written(self, found: DataFlow) -> str:
        """Which fields it writes."""
        return ", ".join(each.name for each in found.fields.all()) or "every field"


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    """How transfers went."""

    list_display = ("at", "integration", "went", "records", "note", "source", "recorded_by")
    list_filter = ("ok", "at", "integration")
    search_fields = ("integration__name", "note")
    fieldsets = ((None, {"fields": ("integration", ("at", "ok"), "records", "note", ("source", "recorded_by"))}),)
    empty_state = "No transfer on record yet. They come from jobs, or by “Record a transfer” on an integration."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the integrations with the rows."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("integration")

    @display(description="Went", ordering="ok", label={"well": "success", "wrong": "danger"})
    def went(self, found: Transfer) -> str:
        """How it went."""
        return "well" if found.ok else "wrong"


def _live(rows: Any) -> Any:
    return rows.filter(state=IntegrationState.LIVE, archived_at=None)
