"""Templates of content: written as versions whose merge fields stand in the data dictionary, approved, then used."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from apps.approvals.domain import drafts
from apps.content.domain.qa.looking import field_problem, places_in
from apps.content.domain.surroundings import fields_to_fill
from apps.content.enums import VersionState
from apps.content.models import ContentTemplate, ContentTemplateVersion
from apps.core import clock

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.accounts.models import User

LONGEST = 200_000


def start_version(template: ContentTemplate, *, by: "User") -> str:
    """Start the next version as a draft that says what is in force: what the button calls.

    Raises:
        NotAllowed, WrongState: as `drafts.refuse_next` says.
    """
    return drafts.started(write_version(template, by=by))


def write_version(template: ContentTemplate, *, by: "User", **said: Any) -> ContentTemplateVersion:
    """Start the next version, with what is given (subject, body, change_note) or what the newest one says.

    Raises:
        NotAllowed, WrongState: as `drafts.refuse_next` says.
    """
    made: ContentTemplateVersion = drafts.next_version(template, by=by, parts=("subject", "body"), **said)
    return made


def unknown_fields(version: ContentTemplateVersion) -> list[str]:
    """Return, in sentences, the places of a template that nothing would be filled into."""
    known = fields_to_fill()
    found = (field_problem(name, known) for name in places_in(f"{version.subject}\n{version.body}"))
    return [each for each in found if each]


def refuse_submission(user: "User", version: ContentTemplateVersion) -> str | None:
    """Return why `user` cannot send `version` for approval, None when they can."""
    unfilled = next(iter(unknown_fields(version)), None)
    return drafts.refuse_text(user, version, longest=LONGEST, unfilled=unfilled)


def submit_version(
    version: ContentTemplateVersion, *, by: "User", note: str = "", at: dt.datetime | None = None
) -> str:
    """Send a draft for approval; it is fixed until that is decided.

    Raises:
        NotAllowed, WrongState, InvalidInput: as `refuse_submission` says.
    """
    return drafts.submit_draft(version, by=by, refuse=refuse_submission, note=note, at=at)


def put_in_force(version: ContentTemplateVersion, request: Any, *, by: "User", at: dt.datetime | None = None) -> None:
    """Let an approved version be what content begins with: the effect of its approval.

    Raises:
        WrongState: it no longer waits for approval.
    """
    drafts.begin_force(version, state=VersionState.APPROVED, before=VersionState.ARCHIVED, at=at or clock.now())


def in_force_before(version: ContentTemplateVersion) -> dict[str, Any] | None:
    """Return what the template says now, for comparison."""
    old = version.template.versions.filter(state=VersionState.APPROVED).exclude(pk=version.pk).first()
    return {"subject": old.subject, "body": old.body} if old is not None else None


def in_force_for(kind: str) -> "QuerySet[ContentTemplateVersion]":
    """Return the versions in force of the templates of a kind."""
    rows = ContentTemplateVersion.objects.filter(state=VersionState.APPROVED, template__archived_at__isnull=True)
    found: QuerySet[ContentTemplateVersion] = rows.filter(template__kind=kind).select_related("template")
    return found.order_by("template__name")
