"""Machines among visitors: told by how they come, or by a person, kept with the reason, worth nothing."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.words import reason_given
from apps.leads.domain.scoring import measures
from apps.leads.domain.scoring.engine import score_leads
from apps.leads.domain.touches import AHEAD
from apps.leads.models import Touchpoint

if TYPE_CHECKING:
    from apps.accounts.models import User

MOST_AT_ONCE = 20  # events of one visitor in one delivery: nobody clicks that fast
_NAMES = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|headless|phantomjs|selenium|puppeteer|playwright|curl/|wget/|python-requests|"
    r"httpclient|go-http|java/|libwww|scanner|preview|monitor|lighthouse|facebookexternalhit|safelinks|barracuda|"
    r"proofpoint|mimecast",
    re.IGNORECASE,
)


def machine_reason(headers: Mapping[str, str], *, events: int) -> str:
    """Return why a request was made by a machine, "" where a person seems to sit there.

    Args:
        headers: of the request, by their usual names.
        events: how many it brings at once.
    """
    agent = headers.get("User-Agent", "").strip()
    if not agent:
        return "It does not say which browser it is."
    if found := _NAMES.search(agent):
        return f"It calls itself “{found.group(0).strip('/')}”."
    purpose = headers.get("Sec-Purpose", "") or headers.get("Purpose", "")
    if "prefetch" in purpose or "prerender" in purpose:
        return "The browser only fetched it ahead; nobody saw it."
    if events > MOST_AT_ONCE:
        return f"{events} events at once; nobody clicks that fast."
    return ""


def refuses_tracking(headers: Mapping[str, str]) -> bool:
    """Whether the browser itself says that it is not to be tracked (Do Not Track, Global Privacy Control)."""
    return headers.get("DNT", "") == "1" or headers.get("Sec-GPC", "") == "1"


def refuse_machine(user: "User", touch: Touchpoint) -> str | None:
    """Return why `user` cannot say that a machine did `touch`, None when they can."""
    return _refuse(user, touch, is_machine=True)


def refuse_person(user: "User", touch: Touchpoint) -> str | None:
    """Return why `user` cannot say that the person did `touch` after all, None when they can."""
    return _refuse(user, touch, is_machine=False)


def call_machine(touch: Touchpoint, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Say that a machine did it (a mail scanner, a robot): the touch stays and counts nothing.

    Raises:
        NotAllowed, WrongState: as `refuse_machine` says.
        InvalidInput: no reason is given.
    """
    return _classify(touch, True, reason_given(reason, "Say how you know that a machine did it."), by=by, at=at)


def call_person(touch: Touchpoint, *, by: "User", at: dt.datetime | None = None) -> str:
    """Say that the person did it after all: the touch counts again.

    Raises:
        NotAllowed, WrongState: as `refuse_person` says.
    """
    return _classify(touch, False, "", by=by, at=at)


def _refuse(user: "User", touch: Touchpoint, *, is_machine: bool) -> str | None:
    if not access.can(user, "change", touch.lead):
        return f"You may not change {touch.lead}."
    if touch.is_machine != is_machine:
        return None
    return "It is called a machine's already." if is_machine else "It counts as the person's already."


def _classify(touch: Touchpoint, is_machine: bool, reason: str, *, by: "User", at: dt.datetime | None) -> str:
    now = at or clock.now()
    with transaction.atomic(), acting_as(by, reason=reason or None):
        measures.lock_for_touches()
        rows = Touchpoint.objects.filter(pk=touch.pk, occurred_at=touch.occurred_at)
        row = rows.select_related("lead").get()
        if refused := _refuse(by, row, is_machine=is_machine):
            raise (WrongState if access.can(by, "change", row.lead) else NotAllowed)(refused)
        rows.update(is_machine=is_machine, machine_reason=reason[:200])
        measures.rebuild(ref=now.timestamp() + AHEAD.total_seconds(), leads=[touch.lead_id])
        score_leads([touch.lead_id], as_of=now)
    return "It counts nothing from now on." if is_machine else "It counts again."
