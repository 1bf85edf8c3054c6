"""The base of every admin class: rights by row, buttons, safe history, optimistic locking, no deletion."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin import action
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from unfold.admin import ModelAdmin, StackedInline, TabularInline

from apps.core import access
from apps.core.admin_kit import archive
from apps.core.admin_kit.buttons import Button, run_button, shown_buttons
from apps.core.admin_kit.consistency import Check, run_checks
from apps.core.admin_kit.history import history_page
from apps.core.admin_kit.locking import AnyModelForm, RowVersionForm
from apps.core.admin_kit.refusals import sentence_of
from apps.core.governed import GovernedBase


class RowRights:
    """Answers Django's permission questions per row, through `apps.core.access`."""

    model: type[models.Model]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may see rows of this kind, or this row."""
        return self._may(request, "view", obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may change rows of this kind, or this row."""
        return self._may(request, "change", obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may add rows of this kind."""
        return self._may(request, "add", None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes a governed row; it is archived."""
        return not issubclass(self.model, GovernedBase) and self._may(request, "delete", obj)

    def _may(self, request: HttpRequest, verb: str, obj: Any) -> bool:
        user: Any = request.user
        if not user.is_authenticated:
            return False
        if obj is None or obj.pk is None or not isinstance(obj, self.model):
            return access.has_model_permission(user, verb, self.model)
        return access.can(user, verb, obj)


class MopsAdmin(RowRights, ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """One kind of record in the back office. Subclasses declare; they do not program."""

    buttons: ClassVar[Sequence[Button]] = ()
    consistency_checks: ClassVar[Sequence[Check]] = ()
    in_palette: ClassVar[bool] = False
    empty_state: ClassVar[str] = ""
    allowed_lookups: ClassVar[Sequence[str]] = ()
    list_per_page = 50
    show_full_result_count = False
    list_filter_submit = True
    warn_unsaved_form = True
    compressed_fields = True
    list_before_template = "admin/mops/list_before.html"
    change_form_outer_before_template = "admin/mops/row_before.html"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Return the rows this person sees; every page, search and export starts here."""
        ordering = self.get_ordering(request)
        user: Any = request.user
        rows = access.visible(user, self.model)
        return rows.order_by(*ordering) if ordering else rows

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[AnyModelForm]:
        """Add the version check to the edit form of governed rows."""
        if issubclass(self.model, GovernedBase) and self.form is forms.ModelForm:
            kwargs.setdefault("form", RowVersionForm)
        form: type[AnyModelForm] = super().get_form(request, obj, change=change, **kwargs)
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        """Never offer the columns that mops itself keeps."""
        return tuple(super().get_readonly_fields(request, obj))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow only the filters this class declares: `?owner__password__startswith=` tells nothing."""
        declared = {
            str(each[0] if isinstance(each, (tuple, list)) else each)
            for each in (*self.list_filter, *self.allowed_lookups)
            if not isinstance(each, type)
        }
        base = lookup.split("__")
        return any(base[: len(name.split("__"))] == name.split("__") for name in declared) and not any(
            part in ("password", "secret", "token") for part in base
        )

    def get_urls(self) -> list[URLPattern]:
        """Add one address per button."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_button"
        view = self.admin_site.admin_view(self.button_view)
        return [path("<path:object_id>/do/<slug:name>/", view, name=name), *super().get_urls()]

    def button_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Run a declared button."""
        return run_button(self, request, object_id, name)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show the versions of a row; read-only by construction."""
        return history_page(self, request, object_id)

    def history_hidden_fields(self, request: HttpRequest, obj: Any) -> Sequence[str]:
        """Return the fields whose history this person does not see."""
        return ()

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the row with its buttons."""
        thing = self.get_object(request, object_id)
        shown = shown_buttons(self, request, thing) if thing is not None and request.method == "GET" else []
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "shown_buttons": shown})

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show the list, or what to do first when it is empty."""
        return super().changelist_view(request, {**(extra_context or {}), "empty_state": self.empty_state})

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Save a form; what the database refuses comes back as a sentence, never as a server error."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Exception as error:
            if (sentence := sentence_of(error)) is None:
                raise
            messages.error(request, sentence)
            return HttpResponseRedirect(request.get_full_path())

    def get_actions(self, request: HttpRequest) -> Any:
        """Drop the deletion of many, and offer the checks where there are some."""
        actions = super().get_actions(request)
        if issubclass(self.model, GovernedBase):
            actions.pop("delete_selected", None)
        if self.consistency_checks:
            actions["check_consistency"] = self.get_action("check_consistency")
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
    Button("restore", "Restore", archive.restore, archive.refuse_restore, icon="unarchive"),
)


class MopsTabularInline(RowRights, TabularInline):  # type: ignore[misc]  # unfold ships no types
    """Rows of another model inside a form, as a table."""

    extra = 0


class MopsStackedInline(RowRights, StackedInline):  # type: ignore[misc]  # unfold ships no types
    """Rows of another model inside a form, one below the other."""

    extra = 0


class ReadOnlyAdmin(MopsAdmin):
    """Rows that nobody edits through a form: evidence, runs, derived figures."""

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
