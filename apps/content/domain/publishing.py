"""Publishing: a version is planned for a place, marked published as exactly what was approved, taken down, expired."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.approvals.domain.content import live_digest
from apps.content.domain.approving import is_valid
from apps.content.domain.moves import end, locked, move
from apps.content.enums import DistributionState, VersionState
from apps.content.models import PUBLISHING_TOOLS, ContentVersion, Distribution
from apps.core import access, clock
from apps.core.actors import acting_as, system_principal
from apps.core.conformity import refuse_unmet_rules
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish as announce
from apps.core.transitions import transition
from apps.core.words import reason_given

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.technology.models import Tool


def refuse_plan(user: "User", version: ContentVersion) -> str | None:
    """Return why `user` cannot plan a distribution of `version` now, None when it works."""
    if not access.has_model_permission(user, "add", Distribution):
        return "Your roles do not let you distribute content."
    if version.state in (VersionState.EXPIRED, VersionState.ARCHIVED):
        return f"{version} is {VersionState(version.state).label.lower()}; distribute a newer one."
    return None


def plan_distribution(
    version: ContentVersion, *, by: "User", tool: "Tool", place: str, main_channel: str = "", address: str = ""
) -> str:
    """Say where a version will be shown. It is published there once it is approved.

    Raises:
        InvalidInput: the place is missing, or the tool is not approved.
        NotAllowed, WrongState: as `refuse_plan` says.
    """
    if not place.strip():
        raise InvalidInput("Say where: which list, page, account or campaign.", fields={"place": "Say where."})
    if refused := tool_refusal(tool):
        raise InvalidInput(refused, fields={"tool": refused})
    with transaction.atomic(), acting_as(by):
        row = locked(version)
        if refused := refuse_plan(by, row):
            allowed = access.has_model_permission(by, "add", Distribution)
            raise (WrongState if allowed else NotAllowed)(refused)
        Distribution.objects.create(
            version=row,
            tool=tool,
            place=place.strip(),
            main_channel=main_channel or row.asset.main_channel,
            address=address,
            planned_by=by,
        )
    return f"Planned: {row} in {place.strip()}, through {tool}."


def tool_refusal(tool: "Tool") -> str | None:
    """Return why nothing is published through `tool`, None where it may be."""
    if tool.archived_at is None and tool.lifecycle in PUBLISHING_TOOLS:
        return None
    return f"{tool} is {tool.get_lifecycle_display().lower()}; content is published through approved tools alone."


def refuse_publish(user: "User", distribution: Distribution) -> str | None:
    """Return why `user` cannot mark `distribution` published now, None when it works."""
    if not access.can(user, "change", distribution):
        return "You may not change this distribution."
    if distribution.state != DistributionState.PLANNED:
        return f"It is {distribution.get_state_display().lower()} already."
    version = distribution.version
    if not is_valid(version, clock.today()):
        state = VersionState(version.state).label.lower()
        return f"{version} is {state}; only what is approved and has not expired is published."
    return tool_refusal(distribution.tool) or refuse_unmet_rules(version) or refuse_unmet_rules(version.asset)


def mark_published(
    distribution: Distribution, *, by: "User", sha256: str = "", address: str = "", at: dt.datetime | None = None
) -> str:
    """Note that exactly the approved version is out; the published one of the same variant ends.

    Args:
        distribution: the place.
        by: who published it.
        sha256: of what was published, where a tool tells; must be that of what was approved.
        address: where people see it.
        at: when; now when not given.

    Raises:
        NotAllowed, WrongState: as `refuse_publish` says, or what is out is not what was approved.
    """
    moment = at or clock.now()
    with transaction.atomic(), acting_as(by):
        version = locked(distribution.version)
        rows = Distribution.objects.select_for_update(of=("self",)).select_related("tool")
        row: Distribution = rows.get(pk=distribution.pk)
        row.version = version
        if refused := refuse_publish(by, row):
            raise (WrongState if access.can(by, "change", row) else NotAllowed)(refused)
        if sha256 and sha256.strip().lower() != version.digest:
            raise WrongState(
                f"What is out has the SHA-256 {sha256[:12]}…, approved was {version.digest[:12]}…. Publish what was "
                "approved, or have what is out approved."
            )
        if live_digest(version) != version.digest:
            raise WrongState(f"{version} is not what was approved any more; write a new version.")
        row.state, row.sha256, row.published_by, row.published_at = (
            DistributionState.PUBLISHED,
            version.digest,
            by,
            moment,
        )
        row.address = address or row.address
        with transition(Distribution):
            row.save(update_fields=["state", "sha256", "published_by", "published_at", "address"])
        replaced = _go_live(version, moment)
        announce("content.published", version_id=version.pk, distribution_id=row.pk)
    return f"{row} is published." + (
        f" {replaced} is replaced: take it down where it is still shown." if replaced else ""
    )


def _go_live(version: ContentVersion, moment: dt.datetime) -> ContentVersion | None:
    if version.state == VersionState.PUBLISHED:
        return None
    rows = ContentVersion.objects.select_for_update(of=("self",)).select_related("asset")
    old = rows.filter(asset=version.asset_id, variant=version.variant, state=VersionState.PUBLISHED).first()
    if old is not None:
        end(old, VersionState.ARCHIVED, at=moment)
    move(version, VersionState.PUBLISHED, published_at=version.published_at or moment)
    return old


def refuse_take_down(user: "User", distribution: Distribution) -> str | None:
    """Return why `user` cannot note that `distribution` is taken down, None when it works."""
    if not access.can(user, "change", distribution):
        return "You may not change this distribution."
    if distribution.state == DistributionState.TAKEN_DOWN:
        return "It is taken down already."
    return None


def take_down(distribution: Distribution, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Note that a version is no longer shown (or will not be) in a place.

    Raises:
        InvalidInput: nothing says why.
        NotAllowed, WrongState: as `refuse_take_down` says.
    """
    why = reason_given(reason, "Say why it is taken down.")
    with transaction.atomic(), acting_as(by, reason=why):
        rows = Distribution.objects.select_for_update(of=("self",)).select_related("version__asset", "tool")
        row: Distribution = rows.get(pk=distribution.pk)
        if refused := refuse_take_down(by, row):
            raise (WrongState if access.can(by, "change", row) else NotAllowed)(refused)
        row.state, row.taken_down_at = DistributionState.TAKEN_DOWN, at or clock.now()
        with transition(Distribution):
            row.save(update_fields=["state", "taken_down_at"])
    return f"{row} is taken down."


def expire_version(pk: int, *, at: dt.datetime) -> bool:
    """Let a version end whose last day has passed; safe to run twice. Returns whether it did."""
    with transaction.atomic(), acting_as(system_principal()):
        row = ContentVersion.objects.select_for_update(of=("self",)).select_related("asset").get(pk=pk)
        if not row.is_usable or row.expires_on is None or row.expires_on >= at.date():
            return False
        end(row, VersionState.EXPIRED, at=at)
    return True


def still_up() -> Any:
    """Return the distributions that are published although their version has ended."""
    ended = (VersionState.EXPIRED, VersionState.ARCHIVED)
    return Distribution.objects.filter(state=DistributionState.PUBLISHED, version__state__in=ended)
