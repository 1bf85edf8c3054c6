"""Pages of rows that keep a condition: edited with the builder, which counts while somebody builds, else read."""

import json
from typing import Any

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.decorators import display

from apps.core.admin_kit.base import MopsAdmin
from apps.core.admin_kit.locking import RowVersionForm
from apps.core.rules import panels
from apps.core.rules.catalog import catalog_of
from apps.core.rules.conditions import NO_CONDITION, ConditionBody, ConditionField
from apps.core.rules.forms import RulesField, RulesWidget, catalog_for

LARGEST = 64_000
COLUMN, SHOWN = "applies_to", "applies"


class ConditionForm(RowVersionForm):
    """A row with its condition; `person` and `preview` come from the page."""

    person: Any = None
    preview: str = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if COLUMN not in self.fields:
            return
        column: Any = self._meta.model._meta.get_field(COLUMN)
        model = apps.get_model(column.on)
        shape = ConditionBody(model)
        catalog = catalog_for(shape, self.person) if self.person is not None else catalog_of(model)
        widget = RulesWidget(shape, catalog, words=self.instance.applies_words, preview=self.preview)
        what = model._meta.verbose_name_plural
        self.fields[COLUMN] = RulesField(
            shape,
            catalog,
            label="Applies to",
            widget=widget,
            help_text=f"Without a condition it applies to all {what} that the fields above name.",
        )
        if not self.instance.applies_to:
            self.initial[COLUMN] = shape.start()


class ConditionAdmin(MopsAdmin):
    """Rows that hold for what fits their condition."""

    form = ConditionForm

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Tell the form who builds, and where it counts."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.person = request.user
        form.preview = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_preview")
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The words are never typed."""
        return (*super().get_readonly_fields(request, obj), SHOWN)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the condition in words where nobody edits it."""
        found = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return found
        return [
            (name, {**options, "fields": [SHOWN if each == COLUMN else each for each in options["fields"]]})
            for name, options in found
        ]

    def get_urls(self) -> list[URLPattern]:
        """Add the address that counts while somebody builds."""
        counting = self.admin_site.admin_view(require_POST(self.preview_view))
        name = f"{self.opts.app_label}_{self.opts.model_name}_preview"
        return [path("preview/", counting, name=name), *super().get_urls()]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """Answer a condition under construction with its words and how many records fit it; keeps nothing."""
        person: Any = request.user
        text = request.POST.get("body", "")
        may = self.has_add_permission(request) or self.has_change_permission(request)
        if not may or len(text) > LARGEST:
            raise PermissionDenied
        column = self.model._meta.get_field(COLUMN)
        shape = ConditionBody(apps.get_model(column.on if isinstance(column, ConditionField) else ""))
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            return JsonResponse({"words": "", "live": "The condition is no valid JSON.", "findings": []})
        said = panels.preview_of(shape, body, catalog_for(shape, person), person, "")
        return JsonResponse({**said, "words": said["words"] or ("" if said["problems"] else f"{NO_CONDITION}.")})

    @display(description="Applies to", ordering="applies_words")
    def applies(self, row: Any) -> str:
        """For which records it holds, in words."""
        return row.applies_words or NO_CONDITION
