"""What one person did, and what was done to them."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.functions import Cast

from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.core.governed import GovernedBase

ABOUT = ("person", "user")  # how a foreign key is called whose row is about that person, not made by them


def about_person(person: User) -> models.Q:
    """Return the condition: entries about the person's own record, and about records that hold something of theirs."""
    return models.Q(table_name=User._meta.db_table, object_id=str(person.pk)) | about_people([person.pk])


def about_people(people: Sequence[int]) -> models.Q:
    """Return the condition: entries about records that hold something of these people, by their numbers."""
    found = models.Q(pk__in=())
    for table, keys in _rows_of(people).items():
        found |= models.Q(table_name=table, object_id__in=keys)
    return found


def did_or_had_done(person: User) -> "models.QuerySet[AuditEvent]":
    """Return everything a person did and everything that was done to them."""
    return AuditEvent.objects.filter(models.Q(actor=person) | about_person(person))


def _rows_of(people: Sequence[int]) -> dict[str, list[str]]:
    """The rows of each kind that name the people: roles held, grants, memberships of groups, ways to sign in.

    One statement asks all kinds.
    """
    asked = [
        model._base_manager.filter(**{f"{field.attname}__in": people})
        .order_by()
        .values_list(
            models.Value(model._meta.db_table, output_field=models.TextField()), Cast("pk", models.TextField())
        )
        for model, field in _naming_people()
    ]
    rows: dict[str, list[str]] = {}
    if people and asked:
        for table, key in asked[0].union(*asked[1:]):
            rows.setdefault(table, []).append(key)
    return {table: sorted(rows[table]) for table in sorted(rows)}


@cache
def _naming_people() -> "list[tuple[type[models.Model], models.Field[Any, Any]]]":
    """The governed kinds with a column that says whom a row is about."""
    return [
        (model, field)
        for model in apps.get_models(include_auto_created=True)
        if (issubclass(model, GovernedBase) or model._meta.auto_created) and not model._meta.proxy
        for field in model._meta.concrete_fields
        if field.name in ABOUT and field.is_relation and field.related_model is User
    ]
