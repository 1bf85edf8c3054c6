"""Machines among visitors: told by how they come, kept with the reason, worth nothing."""

import re
from collections.abc import Mapping

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
