"""Looking on as somebody else: an administrator sees the back office as another person does, and changes nothing.

Decided: never as another administrator, an auditor or a superuser, and never as somebody who sees kinds of records
that the administrator does not see. Looking on must answer "what do they see?", not open a door.
"""

from apps.accounts.domain.rights import ONLY_ADMINISTRATORS, is_administrator
from apps.accounts.domain.roles import roles_of
from apps.accounts.enums import Role
from apps.accounts.models import User
from apps.core.access_log import log_access
from apps.core.errors import NotAllowed
from apps.core.words import reason_given

VIEW_AS_SECONDS = 15 * 60
SEEING = ("view_", "oversee_")


def refuse_view_as(by: User, person: User) -> str | None:
    """Return why `by` cannot look on as `person` now, None when they can."""
    if by.is_system or not is_administrator(by):
        return ONLY_ADMINISTRATORS
    if by.pk == person.pk:
        return "You see mops as yourself already."
    if person.is_system or not person.is_active:
        return f"{person} cannot sign in and sees nothing."
    if person.is_superuser or is_administrator(person):
        return f"{person} is an administrator too; nobody looks on as one."
    if Role.AUDITOR in roles_of(person):
        return f"{person} is an auditor; what auditors look at stays theirs."
    more = _sees(person) - _sees(by)
    return f"{person} sees kinds of records that you do not see, so you cannot look on." if more else None


def _sees(person: User) -> set[str]:
    return {each for each in person.get_all_permissions() if each.split(".")[1].startswith(SEEING)}


def start_view_as(person: User, *, by: User, reason: str) -> str:
    """Write down that `by` begins to look on as `person`; the page's session does the rest.

    Raises:
        NotAllowed: see `refuse_view_as`.
        InvalidInput: no reason.
    """
    reason = reason_given(reason, "Say why you look on.")
    if refused := refuse_view_as(by, person):
        raise NotAllowed(refused)
    log_access("view_as", by=by, thing=person, detail={"begins": reason.strip()[:500]})
    return f"You now see mops as {person}, for {VIEW_AS_SECONDS // 60} minutes at most. Nothing can be changed."


def stop_view_as(person: User, *, by: User, why: str) -> None:
    """Write down that looking on has ended."""
    log_access("view_as", by=by, thing=person, detail={"ends": why})


def look_at(person: User, path: str, *, by: User) -> None:
    """Write down a page that was opened while looking on."""
    log_access("view_as", by=by, thing=person, detail={"page": path[:300]})
