"""Which content a campaign (or another record) shows, and whether all of it may be seen: a condition of launches."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import models, transaction

from apps.content.enums import USABLE
from apps.content.models import ContentAsset, ContentLink, ContentVersion
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.governed import GovernedBase
from apps.core.records import kind_of

if TYPE_CHECKING:
    from apps.accounts.models import User


def link_content(asset: ContentAsset, record: GovernedBase, *, by: "User") -> ContentLink:
    """Say that `record` shows `asset`.

    Raises:
        NotAllowed: `by` may not change the record or see the content.
        WrongState: it is linked already, or archived.
    """
    if not access.may(by, "change", record) or not access.may(by, "view", asset):
        raise NotAllowed(f"You may not say what {record} shows.")
    if record.is_archived or asset.is_archived:
        raise WrongState(f"{asset if asset.is_archived else record} is archived; restore it first.")
    with transaction.atomic(), acting_as(by):
        type(record)._default_manager.select_for_update(of=("self",)).get(pk=record.pk)
        if links_of(record).filter(asset=asset).exists():
            raise WrongState(f"{record} shows {asset} already.")
        made: ContentLink = ContentLink.objects.create(asset=asset, content_type=kind_of(record), object_id=record.pk)
    return made


def unlink_content(link: ContentLink, *, by: "User") -> None:
    """Say that a record no longer shows a piece of content.

    Raises:
        NotAllowed: `by` may not change the record.
    """
    record = link.record
    if record is None or not access.may(by, "change", record):
        raise NotAllowed(f"You may not say what {record} shows.")
    with transaction.atomic(), acting_as(by):
        row: ContentLink = ContentLink.objects.select_for_update(of=("self",)).get(pk=link.pk)
        row.archived_at = row.archived_at or clock.now()
        row.save(update_fields=["archived_at"])


def links_of(record: models.Model) -> "models.QuerySet[ContentLink]":
    """Return the content that `record` shows."""
    rows: models.QuerySet[ContentLink] = ContentLink.objects.live().filter(
        content_type=kind_of(record), object_id=record.pk
    )
    return rows.select_related("asset")


def shown_by(record: models.Model) -> list[ContentLink]:
    """Return what `record` shows, each asset with its `usable_versions`: approved or published ones.

    Two queries; none inside `read_once`, once it was asked there.
    """
    kept: dict[str, list[ContentLink]] = record.__dict__.get("content_read", {})
    if "links" in kept:
        return kept["links"]
    usable = ContentVersion.objects.filter(state__in=USABLE).only("asset_id", "expires_on", "body")
    prefetch = models.Prefetch("asset__versions", queryset=usable, to_attr="usable_versions")
    kept["links"] = list(links_of(record).prefetch_related(prefetch))
    return kept["links"]


@contextmanager
def read_once(record: models.Model) -> Iterator[None]:
    """Keep what `record` shows as long as this block lasts: several conditions of a gate look at it."""
    record.__dict__["content_read"] = {}
    try:
        yield
    finally:
        del record.__dict__["content_read"]


def unmet(record: models.Model, day: dt.date) -> list[str]:
    """Return, in sentences, which content of `record` may not be seen on a day: not approved, or expired by then.

    Every piece needs a version that is approved or published and valid on that day.
    """
    found = []
    for link in shown_by(record):
        versions = link.asset.usable_versions  # type: ignore[attr-defined]  # prefetched just above
        if not versions:
            found.append(f"{link.asset} is {link.asset.get_stage_display().lower()}, not approved.")
        elif not any(each.expires_on is None or each.expires_on >= day for each in versions):
            last = max(each.expires_on for each in versions)
            found.append(f"{link.asset} is valid until {last:%-d %B %Y} only.")
    return found
