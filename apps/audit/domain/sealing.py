"""Seals the ledger, off the path of every request: range after range, each entry once, none skipped.

Entries get their number before their transaction is over, so a low number may appear after a higher one. What may be
sealed is found with a mark: the last number given out, then the next transaction's id. Once every transaction older
than that id is over, nothing can appear below the mark any more. A transaction that runs long holds the sealer up; it
never makes it skip.
"""

import base64
import datetime as dt
import time
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction

from apps.audit.domain import seal_files
from apps.audit.domain.leaves import SEAL_VERSION, hashes_of, leaf_lines
from apps.audit.domain.seal_files import Tail
from apps.audit.domain.seal_keys import public_of, sealing_key, trusted_keys
from apps.audit.models import AuditEvent, AuditSeal, LedgerMonth, LedgerReader
from apps.audit.standalone import (
    FIRST,
    SEAL_PURPOSE,
    Broken,
    Seal,
    check_seal,
    digest_of,
    fingerprint,
    header_of,
    root_of,
)
from apps.core import clock
from apps.core.errors import WrongState

MOST = 65_536  # entries in one seal: a proof for one of them reads no more than these
PATIENCE, PAUSE = 3.0, 0.05
READER, LOCK = "sealer", "mops_sealer"
RESTART = "manage.py audit restart-seals --reason …"
_RUNNING = """
    SELECT coalesce((
               SELECT min(number::text::bigint) FROM pg_snapshot_xip(s.now) number
                WHERE NOT EXISTS (
                      SELECT FROM pg_locks held JOIN pg_stat_activity who ON who.pid = held.pid
                       WHERE held.locktype = 'transactionid' AND held.granted AND held.mode = 'ExclusiveLock'
                         AND held.transactionid = number::xid
                         AND who.datid <> (SELECT oid FROM pg_database WHERE datname = current_database()))
           ), pg_snapshot_xmax(s.now)::text::bigint),
           pg_snapshot_xmax(s.now)::text::bigint
      FROM (SELECT pg_current_snapshot() AS now) s
"""


@dataclass(frozen=True)
class Sealing:
    """What one look brought: how many seals over how many entries, and up to which entry everything is sealed."""

    seals: int
    entries: int
    up_to: int


def seal_ledger(*, patience: float = PATIENCE) -> Sealing:
    """Seal everything that is settled. Safe to run twice, beside itself and beside writers.

    Args:
        patience: seconds to wait for the transactions that are running now.

    Raises:
        WrongState: the key or the seals file is not what it should be; nothing is sealed then.
    """
    mark = _settled(patience)
    seals = entries = 0
    if mark is not None:
        while (count := _seal_next(mark[0])) is not None:
            seals, entries = seals + 1, entries + count
        _mark_months(mark[1])
        LedgerReader.objects.filter(name=READER).update(snapshot="")
    newest = AuditSeal.objects.first()
    return Sealing(seals, entries, newest.to_id if newest else 0)


def as_seal(row: AuditSeal) -> Seal:
    """Return a seal in the form that is signed and written to files."""
    return {
        "v": SEAL_VERSION,
        "n": row.n,
        "from": row.from_id,
        "to": row.to_id,
        "count": row.count,
        "root": row.merkle_root,
        "prev": row.prev_digest,
        "sealed_at": row.sealed_at.astimezone(dt.UTC).isoformat(),
        "key": row.key,
        "digest": row.digest,
        "signature": row.signature,
    }


def from_seal(seal: Seal) -> AuditSeal:
    """Return the row of a seal."""
    return AuditSeal(
        n=seal["n"],
        from_id=seal["from"],
        to_id=seal["to"],
        count=seal["count"],
        merkle_root=seal["root"],
        prev_digest=seal["prev"],
        digest=seal["digest"],
        key=seal["key"],
        signature=seal["signature"],
        sealed_at=dt.datetime.fromisoformat(seal["sealed_at"]),
    )


def sign(header: Seal) -> Seal:
    """Return a seal with its digest and signature.

    Raises:
        WrongState: the key is missing or not the right one.
    """
    key = sealing_key()
    seal = {**header, "key": fingerprint(public_of(key))}
    return {
        **seal,
        "digest": digest_of(seal),
        "signature": base64.b64encode(key.sign(SEAL_PURPOSE + header_of(seal))).decode(),
    }


def _settled(patience: float) -> tuple[int, dt.datetime] | None:
    """The mark below which nothing can appear any more, and when it was set; None when a transaction still runs."""
    kept = LedgerReader.objects.filter(name=READER).values_list("snapshot", flat=True).first()
    mark = _parse(kept or "")
    if mark is None or mark[1] > _running()[1]:  # none yet, or that of another server: a restore has counted anew
        mark = _set_mark()
    until = time.monotonic() + patience
    while _running()[0] < mark[1]:
        if time.monotonic() >= until:
            return None
        time.sleep(PAUSE)
    return mark[0], mark[2]


def _set_mark() -> tuple[int, int, dt.datetime]:
    at = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM audit_auditevent_id_seq"
        )
        (last,) = cursor.fetchone() or (0,)
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")  # not the snapshot's xmax, which lags behind
        (transaction_id,) = cursor.fetchone() or (0,)
    LedgerReader.objects.update_or_create(
        name=READER, defaults={"snapshot": f"{last} {transaction_id} {at.isoformat()}"}
    )
    return last, transaction_id, at


def _parse(kept: str) -> tuple[int, int, dt.datetime] | None:
    parts = kept.split(" ")
    return (int(parts[0]), int(parts[1]), dt.datetime.fromisoformat(parts[2])) if len(parts) == 3 else None


def _running() -> tuple[int, int]:
    """The oldest transaction that is running in this database, and a number that no transaction has yet.

    A server counts the transactions of all its databases alike. One that another database surely holds, seen by the
    lock it has on its own number, can write no entry here; whatever is in doubt counts.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RUNNING)
        oldest, coming = cursor.fetchone() or (0, 0)
    return oldest, coming


def _seal_next(mark: int) -> int | None:
    """Seal the next range up to `mark`; returns how many entries it holds, None when there is none."""
    with transaction.atomic(), connection.cursor() as cursor, seal_files.locked():
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [LOCK])
        newest = AuditSeal.objects.first()
        if (adopted := _agree(newest, seal_files.read_tail())) is not None:
            return adopted
        first = newest.to_id + 1 if newest else 1
        numbers = AuditEvent.objects.filter(id__gte=first, id__lte=mark).order_by("id").values_list("id", flat=True)
        if not numbers[:1]:
            return None
        last = next(iter(numbers[MOST - 1 : MOST]), mark)
        lines = leaf_lines(first, last)
        leaves = hashes_of(lines)
        header = {
            "v": SEAL_VERSION,
            "n": newest.n + 1 if newest else 1,
            "from": first,
            "to": last,
            "count": len(leaves),
            "root": root_of(leaves).hex(),
            "prev": newest.digest if newest else FIRST,
            "sealed_at": clock.now().astimezone(dt.UTC).isoformat(),
        }
        seal = sign(header)
        # first to the file: what stands there alone is taken over by the next run, what stood in the database alone
        # could be the work of somebody who cut the file
        seal_files.append(lines, seal, public_of(sealing_key()))
        from_seal(seal).save(force_insert=True)
        return len(leaves)


def _agree(newest: AuditSeal | None, tail: Tail | None) -> int | None:
    """See that database and file end with the same seal; take over what an interrupted run left in the file alone.

    Raises:
        WrongState: they do not, and a person has to look.
    """
    n, digest = (newest.n, newest.digest) if newest else (0, "")
    if tail is None:
        if newest is not None:
            raise WrongState(
                f"The seals file is missing from {settings.SEALS_FOLDER}, but there are {n} seals. Bring it back from "
                f"its copy; if it is lost for good, begin a new one: {RESTART}"
            )
        return None
    if tail.after == n + 1 and tail.seal is not None:
        _take_over(tail, newest)
        return int(tail.seal["count"])
    if tail.after > n:
        raise WrongState(
            f"The seals file in {settings.SEALS_FOLDER} ends with seal {tail.after}, the database with seal {n}: it "
            f"was restored from an older backup, or seals were removed from it. After a restore say so: {RESTART}"
        )
    if tail.after < n:
        raise WrongState(
            f"The seals file in {settings.SEALS_FOLDER} ends with seal {tail.after}, the database with seal {n}: the "
            f"file was cut off or replaced by an older one. Bring the newest copy back; if it is lost: {RESTART}"
        )
    if tail.digest and digest != tail.digest:
        raise WrongState(f"Seal {n} is another one in the seals file than in the database: one of them was altered.")
    if tail.torn:
        seal_files.cut_torn(tail.torn)
    return None


def _take_over(tail: Tail, newest: AuditSeal | None) -> None:
    """Insert the seal that only the file has, if it is ours and still fits the entries."""
    seal: Seal = tail.seal or {}
    try:
        check_seal(seal, as_seal(newest) if newest else None, trusted_keys())
    except Broken as broken:
        raise WrongState(f"The last seal of the file is not the next one of the database. {broken}") from broken
    if leaf_lines(seal["from"], seal["to"]) != tail.leaves:
        raise WrongState(
            f"Seal {seal['n']} stands in the file alone, and the entries {seal['from']} to {seal['to']} are not what "
            f"it holds: they were altered, or the database was restored. After a restore say so: {RESTART}"
        )
    from_seal(seal).save(force_insert=True)


def _mark_months(settled_at: dt.datetime) -> None:
    """Mark the months that were over when the mark was set and are sealed to their last entry."""
    newest = AuditSeal.objects.first()
    over = settled_at.astimezone(dt.UTC).date().replace(day=1)
    for month in LedgerMonth.objects.filter(month__lt=over, sealed_at__isnull=True, purged_at__isnull=True):
        start = dt.datetime.combine(month.month, dt.time(), dt.UTC)
        entries = AuditEvent.objects.filter(at__gte=start, at__lt=(start + dt.timedelta(days=32)).replace(day=1))
        last = entries.order_by("-id").values_list("id", flat=True).first()
        if newest is None or (last is not None and last > newest.to_id):
            continue
        covering = AuditSeal.objects.filter(to_id__gte=last or 0).last()  # the earliest that reaches so far
        with connection.cursor() as cursor:
            cursor.execute("SELECT mops_mark_month_sealed(%s, %s)", [month.month, (covering or newest).digest])
