"""The base of every admin class: rights by row, buttons, safe history, optimistic locking, no deletion."""

import logging
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin import action
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ERROR_FLAG
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.text import capfirst
from unfold.admin import ModelAdmin, StackedInline, TabularInline

from apps.core import access
from apps.core.access_log import note_read
from apps.core.admin_kit import archive
from apps.core.admin_kit.archived_rows import ArchivedRowsKit
from apps.core.admin_kit.bulk_edit import BulkEditKit
from apps.core.admin_kit.buttons import Button, run_button, shown_buttons
from apps.core.admin_kit.choosing import LoadedAutocompleteSelect, OffersSeen
from apps.core.admin_kit.column_limits import LimitsColumns
from apps.core.admin_kit.consistency import Check, run_checks
from apps.core.admin_kit.given import is_declared
from apps.core.admin_kit.history import history_page
from apps.core.admin_kit.history_views import restore_page, version_page
from apps.core.admin_kit.kits import CarriesKits, kits_of, register_kit
from apps.core.admin_kit.locking import OWN_FIELDS, AnyModelForm, RowVersionForm
from apps.core.admin_kit.refused_forms import KeepsTyped
from apps.core.admin_kit.row_rights import RowRights
from apps.core.asking import asking_once
from apps.core.errors import NotAllowed
from apps.core.governed import GovernedBase
from apps.core.reasons import demanded_reason

register_kit(ArchivedRowsKit())
register_kit(BulkEditKit())
security = logging.getLogger("django.security.DisallowedModelAdminLookup")
REASON_LENGTH = 500
UNREAD_FILTER = "A filter in that address could not be read, so this list is not filtered."


class MopsAdmin(OffersSeen, RowRights, LimitsColumns, CarriesKits, KeepsTyped, ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """One kind of record in the back office. Subclasses declare; they do not program.

    `kits` names what a record's page carries (governed models only); `taggable` adds tags and their list filter;
    `bulk_fields` are those that can be edited on many chosen rows at once, after a preview.
    Saved views and the filter for archived rows come by themselves.
    """

    buttons: ClassVar[Sequence[Button]] = ()
    consistency_checks: ClassVar[Sequence[Check]] = ()
    in_palette: ClassVar[bool] = False
    empty_state: ClassVar[str] = ""
    allowed_lookups: ClassVar[Sequence[str]] = ()
    kits: ClassVar[Sequence[str]] = ("custom-fields", "notes", "attachments")
    taggable: ClassVar[bool] = False
    bulk_fields: ClassVar[Sequence[str]] = ()
    list_per_page = 30
    show_full_result_count = False
    list_filter_submit = True
    warn_unsaved_form = True
    compressed_fields = True
    list_before_template = "admin/mops/list_before.html"
    change_form_outer_before_template = "admin/mops/row_before.html"
    change_form_outer_after_template = "admin/mops/row_after.html"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Read an address typed without its scheme as https."""
        if isinstance(db_field, models.URLField):
            kwargs.setdefault("assume_scheme", "https")
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Show what is chosen without asking for it where the record has loaded it."""
        if "widget" not in kwargs and db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = LoadedAutocompleteSelect(db_field, self.admin_site, using=kwargs.get("using"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Return the rows this person sees; every page, search and export starts here."""
        # said outright: the order of the model itself is lost where a class counts what hangs on its rows
        ordering = self.get_ordering(request) or self._shown(request, self.opts.ordering) or ("pk",)
        user: Any = request.user
        return access.visible(user, self.model).order_by(*ordering)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[AnyModelForm]:
        """Add the version check to the edit form of governed rows."""
        if issubclass(self.model, GovernedBase) and self.form is forms.ModelForm:
            kwargs.setdefault("form", RowVersionForm)
        form: type[AnyModelForm] = super().get_form(request, obj, change=change, **kwargs)
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Put the version and the reason into every form that can be saved, whatever fields the class declares."""
        fieldsets = super().get_fieldsets(request, obj)
        if not issubclass(self.model, GovernedBase):
            return fieldsets
        kept = [
            (name, {**options, "fields": [each for each in options["fields"] if each not in OWN_FIELDS]})
            for name, options in fieldsets
        ]
        versioned = self.form is forms.ModelForm or issubclass(self.form, RowVersionForm)
        if obj is None:
            may = self.has_add_permission(request) and demanded_reason(self.model, "insert") is not None
        else:
            may = self.has_change_permission(request, obj)
        return [*kept, (None, {"fields": OWN_FIELDS})] if versioned and may else kept

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        """Never offer the columns that mops itself keeps."""
        return tuple(super().get_readonly_fields(request, obj))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow only the filters this class declares: `?owner__password__startswith=` tells nothing."""
        if request is not None and self.is_hidden(request, lookup):
            return False
        filters = self.get_list_filter(request) if request is not None else self.list_filter
        if lookup in {getattr(each, "parameter_name", None) for each in filters if isinstance(each, type)}:
            return True
        declared = {
            str(each[0] if isinstance(each, (tuple, list)) else each)
            for each in (*filters, *self.allowed_lookups)
            if not isinstance(each, type)
        }
        return is_declared(lookup, declared) and not {"password", "secret", "token"} & set(lookup.split("__"))

    def get_urls(self) -> list[URLPattern]:
        """Add one address per button, and those of the kits."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_button"
        view = self.admin_site.admin_view(self.button_view)
        kind = f"{self.opts.app_label}_{self.opts.model_name}"
        versions = self.admin_site.admin_view(self.version_view)
        restore = self.admin_site.admin_view(self.restore_view)
        return [
            path("<path:object_id>/do/<slug:name>/", view, name=name),
            path("<path:object_id>/history/versions/", versions, name=f"{kind}_versions"),
            path("<path:object_id>/history/<int:version_id>/restore/", restore, name=f"{kind}_restore"),
            *self.kit_urls(),
            *super().get_urls(),
        ]

    def button_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Run a declared button."""
        return run_button(self, request, object_id, name)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show the versions of a row; read-only by construction."""
        return history_page(self, request, object_id)

    def version_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show two versions side by side, or the row as it was at a moment."""
        return version_page(self, request, unquote(object_id))

    def restore_view(self, request: HttpRequest, object_id: str, version_id: int) -> HttpResponse:
        """Bring an earlier version back, after showing what that changes."""
        return restore_page(self, request, unquote(object_id), version_id)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Fetch the row, once for a page that is only looked at, however many of its parts ask for it."""
        if request.method != "GET":
            return super().get_object(request, object_id, from_field)
        kept = request.__dict__.setdefault("_fetched", {})
        asked = (type(self), str(object_id), from_field)
        if asked not in kept:
            kept[asked] = super().get_object(request, object_id, from_field)
        return kept[asked]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the row with its buttons and kits; who only looks asks each question about rights once."""
        if request.method == "GET":
            with asking_once():
                return self._draw(request, object_id, form_url, extra_context)
        return self._draw(request, object_id, form_url, extra_context)

    def _draw(self, request: HttpRequest, object_id: str, form_url: str, extra_context: Any) -> Any:
        thing = self.get_object(request, unquote(object_id))
        if thing is not None and request.method == "POST" and getattr(thing, "archived_at", None) is not None:
            return self.keep_form(request, thing, f"{thing} is archived and read-only; restore it first.", 409)
        context = {"show_history": hasattr(self.model, "history"), **(extra_context or {})}
        if thing is not None and self.has_view_permission(request, thing):
            context |= self.kit_panels(request, thing)
            if request.method == "GET":
                note_read(request.user, thing, "page")
                context["shown_buttons"] = shown_buttons(self, request, thing)
        return super().change_view(request, object_id, form_url, context)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show the list, or what to do first when it is empty."""
        if (elsewhere := self.arrival(request)) is not None:
            return elsewhere
        title = capfirst(str(self.opts.verbose_name_plural))  # Django's "Select … to change" names no page
        context = {"title": title, **(extra_context or {}), "empty_state": self.empty_state}
        if request.method == "GET" and self.has_view_permission(request):
            note_read(request.user, self.model, request.GET.urlencode())
            if ERROR_FLAG in request.GET:
                messages.warning(request, UNREAD_FILTER)
        try:
            page = super().changelist_view(request, context)
        except DisallowedModelAdminLookup as error:
            # told in the same words as a filter that is none, so that nobody learns from it what there is
            security.warning("%s by %s: %s", request.path, request.user, error)
            return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")
        return self.add_strips(request, page)

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """Never propose archived rows where a form asks for a record."""
        match = request.resolver_match
        if match is not None and match.url_name == "autocomplete" and issubclass(self.model, GovernedBase):
            queryset = queryset.filter(archived_at__isnull=True)
        found: tuple[models.QuerySet[Any], bool] = super().get_search_results(request, queryset, search_term)
        return found

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Read the row back through the writer's own scope: what has left it is not saved at all.

        Raises:
            NotAllowed: the change would put the row where the person could not have written it.
        """
        super().save_related(request, form, formsets, change)
        person: Any = request.user
        verb = "change" if change else "add"
        if refused := access.refuse_outside(person, verb, form.instance):
            raise NotAllowed(refused)

    def get_actions(self, request: HttpRequest) -> Any:
        """Drop the deletion of many, and offer the checks where there are some."""
        actions = super().get_actions(request)
        if issubclass(self.model, GovernedBase):
            actions.pop("delete_selected", None)
        if self.consistency_checks:
            actions["check_consistency"] = self.get_action("check_consistency")
        for kit in kits_of(self):
            actions.update(kit.actions(self, request))
        return actions

    @action(description="Check for inconsistencies", permissions=["view"])
    def check_consistency(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        """Run the declared checks on the selected rows."""
        run_checks(self, request, queryset)


ARCHIVE_BUTTONS = (
    Button(
        "archive",
        "Archive",
        archive.archive,
        archive.refuse_archive,
        confirm="It leaves the lists and can be restored at any time; nothing is deleted.",
        icon="archive",
    ),
    Button("restore", "Restore", archive.restore, archive.refuse_restore, icon="unarchive", on_archived=True),
)


class MopsTabularInline(OffersSeen, RowRights, LimitsColumns, TabularInline):  # type: ignore[misc]  # unfold ships no types
    """Rows of another model inside a form, as a table; what their columns say is not said again above each."""

    extra = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Leave out the line above each row, its name, unless it leads to the row's own page."""
        super().__init__(*args, **kwargs)
        # two names for one switch: unfold renamed it, and newer interpreters get the newer one
        self.show_title = bool(self.show_change_link)
        self.hide_title = not self.show_change_link


class MopsStackedInline(OffersSeen, RowRights, LimitsColumns, StackedInline):  # type: ignore[misc]  # unfold ships no types
    """Rows of another model inside a form, one below the other."""

    extra = 0


class VersionAdmin(MopsAdmin):
    """Versions of a text: started from the page of what they are versions of, edited while they are drafts."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: a button of its page starts the next one."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only drafts are edited."""
        return super().has_change_permission(request, obj) and (obj is None or obj.is_draft)


class ReadOnlyAdmin(MopsAdmin):
    """Rows that nobody edits through a form: evidence, runs, derived figures."""

    kits: ClassVar[Sequence[str]] = ()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False


Columns = Sequence[str | Callable[..., Any]]
