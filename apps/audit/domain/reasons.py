"""Mandatory reasons: which rule asks for one; the same answer that `mops_demand_reason` gives in the database."""

from collections.abc import Collection

from django.db import models

from apps.audit.models import ReasonRule


def demanded(model: type[models.Model], operation: str, columns: Collection[str] | None) -> str | None:
    """Return the sentence that asks for a reason, None where no rule does."""
    rules = ReasonRule.objects.live().filter(
        table_name=model._meta.db_table, is_active=True, operations__contains=[operation]
    )
    if columns is not None and operation == "update":
        rules = rules.filter(models.Q(field="") | models.Q(field__in=columns))
    rule = rules.order_by("-field").first()
    return f"{rule.what} needs a reason: say why, then try again." if rule is not None else None
