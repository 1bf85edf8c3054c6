"""The roles that steps name: each stands on the list of roles, and somebody plays it before a version is approved."""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from apps.core import access
from apps.core.errors import InvalidInput
from apps.processes.models import ProcessRole
from apps.processes.models.values import Flow

if TYPE_CHECKING:
    from apps.accounts.models import User

WHERE = "under Processes › Process roles"


def named_in(flow: Flow) -> dict[str, str]:
    """Return the roles that `flow` names, each once whatever its case: name → the first step that names it."""
    found: dict[str, tuple[str, str]] = {}
    for step in flow.steps:
        for name in (step.role, step.accountable):
            if name:
                found.setdefault(name.lower(), (name, step.title))
    return dict(found.values())


def unlisted(flow: Flow) -> list[str]:
    """Return the names of roles in `flow` that no role has, not even an archived one."""
    listed = _listed()
    return [name for name in named_in(flow) if name.lower() not in listed]


def refuse_roles(user: "User", flow: Flow, *, new_roles: Collection[str] = ()) -> str | None:
    """Return why steps cannot name these roles, None when they can.

    Args:
        user: who writes them.
        flow: the steps.
        new_roles: names that are to become roles with it, because `user` was asked and said so.
    """
    listed, wanted = _listed(), {name.lower() for name in new_roles}
    for name, step in named_in(flow).items():
        role = listed.get(name.lower())
        if role is not None and role.is_archived:
            return _archived(role, step)
        if role is None and name.lower() not in wanted:
            live = [each.name for each in listed.values() if not each.is_archived]
            near = get_close_matches(name, live, n=1)
            meant = f"did you mean {near[0]}?" if near else "choose one of the list."
            return f"“{step}” names {name}, which is no role in processes; {meant}"
        if role is None and not access.has_model_permission(user, "add", ProcessRole):
            return f"You may not add the role {name}; choose one of the list, or ask who keeps the roles to add it."
    return None


def problems_of_roles(flow: Flow) -> list[str]:
    """Return in sentences which roles keep a flow from being approved: unknown, archived, or played by nobody."""
    roles = {each.name.lower(): each for each in ProcessRole.objects.with_is_played()}
    found = []
    for name, step in named_in(flow).items():
        role = roles.get(name.lower())
        if role is None:
            found.append(f"“{step}” names {name}, which is no role in processes; choose one of the list.")
        elif role.is_archived:
            found.append(_archived(role, step))
        elif not role.is_played:
            found.append(f"Nobody plays the role {role} of “{step}”; name its people or its team {WHERE}.")
    return found


def roles_called(names: Iterable[str], *, new_roles: Collection[str] = ()) -> Mapping[str, ProcessRole]:
    """Return the roles of these names, by name in small letters; those of `new_roles` are made where there is none.

    Raises:
        InvalidInput: another name is no role's.
    """
    listed, wanted = _listed(), {name.lower() for name in new_roles}
    for low, name in sorted({name.lower(): name for name in names}.items()):
        if low not in listed and low not in wanted:
            raise InvalidInput(f"{name} is no role in processes; choose one of the list, or add it {WHERE}.")
        if low not in listed:
            listed[low] = ProcessRole.objects.create(name=name)
    return listed


def _listed() -> dict[str, ProcessRole]:
    return {role.name.lower(): role for role in ProcessRole.objects.all()}


def _archived(role: ProcessRole, step: str) -> str:
    return f"“{step}” names the role {role}, which is archived; name another one, or restore it {WHERE}."
