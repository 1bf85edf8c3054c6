"""Which compliance rules are in force, and which records each applies to."""

import datetime as dt
from typing import Any

from django.db import models
from django.db.models import Q

from apps.core.rules.domain.applying import is_narrowed
from apps.core.rules.predicates import catalog_of, compile_q, has_catalog, in_words
from apps.processes.models import (
    ComplianceRule,
    Process,
)
from apps.processes.registry import Check, check_named


def scope_model(check: Check) -> type[models.Model] | None:
    """Return the kind of record a rule of this check is narrowed by: the process where there is one, else its own."""
    wanted = Process if check.process is not None else check.model
    return wanted if has_catalog(wanted) else None


def words_of_scope(check: Check, scope: Any) -> str:
    """Return in words what a rule applies to; "" for all records."""
    model = scope_model(check)
    if model is None or not is_narrowed(scope):
        return ""
    return in_words(scope["predicate"], catalog_of(model))


def rules_in_force(day: dt.date) -> "models.QuerySet[ComplianceRule]":
    """Return the rules that apply on a day."""
    ends = Q(effective_until__isnull=True) | Q(effective_until__gte=day)
    rows = ComplianceRule.objects.live().filter(ends, effective_from__lte=day)
    return rows.select_related("owner_person", "owner_team").order_by("pk")


def subjects_of(rule: ComplianceRule, at: dt.datetime, *, of_all: bool = False) -> "models.QuerySet[Any]":
    """Return the records that a rule applies to.

    Args:
        rule: the rule.
        at: the moment that counts.
        of_all: whether to choose among all records of the kind, not only those the check is asked of by night.

    Raises:
        InvalidInput: its check is gone, or its scope asks about what no longer exists.
    """
    check = check_named(rule.check_key)
    rows, model = check.model._base_manager.all() if of_all else check.subjects(), scope_model(check)
    if model is None or not is_narrowed(rule.scope):
        return rows
    condition = compile_q(rule.scope["predicate"], catalog_of(model), as_of=at)
    if check.process:
        chosen = Process.objects.filter(condition).values("pk")
        return rows.filter(**{f"{check.process}__in": chosen})
    return rows.filter(condition)
