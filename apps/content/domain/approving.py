"""The approval of a version: what a decision does, what it is decided on, what a decision table may look at."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from apps.content.domain.checking import holding_back
from apps.content.domain.moves import end, move
from apps.content.enums import LEVELS, USABLE, VersionState
from apps.content.models import ContentAsset, ContentVersion
from apps.core import clock
from apps.core.errors import WrongState
from apps.core.events import publish
from apps.core.rules.predicates import Boolean, Field, Number, model_fields

if TYPE_CHECKING:
    from apps.accounts.models import User


def accept(version: ContentVersion, request: Any, *, by: "User", at: dt.datetime | None = None) -> None:
    """Let a version be published from now on: the effect of its approval, with its row locked.

    Raises:
        WrongState: it is not in review, is not what was sent, or its last day has passed meanwhile.
    """
    moment = at or clock.now()
    if version.state != VersionState.IN_REVIEW or version.digest != request.digest:
        raise WrongState(f"{version} is not what was sent for approval; nothing was approved.")
    if version.expires_on is not None and version.expires_on < moment.date():
        raise WrongState(f"{version} was valid until {version.expires_on:%-d %B %Y}; its author writes a new one.")
    move(version, VersionState.APPROVED, approved_at=moment)
    publish("content.approved", version_id=version.pk)


def give_back(version: ContentVersion, request: Any, *, by: "User") -> None:
    """Make a refused or withdrawn version a draft again; what is published already ends instead."""
    if version.state == VersionState.PUBLISHED:
        end(version, VersionState.ARCHIVED, at=clock.now())
    elif version.state in (VersionState.IN_REVIEW, VersionState.APPROVED):
        move(version, VersionState.DRAFT, digest="", submitted_at=None, approved_at=None)


def before(version: ContentVersion) -> dict[str, Any] | None:
    """Return what the version before said that was approved last, for comparison; None where there is none."""
    old = version_before(version)
    if old is None:
        return None
    return {name: getattr(old, name) for name in ("subject", "preheader", "body", "colours")}


def version_before(version: ContentVersion) -> ContentVersion | None:
    """Return the newest approved version of the same variant before this one; None where there is none."""
    rows = ContentVersion.objects.filter(asset=version.asset_id, number__lt=version.number, variant=version.variant)
    return rows.filter(approved_at__isnull=False).order_by("-number").first()


def facts(version: ContentVersion) -> dict[str, Any]:
    """Return what a decision table may look at: whose eyes it meets, and whether it claims something."""
    asset = version.asset
    run = version.qa_runs.order_by("-pk").first()
    claims = run is not None and run.findings.filter(check_kind="claim").exists()
    names = ("kind", "main_channel", "region", "language")
    return {
        **{name: getattr(asset, name) for name in names},
        "claims": claims,
        "warnings": run.warnings if run is not None else 0,
    }


def fact_fields() -> tuple[Field, ...]:
    """Return what `facts` tells, as fields of conditions."""
    return (
        *model_fields(ContentAsset, "kind", "main_channel", "region", "language"),
        Field("claims", "Claims something", Boolean(), nullable=False),
        Field("warnings", "Warnings of the checks", Number(whole=True), nullable=False),
    )


def checks_passed(version: ContentVersion) -> list[str]:
    """Return what is unmet before it may be approved: a level without sign-off, a finding that blocks."""
    submitted = version.submitted_at
    rows = version.sign_offs.filter(submitted_at=submitted) if submitted is not None else version.sign_offs.none()
    signed = set(rows.values_list("level", flat=True))
    unmet = [f"The {each.label.lower()} checks are not signed off." for each in LEVELS if each.value not in signed]
    return unmet + [f"{each.name} ({each.where}) blocks." for each in holding_back(version, clock.today())]


def is_valid(version: ContentVersion, day: dt.date) -> bool:
    """Whether a version is approved as it is and may be shown on a day."""
    return version.state in USABLE and (version.expires_on is None or version.expires_on >= day)
