"""Members of segments: compared with the leads that changed since the last time, now and then with all of them.

What is stored says as of when it holds. A condition that time alone changes ("in the last 30 days") is compared with
every lead each hour, any other once a day, or when more leads changed than comparing them one by one is worth.
"""

import datetime as dt
import time
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from apps.core import access, clock
from apps.core.alerts.domain.alerting import resolve_alert
from apps.core.errors import NotAllowed
from apps.core.records import kind_of
from apps.core.rules.catalog import catalog_of
from apps.core.rules.domain.applying import tell_broken
from apps.core.rules.domain.compiling import compile_sql
from apps.core.rules.domain.queries import active_version, active_versions
from apps.core.workspace.models import CustomValues, TaggedRecord
from apps.leads.models import Company, Lead, SegmentMember, SegmentState, Touchpoint
from apps.leads.segments import BODY, KIND, members, unreadable

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.core.rules.models import RuleVersion

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
OVERLAP = dt.timedelta(minutes=10)  # what was written by a transaction that ended later
LATE = dt.timedelta(days=40)  # touches that arrive later than this wait for the comparison with all leads
MOST_CHANGED = 5_000


def refresh_all(*, at: dt.datetime | None = None) -> dict[str, int]:
    """Bring the members of every segment in use up to date, and forget those of segments that are not any more."""
    versions = active_versions(KIND)
    for model in (SegmentMember, SegmentState):
        model._base_manager.exclude(document__in=[each.document_id for each in versions]).delete()
    states = [refresh(each, at=at) for each in versions if _is_readable(each)]
    return {
        "segments": len(states),
        "came": sum(each.came for each in states),
        "went": sum(each.went for each in states),
        "looked_at": sum(each.looked_at for each in states),
    }


def _is_readable(version: "RuleVersion") -> bool:
    """Whether a segment can be compared; where its rules broke under it, it stays as it was, and an alert says so."""
    cause = f"leads.segment.unreadable:{version.document_id}"
    if not (wrong := unreadable(version)):
        resolve_alert(cause, why="Its rules can be read.")
        return True
    owner = version.document.owner
    tell_broken(version, cause, wrong, so="the segment stays as it was", severity="warning", owner=owner)
    return False


def refresh(version: "RuleVersion", *, at: dt.datetime | None = None, whole: bool = False) -> SegmentState:
    """Bring the members of a segment up to date, as of `at`.

    Args:
        version: the one in use.
        at: now, where another moment is meant.
        whole: compare every lead, whether or not it changed.
    """
    now, began = at or clock.now(), time.monotonic()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"leads.segment.{version.document_id}"])
        stood = SegmentState.objects.filter(pk=version.document_id).first()
        changed = None if whole or stood is None else _changed(version, stood, now)
        looked = Lead.objects.live().count() if changed is None else len(changed)
        came, went = _compare(version, changed, now)
        number = SegmentMember.objects.filter(document=version.document_id).count()
        state, _ = SegmentState.objects.update_or_create(
            document_id=version.document_id,
            defaults={
                "version": version,
                "as_of": now,
                "whole_at": now if changed is None or stood is None else stood.whole_at,
                "members": number,
                "came": came,
                "went": went,
                "looked_at": looked,
                "milliseconds": round(1000 * (time.monotonic() - began)),
            },
        )
    return state


def _compare(version: "RuleVersion", changed: list[int] | None, now: dt.datetime) -> tuple[int, int]:
    """Write who came in and delete who dropped out, of the leads that changed (None: of all); return how many."""
    leads = Lead.objects.order_by() if changed is None else Lead.objects.order_by().filter(pk__in=changed)
    fits = members(leads, version.body, as_of=now).values("pk")
    stored = SegmentMember.objects.filter(document=version.document_id)
    gone = stored.exclude(lead__in=fits) if changed is None else stored.filter(lead__in=changed).exclude(lead__in=fits)
    went, _ = gone.delete()
    try:
        text, values = fits.query.sql_with_params()
    except EmptyResultSet:  # nothing changed
        return 0, went
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO leads_segmentmember (document_id, lead_id, since) "
            f"SELECT %s, fit.id, %s FROM ({text}) AS fit (id) ON CONFLICT DO NOTHING",  # compiled by the ORM
            [version.document_id, now, *values],
        )
        return cursor.rowcount, went


def _changed(version: "RuleVersion", stood: SegmentState, now: dt.datetime) -> list[int] | None:
    """Return the leads that changed since the last comparison; None where all have to be compared."""
    if stood.version_id != version.pk or now - stood.whole_at > (HOUR if moves_with_time(version) else DAY):
        return None
    since, kind = stood.as_of - OVERLAP, kind_of(Lead)
    companies = Company._base_manager.filter(updated_at__gte=since).values("pk")
    found: Q = Q(updated_at__gte=since) | Q(account__in=companies)
    for model in (CustomValues, TaggedRecord):  # their histories know what was taken away as well
        rows: QuerySet[Any] = model.history.filter(content_type=kind.pk, history_date__gte=since)
        found |= Q(pk__in=rows.values("object_id"))
    touched = Touchpoint.objects.filter(received_at__gte=since, occurred_at__gte=since - LATE)
    found |= Q(pk__in=touched.values("lead"))
    keys = list(Lead._base_manager.filter(found).order_by().values_list("pk", flat=True)[: MOST_CHANGED + 1])
    return None if len(keys) > MOST_CHANGED else keys


def moves_with_time(version: "RuleVersion") -> bool:
    """Whether a lead can come in or drop out with nothing but time going by."""
    catalog = catalog_of(Lead)
    tree, now = BODY.tree(version.body, catalog), clock.now()
    return compile_sql(tree, catalog, as_of=now) != compile_sql(tree, catalog, as_of=now + 400 * DAY)


def stored_members(rows: "QuerySet[Any]", key: str) -> "QuerySet[Any] | None":
    """Return those of `rows` that the last comparison found in a segment; None where there is none of its rules."""
    version = active_version(key)
    if version is None or not SegmentState.objects.filter(pk=version.document_id, version=version).exists():
        return None
    held = SegmentMember.objects.filter(document=version.document_id).values("lead")
    return rows.filter(pk__in=held, archived_at=None)


def refuse_refresh(user: "User", state: SegmentState) -> str | None:
    """Return why `user` cannot have a segment compared now, None when they can."""
    return None if access.has_model_permission(user, "change", Lead) else "You may not change leads."


def refresh_by_button(state: SegmentState, *, by: "User") -> str:
    """Compare every lead with a segment now, and say what that changed.

    Raises:
        NotAllowed: as `refuse_refresh` says.
    """
    if refused := refuse_refresh(by, state):
        raise NotAllowed(refused)
    version = active_version(state.document.key)
    if version is None:
        return f"{state} is not in use any more."
    now = refresh(version, whole=True)
    return f"{now.members:,} leads are in it; {now.came:,} came in, {now.went:,} dropped out."
