"""System checks that keep the project's own rules."""

from typing import Any

import pgtrigger
from django.apps import apps
from django.core.checks import Error, register

from apps.core.governed import GovernedBase, HistoryEntry


@register()
def governed_models_have_ledger(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Every governed model must carry the ledger's triggers: its Meta has to inherit GovernedModel.Meta."""
    found = []
    for model in apps.get_models():
        if issubclass(model, GovernedBase):
            names = {
                trigger.name
                for trigger in getattr(model._meta, "triggers", [])
                if isinstance(trigger, pgtrigger.Trigger)
            }
            if not {"ledger_insert", "ledger_update", "ledger_delete"} <= names:
                found.append(
                    Error(
                        f"{model.__name__} is governed but its Meta does not inherit GovernedModel.Meta.",
                        id="mops.E001",
                    )
                )
    return found


@register()
def governed_columns_leave_room_for_history(app_configs: Any, **kwargs: Any) -> list[Error]:
    """No governed model may have a field of the name that its history needs for who, how and why."""
    taken = {field.name for field in HistoryEntry._meta.get_fields()}
    return [
        Error(
            f"{model.__name__}.{field.name} has the name of a column of its history; call it something else.",
            id="mops.E003",
        )
        for model in apps.get_models()
        if issubclass(model, GovernedBase)
        for field in model._meta.local_fields
        if field.name in taken
    ]
