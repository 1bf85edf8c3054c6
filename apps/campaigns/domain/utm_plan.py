"""The UTM plan of a campaign: links are planned once, told apart from all others, and asked about at the launch."""

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.campaigns.domain.moves import locked, refuse_work
from apps.campaigns.domain.utm import naming_rules, problems_of, suggestion, tags_in
from apps.campaigns.enums import OVER, Channel
from apps.campaigns.models import Campaign, UtmLink
from apps.campaigns.models.utm import TAGS
from apps.content.domain.addresses import addresses_in
from apps.content.domain.linking import shown_by
from apps.core import access
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.gates import Finding

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.accounts.models import User

WITHOUT = (Channel.EVENT, Channel.PARTNER)  # channels that do without links
MEDIUM_OF = {
    Channel.EMAIL: "email",
    Channel.PAID_SEARCH: "cpc",
    Channel.PAID_SOCIAL: "paid-social",
    Channel.ORGANIC_SOCIAL: "social",
    Channel.CONTENT: "organic",
    Channel.WEBINAR: "webinar",
    Channel.EVENT: "event",
    Channel.PARTNER: "referral",
}
SHOWN = 5


def planned_links(campaign: Campaign) -> "QuerySet[UtmLink]":
    """Return the links of a campaign that count."""
    rows: QuerySet[UtmLink] = campaign.utm_links.filter(archived_at=None)
    return rows


def first_guess(campaign: Campaign) -> dict[str, str]:
    """Return what a further link of `campaign` probably says: its campaign tag, and the medium of its channel."""
    had = planned_links(campaign).order_by("pk").values_list("campaign_tag", "landing_url").last()
    tag, landing = had or (suggestion(campaign.name), "")
    return {
        "campaign_tag": tag,
        "landing_url": landing,
        "medium": MEDIUM_OF.get(Channel(campaign.main_channel), ""),
    }


def refuse_planning(user: "User", campaign: Campaign) -> str | None:
    """Return why `user` cannot plan links for `campaign`, None when they can."""
    if not access.has_model_permission(user, "add", UtmLink):
        return "You may not plan links."
    if refused := refuse_work(user, campaign):
        return refused
    if campaign.state in OVER:
        return f"{campaign} is {campaign.get_state_display().lower()}; no more links are planned for it."
    return None


def told(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts of a link without the blanks around them."""
    return {name: str(values.get(name) or "").strip() for name in ("landing_url", *TAGS)}


def collisions(campaign: Campaign, values: Mapping[str, str], *, but: int | None = None) -> dict[str, str]:
    """Return with what a link collides, field by field: its tags are planned already, or its tag is another's."""
    same = UtmLink.objects.filter(archived_at=None, campaign_tag=values["campaign_tag"]).exclude(pk=but)
    other = same.exclude(campaign=campaign).select_related("campaign").first()
    if other is not None:
        said = f"{other.campaign} has the campaign tag “{other.campaign_tag}”; visits of both would be counted as one."
        return {"campaign_tag": said}
    twin = same.filter(**{name: values[name] for name in TAGS}).first()
    if twin is not None:
        return {"content": f"A link with these five tags is planned already, to {twin.landing_url}; tell them apart."}
    return {}


def plan_link(campaign: Campaign, *, by: "User", note: str = "", **values: str) -> UtmLink:
    """Plan a link.

    Args:
        campaign: whose it is; it is not over.
        by: who plans it.
        note: what it is used for.
        values: landing_url, source, medium, campaign_tag, and term and content where they are needed.

    Raises:
        InvalidInput: with a sentence for each field: bad words, personal data, a name against the rules, a collision.
        NotAllowed, WrongState: as `refuse_planning` says.
    """
    given = told(values)
    with transaction.atomic(), acting_as(by):
        row = locked(campaign)
        if refused := refuse_planning(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        if wrong := problems_of(given) or collisions(row, given):
            raise InvalidInput(" ".join(wrong.values()), fields=wrong)
        made: UtmLink = UtmLink.objects.create(campaign=row, note=note.strip()[:150], **given)
    return made


def content_addresses(campaign: Campaign) -> list[tuple[str, str]]:
    """Return the tagged addresses in the usable texts a campaign shows: (which text, address)."""
    shown: Any = ((link.asset, version) for link in shown_by(campaign) for version in link.asset.usable_versions)  # type: ignore[attr-defined]  # read there
    return [(str(asset), each) for asset, version in shown for each in tagged_in(version.body)]


def tagged_in(text: str) -> list[str]:
    """Return the addresses with UTM tags in a text, each once, as they are written."""
    return list(dict.fromkeys(each for _, each in addresses_in(text) if tags_in(each)))


def utm_finding(campaign: Campaign, today: dt.date) -> Finding | None:
    """Say whether every link is planned and valid, and the texts of the campaign carry planned tags alone.

    None where the channel does without links and none is planned.
    """
    links: list[UtmLink] = campaign.live_parts("utm_links")
    if not links:
        if campaign.main_channel in WITHOUT:
            return None
        return Finding(False, "no link is planned; plan one in the UTM builder")
    rules, wrong = naming_rules(), []
    for link in links:
        values = {name: getattr(link, name) for name in ("landing_url", *TAGS)}
        wrong += [f"{link}: {sentence}" for sentence in problems_of(values, rules).values()]
    planned = {link.tags for link in links}
    for where, found in content_addresses(campaign):
        tags = tags_in(found) or ()
        if tags not in planned:
            wrong.append(f"“{where}” links with tags that are not planned: {' / '.join(filter(None, tags))}.")
    if wrong:
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        return Finding(False, " ".join(wrong[:SHOWN]).rstrip(".") + more)
    return Finding(True, f"{len(links)} link{'' if len(links) == 1 else 's'} planned, and no other in its texts")
