"""Keeping the ledger: partitions made ahead, holds placed and released, months purged whole."""

from typing import Any

from django.db import connection, models, transaction

from apps.audit.models import LedgerMonth, LegalHold
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.alerts.domain.alerting import raise_alert
from apps.core.context_sql import stamp_transaction
from apps.core.errors import NotAllowed, WrongState
from apps.core.transitions import transition
from apps.core.words import reason_given

MONTHS_AHEAD = 3


def prepare_partitions(*, by: Any) -> dict[str, int]:
    """Make the ledger's partitions of the coming months; entries that found none move to their own.

    A missing partition refuses no write, the default one takes it; that it happened is an alert.

    Returns:
        How many partitions were made and how many entries had found none.
    """
    with transaction.atomic(), acting_as(by), connection.cursor() as cursor:
        stamp_transaction(connection)
        cursor.execute("SELECT count(*) FROM audit_auditevent_rest")
        (stranded,) = cursor.fetchone() or (0,)
        cursor.execute("SELECT mops_prepare_ledger_partitions(%s)", (MONTHS_AHEAD,))
        (made,) = cursor.fetchone() or ([],)
        if stranded:
            raise_alert(
                "audit.partition_missing",
                title=f"{stranded} ledger entries found no partition of their month.",
                detail="They were kept in the partition for the rest and have been moved to their own now.",
                severity="warning",
                runbook="See that the job audit.prepare_partitions runs every day.",
            )
    return {"partitions": len(made), "stranded": stranded}


def refuse_purge(user: Any, month: LedgerMonth) -> str | None:
    """Return why `user` cannot purge `month` now, None when it works."""
    if not user.has_perm("audit.purge_ledgermonth"):
        return "You may not purge the ledger."
    with connection.cursor() as cursor:
        cursor.execute("SELECT mops_refuse_purge(%s)", (month.month,))
        (refused,) = cursor.fetchone() or (None,)
    return refused


def purge_month(month: LedgerMonth, *, by: Any, reason: str) -> str:
    """Drop a whole month of the ledger, sealed, past every retention policy and under no hold; itself recorded.

    Raises:
        NotAllowed: `by` may not purge.
        WrongState: it has to stay, and why.
        InvalidInput: no reason is given.
    """
    reason = reason_given(reason, "A purge needs a reason.")
    with transaction.atomic(), acting_as(by, reason=reason), connection.cursor() as cursor:
        if refused := refuse_purge(by, month):
            raise (WrongState if by.has_perm("audit.purge_ledgermonth") else NotAllowed)(refused)
        stamp_transaction(connection)
        cursor.execute("SELECT mops_purge_ledger_month(%s, %s)", (month.month, reason))
        (rows,) = cursor.fetchone() or (0,)
    return f"{month} is purged: {rows} entries."


def place_hold(hold: LegalHold, *, by: Any) -> LegalHold:
    """Place a hold: from now on nothing it covers is purged or erased.

    Raises:
        NotAllowed: `by` may not place holds.
        ValidationError: the fields do not fit together.
    """
    if not access.has_model_permission(by, "add", LegalHold):
        raise NotAllowed("You may not place legal holds.")
    hold.placed_by, hold.placed_at = by, clock.now()
    with transaction.atomic(), acting_as(by, reason=hold.reason):
        hold.full_clean()
        hold.save()
    return hold


def refuse_release(user: Any, hold: LegalHold) -> str | None:
    """Return why `user` cannot release `hold` now, None when it works."""
    if not access.can(user, "change", hold):
        return "You may not release legal holds."
    if hold.released_at is not None:
        return f"It was released on {hold.released_at:%d %B %Y}."
    return None


def release_hold(hold: LegalHold, *, by: Any, reason: str) -> str:
    """Release a hold; retention and erasure go on as if it had not been.

    Raises:
        NotAllowed: `by` may not change holds.
        WrongState: it is released already.
    """
    with transaction.atomic(), acting_as(by, reason=reason), transition(LegalHold):
        row = LegalHold.objects.select_for_update(of=("self",)).get(pk=hold.pk)
        if refused := refuse_release(by, row):
            raise (WrongState if access.can(by, "change", row) else NotAllowed)(refused)
        row.released_by, row.released_at, row.release_reason = by, clock.now(), reason
        row.save()
    return f"“{row}” is released."


def hold_on(table: str, object_id: str) -> LegalHold | None:
    """Return an active hold that covers one row, None where there is none."""
    active: models.QuerySet[LegalHold] = LegalHold.objects.filter(released_at__isnull=True)
    for hold in active.order_by("pk"):
        if hold.kind in ("", table) and hold.object_id in ("", str(object_id)):
            return hold
    return None
