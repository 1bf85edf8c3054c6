"""Moving a version from state to state: the one place that writes them, called inside operations."""

import datetime as dt
from typing import Any

from apps.content.enums import Stage, VersionState
from apps.content.models import ContentAsset, ContentVersion
from apps.core.events import publish
from apps.core.transitions import transition


def locked(version: ContentVersion) -> ContentVersion:
    """Return the version with its row locked."""
    rows = ContentVersion.objects.select_for_update(of=("self",)).select_related("asset", "author")
    row: ContentVersion = rows.get(pk=version.pk)
    return row


def move(row: ContentVersion, state: VersionState, **also: Any) -> None:
    """Let a locked version be in another state, and its piece of content with it where it is the newest."""
    row.state = state
    for name, value in also.items():
        setattr(row, name, value)
    with transition(ContentVersion):
        row.save(update_fields=["state", *also])
    newer = ContentVersion.objects.filter(asset=row.asset_id, number__gt=row.number)
    if not newer.exclude(state=VersionState.ARCHIVED).exists():
        set_stage(row.asset, state)


def set_stage(asset: ContentAsset, stage: str) -> None:
    """Let a piece of content stand where its newest version stands."""
    asset.stage = Stage(str(getattr(stage, "value", stage)))
    with transition(ContentAsset):
        asset.save(update_fields=["stage"])


def end(row: ContentVersion, state: VersionState, *, at: dt.datetime) -> None:
    """Let a locked version end: expired, replaced or put away; announces `content.ended`."""
    move(row, state, ended_at=at)
    publish("content.ended", version_id=row.pk)
