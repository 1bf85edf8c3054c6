"""Who sees and does what: the one module that lists, pages, searches, exports and jobs all ask.

An app narrows the rows of a model by registering a scope; what is not narrowed follows the model permission.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.auth import get_permission_codename
from django.db import models

if TYPE_CHECKING:
    from apps.accounts.models import User

M = TypeVar("M", bound=models.Model)
Scope = Callable[["User", "models.QuerySet[Any]"], "models.QuerySet[Any]"]
_scopes: dict[type[models.Model], Scope] = {}
_own: dict[type[models.Model], Scope] = {}


def register_scope(model: type[models.Model], scope: Scope) -> None:
    """Narrow `model` for everybody, on every surface, to what `scope(user, queryset)` returns."""
    _scopes[model] = scope


def register_own(model: type[models.Model], own: Scope) -> None:
    """Let everybody view the rows that `own(user, queryset)` returns, without any right to `model` as such."""
    _own[model] = own


def permission(verb: str, model: type[models.Model]) -> str:
    """Return the permission's full name, for instance `technology.change_tool`."""
    return f"{model._meta.app_label}.{get_permission_codename(verb, model._meta)}"


def has_model_permission(user: "User", verb: str, model: type[models.Model]) -> bool:
    """Whether a role gives `user` the right to `verb` on `model`; changing implies viewing."""
    if getattr(user, "is_system", False):  # mops itself, in its own jobs; it can never sign in
        return True
    if not user.is_active:
        return False
    if user.has_perm(permission(verb, model)):
        return True
    return verb == "view" and user.has_perm(permission("change", model))


def visible(user: "User", model: type[M], *, verb: str = "view") -> "models.QuerySet[M]":
    """Return the rows of `model` on which `user` may `verb`: none without the permission."""
    rows: models.QuerySet[M] = model._default_manager.all()
    if has_model_permission(user, verb, model):
        scope = None if getattr(user, "is_system", False) else _scopes.get(model)
        return scope(user, rows) if scope else rows
    own = _own.get(model) if verb == "view" and user.is_active else None
    return own(user, rows) if own else rows.none()


def can(user: "User", verb: str, thing: models.Model) -> bool:
    """Whether `user` may `verb` on this row."""
    allowed = has_model_permission(user, verb, type(thing))
    if allowed and type(thing) not in _scopes:
        return True
    if not allowed and type(thing) not in _own:
        return False
    return visible(user, type(thing), verb=verb).filter(pk=thing.pk).exists()
