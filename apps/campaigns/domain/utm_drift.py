"""Drift of UTM tags: what turns up in the world and is in no plan, and what is planned and never turns up."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.campaigns.domain.utm import personal_data, suggestion, tags_in
from apps.campaigns.domain.utm_plan import tagged_in
from apps.campaigns.enums import OVER, RUNNING
from apps.campaigns.models import Campaign, UtmLink
from apps.campaigns.registry import SeenTags, TagWitness, register_witness, witnesses
from apps.content.enums import USABLE
from apps.content.models import ContentLink, ContentVersion
from apps.core.access import visible
from apps.core.records import kind_of

if TYPE_CHECKING:
    from apps.accounts.models import User

LOOKED_BACK, MOST, MOST_TEXTS = dt.timedelta(days=90), 500, 300
UNSEEN_AFTER = dt.timedelta(days=3)
HIDDEN = "(personal data, hidden)"


@dataclass(frozen=True)
class Drift:
    """Tags that are in no plan: what they are, where and how often they were seen, and which link was meant."""

    seen: SeenTags
    witness: str
    verdict: str
    meant: UtmLink | None = None

    @property
    def words(self) -> str:
        """The tags in one line; what names a person is not repeated."""
        return " / ".join(HIDDEN if personal_data(each) else each for each in self.seen.tags if each)


@dataclass(frozen=True)
class Report:
    """The drift of UTM tags since a day."""

    since: dt.date
    looked_at: int
    drifted: list[Drift]
    unseen: list[UtmLink]


def drift_of(user: "User", today: dt.date) -> Report:
    """Compare what turned up in the last ninety days with what is planned, as far as `user` may know of both."""
    since = today - LOOKED_BACK
    plan = list(visible(user, UtmLink).filter(archived_at=None).select_related("campaign")[: MOST * 20])
    exact = {link.tags: link for link in plan}
    loose = {_loosely(link.tags): link for link in plan}
    by_tag: dict[str, UtmLink] = {link.campaign_tag: link for link in plan}
    drifted, met, looked_at, told_all = [], set[int](), 0, True
    for witness in witnesses():
        found = witness.seen(user, since, MOST)
        looked_at += len(found)
        told_all &= not witness.are_visits or len(found) < MOST
        for seen in found:
            if (link := exact.get(seen.tags)) is not None:
                met |= {link.pk} if witness.are_visits else set()
                continue
            drifted.append(_judged(seen, witness.title, loose, by_tag))
    drifted.sort(key=lambda each: (-each.seen.number, each.words))
    # beyond the most that a witness tells, a link may have been followed after all
    return Report(since, looked_at, drifted, _unseen(plan, met, today) if told_all else [])


def _judged(seen: SeenTags, title: str, loose: dict[tuple[str, ...], UtmLink], by_tag: dict[str, UtmLink]) -> Drift:
    if any(personal_data(each) for each in seen.tags):
        return Drift(seen, title, "carries personal data")
    if (link := loose.get(_loosely(seen.tags))) is not None:
        return Drift(seen, title, "written otherwise than planned", link)
    if (link := by_tag.get(seen.tags[2])) is not None:
        return Drift(seen, title, "not among the links of its campaign", link)
    return Drift(seen, title, "no campaign has this tag" if seen.tags[2] else "without a campaign tag")


def _loosely(tags: Iterable[str]) -> tuple[str, ...]:
    return tuple(suggestion(each).replace("_", "-") for each in tags)


def _unseen(plan: Iterable[UtmLink], met: set[int], today: dt.date) -> list[UtmLink]:
    """Return the links of what has been live for some days by which nobody came."""
    return [
        link
        for link in plan
        if link.pk not in met
        and link.campaign.state in RUNNING
        and link.campaign.launched_at is not None
        and link.campaign.launched_at.date() <= today - UNSEEN_AFTER
    ][:MOST]


def _in_texts(user: "User", since: dt.date, most: int) -> list[SeenTags]:
    """Return the tags in the usable texts of campaigns that are not over."""
    running = visible(user, Campaign).exclude(state__in=OVER)
    shown = ContentLink.objects.live().filter(content_type=kind_of(Campaign), object_id__in=running.values("pk"))
    rows = visible(user, ContentVersion).filter(asset__in=shown.values("asset"), state__in=USABLE)
    days, places = defaultdict[tuple[str, ...], list[dt.date]](list), dict[tuple[str, ...], str]()
    for version in rows.select_related("asset").order_by("-pk")[:MOST_TEXTS]:
        for address in tagged_in(version.body):
            tags = tags_in(address) or ()
            days[tags].append(version.updated_at.date())
            places.setdefault(tags, str(version.asset))
    found = [
        SeenTags(tags, len(each), min(each), max(each), f"“{places[tags]}”")  # type: ignore[arg-type]  # always five
        for tags, each in days.items()
    ]
    return sorted(found, key=lambda each: -each.number)[:most]


def register() -> None:
    """Let the report look into the texts that campaigns show."""
    register_witness(TagWitness("content.texts", "Texts of campaigns", _in_texts, are_visits=False))
