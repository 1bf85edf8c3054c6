"""Which rules decide, now or at any moment: what the engines of other apps ask."""

import datetime as dt

from apps.core.rules.models import RuleDocument, RuleVersion


def active_version(key: str, *, at: dt.datetime | None = None) -> RuleVersion | None:
    """Return the version of a document that decides now, or decided at a moment; None where there is none.

    Args:
        key: of the document.
        at: the moment; now where it is left out.
    """
    rows = RuleVersion.objects.select_related("document").filter(document__key=key)
    rows = rows.active() if at is None else rows.active_at(at).order_by("-activated_at")  # type: ignore[attr-defined]
    found: RuleVersion | None = rows.first()
    return found


def active_versions(kind: str, *, at: dt.datetime | None = None) -> list[RuleVersion]:
    """Return the versions of all documents of a kind that decide now, or decided at a moment, by title."""
    rows = RuleVersion.objects.select_related("document").filter(document__kind=kind)
    rows = rows.active() if at is None else rows.active_at(at)  # type: ignore[attr-defined]
    return list(rows.order_by("document__title", "pk"))


def version_at(document: RuleDocument, moment: dt.datetime) -> RuleVersion | None:
    """Return the version of `document` that decided at `moment`."""
    return active_version(document.key, at=moment)
