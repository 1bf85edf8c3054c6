"""What a decision table asks: the facts of a kind as a catalog of the rules kit, and their values for one record.

Conditions are predicates of `apps.core.rules`. Versions of policies from before that keep theirs in an earlier form,
in which every value is a text; `understood` reads both, so that what was approved stays as it was approved.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from apps.accounts.models import User
from apps.approvals.domain.content import payload_of
from apps.approvals.models import ApprovalRequest
from apps.approvals.registry import kind_of, model_of, subject_of
from apps.core.errors import InvalidInput
from apps.core.records import kind_of as content_type_of
from apps.core.rules.catalog import Catalog, Field, custom_fields, model_fields
from apps.core.rules.domain.tree import read
from apps.core.rules.domain.wording import NOTHING_ASKED, words_of
from apps.core.rules.predicates import (
    Boolean,
    Choice,
    Date,
    DateTime,
    Number,
    Outcome,
    Predicate,
    Reference,
    Text,
    matches,
    readable,
)

ALWAYS: dict[str, Any] = {"all": []}
UNREADABLE = "a condition that cannot be read as it is"
LONGEST_FACT = 200
_GENERAL = (
    Field("requester", "Who sends it", Text(), nullable=False, help="The name of who sends the request."),
    Field("round", "Round", Number(whole=True), nullable=False, help="1 when it is sent first, then 2."),
    Field("kind", "Kind", Text(), nullable=False, help="The kind of record; a policy is about one kind alone."),
)


def facts_catalog(kind: str) -> Catalog:
    """Return what a decision table may ask about things of a kind.

    That is its material columns but for long Markdown and documents, what the kind adds, its custom fields, who
    sends it and in which round.
    """
    model = model_of(kind)
    if model is None:
        return Catalog(_GENERAL)
    subject = subject_of(model)
    columns = [_column(model, name) for name in subject.material if name not in subject.markdown]
    fields = {each.key: each for each in (*columns, *subject.fact_fields, *_GENERAL) if each is not None}
    return Catalog((*fields.values(), *custom_fields(model)))


def _column(model: type[models.Model], name: str) -> Field | None:
    """Return the field of a material column; None for documents, which nobody compares with anything."""
    try:
        column = model._meta.get_field(name)
    except FieldDoesNotExist:
        return Field(name, name.replace("_", " ").capitalize(), Text())
    if isinstance(column, models.JSONField):
        return None
    try:
        return model_fields(model, name)[0]
    except TypeError:  # a list: its values are read as one text, "email, social"
        return Field(name, str(column.verbose_name).capitalize(), Text())  # type: ignore[union-attr]  # no relation


def facts_of(thing: models.Model, *, by: User) -> dict[str, Any]:
    """Return what a decision table can look at, as JSON keeps it."""
    subject = subject_of(type(thing))
    payload = {name: value for name, value in payload_of(thing).items() if not isinstance(value, dict)}
    own = {name: value for name, value in payload.items() if name not in subject.markdown}
    added = {name: _plain(value) for name, value in (subject.facts(thing) if subject.facts else {}).items()}
    earlier = ApprovalRequest.objects.filter(content_type=content_type_of(thing), object_id=thing.pk)
    general = {"kind": kind_of(type(thing)), "requester": str(by), "round": earlier.count() + 1}
    return {**own, **added, **general}


def shown(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts without long texts: what a request keeps and a page shows of them."""
    return {name: value for name, value in facts.items() if not (isinstance(value, str) and len(value) > LONGEST_FACT)}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, (list, tuple, set)):
        return [_plain(each) for each in value]
    return str(value)


def asked(when: Predicate, facts: Mapping[str, Any], catalog: Catalog, *, as_of: dt.datetime) -> Outcome:
    """Return whether a condition holds for these facts, and why.

    Raises:
        InvalidInput: it asks about something the kind does not tell (any more), or a fact is not what it should be.
    """
    return matches(readable(understood(when, catalog), catalog), _values(facts, catalog), catalog, as_of=as_of)


def condition_words(when: Predicate, catalog: Catalog) -> str:
    """Return a condition as a sentence; "" where nothing is asked."""
    tree, _ = read(understood(when, catalog), catalog)
    if tree is None:
        return UNREADABLE
    words = words_of(tree)
    return "" if words == NOTHING_ASKED else words


def _values(facts: Mapping[str, Any], catalog: Catalog) -> dict[str, Any]:
    return {each.key: _value(each, facts[each.key]) for each in catalog.fields if each.key in facts}


def _value(field: Field, given: Any) -> Any:
    """Return a fact as the type of its field compares it; people who try the table out type texts."""
    if isinstance(given, (list, tuple)):
        given = ", ".join(str(each) for each in given)
    if given in (None, "") or not isinstance(given, str):
        return given
    meant = _meant(field, given)
    if isinstance(field.type, Number | Date) and not isinstance(field.type, DateTime):
        try:
            return field.type.value(meant)
        except InvalidInput as refusal:
            raise InvalidInput(f"{field.label}: {refusal.message}") from refusal
    if isinstance(field.type, DateTime):
        return _moment(field, given)
    return meant


def _moment(field: Field, given: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(given)
    except ValueError as error:
        raise InvalidInput(f"{field.label}: Give a moment such as 2026-03-31T14:30.") from error


def understood(when: Any, catalog: Catalog) -> Any:
    """Return a condition in the form of the rules kit, also where it was kept in the earlier one."""
    if not isinstance(when, Mapping):
        return when
    for group in ("all", "any"):
        if isinstance(when.get(group), list):
            return {**when, group: [understood(each, catalog) for each in when[group]]}
    if "not" in when:
        return {**when, "not": understood(when["not"], catalog)}
    field = catalog.find(str(when.get("field")))
    return when if field is None else _leaf(when, field)


def _leaf(leaf: Mapping[str, Any], field: Field) -> dict[str, Any]:
    found = {**leaf, "op": "filled" if leaf.get("op") == "not_empty" else leaf.get("op")}
    value = leaf.get("value")
    if found["op"] == "contains" and isinstance(field.type, Choice):
        fits = [key for key, _ in field.type.options() if str(value).casefold() in str(key).casefold()]
        return {**found, "op": "in", "value": fits}
    if isinstance(value, list):
        return {**found, "value": [_meant(field, each) for each in value]}
    return {**found, "value": _meant(field, value)} if "value" in leaf else found


def _meant(field: Field, given: Any) -> Any:
    """Return the value a text stands for in a field of this type; the text itself where it stands for none."""
    if not isinstance(given, str):
        return given
    if isinstance(field.type, Number):
        return "".join(given.split())
    if isinstance(field.type, Reference):
        return int(given) if given.strip().isdecimal() else given
    if isinstance(field.type, Choice | Boolean):
        folded = given.strip().casefold()
        for key, label in field.type.options():
            if folded in (str(getattr(key, "value", key)).casefold(), str(label).casefold()):
                return getattr(key, "value", key)
    return given
