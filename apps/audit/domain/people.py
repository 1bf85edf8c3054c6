"""What one person did, and what was done to them."""

from typing import Any

from django.apps import apps
from django.db import models

from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.core.governed import GovernedBase

ABOUT = ("person", "user")  # how a foreign key is called whose row is about that person, not made by them


def about_person(person: User) -> models.Q:
    """Return the condition: entries about the person's own record, and about records that hold something of theirs."""
    found = models.Q(table_name=User._meta.db_table, object_id=str(person.pk))
    for table, keys in _rows_of(person):
        found |= models.Q(table_name=table, object_id__in=keys)
    return found


def did_or_had_done(person: User) -> "models.QuerySet[AuditEvent]":
    """Return everything a person did and everything that was done to them."""
    return AuditEvent.objects.filter(models.Q(actor=person) | about_person(person))


def _rows_of(person: User) -> list[tuple[str, list[str]]]:
    """The rows of each kind that name the person: roles held, grants, memberships of groups, ways to sign in."""
    rows: list[tuple[str, list[str]]] = []
    for model in apps.get_models(include_auto_created=True):
        if not (issubclass(model, GovernedBase) or model._meta.auto_created) or model._meta.proxy:
            continue
        for field in model._meta.concrete_fields:
            if field.name in ABOUT and field.is_relation and field.related_model is User:
                keys: Any = model._base_manager.filter(**{field.attname: person.pk}).values_list("pk", flat=True)
                if found := [str(key) for key in keys]:
                    rows.append((model._meta.db_table, found))
    return rows
