"""The list of a review as a file that proves itself: a CSV, and a manifest with its digest and counts."""

import datetime as dt
import hashlib
import io
import itertools
import json
import zipfile
from collections import Counter
from typing import Any

from django.db import transaction

from apps.accounts.models import User
from apps.core import access, clock
from apps.core.access_log import log_access
from apps.core.errors import NotAllowed
from apps.core.exchange.writing.tables import csv_bytes
from apps.rights.models import AccessReview, AccessReviewEntry

COLUMNS = (
    *("line", "who", "person", "where from", "what it opens", "granted by", "since", "last used", "how", "flags"),
    *("reviewer", "decision", "note", "decided by", "decided", "carried out", "verified", "outcome"),
)


def refuse_evidence(by: User, review: AccessReview) -> str | None:
    """Return why `by` does not get the file, None when they may."""
    if by.is_active and by.pk in (review.reviewer_id, review.second_reviewer_id):
        return None
    if access.can(by, "view", review):
        return None
    return "Administrators, auditors and the reviewers of this review take its list out."


def digest_of(review: AccessReview) -> str:
    """Return the SHA-256 of the list as it stands."""
    return hashlib.sha256(table_of(review)).hexdigest()


def table_of(review: AccessReview) -> bytes:
    """Return the list as CSV: the same lines give the same bytes, and no text becomes a formula."""
    rows = review.entries.order_by("pk").iterator(chunk_size=2000)
    return csv_bytes(itertools.chain([COLUMNS], map(_cells, rows)))


def _cells(entry: AccessReviewEntry) -> list[str]:
    return [
        str(entry.pk),
        entry.principal_label,
        str(entry.person_id or ""),
        str(entry.get_source_display()),
        entry.what,
        entry.granted_by_label,
        _moment(entry.granted_at),
        _moment(entry.last_used_at),
        entry.last_used_how,
        " ".join(entry.flags),
        entry.reviewer_label,
        str(entry.get_decision_display()) if entry.decision else "",
        entry.note,
        entry.decided_by_label,
        _moment(entry.decided_at),
        _moment(entry.executed_at),
        _moment(entry.verified_at),
        entry.outcome,
    ]


def _moment(moment: dt.datetime | None) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds") if moment is not None else ""


def evidence(review: AccessReview, *, by: User) -> bytes:
    """Return a ZIP file of the list and its manifest; that it was taken out is written down.

    Raises:
        NotAllowed: `by` neither reads reviews nor takes part in this one.
    """
    if refused := refuse_evidence(by, review):
        raise NotAllowed(refused)
    table = table_of(review)
    manifest = json.dumps(_manifest(review, table, by), indent=2, ensure_ascii=False).encode()
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("lines.csv", table)
        archive.writestr("manifest.json", manifest)
    with transaction.atomic():
        digest = hashlib.sha256(table).hexdigest()
        log_access("export", by=by, thing=review, detail={"rows": review.entries.count(), "sha256": digest})
    return held.getvalue()


def _manifest(review: AccessReview, table: bytes, by: User) -> dict[str, Any]:
    decided = Counter(review.entries.values_list("decision", flat=True))
    taken = review.entries.exclude(decision__in=("", "keep"))
    return {
        "review": review.name,
        "number": review.pk,
        "scope": review.scope_in_words,
        "opened": _moment(review.created_at),
        "opened_by": review.opened_by.email,
        "reviewer": review.reviewer.email,
        "second_reviewer": review.second_reviewer.email,
        "due": review.due_on.isoformat(),
        "finished": _moment(review.finished_at),
        "finished_by": review.finished_by.email if review.finished_by else "",
        "lines": sum(decided.values()),
        "decisions": {key or "waiting": number for key, number in sorted(decided.items())},
        "carried_out": taken.filter(executed_at__isnull=False).count(),
        "verified": taken.filter(verified_at__isnull=False).count(),
        "columns": list(COLUMNS),
        "files": {"lines.csv": {"sha256": hashlib.sha256(table).hexdigest(), "bytes": len(table)}},
        "sha256_when_finished": review.digest,
        "taken_out": _moment(clock.now()),
        "taken_out_by": by.email,
    }
