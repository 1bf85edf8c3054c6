"""Templates of content: written as versions whose merge fields stand in the data dictionary, approved, then used."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.approvals.domain.decisions import request_approval
from apps.content.domain.qa.looking import field_problem, places_in
from apps.content.domain.surroundings import fields_to_fill
from apps.content.enums import VersionState
from apps.content.models import ContentTemplate, ContentTemplateVersion
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.transitions import transition

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.accounts.models import User

LONGEST = 200_000


def refuse_draft(user: "User", template: ContentTemplate) -> str | None:
    """Return why `user` cannot start a version of `template`, None when they can."""
    if not access.may(user, "change", template):
        return f"You may not change {template}."
    if template.is_archived:
        return f"{template} is archived; restore it first."
    open_one = template.versions.filter(state__in=(VersionState.DRAFT, VersionState.IN_REVIEW)).first()
    if open_one is not None:
        return f"Version {open_one.number} is {open_one.get_state_display().lower()} already; finish that one."
    return None


def start_version(template: ContentTemplate, *, by: "User") -> str:
    """Start the next version as a draft that says what is in force: what the button calls.

    Raises:
        NotAllowed, WrongState: as `refuse_draft` says.
    """
    made = write_version(template, by=by)
    return f"Version {made.number} is a draft; write it and send it for approval."


def write_version(template: ContentTemplate, *, by: "User", **said: Any) -> ContentTemplateVersion:
    """Start the next version, with what is given (subject, body, change_note) or what is in force.

    Raises:
        NotAllowed, WrongState: as `refuse_draft` says.
    """
    with transaction.atomic(), acting_as(by):
        row: ContentTemplate = ContentTemplate.objects.select_for_update(of=("self",)).get(pk=template.pk)
        if refused := refuse_draft(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        newest = row.versions.order_by("-number").first()
        begin = {"subject": newest.subject, "body": newest.body} if newest else {}
        made: ContentTemplateVersion = ContentTemplateVersion.objects.create(
            template=row, number=newest.number + 1 if newest else 1, author=by, **{**begin, **said}
        )
    return made


def unknown_fields(version: ContentTemplateVersion) -> list[str]:
    """Return, in sentences, the places of a template that nothing would be filled into."""
    known = fields_to_fill()
    found = (field_problem(name, known) for name in places_in(f"{version.subject}\n{version.body}"))
    return [each for each in found if each]


def refuse_submission(user: "User", version: ContentTemplateVersion) -> str | None:
    """Return why `user` cannot send `version` for approval, None when they can."""
    if not access.can(user, "change", version):
        return f"You may not change {version}."
    if not version.is_draft:
        return f"{version} is {version.get_state_display().lower()}; only drafts are sent."
    if not version.body.strip():
        return "There is nothing to approve yet: write the text first."
    if len(version.body) > LONGEST:
        return f"The text is longer than {LONGEST:,} characters; shorten it."
    if unknown := unknown_fields(version):
        return unknown[0]
    if version.number > 1 and not version.change_note.strip():
        return "Say what is new in this version, for whoever approves it."
    return None


def submit_version(
    version: ContentTemplateVersion, *, by: "User", note: str = "", at: dt.datetime | None = None
) -> str:
    """Send a draft for approval; it is fixed until that is decided.

    Raises:
        NotAllowed, WrongState, InvalidInput: as `refuse_submission` says.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = _locked(version)
        if refused := refuse_submission(by, row):
            if not access.can(by, "change", row):
                raise NotAllowed(refused)
            raise (InvalidInput if row.is_draft else WrongState)(refused)
        _move(row, VersionState.IN_REVIEW)
        request_approval(row, by=by, note=note, at=at)
    return f"{row} is in review. Who wrote it cannot approve it."


def put_in_force(version: ContentTemplateVersion, request: Any, *, by: "User", at: dt.datetime | None = None) -> None:
    """Let an approved version be what content begins with: the effect of its approval.

    Raises:
        WrongState: it no longer waits for approval.
    """
    if version.state != VersionState.IN_REVIEW:
        raise WrongState(f"{version} no longer waits for approval.")
    for old in version.template.versions.filter(state=VersionState.APPROVED):
        _move(old, VersionState.ARCHIVED)
    _move(version, VersionState.APPROVED, in_force_at=at or clock.now())


def back_to_draft(version: ContentTemplateVersion, request: Any, *, by: "User") -> None:
    """Make a refused or withdrawn version a draft again."""
    _move(version, VersionState.DRAFT)


def in_force_before(version: ContentTemplateVersion) -> dict[str, Any] | None:
    """Return what the template says now, for comparison."""
    old = version.template.versions.filter(state=VersionState.APPROVED).exclude(pk=version.pk).first()
    return {"subject": old.subject, "body": old.body} if old is not None else None


def in_force_for(kind: str) -> "QuerySet[ContentTemplateVersion]":
    """Return the versions in force of the templates of a kind."""
    rows = ContentTemplateVersion.objects.filter(state=VersionState.APPROVED, template__archived_at__isnull=True)
    found: QuerySet[ContentTemplateVersion] = rows.filter(template__kind=kind).select_related("template")
    return found.order_by("template__name")


def _locked(version: ContentTemplateVersion) -> ContentTemplateVersion:
    rows = ContentTemplateVersion.objects.select_for_update(of=("self",)).select_related("template")
    row: ContentTemplateVersion = rows.get(pk=version.pk)
    return row


def _move(version: ContentTemplateVersion, state: VersionState, **also: Any) -> None:
    version.state = state
    for name, value in also.items():
        setattr(version, name, value)
    with transition(ContentTemplateVersion):
        version.save(update_fields=["state", *also])
