"""Editing many rows at once: which fields, what each row would hold, then each row by itself.

An admin class names the fields in `bulk_fields`. Every row is judged as its own form would judge it (right, state,
values, what holds between columns) and is shown with what it holds now; a row that somebody changes after that
preview is left as it is, and said so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.core import access
from apps.core.actors import acting_as
from apps.core.admin_kit.kits import Kit
from apps.core.admin_kit.names import label_of
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import DomainError, NotAllowed, WrongState
from apps.core.governed import GovernedBase
from apps.core.money import number_in_words
from apps.core.reasons import demanded_reason
from apps.core.words import NOTHING

MOST, SHOWN = 500, 100
PREFIX, EMPTIED = "bulk", "bulk_empty"


@dataclass
class Line:
    """One row of the preview: what changes in it, and why it is left out if it is."""

    row: Any
    changes: list[tuple[str, str, str]] = field(default_factory=list)  # label, now, then
    refused: str = ""

    @property
    def outcome(self) -> str:
        """Changes, stays, or is left out."""
        return "left out" if self.refused else "changes" if self.changes else "stays as it is"


class BulkEditKit(Kit):
    """Carried by every list whose admin class names `bulk_fields`."""

    key: ClassVar[str] = "bulk-edit"
    order = 5

    def applies(self, model_admin: Any) -> bool:
        """Whether fields of many rows can be edited here."""
        return bool(model_admin.bulk_fields) and issubclass(model_admin.model, GovernedBase)

    def actions(self, model_admin: Any, request: HttpRequest) -> dict[str, tuple[Any, str, str]]:
        """Offer it to who may change rows of this kind."""
        if not model_admin.has_change_permission(request):
            return {}
        return {"bulk_edit": (edit_many, "bulk_edit", "Edit the chosen rows")}


def edit_many(model_admin: Any, request: HttpRequest, queryset: "models.QuerySet[Any]") -> HttpResponse | None:
    """Ask what to change, show what that does to each row, then do it."""
    number = queryset.count()
    if number > MOST:
        messages.error(request, f"{number:,} rows are chosen; at most {MOST} are edited at once. Narrow the list.")
        return None
    step = request.POST.get("bulk_step", "")
    form = _form_class(model_admin, request)(request.POST if step else None)
    if not step or step == "back" or not form.is_valid():
        return _page(model_admin, request, form, number=number)
    rows = list(queryset.select_related(*_relations(model_admin.model, form.chosen)))
    if step == "apply" and _apply(model_admin, request, form, rows):
        return None
    lines = _judged(model_admin, request, form, rows)
    return _page(model_admin, request, form, number=number, lines=lines)


def _form_class(model_admin: Any, request: HttpRequest) -> type["_BulkForm"]:
    """Return the form of the fields this person sees here, none of them required."""
    fields: dict[str, forms.Field] = {}
    for name in model_admin.bulk_fields:
        if model_admin.is_hidden(request, name):
            continue
        fields[name] = _open(model_admin, request, model_admin.model._meta.get_field(name))
    made: type[_BulkForm] = type(
        "BulkForm", (_BulkForm,), {**fields, "model": model_admin.model, "names": tuple(fields)}
    )
    return made


def _open(model_admin: Any, request: HttpRequest, column: Any) -> forms.Field:
    """Return the field of a column as its own form has it, but one that can be left alone."""
    given: Any = model_admin.formfield_for_dbfield(column, request)
    choices: list[Any] = [*getattr(given, "choices", ())] if isinstance(given, forms.TypedChoiceField) else []
    if isinstance(given, forms.BooleanField) and not isinstance(given, forms.NullBooleanField):
        choices = [("yes", "yes"), ("no", "no")]
        given = forms.TypedChoiceField(coerce=lambda value: value == "yes", label=given.label)
        given.widget = UnfoldAdminSelectWidget()
    if choices:
        given.choices = [("", NOTHING), *(each for each in choices if each[0] not in ("", None))]
    if isinstance(given.widget, RelatedFieldWidgetWrapper):
        given.widget = given.widget.widget
    given.required, given.initial = False, None
    return given  # type: ignore[no-any-return]


class _BulkForm(forms.Form):
    """What is to change: a field counts where it is given a value, or is to be emptied."""

    model: type[models.Model]
    names: tuple[str, ...] = ()
    change_reason = forms.CharField(
        label="Reason for this change",
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text="Kept with each change in the history and the ledger.",
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, prefix=PREFIX)
        ticked = data.getlist(EMPTIED) if data is not None else ()
        columns: dict[str, Any] = {name: self.model._meta.get_field(name) for name in self.names}
        self.emptied = [name for name in self.names if name in ticked and columns[name].blank]
        self.chosen: list[str] = []

    def clean(self) -> dict[str, Any]:
        """Refuse a form that changes nothing, contradicts itself, or lacks a reason that is asked for."""
        cleaned = super().clean() or {}
        given = {name for name in self.names if cleaned.get(name) not in (None, "")}
        for name in given & set(self.emptied):
            self.add_error(name, "Give a value or empty it, not both.")
        self.chosen = [name for name in self.names if name in given or name in self.emptied]
        if not self.chosen and not self.errors:
            raise ValidationError("Give at least one field a value, or empty one.")
        fields: list[Any] = [self.model._meta.get_field(name) for name in self.chosen]
        columns = {each.attname for each in fields}
        sentence = demanded_reason(self.model, "update", columns)
        if sentence and not (cleaned.get("change_reason") or "").strip():
            self.add_error("change_reason", sentence)
        return cleaned

    @property
    def rows(self) -> list[tuple[forms.BoundField, bool, bool]]:
        """The fields in their order, each with whether it can be emptied, and is to be."""
        columns: dict[str, Any] = {name: self.model._meta.get_field(name) for name in self.names}
        return [(self[name], columns[name].blank, name in self.emptied) for name in self.names]


def _judged(model_admin: Any, request: HttpRequest, form: _BulkForm, rows: Sequence[Any]) -> list[Line]:
    writable = _writable(request, model_admin.model, rows)
    return [_line(model_admin, request, form, row, may=row.pk in writable) for row in rows]


def _writable(request: HttpRequest, model: type[models.Model], rows: Sequence[Any]) -> set[Any]:
    person: Any = request.user
    keys = [row.pk for row in rows]
    return set(access.visible(person, model, verb="change").filter(pk__in=keys).values_list("pk", flat=True))


def _line(model_admin: Any, request: HttpRequest, form: _BulkForm, row: Any, *, may: bool) -> Line:
    """Put the values into the row, unsaved, and tell what that does."""
    line = Line(row)
    if row.is_archived:
        line.refused = f"{row} is archived and read-only; restore it first."
    elif not may:
        line.refused = "You may view it, not change it."
    elif not model_admin.has_change_permission(request, row):
        line.refused = "It cannot be edited in its present state."
    elif fixed := [name for name in form.chosen if name in model_admin.get_readonly_fields(request, row)]:
        line.refused = f"{label_of(row, fixed[0])} cannot be edited on it."
    else:
        _put(line, form)
    return line


def _put(line: Line, form: _BulkForm) -> None:
    row = line.row
    for name in form.chosen:
        column: Any = row._meta.get_field(name)
        value = _stored(column, form.cleaned_data[name])
        now, before = _shown(row, name), column.value_from_object(row)
        setattr(row, name, value)
        if before != column.value_from_object(row):
            line.changes.append((label_of(row, name), now, _shown(row, name)))
    if line.changes:
        try:
            row.clean_fields(exclude={each.name for each in row._meta.fields if each.name not in form.chosen})
            row.clean()
            row.validate_constraints()
        except ValidationError as wrong:
            line.refused = " ".join(wrong.messages)


def _stored(column: Any, value: Any) -> Any:
    """Return a value as the column keeps it: nothing is an empty text where the column knows no null."""
    return "" if value is None and not column.null else value


def _shown(row: Any, name: str) -> str:
    display = getattr(row, f"get_{name}_display", None)
    value = display() if display is not None else getattr(row, name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return number_in_words(row._meta.get_field(name), value, row)
    return NOTHING if value in (None, "", []) else str(value)


def _relations(model: type[models.Model], names: Sequence[str]) -> list[str]:
    return [name for name in names if model._meta.get_field(name).is_relation]


def _apply(model_admin: Any, request: HttpRequest, form: _BulkForm, rows: Sequence[Any]) -> bool:
    """Change row by row what the preview showed; what was overtaken since or is refused stays, with its reason.

    Returns whether there is no more to ask: where every row was refused, the preview stands again with what was typed.
    """
    seen = dict(each.partition(":")[::2] for each in request.POST.getlist("bulk_seen"))
    writable = _writable(request, model_admin.model, rows)
    reason = form.cleaned_data["change_reason"].strip()
    done, refusals = 0, dict[str, int]()
    for row in rows:
        try:
            done += _change(model_admin, request, form, row, seen, may=row.pk in writable, reason=reason)
        except Exception as error:
            if (sentence := sentence_of(error)) is None:
                raise
            refusals[sentence] = refusals.get(sentence, 0) + 1
    if done:
        messages.success(request, f"{done:,} {'row is' if done == 1 else 'rows are'} changed.")
    for sentence, number in refusals.items():
        messages.error(request, sentence if number == 1 else f"{number:,} times: {sentence}")
    if not done and not refusals:
        messages.warning(request, "Every chosen row held these values already; nothing was changed.")
    return bool(done) or not refusals


def _change(
    model_admin: Any, request: HttpRequest, form: _BulkForm, row: Any, seen: dict[str, str], *, may: bool, reason: str
) -> bool:
    """Change one row and say whether anything changed.

    Raises:
        DomainError: it was overtaken, is refused, or would leave what the person may change.
    """
    person: Any = request.user
    with transaction.atomic(), acting_as(person, reason=reason or None):
        locked = type(row)._default_manager.select_for_update(of=("self",)).get(pk=row.pk)
        if seen.get(str(row.pk)) != str(locked.row_version):
            raise WrongState(f"{row} was changed since you looked; it stays as it is. Look at it again.")
        line = _line(model_admin, request, form, locked, may=may)
        if line.refused:
            raise DomainError(f"{row}: {line.refused}")
        if not line.changes:
            return False
        locked.save(update_fields=form.chosen)
        if refused := access.refuse_outside(person, "change", locked):
            raise NotAllowed(refused)
    return True


def _page(
    model_admin: Any, request: HttpRequest, form: _BulkForm, *, number: int, lines: Sequence[Line] = ()
) -> HttpResponse:
    opts = model_admin.opts
    able = [line for line in lines if line.outcome == "changes"]
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Edit {number:,} {opts.verbose_name if number == 1 else opts.verbose_name_plural}",
        "opts": opts,
        "form": form,
        "lines": lines[:SHOWN],
        "more": max(0, len(lines) - SHOWN),
        "able": len(able),
        "staying": sum(line.outcome == "stays as it is" for line in lines),
        "refused": sum(bool(line.refused) for line in lines),
        "seen": [f"{line.row.pk}:{line.row.row_version}" for line in lines],
        "again": [
            (key, value)
            for key, values in request.POST.lists()
            if key == EMPTIED or key.startswith(f"{PREFIX}-")
            for value in values
        ],
        "number": number,
        "across": request.POST.get("select_across", "0"),
        "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "checkbox": ACTION_CHECKBOX_NAME,
        "media": model_admin.media + form.media,
    }
    return TemplateResponse(request, "admin/mops/bulk_edit.html", context)
