"""What sealing and verifying cost, beside reading the same entries out of the database once."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.db import connection
from django.test.utils import override_settings

from apps.audit.domain.sealing import seal_ledger
from apps.audit.domain.verifying import verify_seals
from apps.audit.models import AuditEvent, AuditSeal
from apps.core.bench.registry import Result
from mops.db.roles import as_owner

SCAN_GOAL = 10.0
ROUNDS = 3
Measured = Callable[..., list[Any]]


def seals(measured: Measured) -> Iterator[Result]:
    """Seal and verify every entry that the other measurements have left.

    Args:
        measured: `measured(paths, rounds)` returns what each path cost.
    """
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ANALYZE audit_auditevent")
    place = Path(tempfile.mkdtemp(prefix="mops-bench-seals-"))
    named = {"SEAL_KEY": "", "SEAL_KEY_FILE": place / "key", "SEAL_KEYS_TRUSTED": place / "keys.pub"}
    try:
        with override_settings(**named, SEALS_FOLDER=place / "seals"):
            yield from _both(measured, place / "seals")
    finally:
        shutil.rmtree(place)


def _both(measured: Measured, folder: Path) -> Iterator[Result]:
    def seal() -> None:
        seal_ledger(patience=120)  # other databases of the server may have transactions open

    def verify() -> None:
        if problem := verify_seals().problem:
            raise RuntimeError(problem)

    def forget() -> None:  # a path of its own: it opens another session, whose time must not be taken for theirs
        _forget(folder)

    sealed, scanned, verified, counted, _ = measured([seal, _scan, verify, _count, forget], ROUNDS)
    rows = AuditEvent.objects.count()
    for name, cost in (("seal", sealed), ("verify", verified)):
        yield Result(
            name=f"audit.{name}",
            rows=rows,
            seconds=cost.cpu,
            limit_seconds=scanned.cpu,
            usual_seconds=None,
            goal=f"at most {SCAN_GOAL:.0f} times reading the entries once",
            met=cost.cpu <= SCAN_GOAL * scanned.cpu,
            more={
                "wall_seconds": round(cost.wall, 4),
                "microseconds_a_row": round(cost.cpu / rows * 1e6, 3),
                "count_seconds": round(counted.cpu, 4),
            },
        )


def _scan() -> None:
    """Read every column of every entry, and do nothing with it."""
    with connection.cursor() as cursor, cursor.copy("COPY (SELECT * FROM audit_auditevent) TO STDOUT") as out:
        for _ in out:
            pass


def _count() -> None:
    AuditEvent.objects.count()


def _forget(folder: Path) -> None:
    """Take the seals away again, so that the next round has something to seal."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditseal DISABLE TRIGGER USER")
        cursor.execute(f"DELETE FROM {AuditSeal._meta.db_table}")
        cursor.execute("ALTER TABLE audit_auditseal ENABLE TRIGGER USER")
    shutil.rmtree(folder)
