"""What compliance rules can ask of campaigns by region and channel: consent, its basis, imprint, retention, evidence.

A rule is narrowed to regions and channels on its page (“applies to”); the fields are those of `campaign_catalog`.
"""

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, F, OuterRef, Q

from apps.campaigns.domain.audiences import members_now, refuse_selection
from apps.campaigns.enums import OVER, CheckKind, CheckState
from apps.campaigns.models import Audience, Campaign, ChecklistItem
from apps.campaigns.registry import consent_check_of
from apps.content.domain.complying import IMPRINT
from apps.content.domain.qa.reading import read_html
from apps.content.domain.qa.terms import TermTree
from apps.content.enums import USABLE, Kind
from apps.content.models import ContentLink, ContentVersion
from apps.core.records import kind_of
from apps.core.rules.predicates import Catalog, model_fields
from apps.processes.registry import register_check

if TYPE_CHECKING:
    from django.db.models import QuerySet


def campaign_catalog() -> Catalog:
    """Return what rules may ask about campaigns."""
    named = ("name", "main_channel", "region", "product", "budget", "currency", "state", "starts_on", "ends_on")
    return Catalog(fields=model_fields(Campaign, *named, "owner_person", "owner_team"))


def to_look_at() -> "QuerySet[Any]":
    """Return the campaigns that address somebody, or will."""
    return Campaign.objects.live().exclude(state__in=OVER)


def consent_given(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """Everybody in the frozen audiences has said yes to the channel."""
    found: dict[int, str] = {}
    frozen = Audience.objects.filter(campaign__in=rows, archived_at=None, frozen_at__isnull=False)
    for audience in frozen.select_related("campaign").order_by("campaign", "pk"):
        asked = consent_check_of(audience.provider)
        if asked is None or refuse_selection(audience.provider, audience.selection):
            found.setdefault(audience.campaign_id, f"Nobody can tell who of “{audience}” said yes.")
            continue
        keys = members_now(audience).keys
        without = asked.without(keys, audience.campaign.main_channel)
        if without:
            found.setdefault(
                audience.campaign_id, f"{without:,} of {len(keys):,} people of “{audience}” have not said yes to it."
            )
    return found


def has_imprint(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """Every usable mail and page a campaign shows names who is behind it."""
    tree, found = TermTree((each, 0) for each in IMPRINT), dict[int, str]()
    links = ContentLink.objects.live().filter(content_type=kind_of(Campaign), object_id__in=rows.values("pk"))
    shown = dict[int, list[int]]()
    for asset, campaign in links.values_list("asset", "object_id"):
        shown.setdefault(asset, []).append(campaign)
    html_kinds = (Kind.EMAIL, Kind.LANDING_PAGE)
    versions = ContentVersion.objects.filter(asset__in=shown, state__in=USABLE, asset__kind__in=html_kinds)
    for version in versions.select_related("asset").iterator(chunk_size=200):
        if "{{ imprint }}" in version.body or any(tree.find(read_html(version.body).text)):
            continue
        for campaign in shown[version.asset_id]:
            found.setdefault(campaign, f"“{version.asset}” has neither an imprint nor a link to one.")
    return found


def _line_settled(rows: "QuerySet[Any]", begins: str, said: str) -> Mapping[int, str]:
    settled = ChecklistItem.objects.filter(
        campaign=OuterRef("pk"),
        kind=CheckKind.LEGAL,
        state=CheckState.DONE,
        archived_at=None,
        title__istartswith=begins,
    )
    return dict.fromkeys(rows.exclude(Exists(settled)).values_list("pk", flat=True), said)


def basis_settled(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """The checklist says with evidence on which basis people are addressed."""
    said = "No settled line “Consent basis: …” says on which basis people are addressed: consent, contract, interest."
    return _line_settled(rows, "consent basis", said)


def retention_settled(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """The checklist says with evidence how long what is collected is kept."""
    said = "No settled line “Retention: …” says how long what is collected is kept, and who deletes it."
    return _line_settled(rows, "retention", said)


def looked_at_by_another(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """What is settled about the law was settled by somebody who does not answer for the campaign."""
    own = ChecklistItem.objects.filter(
        campaign__in=rows, kind=CheckKind.LEGAL, state=CheckState.DONE, archived_at=None
    ).filter(Q(settled_by=F("campaign__owner_person")) | Q(settled_by=F("campaign__backup_person")))
    told = own.order_by("-pk").values_list("campaign", "title")
    return {pk: f"“{title.partition(':')[0]}” was settled by who answers for the campaign." for pk, title in told}


def register() -> None:
    """Let compliance rules ask these, narrowed by region and channel."""
    add = "Add a line of the kind “legal” to its launch checklist, and settle it with what shows it."
    for key, label, evaluate, way_out in (
        (
            "campaigns.consent",
            "Everybody in the audience has said yes",
            consent_given,
            "Select those who said yes, and freeze the audience anew.",
        ),
        ("campaigns.consent_basis", "The consent basis is settled with evidence", basis_settled, add),
        ("campaigns.imprint", "Mails and pages of a campaign have an imprint", has_imprint, "Add it in a new version."),
        ("campaigns.retention", "Retention is settled with evidence", retention_settled, add),
        (
            "campaigns.legal_by_another",
            "The law was looked at by somebody else",
            looked_at_by_another,
            "Open the line again, and let somebody else settle it.",
        ),
    ):
        register_check(key, label, to_look_at, evaluate, way_out=way_out, help=(evaluate.__doc__ or "").strip())
