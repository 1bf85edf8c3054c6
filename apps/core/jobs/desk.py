"""Who writes for a run while it works: renews its lease, saves its progress and log lines, notices a wish to stop.

In a worker a thread does it over a connection of its own, so that what a run says is seen while its transaction is
open, and stays when that is rolled back. In tests and commands the same is written directly.
"""

import threading
import time
from typing import Protocol

import structlog
from django.db import DatabaseError, connection
from django.db.models.functions import Now

from apps.core.jobs.domain.claims import LEASE, LONGEST_LINE
from apps.core.jobs.models import JobLogLine, JobRun, RunState

log = structlog.get_logger(__name__)
WRITE_SECONDS = 0.5
BEAT_SECONDS = 5.0
MOST_LINES = 2000


class Desk(Protocol):
    """What `Run` needs of it."""

    cancelled: threading.Event
    lost: threading.Event

    def progress(self, done: int, total: int) -> None: ...  # noqa: D102
    def log(self, text: str) -> None: ...  # noqa: D102
    def look_up(self) -> None: ...  # noqa: D102


class _Notes:
    """What has been said and not been written yet."""

    def __init__(self, run: JobRun) -> None:
        self.run = run
        self.cancelled, self.lost = threading.Event(), threading.Event()
        self._guard = threading.Lock()
        self._lines: list[JobLogLine] = []
        self._said = 0
        self._progress: tuple[int, int] | None = None

    def progress(self, done: int, total: int) -> None:
        with self._guard:
            self._progress = (max(0, done), max(0, total))

    def log(self, text: str) -> None:
        with self._guard:
            self._said += 1
            if self._said == MOST_LINES:
                text = f"{MOST_LINES} lines are written; what follows is left out."
            if self._said <= MOST_LINES:
                self._lines.append(
                    JobLogLine(run=self.run, attempt=self.run.attempts, text=text.strip()[:LONGEST_LINE])
                )

    def write(self, *, beat: bool) -> None:
        """Write what there is; with `beat` also renew the lease and see whether somebody wants the run to stop."""
        with self._guard:
            lines, self._lines = self._lines, []
            progress, self._progress = self._progress, None
        try:
            self._write(lines, progress, beat=beat)
        except BaseException:
            with self._guard:
                self._lines = [*lines, *self._lines]
                self._progress = self._progress or progress
            raise

    def _write(self, lines: list[JobLogLine], progress: tuple[int, int] | None, *, beat: bool) -> None:
        if lines:
            for line in lines:
                line.pk = None
            JobLogLine.objects.bulk_create(lines)
        if not beat and progress is None:
            return
        changes: dict[str, object] = {"heartbeat_at": Now(), "lease_until": Now() + LEASE}
        if progress is not None:
            changes |= {"done": progress[0], "total": progress[1]}
        mine = JobRun.objects.filter(pk=self.run.pk, state=RunState.RUNNING, lease_token=self.run.lease_token)
        if not mine.update(**changes):
            self.lost.set()
        elif mine.filter(cancel_requested_at__isnull=False).exists():
            self.cancelled.set()


class DirectDesk(_Notes):
    """Writes at once, on the connection of the run itself; for runs inside the process that asked for them."""

    def progress(self, done: int, total: int) -> None:
        """Write how far it is."""
        super().progress(done, total)
        self.write(beat=False)

    def log(self, text: str) -> None:
        """Write the sentence."""
        super().log(text)
        self.write(beat=False)

    def look_up(self) -> None:
        """See whether somebody wants the run to stop."""
        self.write(beat=True)

    def __enter__(self) -> "DirectDesk":
        return self

    def __exit__(self, *args: object) -> None:
        return


class ThreadDesk(_Notes):
    """Writes from a thread: twice a second while there is something to say, and every five seconds anyway."""

    def __init__(self, run: JobRun, *, until: float) -> None:
        """Prepare to write for `run` up to the monotonic moment `until`: whoever hangs loses the lease."""
        super().__init__(run)
        self._until = until
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep_writing, name=f"desk-{run.pk}", daemon=True)

    def look_up(self) -> None:
        """Nothing: the thread looks."""

    def __enter__(self) -> "ThreadDesk":
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._stop.set()
        self._thread.join()

    def _keep_writing(self) -> None:
        last_beat = time.monotonic()
        try:
            while not self._stop.wait(WRITE_SECONDS) and time.monotonic() < self._until:
                beat = time.monotonic() - last_beat >= BEAT_SECONDS
                with self._guard:
                    something = bool(self._lines or self._progress)
                if (beat or something) and self._try_to_write(beat=beat):
                    last_beat = time.monotonic() if beat else last_beat
            with self._guard:
                something = bool(self._lines or self._progress)
            if something:
                self._try_to_write(beat=False)
        finally:
            connection.close()

    def _try_to_write(self, *, beat: bool) -> bool:
        try:
            self.write(beat=beat)
        except DatabaseError as error:  # the server restarts: what was said is kept for the next time
            log.warning("jobs.desk_waits", run=self.run.pk, reason=str(error).strip())
            connection.close()
            return False
        return True
