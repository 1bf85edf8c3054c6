"""Where a touch came from: the campaign that its tags name, and the content that stood at its address then.

Both are read from what was planned and published here; what a browser or a file says is never believed about either.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.db.models import F

from apps.campaigns.models import UtmLink
from apps.content.models import Distribution

if TYPE_CHECKING:
    from apps.leads.domain.touches import Touch


def with_origins(touches: "Sequence[Touch]") -> "list[Touch]":
    """Return the touches with campaign and content version, as far as tags and addresses name them.

    What a touch says itself stays. Asks once for all tags and once for all addresses, and nothing where there are none.
    """
    campaigns = campaigns_of({tag for each in touches if each.campaign_id is None and (tag := _tag(each))})
    shown = _Shown({each.address for each in touches if each.content_version_id is None and each.address})
    return [
        replace(
            each,
            campaign_id=each.campaign_id or campaigns.get(_tag(each)),
            content_version_id=each.content_version_id or shown.at(each.address, each.occurred_at),
        )
        if _tag(each) or each.address
        else each
        for each in touches
    ]


def _tag(touch: "Touch") -> str:
    return touch.utm.get("campaign") or touch.utm.get("utm_campaign") or ""


def campaigns_of(tags: Iterable[str]) -> dict[str, int]:
    """Return the campaigns of campaign tags; where a tag has changed hands, the one that has it now."""
    if not (asked := set(tags)):
        return {}
    links = UtmLink.objects.filter(campaign_tag__in=asked).order_by(F("archived_at").asc(nulls_last=True), "pk")
    return dict(links.values_list("campaign_tag", "campaign_id"))


def plain(address: str) -> str:
    """Return an address as places are compared: host in small letters, no tags, no fragment, no slash at its end.

    "" where it is none of the web.
    """
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return ""
    if parts.scheme.lower() not in ("http", "https") or not parts.netloc:
        return ""
    return f"https://{parts.netloc.lower()}{parts.path.rstrip('/')}"


class _Shown:
    """What was shown at some addresses, and when."""

    def __init__(self, addresses: Iterable[str]) -> None:
        asked = {found.removeprefix("https://") for each in addresses if (found := plain(each))}
        written = [f"{way}{each}{end}" for each in asked for way in ("https://", "http://") for end in ("", "/")]
        rows = Distribution.objects.filter(address__in=written, published_at__isnull=False).order_by("-published_at")
        self.places: dict[str, list[Distribution]] = {}
        for row in rows if written else ():
            self.places.setdefault(plain(row.address), []).append(row)

    def at(self, address: str, moment: dt.datetime) -> int | None:
        """Return the version that stood at an address at a moment, the latest where there were several."""
        for row in self.places.get(plain(address), ()) if self.places else ():
            begins, ends = row.published_at, row.taken_down_at
            if begins is not None and begins <= moment and (ends is None or moment < ends):
                return row.version_id
        return None
