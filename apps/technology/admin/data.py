"""The pages of the data dictionary and of systems of record."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.core import access
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button, NoteForm
from apps.core.admin_kit.consistency import Check
from apps.core.admin_kit.locking import RowVersionForm
from apps.core.words import NOTHING
from apps.technology.admin.cases import approvals_panel
from apps.technology.domain import dictionary
from apps.technology.domain.records import conflicts
from apps.technology.enums import CaseState, FieldType, Lifecycle
from apps.technology.models import DataDefinition, DataEntity, DataField, SystemOfRecord


class OfEntityForm(RowVersionForm):
    """Something about an entity, or about one of its fields."""

    def clean(self) -> dict[str, Any]:
        """Refuse a field of another entity, and a retired tool as system of record."""
        cleaned = super().clean()
        entity, field, tool = cleaned.get("entity"), cleaned.get("field"), cleaned.get("tool")
        if entity is not None and field is not None and field.entity_id != entity.pk:
            self.add_error("field", f"{field.name} belongs to {field.entity}, not to {entity}.")
        if tool is not None and tool.lifecycle == Lifecycle.RETIRED:
            self.add_error("tool", f"{tool} is retired and no system of record; choose one in use.")
        return cleaned


def _defined(at: str) -> models.Subquery:
    """What the approved definition says, of an entity or of a field."""
    of = {"entity": models.OuterRef("pk"), "field": None} if at == "entity" else {"field": models.OuterRef("pk")}
    rows = DataDefinition.objects.filter(state=CaseState.APPROVED, **of)
    return models.Subquery(rows.values("text")[:1])


@admin.register(DataEntity)
class DataEntityAdmin(MopsAdmin):
    """Data entities."""

    list_display = ("name", "defined", "record", "field_count", "personal_data", "owned_by")
    list_filter = ("personal_data", "owner_team")
    search_fields = ("name", "summary")
    autocomplete_fields = ("owner_person", "owner_team", "backup_person", "backup_team")
    fieldsets = (
        (None, {"fields": ("name", "summary", "personal_data")}),
        ("Who answers for it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
    )
    buttons = ARCHIVE_BUTTONS
    consistency_checks = (
        Check(
            "Flows, and no tool is its system of record", lambda rows: rows.filter(flows__isnull=False, records=None)
        ),
        Check("No approved definition", lambda rows: rows.exclude(definitions__state=CaseState.APPROVED)),
    )
    in_palette = True
    empty_state = "No entity yet. Begin with contacts: what counts as one, and which tool decides?"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load definition, system of record and owner with the rows."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        whole = SystemOfRecord.objects.filter(entity=models.OuterRef("pk"), field=None, archived_at=None)
        told: models.QuerySet[Any] = rows.select_related("owner_person", "owner_team").annotate(
            means=_defined("entity"),
            kept_in=models.Subquery(whole.values("tool__name")[:1]),
            number_of_fields=models.Count("fields", filter=models.Q(fields__archived_at=None)),
        )
        return told

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show what it means, where each field is kept, and what else writes it."""
        found, extra = self.get_object(request, object_id), dict(extra_context or {})
        if found is not None and self.has_view_permission(request, found):
            person: Any = request.user
            records = access.visible(person, SystemOfRecord).filter(entity=found, archived_at=None)
            by_field = {each.field_id: each.tool for each in records.select_related("tool")}
            fields = access.visible(person, DataField).filter(entity=found, archived_at=None)
            panel = {
                "template": "admin/technology/entity_panel.html",
                "entity": found,
                "record": by_field.get(None),
                "fields": [
                    (each, by_field.get(each.pk)) for each in fields.annotate(means=_defined("field")).order_by("name")
                ],
                "conflicts": [each for each in conflicts() if each.entity_id == found.pk],
                "may_add": access.has_model_permission(person, "add", DataField),
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)

    @display(description="Means", ordering="means")
    def defined(self, found: Any) -> str:
        """What its approved definition says."""
        return (found.means or "not defined")[:120]

    @display(description="System of record", ordering="kept_in")
    def record(self, found: Any) -> str:
        """Which tool decides."""
        return str(found.kept_in or NOTHING)

    @display(description="Fields", ordering="number_of_fields")
    def field_count(self, found: Any) -> int:
        """How many fields it has."""
        return int(found.number_of_fields)

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, found: DataEntity) -> str:
        """Who answers for it."""
        return str(found.owner or NOTHING)


@admin.register(DataField)
class DataFieldAdmin(MopsAdmin):
    """Data fields."""

    list_display = ("name", "entity", "type_of", "defined", "personal_data", "required")
    list_filter = ("entity", "kind", "personal_data", "required")
    search_fields = ("name", "entity__name")
    autocomplete_fields = ("entity",)
    fieldsets = ((None, {"fields": ("entity", ("name", "kind"), "values", ("personal_data", "required"))}),)
    buttons = ARCHIVE_BUTTONS
    empty_state = "No field yet. Add the fields of an entity that more than one tool writes."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load entity and definition with the rows."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        told: models.QuerySet[Any] = rows.select_related("entity").annotate(means=_defined("field"))
        return told

    @display(description="Type", ordering="kind")
    def type_of(self, found: DataField) -> str:
        """What it holds."""
        return FieldType(found.kind).label

    @display(description="Means", ordering="means")
    def defined(self, found: Any) -> str:
        """What its approved definition says."""
        return (found.means or "not defined")[:120]


@admin.register(DataDefinition)
class DataDefinitionAdmin(MopsAdmin):
    """Definitions."""

    form = OfEntityForm
    list_display = ("__str__", "entity", "says", "stands", "requester", "decided_at")
    list_filter = ("state", "entity")
    search_fields = ("entity__name", "field__name", "text")
    autocomplete_fields = ("entity", "field")
    fieldsets = ((None, {"fields": ("entity", "field", "text", "example", "stands")}),)
    readonly_fields = ("stands",)
    buttons = (
        Button(
            "submit",
            "Send for approval",
            dictionary.submit_definition,
            dictionary.refuse_definition,
            form=NoteForm,
            confirm="The definition is fixed as it is saved now until somebody else has decided about it.",
            style="primary",
        ),
        Button("next", "Write the next version", dictionary.next_definition, dictionary.refuse_next),
        *ARCHIVE_BUTTONS,
    )
    empty_state = "Nothing is defined yet. Say what an entity or a field means, so that two people count the same."

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A definition is fixed while it is decided about, and once it is decided."""
        return super().has_change_permission(request, obj) and (obj is None or obj.is_editable)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load what a row names."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("entity", "field__entity", "requester")

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the approvals."""
        found, extra = self.get_object(request, object_id), dict(extra_context or {})
        if found is not None and self.has_view_permission(request, found):
            extra["row_panels"] = [*extra.get("row_panels", []), approvals_panel(request, found)]
        return super().change_view(request, object_id, form_url, extra)

    @display(description="Says")
    def says(self, found: DataDefinition) -> str:
        """The beginning of it."""
        return found.text[:120]

    @display(
        description="State",
        ordering="state",
        label={"In approval": "info", "Approved": "success", "Refused": "danger"},
    )
    def stands(self, found: DataDefinition) -> str:
        """Where it stands."""
        return "Replaced" if found.state == CaseState.REVOKED else CaseState(found.state).label


@admin.register(SystemOfRecord)
class SystemOfRecordAdmin(MopsAdmin):
    """Systems of record."""

    form = OfEntityForm
    list_display = ("entity", "of", "tool", "why")
    list_filter = ("entity", "tool")
    search_fields = ("entity__name", "field__name", "tool__name")
    autocomplete_fields = ("entity", "field", "tool")
    fieldsets = ((None, {"fields": ("entity", "field", "tool", "why")}),)
    buttons = ARCHIVE_BUTTONS
    empty_state = "No system of record yet. For each entity, one tool decides what is true; some fields have their own."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load what a row names."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("entity", "field__entity", "tool")

    @display(description="Field", ordering="field__name")
    def of(self, found: SystemOfRecord) -> str:
        """Which field, or all others."""
        return found.field.name if found.field else "every other field"
