"""Values of custom fields: one function decides what a field takes, whoever gives it; one reads them for exports."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models, transaction

from apps.core import access
from apps.core.actors import acting_as
from apps.core.asking import once
from apps.core.errors import InvalidInput, NotAllowed, StaleEdit
from apps.core.governed import GovernedBase
from apps.core.records import kind_of, refuse_write
from apps.core.workspace.enums import FieldType
from apps.core.workspace.models import CustomField, CustomValues

if TYPE_CHECKING:
    from apps.accounts.models import User

Stored = str | bool | None
LONGEST_TEXT, LONGEST_URL, MOST_DIGITS = 1000, 500, 20
_YES, _NO = {"true", "yes", "1", "on"}, {"false", "no", "0", "off"}
_is_url = URLValidator(schemes=["http", "https"])


def checked_value(field: CustomField, given: Any, *, before: Stored = None) -> Stored:
    """Return `given` as it is stored, None where there is nothing.

    Args:
        field: the field it is meant for.
        given: what a form, an import or an interface gives: text, or a number, a date, true or false.
        before: the value stored now; an answer already given stays valid when it is taken from the choices.

    Raises:
        InvalidInput: with a sentence that names the field and says what it takes.
    """
    text = given.strip() if isinstance(given, str) else given
    if text in ("", None):
        if field.required:
            raise InvalidInput(f"{field.label} is required.")
        return None
    if field.type == FieldType.CHOICE:
        return _choice(field, str(text), before)
    return _CHECKS[field.type](field.label, str(text))


def _text(label: str, given: str) -> Stored:
    if len(given) > LONGEST_TEXT:
        raise InvalidInput(f"{label} is too long; {LONGEST_TEXT:,} characters fit.")
    if "\x00" in given:
        raise InvalidInput(f"{label} holds a character that no text holds; type it again.")
    return given


def _number(label: str, given: str) -> Stored:
    try:
        number = Decimal(given)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise InvalidInput(f"{label} must be a number such as 1250 or 99.5.")
    if number and (abs(number.adjusted()) >= MOST_DIGITS or len(number.as_tuple().digits) > MOST_DIGITS):
        raise InvalidInput(f"{label} has too many digits; {MOST_DIGITS} fit.")
    plain = f"{number:f}" if number else "0"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _date(label: str, given: str) -> Stored:
    try:
        return dt.date.fromisoformat(given).isoformat()
    except ValueError as error:
        raise InvalidInput(f"{label} must be a date such as 2026-03-31.") from error


def _boolean(label: str, given: str) -> Stored:
    if given.lower() in _YES:
        return True
    if given.lower() in _NO:
        return False
    raise InvalidInput(f"{label} must be yes or no.")


def _choice(field: CustomField, given: str, before: Stored) -> Stored:
    if given in field.choices or given == before:
        return given
    raise InvalidInput(f"{field.label} must be one of: {', '.join(field.choices)}.")


def _url(label: str, given: str) -> Stored:
    try:
        _is_url(given)
    except ValidationError as error:
        raise InvalidInput(f"{label} must be a web address such as https://example.com/page.") from error
    if len(given) > LONGEST_URL:
        raise InvalidInput(f"{label} is too long; {LONGEST_URL} characters fit.")
    return given


_CHECKS: dict[str, Callable[[str, str], Stored]] = {
    FieldType.TEXT: _text,
    FieldType.NUMBER: _number,
    FieldType.DATE: _date,
    FieldType.BOOLEAN: _boolean,
    FieldType.URL: _url,
}


def typed(field: CustomField, stored: Any) -> Any:
    """Return a stored value as Python has it: a Decimal, a date, a bool or a str; None where there is none."""
    if stored is None:
        return None
    if field.type == FieldType.NUMBER:
        return Decimal(stored)
    if field.type == FieldType.DATE:
        return dt.date.fromisoformat(stored)
    return stored


def fields_of(model: type[models.Model] | models.Model) -> list[CustomField]:
    """Return the fields in use for records of this kind, in their order."""
    kind = kind_of(model)
    return once(("custom fields", kind.pk), lambda: list(CustomField.objects.live().filter(content_type=kind)))


def custom_values(record: models.Model) -> dict[str, Any]:
    """Return the values of one record by key, None where there is none; for pages, exports and interfaces."""
    return custom_values_of(type(record), [record.pk])[record.pk]


def custom_values_of(model: type[models.Model], ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Return the values of many records by primary key and key, in two queries however many there are."""
    wanted, fields = list(ids), fields_of(model)
    rows = CustomValues.objects.about_model(model).filter(object_id__in=wanted)
    stored = dict(rows.values_list("object_id", "values"))
    return {each: {field.key: typed(field, stored.get(each, {}).get(field.key)) for field in fields} for each in wanted}


def refuse_set_values(user: "User", record: GovernedBase) -> str | None:
    """Return why `user` cannot change the custom fields of `record`, None when it works."""
    if not access.has_model_permission(user, "change", CustomValues):
        return "Your roles do not let you change custom fields."
    return refuse_write(user, record)


def set_custom_values(
    record: GovernedBase, given: Mapping[str, Any], *, by: "User", opened_version: int | None = None
) -> list[str]:
    """Change the custom fields of `record` that are named in `given`; the others stay.

    Args:
        record: whose fields they are.
        given: values by key.
        by: who changes them.
        opened_version: the `row_version` of the values that a form was opened on, 0 for none; None does not compare.

    Returns:
        The labels of the fields that changed; nothing is written where none did.

    Raises:
        NotAllowed: `by` may not change the record, or it is archived.
        StaleEdit: somebody else changed the values since the form was opened.
        InvalidInput: naming each field that is to blame, in `fields` by key.
    """
    if refused := refuse_set_values(by, record):
        raise NotAllowed(refused)
    with transaction.atomic(), acting_as(by):
        type(record)._default_manager.select_for_update(of=("self",)).get(pk=record.pk)
        row = CustomValues.objects.about(record).first()
        if row is None:
            row = CustomValues(content_type=kind_of(record), object_id=record.pk)
        if opened_version is not None and opened_version != row.row_version:
            raise StaleEdit(
                f"Somebody else changed these fields of {record} while you were editing. "
                "Your entries are still below: compare, then save again to keep yours."
            )
        fields = {field.key: field for field in fields_of(record)}
        checked = _checked(fields, {**row.values, **given}, set(given), row.values)
        kept = {key: value for key, value in {**row.values, **checked}.items() if value is not None}
        changed = [field.label for key, field in fields.items() if kept.get(key) != row.values.get(key)]
        if changed:
            row.values = kept
            row.save()
    return changed


def _checked(
    fields: Mapping[str, CustomField], wanted: Mapping[str, Any], named: set[str], before: Mapping[str, Stored]
) -> dict[str, Stored]:
    blame = {key: f"There is no custom field “{key}” here." for key in sorted(named - set(fields))}
    checked: dict[str, Stored] = {}
    for key, field in fields.items():
        if key not in named and not field.required:
            continue
        try:
            checked[key] = checked_value(field, wanted.get(key), before=before.get(key))
        except InvalidInput as refusal:
            blame[key] = refusal.message
    if blame:
        raise InvalidInput(" ".join(blame.values()), fields=blame)
    return checked
