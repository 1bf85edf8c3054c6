"""Having mailboxes fetched: by the clock, or because somebody clicked."""

from typing import TYPE_CHECKING

from apps.core import access
from apps.core.errors import NotAllowed, WrongState
from apps.core.jobs.api import enqueue
from apps.tickets.models import Mailbox

if TYPE_CHECKING:
    from apps.accounts.models import User

FETCH_JOB = "tickets.fetch_mail"


def refuse_fetch(user: "User", mailbox: Mailbox) -> str | None:
    """Return why `user` cannot have `mailbox` fetched now, None when they can."""
    if not access.can(user, "change", mailbox):
        return "Mailboxes are kept by the people of the desk."
    return None if mailbox.is_active else f"{mailbox} is not fetched; tick “fetched” first."


def fetch_now(mailbox: Mailbox, *, by: "User") -> str:
    """Have a mailbox fetched in the background.

    Raises:
        NotAllowed, WrongState: as `refuse_fetch` says.
    """
    if refused := refuse_fetch(by, mailbox):
        raise (WrongState if access.can(by, "change", mailbox) else NotAllowed)(refused)
    enqueue(FETCH_JOB, args={"mailbox_id": mailbox.pk}, by=by)
    return f"{mailbox} is being fetched; what came stands under Received mail."
