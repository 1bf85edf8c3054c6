"""The box on the home page of who is alone in a new installation: how the others come in, and what to look at first."""

from typing import Any

from django.http import HttpRequest

from apps.accounts.domain.first_administrator import is_alone
from apps.accounts.models import Invitation
from apps.core import access


def first_steps_panel(request: HttpRequest) -> dict[str, Any] | None:
    """Return how many are invited; None once somebody else has come in, and for who may invite nobody."""
    person: Any = request.user
    if not access.has_model_permission(person, "add", Invitation) or not is_alone(person):
        return None
    return {"invited": access.visible(person, Invitation).filter(accepted_at=None, revoked_at=None).count()}
