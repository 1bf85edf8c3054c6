"""What the checks know around a text: approved claims, the data dictionary, and what conditions ask about it."""

from collections.abc import Iterable, Sequence
from typing import Any

from apps.content.domain.qa.document import Document
from apps.content.domain.qa.facts import facts_of
from apps.content.domain.qa.findings import BODY, PREHEADER, SUBJECT, Given, Other
from apps.content.domain.qa.reading import read_html, read_plain
from apps.content.enums import Channel, ExceptionState, Region, VersionState
from apps.content.models import Claim, ContentLink, ContentVersion
from apps.core.rules.predicates import catalog_of, values_of
from apps.technology.enums import Known
from apps.technology.models import DataField

Claims = tuple[tuple[str, Any, bool], ...]
# whose words count, the most valid first
_SPEAKS = (VersionState.PUBLISHED, VersionState.APPROVED, VersionState.IN_REVIEW, VersionState.QA)


def known_around() -> tuple[Claims, dict[str, bool]]:
    """Return what mops knows around a text: approved claims with their last day, and the fields of the dictionary."""
    rows = Claim.objects.live().filter(state=ExceptionState.APPROVED).values_list("wording", "valid_until")
    claims = tuple((wording, until, True) for wording, until in rows)
    return claims, fields_to_fill()


def fields_to_fill() -> dict[str, bool]:
    """Return the merge fields that the data dictionary knows, by the name people write; True: about people.

    A field is written with its entity, `contact.first_name`, or alone where no other entity has one of that name.
    """
    found: dict[str, bool] = {}
    alone: dict[str, int] = {}
    rows = DataField.objects.live().filter(entity__archived_at__isnull=True)
    for name, entity, personal in rows.values_list("name", "entity__name", "personal_data"):
        short = name.strip().lower().replace(" ", "_").replace("-", "_")
        found[f"{entity.strip().lower().replace(' ', '_')}.{short}"] = personal == Known.YES
        alone[short] = alone.get(short, 0) + 1
    for long in list(found):
        short = long.split(".", 1)[1]
        if alone[short] == 1:
            found.setdefault(short, found[long])
    return found


def given_of(version: ContentVersion, claims: Claims, fields: dict[str, bool], others: tuple[Other, ...] = ()) -> Given:
    """Return a version as the checks see it; its text is read here, once."""
    return Given(_documents(version), version.asset.kind, version.colours, claims, fields, others)


def _documents(version: ContentVersion) -> dict[str, Document]:
    read = read_html if version.asset.is_html else read_plain
    documents = {SUBJECT: read_plain(version.subject), BODY: read(version.body)}
    if version.preheader:
        documents[PREHEADER] = read_plain(version.preheader)
    return documents


def others_of(versions: Sequence[ContentVersion]) -> dict[int, tuple[Other, ...]]:
    """Return by version what is shown together with it: three queries however many versions.

    That is the other content of the campaigns (or other records) which show its content, for readers of the same
    region, each with what it says most validly: published, else approved, else in review or in the checks.
    """
    shown_by: dict[int, set[tuple[int, int]]] = {}
    mine = ContentLink.objects.live().filter(asset__in={each.asset_id for each in versions})
    for asset, *record in mine.values_list("asset_id", "content_type_id", "object_id"):
        shown_by.setdefault(asset, set()).add((record[0], record[1]))
    records = set().union(*shown_by.values()) if shown_by else set()
    beside = ContentLink.objects.live().filter(object_id__in={key for _, key in records}, asset__archived_at=None)
    assets: dict[tuple[int, int], set[int]] = {}
    for asset, *record in beside.values_list("asset_id", "content_type_id", "object_id"):
        assets.setdefault((record[0], record[1]), set()).add(asset)
    said = _said({each for record in records for each in assets.get(record, ())})
    found = {}
    for version in versions:
        everywhere = version.asset.region == Region.GLOBAL
        near = {each for record in shown_by.get(version.asset_id, ()) for each in assets.get(record, ())}
        near.discard(version.asset_id)
        told = [said[key] for key in sorted(near) if key in said]
        found[version.pk] = tuple(
            other for region, other in told if everywhere or region in (version.asset.region, Region.GLOBAL)
        )
    return found


def _said(assets: Iterable[int]) -> dict[int, tuple[str, Other]]:
    """Return by piece its region and what its most valid version states in figures."""
    rows = ContentVersion.objects.live().filter(asset__in=list(assets), state__in=_SPEAKS).select_related("asset")
    found: dict[int, tuple[str, Other]] = {}
    for row in sorted(rows, key=lambda each: (_SPEAKS.index(VersionState(each.state)), -each.pk)):
        if row.asset_id not in found:
            facts = tuple(fact for document in _documents(row).values() for fact in facts_of(document.text))
            channel = Channel(row.asset.main_channel).label
            found[row.asset_id] = row.asset.region, Other(row.asset.title, channel, facts)
    return found


def values_of_versions(keys: Iterable[int]) -> dict[Any, dict[str, Any]]:
    """Return what conditions of rules ask about versions, by key."""
    return values_of(catalog_of(ContentVersion), ContentVersion.objects.filter(pk__in=list(keys)))
