"""Custom fields: their definitions, the panel on a record's page, and list filters for answers that are few."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.forms import SimpleArrayField
from django.db import models
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.core import access
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.days import DayInput
from apps.core.admin_kit.history import Change, Companion, Version
from apps.core.admin_kit.kits import Call, Kit, Rows, Verb, ask, record_url, register_kit, submit
from apps.core.admin_kit.locking import RowVersionForm
from apps.core.errors import NotAllowed
from apps.core.governed import GovernedBase
from apps.core.records import kind_of
from apps.core.words import NOTHING
from apps.core.workspace.domain import custom_values
from apps.core.workspace.enums import FieldType
from apps.core.workspace.models import CustomField, CustomValues

KEY = "custom-fields"
VERSION = "opened-version"  # no key of a field holds a hyphen


class ValuesForm(forms.Form):
    """The custom fields of one record. What each takes is decided by the domain, not here."""

    def __init__(self, fields: Sequence[CustomField], row: CustomValues | None, data: Any = None) -> None:
        """Make one form field per custom field."""
        super().__init__(data, prefix="value")
        stored = row.values if row else {}
        for field in fields:
            value = stored.get(field.key)
            self.fields[field.key] = forms.CharField(
                label=field.label + (" *" if field.required else ""),
                required=False,
                help_text=field.help_text,
                widget=_widget(field, value),
                initial=str(value).lower() if isinstance(value, bool) else value,
                strip=False,
            )
        version = row.row_version if row else 0
        self.fields[VERSION] = forms.IntegerField(widget=forms.HiddenInput, initial=version, required=False)

    def reopen_on(self, version: int) -> None:
        """Let the next attempt overwrite `version`: the person has been told of it."""
        data = dict(self.data.items())
        data[self.add_prefix(VERSION)] = str(version)
        self.data = data


def _widget(field: CustomField, value: Any) -> forms.Widget:
    nothing = ("", NOTHING)
    if field.type == FieldType.BOOLEAN:
        return forms.Select(choices=[nothing, ("true", "Yes"), ("false", "No")])
    if field.type == FieldType.CHOICE:
        gone = [(value, f"{value} (no longer offered)")] if value and value not in field.choices else []
        return forms.Select(choices=[nothing, *((each, each) for each in field.choices), *gone])
    if field.type == FieldType.DATE:
        return DayInput()
    if field.type == FieldType.NUMBER:
        return forms.TextInput(attrs={"inputmode": "decimal"})
    return forms.URLInput(attrs={"placeholder": "https://"}) if field.type == FieldType.URL else forms.TextInput()


def edit_values(call: Call) -> HttpResponseBase | str:
    """Show the form, or save what it brings."""
    if refused := custom_values.refuse_set_values(call.person, call.thing):
        raise NotAllowed(refused)
    fields = custom_values.fields_of(call.thing)
    row = CustomValues.objects.about(call.thing).first()
    form = ValuesForm(fields, row, call.request.POST if call.request.method == "POST" else None)
    changed: list[str] = []

    def save(**given: Any) -> None:
        opened = given.pop(VERSION)
        version = 0 if opened is None else opened
        changed.extend(custom_values.set_custom_values(call.thing, given, by=call.person, opened_version=version))

    if call.request.method == "POST":
        if submit(call, form, save) is not None:
            return f"Saved: {', '.join(changed)}." if changed else "Nothing was changed."
        form.reopen_on(row.row_version if row else 0)
    return ask(call, form, title=f"Custom fields of {call.thing}", label="Save")


class CustomFieldFilter(DropdownFilter):  # type: ignore[misc]  # unfold ships no types
    """Records by their answer in one custom field; the subclasses made below say in which."""

    field: ClassVar[CustomField]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """Offer the answers."""
        if self.field.type == FieldType.BOOLEAN:
            return (("true", "Yes"), ("false", "No"))
        return tuple((each, each) for each in self.field.choices)

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        """Keep the records with this answer."""
        if not (wanted := self.value()):
            return queryset
        answer = wanted == "true" if self.field.type == FieldType.BOOLEAN else wanted.replace("\x00", "")
        holding = CustomValues.objects.about_model(queryset.model).filter(values__contains={self.field.key: answer})
        return queryset.filter(pk__in=holding.values("object_id"))


def filter_for(field: CustomField) -> type[CustomFieldFilter]:
    """Return the list filter of one field."""
    return type(
        "CustomFieldFilter",
        (CustomFieldFilter,),
        {"field": field, "title": field.label, "parameter_name": f"cf_{field.key}"},
    )


def shown(field: CustomField, stored: Any) -> str:
    """Return a stored value as people read it."""
    value = custom_values.typed(field, stored)
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return f"{value:%-d %b %Y}" if field.type == FieldType.DATE else str(stored)


class CustomFieldsKit(Kit):
    """The organisation's own fields on governed records."""

    key = KEY
    order = 20
    record_verbs: ClassVar[dict[str, Verb]] = {"edit": Verb(edit_values, methods=("GET", "POST"))}

    def applies(self, model_admin: Any) -> bool:
        """Whether records of this kind may have fields of their own."""
        return super().applies(model_admin) and issubclass(model_admin.model, GovernedBase)

    def filters(self, model_admin: Any, request: HttpRequest) -> Sequence[Any]:
        """Offer a filter for each field with few answers."""
        few = (FieldType.BOOLEAN, FieldType.CHOICE)
        return [filter_for(field) for field in _fields(request, model_admin.model) if field.type in few]

    def panels(self, model_admin: Any, request: HttpRequest, thing: Any) -> Sequence[dict[str, Any]]:
        """Show the values where fields are defined."""
        user: Any = request.user
        fields = _fields(request, model_admin.model)
        if not fields or not access.has_model_permission(user, "view", CustomValues):
            return ()
        row = CustomValues.objects.about(thing).first()
        stored = row.values if row else {}
        may_write = custom_values.refuse_set_values(user, thing) is None
        panel = {
            "template": "admin/mops/custom_fields.html",
            "rows": [
                {
                    "field": field,
                    "shown": shown(field, stored.get(field.key)),
                    "url": stored.get(field.key) if field.type == FieldType.URL else "",
                    "missing": field.required and field.key not in stored,
                }
                for field in fields
            ],
            "edit": record_url(model_admin, thing, KEY, "edit") if may_write else "",
        }
        return (panel,)

    def companions(self, model_admin: Any, request: HttpRequest, thing: Any) -> Sequence[Companion]:
        """Put changed values into the record's history."""
        user: Any = request.user
        if not access.has_model_permission(user, "view", CustomValues):
            return ()
        known = {field.key: field for field in CustomField.objects.filter(content_type=kind_of(thing))}

        def describe(row: Any, before: Any) -> Version:
            old, new = (before.values if before else {}), row.values
            changes = tuple(
                Change(field.label, shown(field, old.get(key)), shown(field, new.get(key)))
                for key, field in known.items()
                if old.get(key) != new.get(key)
            )
            return Version(row, changes, "Custom fields changed")

        mine = CustomValues.history.filter(content_type=kind_of(thing), object_id=thing.pk)
        return (Companion(mine, describe),)


def _fields(request: HttpRequest, model: type[models.Model]) -> list[CustomField]:
    """Return the fields in use, asked once per request: a list asks for its filters many times."""
    asked: dict[type[models.Model], list[CustomField]] = request.__dict__.setdefault("mops_custom_fields", {})
    if model not in asked:
        asked[model] = custom_values.fields_of(model)
    return asked[model]


class CustomFieldForm(RowVersionForm):
    """The definition of a field; its choices one a line."""

    choices = SimpleArrayField(
        forms.CharField(max_length=60, required=False),
        delimiter="\n",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}),
        help_text=CustomField._meta.get_field("choices").help_text,
    )

    class Meta:
        model = CustomField
        fields = ("content_type", "key", "label", "type", "choices", "required", "help_text", "position")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer only kinds of records whose pages show custom fields."""
        super().__init__(*args, **kwargs)
        if "content_type" in self.fields:
            carrying = [
                kind_of(model).pk
                for model, model_admin in admin.site._registry.items()
                if isinstance(model_admin, MopsAdmin) and CustomFieldsKit().applies(model_admin)
            ]
            kinds: Any = self.fields["content_type"]
            kinds.queryset = ContentType.objects.filter(pk__in=carrying).order_by("app_label", "model")

    def clean_choices(self) -> list[str]:
        """Drop blank lines and repetitions."""
        given = (" ".join(each.split()) for each in self.cleaned_data["choices"])
        return list(dict.fromkeys(each for each in given if each))


@admin.register(CustomField)
class CustomFieldAdmin(MopsAdmin):
    """Which fields records of a kind have besides the built-in ones."""

    form = CustomFieldForm
    list_display = ("label", "kind_of_record", "key", "type", "required", "position")
    list_filter = ("type", "required")
    search_fields = ("label", "key", "help_text")
    list_select_related = ("content_type",)
    fields = ("content_type", "key", "label", "type", "choices", "required", "help_text", "position")
    buttons = ARCHIVE_BUTTONS
    kits = ()
    empty_state = "No custom field yet. Add one to keep something about records that mops has no field for."

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        """Fix what never changes."""
        return CustomField.FIXED if obj is not None else ()

    @display(description="kind of record", ordering="content_type")
    def kind_of_record(self, field: CustomField) -> str:
        """Name the kind."""
        return str(field.content_type.name).capitalize()


register_kit(CustomFieldsKit())
