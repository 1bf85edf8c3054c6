"""What every list has: a way in, and a way out."""

import tempfile
from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import model_ngettext
from django.db import models
from django.http import FileResponse, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from unfold.views import ChangeList

from apps.core.admin_kit.kits import Call, Kit, Verb, ask, list_url
from apps.core.admin_kit.links import url_of
from apps.core.errors import NotAllowed
from apps.core.exchange.admin.lists import CHOSEN, chosen_of, export_fields, filters_of, rows_of
from apps.core.exchange.domain.exporting import (
    AT_ONCE,
    FORMATS,
    columns_for,
    complete,
    extra_names,
    shown_to,
    start_export,
    write_file,
)
from apps.core.exchange.enums import RunState
from apps.core.exchange.permissions import refuse_export, refuse_import
from apps.core.exchange.registry import all_importers
from apps.core.exchange.writing.tables import MEDIA

KEY = "exchange"
IN_MEMORY = 2 * 1024 * 1024


class ExportForm(forms.Form):
    """Which form, which columns."""

    format = forms.ChoiceField(
        choices=list(FORMATS.items()),
        initial="csv",
        widget=forms.RadioSelect,
        help_text="CSV and Excel for spreadsheets: texts that would be taken for formulas get an apostrophe in front, "
        "which an import takes away again. JSON for programs.",
    )
    columns = forms.MultipleChoiceField(
        choices=[], widget=forms.CheckboxSelectMultiple, error_messages={"required": "Choose at least one column."}
    )

    def __init__(self, *args: Any, columns: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        """Offer `columns`, all of them chosen."""
        super().__init__(*args, **kwargs)
        self.fields["columns"].choices = columns  # type: ignore[attr-defined]
        self.fields["columns"].initial = [name for name, _ in columns]


def _imports(user: Any, model: type[models.Model]) -> list[dict[str, str]]:
    page = reverse("admin:exchange_importbatch_add")
    mine = (each for each in all_importers() if each.model is model and refuse_import(user, each) is None)
    return [{"title": each.title, "url": f"{page}?importer={each.key}"} for each in mine]


def _export_url(model_admin: Any, query: str) -> str:
    url = list_url(model_admin, KEY, "export")
    return f"{url}?{query}" if query else url


@admin.action(description="Export the chosen rows")
def _export_chosen(model_admin: Any, request: HttpRequest, queryset: models.QuerySet[Any]) -> HttpResponseBase:
    query = request.GET.copy()
    for name in ("p", "all", "e"):
        query.pop(name, None)
    if request.POST.get("select_across") != "1":
        query[CHOSEN] = ",".join(request.POST.getlist(ACTION_CHECKBOX_NAME))
    return HttpResponseRedirect(_export_url(model_admin, query.urlencode()))


def _export(call: Call) -> HttpResponseBase:
    """Ask for form and columns, then give the file, or have it made in the background."""
    model_admin, request = call.model_admin, call.request
    model: type[models.Model] = model_admin.model
    if refused := refuse_export(call.person, model):
        raise NotAllowed(refused)
    offered = columns_for(model, shown_to(call.person, model, (*export_fields(model_admin), *extra_names(model))))
    form = ExportForm(request.POST or None, columns=[(column.name, column.title) for column in offered])
    filters, chosen = filters_of(request), chosen_of(request)
    rows = rows_of(model_admin, request, filters=filters, chosen=chosen)
    count = rows.count()
    if request.method == "POST" and form.is_valid():
        return _give(call, form, rows, count, filters=filters, chosen=chosen)
    what = f"{count:,} {model_ngettext(model._meta, count)}"
    which = "you chose" if chosen else ("that the list shows under its filter" if filters else "on the list")
    later = " They are written in the background, and you are told when the file is ready." if count > AT_ONCE else ""
    back = f"{call.back}?{filters}" if filters else call.back
    return ask(
        Call(model_admin, request, None, "", back),
        form,
        title=f"Export {model._meta.verbose_name_plural}",
        label="Export",
        lead=f"{what} {which}.{later} The export is recorded with your name.",
    )


def _give(
    call: Call, form: ExportForm, rows: models.QuerySet[Any], count: int, *, filters: str, chosen: Sequence[str]
) -> HttpResponseBase:
    run = start_export(
        call.model_admin.model,
        by=call.person,
        title=str(call.model_admin.model._meta.verbose_name_plural).capitalize(),
        fmt=form.cleaned_data["format"],
        columns=form.cleaned_data["columns"],
        filters=filters,
        selection=chosen,
        background=count > AT_ONCE,
    )
    if run.background:
        messages.success(call.request, "The file is written in the background; you are told when it is ready.")
        return HttpResponseRedirect(url_of(run))
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # the response closes it
    complete(run, RunState.DONE, **write_file(run, rows, file))
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=run.file_name, content_type=MEDIA[run.format])


class ExchangeKit(Kit):
    """Import and export above every list, and "Export the chosen rows" among its actions."""

    key = KEY
    order = 90
    list_verbs: ClassVar[dict[str, Verb]] = {"export": Verb(_export, ("GET", "POST"))}

    def applies(self, model_admin: Any) -> bool:
        """Every list that does not say `exportable = False`."""
        return getattr(model_admin, "exportable", True)

    def strips(self, model_admin: Any, request: HttpRequest, changelist: ChangeList) -> Sequence[dict[str, Any]]:
        """Offer what this person may."""
        user: Any = request.user
        query = filters_of(request)
        export = (
            ""
            if refuse_export(user, model_admin.model) or not changelist.result_count
            else _export_url(model_admin, query)
        )
        imports = [] if model_admin.model._meta.app_label == "exchange" else _imports(user, model_admin.model)
        if not export and not imports:
            return ()
        return ({"template": "admin/mops/exchange_strip.html", "export": export, "imports": imports},)

    def actions(self, model_admin: Any, request: HttpRequest) -> dict[str, tuple[Any, str, str]]:
        """Offer the export of chosen rows."""
        user: Any = request.user
        if refuse_export(user, model_admin.model):
            return {}
        return {"export_chosen": (_export_chosen, "export_chosen", "Export the chosen rows")}
