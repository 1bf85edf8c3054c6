"""Syncing a source: its file is compared with what is there, and what differs is brought in."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from apps.core import access, clock
from apps.core.actors import Channel, acting_as
from apps.core.errors import DomainError, NotAllowed, WrongState
from apps.core.exchange.domain.matching import best_mapping, check_mapping
from apps.core.exchange.domain.places import snapshot
from apps.core.exchange.domain.receiving import digest_of
from apps.core.exchange.domain.running import unit_of
from apps.core.exchange.engine import Walk, summary
from apps.core.exchange.enums import OutcomeKind, RunState
from apps.core.exchange.models import FileSource, SyncRun
from apps.core.exchange.permissions import refuse_import
from apps.core.exchange.reading.table import open_table
from apps.core.exchange.registry import Importer, Outcome, get_importer
from apps.core.exchange.storing import store_sync_outcomes
from apps.core.jobs.api import JobCancelled, JobRun, enqueue
from apps.core.jobs.models import OPEN_STATES

if TYPE_CHECKING:
    from apps.accounts.models import User

SYNC_JOB = "exchange.sync_source"
KEY_LENGTH = 200
_STAYS = "what was finished before stays done."
_MEET = """
    INSERT INTO exchange_sourcerecord (source_id, key, gone) SELECT %(source)s, key, false FROM met_keys
    ON CONFLICT (source_id, key) DO UPDATE SET gone = false WHERE exchange_sourcerecord.gone
"""
_MISS = """
    UPDATE exchange_sourcerecord known SET gone = true
    WHERE source_id = %(source)s AND NOT gone AND NOT EXISTS (SELECT FROM met_keys WHERE met_keys.key = known.key)
    RETURNING key
"""


def refuse_sync(user: "User", source: FileSource) -> str | None:
    """Return why `user` cannot have this source read now, None when it works."""
    if not access.may(user, "change", source):
        return "Your roles do not let you sync."
    if refused := refuse_import(user, get_importer(source.importer)):
        return refused
    if source.is_archived:
        return f"{source} is archived; restore it first."
    if JobRun.objects.filter(key=SYNC_JOB, args__source_id=source.pk, state__in=OPEN_STATES).exists():
        return f"{source} is being read at this moment; its result appears below."
    return None


def sync_now(source: FileSource, *, by: "User") -> str:
    """Have the source read in the background, in the name of `by`, every record compared.

    Raises:
        NotAllowed: `by` may not.
        WrongState: it is being read, or archived.
    """
    _enqueue(source, by=by, dry_run=False)
    return f"{source} is being read in the background; the result appears below."


def try_out(source: FileSource, *, by: "User") -> str:
    """Have the source read in the background without keeping anything.

    Raises:
        NotAllowed: `by` may not.
        WrongState: it is being read, or archived.
    """
    _enqueue(source, by=by, dry_run=True)
    return f"{source} is being tried in the background; nothing will be written but the result below."


def _enqueue(source: FileSource, *, by: "User", dry_run: bool) -> None:
    with transaction.atomic(), acting_as(by):
        FileSource.objects.select_for_update(of=("self",)).get(pk=source.pk)
        if refused := refuse_sync(by, source):
            raise (WrongState if access.may(by, "change", source) else NotAllowed)(refused)
        enqueue(SYNC_JOB, args={"source_id": source.pk, "dry_run": dry_run}, by=by)


def sync_source(
    source: FileSource,
    *,
    by: "User",
    scheduled: bool,
    dry_run: bool = False,
    job: str = "",
    tick: Callable[[int, int], None],
    stop: Callable[[], None],
) -> SyncRun:
    """Read the source once and keep what came of it; a file that cannot be read leaves a failed run and nothing else.

    Args:
        source: what is read.
        by: in whose name and with whose rights.
        scheduled: by the clock; then a file with the same bytes as last time is not read again.
        dry_run: find out only.
        job: the number of the job run.
        tick: told how far it is.
        stop: asked after each batch whether to go on; raises when not.

    Raises:
        DomainError: the run failed, in a sentence; it is kept before.
    """
    for lost in SyncRun.objects.filter(source=source, state=RunState.RUNNING):
        _Sync(lost, by, tick, stop).end(RunState.FAILED, f"Its worker was lost; {_STAYS}")
    begun = SyncRun(source=source, dry_run=dry_run, scheduled=scheduled, acted_as=by, job=job, started_at=clock.now())
    begun.save(force_insert=True)
    sync = _Sync(begun, by, tick, stop)
    try:
        with (
            acting_as(by, channel=Channel.SYNC, job_id=job, reason=f"Sync of {source}"),
            snapshot(source.folder, source.path) as copy,
        ):
            return sync.read(copy)
    except DomainError as refusal:
        sync.end(RunState.FAILED, refusal.message)
        raise
    except JobCancelled:
        sync.end(RunState.CANCELLED, f"Cancelled; {_STAYS}")
        raise
    except Exception:  # whatever it was, the run must not stay "running"; it goes on to the job, which tells it
        sync.end(RunState.FAILED, f"Something unexpected went wrong, its job tells more; {_STAYS}")
        raise


class _Sync:
    """One reading, while it goes on."""

    def __init__(self, run: SyncRun, by: Any, tick: Callable[[int, int], None], stop: Callable[[], None]) -> None:
        self.run, self.source, self.by, self.tick, self.stop = run, run.source, by, tick, stop
        self.walk: Walk | None = None

    def read(self, copy: Path) -> SyncRun:
        importer = get_importer(self.source.importer)
        if self.source.is_archived:
            raise WrongState(f"{self.source} is archived; it is not read any more.")
        if refused := refuse_import(self.by, importer):
            anew = f"{self.source} runs in the name of {self.by}, who may not do this. Somebody who may has to save it."
            raise NotAllowed(anew if self.run.scheduled else refused)
        self.run.sha256 = digest_of(copy)
        before = self._last_good()
        if self.run.scheduled and before is not None and self._same(before):
            self.run.rows = self.run.unchanged = before.rows - before.refused
            return self.end(
                RunState.DONE, f"Nothing changed: the file is the same as on {_moment(before)}; nothing was written."
            )
        self.run.mapping, total = self._look(importer, copy)
        self._carry(importer, copy, total)
        return self.end(RunState.DONE, self._said())

    def _look(self, importer: Importer, copy: Path) -> tuple[dict[str, str], int]:
        """Read the file to its end before anything is written, so that a damaged one changes nothing."""
        with open_table(copy, self._options()) as table:
            total = sum(1 for _ in table.rows)
            mapping = self.source.mapping or best_mapping(importer, table.headers)
            return check_mapping(importer, table.headers, mapping), total

    def _carry(self, importer: Importer, copy: Path, total: int) -> None:
        def after(done: int) -> None:
            self.tick(done, total)
            self.stop()

        with open_table(copy, self._options()) as table:
            self.walk = Walk(
                importer,
                self.run.mapping,
                self.by,
                dry=self.run.dry_run,
                unit=unit_of(table.kind),
                keys=set(),
            )
            self.walk.carry(table.rows, partial(store_sync_outcomes, self.run), after=after)
            self.run.notes = list(table.notes)
        self._tell_gone(self.walk.keys or set())

    def _tell_gone(self, keys: set[str]) -> None:
        """Compare with the records the source named before; they are told, never touched."""
        with transaction.atomic():
            with transaction.atomic():
                missing = sorted(_compare(self.source, keys))
                if self.run.dry_run:
                    transaction.set_rollback(True)
            gone = [Outcome(0, OutcomeKind.GONE, key=key, reason="The file no longer names it.") for key in missing]
            store_sync_outcomes(self.run, gone)
            self.run.gone = len(gone)

    def _said(self) -> str:
        counts = {**(self.walk.counts if self.walk else {}), OutcomeKind.GONE.value: self.run.gone}
        written = counts.get(OutcomeKind.CREATED, 0) + counts.get(OutcomeKind.UPDATED, 0)
        start = "" if written else "Nothing changed: "
        return f"{start}{summary(counts, would=self.run.dry_run)}"

    def end(self, state: RunState, said: str) -> SyncRun:
        run, counts = self.run, dict(self.walk.counts) if self.walk else {}
        for kind in (OutcomeKind.CREATED, OutcomeKind.UPDATED, OutcomeKind.UNCHANGED, OutcomeKind.REFUSED):
            setattr(run, kind.value, counts.get(kind.value, getattr(run, kind.value)))
        run.rows = sum(counts.values()) or run.rows
        run.state, run.said, run.finished_at = state, said, clock.now()
        run.save()
        return run

    def _options(self) -> dict[str, str]:
        return {**self.source.options, "name": Path(self.source.path).name}

    def _last_good(self) -> SyncRun | None:
        kept = SyncRun.objects.filter(source=self.source, state=RunState.DONE, dry_run=False)
        return kept.exclude(mapping={}).first()

    def _same(self, before: SyncRun) -> bool:
        mapped = self.source.mapping or before.mapping
        saved = self.source.updated_at
        return before.sha256 == self.run.sha256 and mapped == before.mapping and saved <= before.started_at


def _compare(source: FileSource, keys: set[str]) -> list[str]:
    """Note the records the source names now and return those it named before and does not any more."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE met_keys (key text PRIMARY KEY) ON COMMIT DROP")
        with cursor.copy("COPY met_keys FROM STDIN") as copy:
            for key in {each[:KEY_LENGTH] for each in keys}:
                copy.write_row((key,))
        cursor.execute("ANALYZE met_keys")
        cursor.execute(_MEET, {"source": source.pk})
        cursor.execute(_MISS, {"source": source.pk})
        missing = [key for (key,) in cursor.fetchall()]
        cursor.execute("DROP TABLE met_keys")
    return missing


def _moment(run: SyncRun) -> str:
    return f"{run.started_at:%d %b %Y, %H:%M} UTC".lstrip("0")
