"""Who sees and does what: the one module that lists, pages, searches, exports and jobs all ask.

A role gives a right to a kind of record (a model permission). An app may narrow it to some rows (a scope), let
everybody see their own rows, or let single rows be shared (grants). What none of these gives is refused, with why.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.auth import get_permission_codename
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import Q

from apps.core import territorial
from apps.core.asking import once, remember

if TYPE_CHECKING:
    from apps.accounts.models import User

ON_ARCHIVED = ("view", "restore")  # what can be done with an archived row
FEW = 200  # shared rows up to here are named one by one
# the way in for other apps is this module alone
Limit = territorial.Limit
about_of = territorial.about_of
home_of = territorial.home_of
register_about = territorial.register_about
register_territory = territorial.register_territory
territorial_kinds = territorial.territorial_kinds
territory_path = territorial.territory_path
where_is = territorial.where_is
within = territorial.within
M = TypeVar("M", bound=models.Model)
Scope = Callable[["User", "models.QuerySet[Any]"], "models.QuerySet[Any]"]
Shared = Callable[["User", str], "models.QuerySet[Any]"]
Hidden = Callable[["User", type[models.Model]], frozenset[str]]
Limits = Callable[["User", str, type[models.Model]], "territorial.Limit | None"]
_scopes: dict[type[models.Model], Scope] = {}
_own: dict[type[models.Model], Scope] = {}
_shared: dict[type[models.Model], Shared] = {}
_hidden: list[Hidden] = []
_limits: list[Limits] = []


@dataclass(frozen=True)
class Verdict:
    """Yes or no, with the chain of grants that allows it or the first condition that is missing."""

    allowed: bool
    reason: str
    chain: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.allowed


def register_scope(model: type[models.Model], scope: Scope) -> None:
    """Narrow `model` for everybody, on every surface, to what `scope(user, queryset)` returns."""
    _scopes[model] = scope


def register_own(model: type[models.Model], own: Scope) -> None:
    """Let everybody view the rows that `own(user, queryset)` returns, without any right to `model` as such."""
    _own[model] = own


def register_sharing(model: type[models.Model], shared: Shared) -> None:
    """Let single rows of `model` be shared: `shared(user, verb)` returns the keys of those granted to a person."""
    _shared[model] = shared


def register_column_limit(hidden: Hidden) -> None:
    """Hide columns from some people: `hidden(user, model)` returns the fields they must not see on any surface."""
    _hidden.append(hidden)


def register_limits(limits: Limits) -> None:
    """Let rights hold in some territories only: `limits(user, verb, model)` returns them, None for everywhere."""
    _limits.append(limits)


def limit_of(user: "User", verb: str, model: type[models.Model]) -> Limit | None:
    """Return the territories in which `user` may `verb` rows of `model` by role; None for everywhere."""
    if home_of(model) is None or getattr(user, "is_system", False):
        return None
    return next((found for limits in _limits if (found := limits(user, verb, model)) is not None), None)


def is_narrowed(user: "User", model: type[models.Model], *, verb: str = "view") -> bool:
    """Whether the rows of `model` that `user` sees by role are fewer than all."""
    return model in _scopes or limit_of(user, verb, model) is not None


def _by_role(user: "User", verb: str, rows: "models.QuerySet[M]") -> "models.QuerySet[M]":
    """Narrow `rows` as the role of `user` does: by the scope of the kind, and by territory."""
    model = rows.model
    scoped = _scopes[model](user, rows) if model in _scopes else rows
    limit = limit_of(user, verb, model)
    return scoped if limit is None else scoped.filter(within(model, limit))


def refuse_outside(user: "User", verb: str, thing: models.Model) -> str | None:
    """Return why a row as it stands now is not one on which `user` may `verb`, None where it is: asked after a write.

    Whoever writes has the row read back through their own scope; what has left it is not saved at all.
    """
    if can(user, verb, thing):
        return None
    model = type(thing)
    kind, limit = model._meta.verbose_name_plural, limit_of(user, verb, model)
    where = f"in {limit.words}" if limit else "among yours"
    return (
        f"Nothing was saved: with these values {thing} would be outside the {kind} that you may {verb}."
        f" Keep it {where}, or ask somebody who oversees all {kind} to hand it over."
    )


def hidden_columns(user: "User", model: type[models.Model]) -> frozenset[str]:
    """Return the fields of `model` that `user` must not see: not listed, filtered, searched, exported or compared."""
    found: frozenset[str] = frozenset()
    return found.union(*(hidden(user, model) for hidden in _hidden))


def shown_columns(user: "User", model: type[models.Model] | None, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of `changes`, by database column, that `user` may see: what a ledger entry shows them."""
    if model is None:
        return dict(changes)
    hidden = hidden_columns(user, model)
    kept_back = {field.column for field in model._meta.concrete_fields if field.name in hidden}
    return {column: sides for column, sides in changes.items() if column not in kept_back}


def is_hidden_path(
    hidden: Callable[[type[models.Model]], frozenset[str]], model: type[models.Model], path: str
) -> bool:
    """Whether a lookup such as `tool__annual_cost__gte` reads a hidden column, of `model` or of one it leads to.

    Args:
        hidden: returns the hidden fields of a model.
        model: where the path begins.
        path: names joined by two underscores; what is no field (any more) ends it.
    """
    current: type[models.Model] | None = model
    for part in path.split("__"):
        if current is None:
            return False
        try:
            field: Any = current._meta.pk if part == "pk" else current._meta.get_field(part)
        except FieldDoesNotExist:
            known = {each.attname: each for each in current._meta.concrete_fields}
            if part not in known:
                return False
            field = known[part]
        if field.name in hidden(current):
            return True
        current = field.related_model if field.is_relation else None
    return False


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


def may_open(user: "User", verb: str, model: type[models.Model]) -> bool:
    """Whether `user` may open the pages of `model` at all: by role, or because a row of it is shared with them."""
    if has_model_permission(user, verb, model):
        return True
    return model in _shared and user.is_active and _shared[model](user, verb).exists()


def visible(user: "User", model: type[M], *, verb: str = "view") -> "models.QuerySet[M]":
    """Return the rows of `model` on which `user` may `verb`: none without the permission."""
    rows: models.QuerySet[M] = model._default_manager.all()
    if getattr(user, "is_system", False):
        return rows
    if not user.is_active:
        return rows.none()
    if not has_model_permission(user, verb, model):
        own = _own.get(model) if verb == "view" else None
        scoped = own(user, rows) if own else rows.none()
    elif is_narrowed(user, model, verb=verb):
        scoped = _by_role(user, verb, rows)
    else:
        return rows
    if model not in _shared:
        return scoped
    shared = _shared[model](user, verb)
    if limit_of(user, verb, model) is None:
        return rows.filter(Q(pk__in=scoped.values("pk")) | Q(pk__in=shared))
    # “of this territory, or one of these keys” is read by two indexes, “or in that list of grants” by none
    keys = [key for row in shared[: FEW + 1] for key in row.values()]
    if len(keys) > FEW:
        return rows.filter(pk__in=scoped.order_by().values("pk").union(shared))
    return scoped | rows.filter(pk__in=keys) if keys else scoped


def has_scope(model: type[models.Model]) -> bool:
    """Whether rows of `model` are narrowed for each person."""
    return model in _scopes


def in_scope(user: "User", verb: str, thing: models.Model) -> bool:
    """Whether `thing` is in the scope of `user` by role alone, sharing left aside."""
    model = type(thing)
    if not has_model_permission(user, verb, model):
        return False
    rows = model._default_manager.filter(pk=thing.pk)
    return bool(_by_role(user, verb, rows).exists())


def can(user: "User", verb: str, thing: models.Model) -> Verdict:
    """Whether `user` may `verb` on this row now, and why or why not.

    An archived row is read-only: it is viewed and restored, nothing else. "restore" asks for the right to change.
    """
    verdict = may(user, "change" if verb == "restore" else verb, thing)
    if verdict and verb not in ON_ARCHIVED and getattr(thing, "archived_at", None) is not None:
        return Verdict(False, f"{thing} is archived and read-only; restore it first.")
    return verdict


def may(user: "User", verb: str, thing: models.Model) -> Verdict:
    """Whether `user` has the right to `verb` on this row, archived or not; what happens to it asks `can`."""
    return once(("may", user.pk, verb, type(thing), thing.pk), lambda: _judge(user, verb, thing))


def remember_seen(user: "User", thing: models.Model) -> None:
    """Keep, for a page that is looked at, that `user` sees a row: only for rows just read from what is `visible`."""
    seen = Verdict(True, f"This one is in the scope of {user}, or shared with them.")
    remember(("may", user.pk, "view", type(thing), thing.pk), seen)


def _judge(user: "User", verb: str, thing: models.Model) -> Verdict:
    model = type(thing)
    kind = str(model._meta.verbose_name_plural)
    if getattr(user, "is_system", False):
        return Verdict(True, "mops itself may, in its own jobs.")
    if not user.is_active:
        return Verdict(False, f"{user} is deactivated.")
    by_role = has_model_permission(user, verb, model)
    limit = limit_of(user, verb, model) if by_role else None
    if by_role and limit is None and model not in _scopes:
        return Verdict(True, f"A role of {user} gives the right to {verb} {kind}.")
    if not by_role and model not in _own and model not in _shared:
        return Verdict(False, f"No role of {user} gives the right to {verb} {kind}.")
    if visible(user, model, verb=verb).filter(pk=thing.pk).exists():
        return Verdict(True, f"This one is in the scope of {user}, or shared with them.")
    if by_role and limit is not None and not model._default_manager.filter(within(model, limit), pk=thing.pk).exists():
        return Verdict(
            False, f"{user} may {verb} {kind} in {limit.words} only, and this one is elsewhere or in no territory."
        )
    if by_role:
        return Verdict(
            False, f"A role of {user} gives the right to {verb} {kind}, but this one is outside their scope."
        )
    return Verdict(False, f"No role of {user} gives the right to {verb} {kind}, and this one is not shared with them.")
