"""Writing content: a brief, its versions as drafts, the checks they go into, and what is put away."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.accounts.domain.territories import places
from apps.approvals.domain.content import live_digest
from apps.content.domain.checking import run_checks, told
from apps.content.domain.moves import end, locked, move, set_stage
from apps.content.enums import UNDER_WAY, Region, VersionState
from apps.content.models import ContentAsset, ContentTemplateVersion, ContentVersion
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.attachments.models import Attachment
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.words import reason_given

if TYPE_CHECKING:
    from apps.accounts.models import User

LONGEST = 500_000
HTML_START = """<!DOCTYPE html>
<html lang="{language}">
<body>
<h1>{title}</h1>
<p>Write here.</p>
</body>
</html>
"""


def ask_for_content(*, by: "User", title: str, kind: str, main_channel: str, brief: str, **more: Any) -> ContentAsset:
    """File a brief: what is needed, what for, by when. Somebody who writes content takes it from there.

    Args:
        by: who asks.
        title: what it is called.
        kind: a `Kind`.
        main_channel: the `Channel` it reaches people through.
        brief: in Markdown, what it has to achieve and for whom.
        more: region, language, product, audience, due_on.

    Raises:
        NotAllowed: `by` may not ask for content, or not for content of this region.
        InvalidInput: title or brief is missing.
    """
    if not access.has_model_permission(by, "add", ContentAsset):
        raise NotAllowed("Your roles do not let you ask for content.")
    if not title.strip() or not brief.strip():
        raise InvalidInput("Content needs a title and a brief: what it has to achieve, and for whom.")
    with transaction.atomic(), acting_as(by):
        made: ContentAsset = ContentAsset.objects.create(
            title=title.strip(), kind=kind, main_channel=main_channel, brief=brief.strip(), requested_by=by, **more
        )
        if refused := access.refuse_outside(by, "add", made):
            raise NotAllowed(refused)
    return made


def region_named(place: str) -> str:
    """Return the region of content that a place names, by any name of its territory; everywhere where it names none."""
    name = place.strip().casefold()
    names = next((each.names for each in places() if name in each.names), frozenset((name,)))
    return next((each.value for each in Region if {each.value, each.label.casefold()} & names), Region.GLOBAL.value)


def refuse_draft(user: "User", asset: ContentAsset, variant: str = "") -> str | None:
    """Return why `user` cannot start a version of `asset` now, None when it works."""
    if not access.may(user, "change", asset) or not access.has_model_permission(user, "add", ContentVersion):
        return f"You may not write {asset}."
    if asset.is_archived:
        return f"{asset} is archived; restore it first."
    open_one = asset.versions.filter(state__in=UNDER_WAY, variant=variant).first()
    if open_one is not None:
        state = VersionState(open_one.state).label.lower()
        return f"Version {open_one.number} of {asset} is {state} already; finish that one."
    return None


def write_version(
    asset: ContentAsset,
    *,
    by: "User",
    variant: str = "",
    template: ContentTemplateVersion | None = None,
    **said: Any,
) -> ContentVersion:
    """Start the next version: from a template, else from the newest version, else from a bare page.

    Args:
        asset: the piece of content.
        by: the author.
        variant: of an A/B test; "" where there is only one.
        template: a version in force to begin with.
        said: subject, preheader, body, colours, expires_on, change_note.

    Raises:
        NotAllowed: `by` may not write it.
        WrongState: a version is under way, the content is archived, or the template is not in force.
    """
    with transaction.atomic(), acting_as(by):
        row: ContentAsset = ContentAsset.objects.select_for_update(of=("self",)).get(pk=asset.pk)
        if refused := refuse_draft(by, row, variant):
            allowed = access.may(by, "change", row) and access.has_model_permission(by, "add", ContentVersion)
            raise (WrongState if allowed else NotAllowed)(refused)
        if template is not None and template.state != VersionState.APPROVED:
            raise WrongState(f"{template} is not in force; choose one that is.")
        newest = row.versions.order_by("-number").first()
        begin = _beginning(row, newest, template)
        version: ContentVersion = ContentVersion.objects.create(
            asset=row,
            number=newest.number + 1 if newest else 1,
            variant=variant,
            template_version=template,
            author=by,
            **{**begin, **said},
        )
        set_stage(row, VersionState.DRAFT)
    return version


def _beginning(
    asset: ContentAsset, newest: ContentVersion | None, template: ContentTemplateVersion | None
) -> dict[str, Any]:
    if template is not None:
        return {"subject": template.subject, "body": template.body}
    if newest is not None:
        names = ("subject", "preheader", "body", "colours", "expires_on")
        return {name: getattr(newest, name) for name in names}
    start = HTML_START.format(language=asset.language, title=asset.title) if asset.is_html else ""
    return {"subject": asset.title, "body": start}


def start_draft(asset: ContentAsset, *, by: "User", variant: str = "", template: Any = None) -> str:
    """Start a draft and say where it is: what the button on the page calls."""
    version = write_version(asset, by=by, variant=variant.strip(), template=template)
    return f"Version {version.number} is a draft now; it stands in the list of versions below."


def refuse_submission(user: "User", version: ContentVersion) -> str | None:
    """Return why `user` cannot send `version` into the checks now, None when it works."""
    if not access.can(user, "change", version):
        return f"You may not change {version}."
    if not version.is_draft:
        return f"{version} is {VersionState(version.state).label.lower()}; only drafts are sent into the checks."
    if version.asset.is_archived:
        return f"{version.asset} is archived; restore it first."
    if not version.body.strip():
        return "There is nothing to check yet: write the text first."
    if len(version.body) > LONGEST:
        return f"The text has {len(version.body):,} characters; {LONGEST:,} are the limit. Leave embedded pictures out."
    if version.expires_on is None:
        return "Say until when it is valid: content without an end is never looked at again."
    if version.number > 1 and not version.change_note.strip():
        return "Say what is new in this version, so that checkers and approvers see what changed."
    return None


def submit_to_checks(version: ContentVersion, *, by: "User", note: str = "", at: dt.datetime | None = None) -> str:
    """Freeze a draft with the SHA-256 of what it says and of its files, and run all rules over it.

    Raises:
        NotAllowed, WrongState, InvalidInput: as `refuse_submission` says, or its last day is past.
    """
    moment = at or clock.now()
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = locked(version)
        if refused := refuse_submission(by, row):
            if not access.can(by, "change", row):
                raise NotAllowed(refused)
            raise (InvalidInput if row.is_draft else WrongState)(refused)
        if row.expires_on is not None and row.expires_on < moment.date():
            said = f"{row.expires_on:%-d %B %Y} is past; give a last day to come."
            raise InvalidInput(said, fields={"expires_on": said})
        row.files = [{"name": each.name, "sha256": each.sha256} for each in attached_to(row)]
        row.digest = live_digest(row)
        move(row, VersionState.QA, digest=row.digest, files=row.files, submitted_at=moment)
        run = run_checks(row, by=by, at=moment)
        publish("content.submitted", version_id=row.pk)
    return f"{row} is in the checks and can no longer be edited: {told(run)}"


def refuse_send_back(user: "User", version: ContentVersion) -> str | None:
    """Return why `user` cannot send `version` back to its author now, None when it works."""
    mine = version.author_id == user.pk and access.can(user, "change", version)
    if not mine and not access.has_model_permission(user, "check", ContentVersion):
        return "Only checkers and the author send content back from the checks."
    if version.state != VersionState.QA:
        return f"{version} is {VersionState(version.state).label.lower()}; only what is in the checks is sent back."
    return None


def send_back(version: ContentVersion, *, by: "User", reason: str) -> str:
    """Make a version in the checks a draft again, with the reason.

    Raises:
        InvalidInput: nothing says why.
        NotAllowed, WrongState: as `refuse_send_back` says.
    """
    why = reason_given(reason, "Say what has to change, so that the author can.")
    with transaction.atomic(), acting_as(by, reason=why):
        row = locked(version)
        if refused := refuse_send_back(by, row):
            raise (WrongState if row.state != VersionState.QA else NotAllowed)(refused)
        move(row, VersionState.DRAFT, digest="", submitted_at=None)
        publish("content.sent_back", version_id=row.pk)
    return f"{row} is a draft again; its author goes on."


def refuse_put_away(user: "User", version: ContentVersion) -> str | None:
    """Return why `user` cannot put `version` away now, None when it works."""
    if not access.may(user, "change", version):
        return f"You may not change {version}."
    if version.state in (VersionState.QA, VersionState.IN_REVIEW):
        return f"{version} is {VersionState(version.state).label.lower()}; have it sent back or withdraw it first."
    if version.state == VersionState.ARCHIVED:
        return f"{version} is put away already."
    return None


def put_away(version: ContentVersion, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Take a version out of use for good; where it was published it must be taken down.

    Raises:
        InvalidInput: nothing says why.
        NotAllowed, WrongState: as `refuse_put_away` says.
    """
    why = reason_given(reason, "Say why it is put away.")
    with transaction.atomic(), acting_as(by, reason=why):
        row = locked(version)
        if refused := refuse_put_away(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        end(row, VersionState.ARCHIVED, at=at or clock.now())
    return f"{row} is put away."


def attached_to(version: ContentVersion) -> Any:
    """Return the files of a version that are in use, by name; of each the newest of that name."""
    rows = Attachment.objects.about(version).live().order_by("name", "-version")
    newest: dict[str, Attachment] = {}
    for each in rows:
        newest.setdefault(each.name, each)
    return list(newest.values())


def files_of(version: ContentVersion) -> list[dict[str, str]]:
    """Return the files that are decided about: as submitted, or as they hang on a draft now."""
    if version.is_draft:
        return [{"name": each.name, "sha256": each.sha256} for each in attached_to(version)]
    return list(version.files)
