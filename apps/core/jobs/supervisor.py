"""Looks after clusters of workers: starts them, kills and restarts those that are dead or stuck, keeps the clock.

django-q2 alone can wedge for good (an idle worker killed while it holds the queue's lock) and leave orphans. So each
cluster is a process group of its own that lives and dies as one, and the database tells whether it gets anywhere.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from apps.core.jobs.domain import watching
from apps.core.jobs.domain.sweeping import cluster_died, workers_died
from apps.core.jobs.names import CLUSTER_VARIABLE, make_cluster_name, pid_of
from mops.children import HEALTHY_SECONDS, PROJECT, pause_before

log = structlog.get_logger(__name__)
LOOK_SECONDS = 1.0
BEAT_SECONDS = 5.0
START_SECONDS = 120.0
MIGRATION_SECONDS = 3.0
DEATHS_BEFORE_ALERT = 5


@dataclass
class Charge:
    """One cluster to keep running."""

    queue: str
    workers: int
    name: str = ""
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    ready_at: float | None = None
    ready: int = -1
    start_at: float = 0.0
    stuck_since: float | None = None
    deaths: int = 0
    restarts: int = 0
    reason: str = ""

    def __post_init__(self) -> None:
        """Take a name that nobody else has."""
        self.name = self.name or make_cluster_name(self.queue)

    def start(self, now: float) -> None:
        """Start the cluster in a process group of its own."""
        self.ready, told = os.pipe()
        os.set_blocking(self.ready, False)
        command = [sys.executable, str(PROJECT / "manage.py"), "worker", "--as-cluster", f"{os.getpid()},{told}"]
        environment = {**os.environ, CLUSTER_VARIABLE: self.name, "Q_CLUSTER_NAME": self.queue}
        self.process = subprocess.Popen(command, cwd=PROJECT, env=environment, start_new_session=True, pass_fds=[told])
        os.close(told)
        self.started_at, self.ready_at, self.stuck_since = now, None, None
        log.info("worker.cluster_started", cluster=self.name, pid=self.process.pid, restarts=self.restarts)

    def kill(self) -> None:
        """Kill every process of the cluster."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None
        os.close(self.ready)

    def note_ready(self, now: float) -> None:
        """See whether the cluster has said that all its processes are there."""
        if self.ready_at is None and self.process is not None:
            with contextlib.suppress(BlockingIOError):
                if os.read(self.ready, 1):
                    self.ready_at = now

    def has_member(self, pid: int) -> bool:
        """Whether the process is alive and one of the cluster's."""
        try:
            return self.process is not None and os.getpgid(pid) == self.process.pid
        except ProcessLookupError:
            return False


@dataclass
class Supervisor:
    """Runs clusters until it is told to stop."""

    charges: Sequence[Charge]
    grace: float
    stopping: threading.Event = field(default_factory=threading.Event)
    signals: int = 0
    _beat_at: float = 0.0
    _database_away: bool = False

    def run(self) -> None:
        """Look after the clusters until SIGTERM or SIGINT; a second one means at once."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._told_to_stop)
        self._wait_for_migrations()
        try:
            while not self.stopping.is_set():
                self._look_after(time.monotonic())
                self.stopping.wait(LOOK_SECONDS)
        finally:
            self._stop()

    def _wait_for_migrations(self) -> None:
        """Start nothing on a database of another version: a worker may be up before `migrate` has run."""
        pending: list[int] = []
        while not self.stopping.is_set():
            pending.clear()
            self._ask_database(lambda: pending.append(watching.pending_migrations()))
            if pending == [0]:
                return
            log.warning("worker.waits_for_migrations", pending=pending[0] if pending else "unknown")
            self.stopping.wait(MIGRATION_SECONDS)

    def _told_to_stop(self, number: int, frame: object) -> None:
        self.signals += 1
        self.stopping.set()

    def _look_after(self, now: float) -> None:
        for charge in self.charges:
            if charge.process is not None and (code := charge.process.poll()) is not None:
                how = f"killed by signal {-code}" if code < 0 else f"ended with {code}"
                self._bury(charge, f"its first process was {how}", now)
            if charge.process is None and now >= charge.start_at:
                charge.start(now)
            charge.note_ready(now)
            if charge.process is not None and charge.ready_at is None and now - charge.started_at > START_SECONDS:
                self._bury(charge, f"it was not ready within {START_SECONDS:.0f} seconds", now)
        self._ask_database(lambda: self._look_into_database(now))

    def _look_into_database(self, now: float) -> None:
        watching.keep_time()
        for charge in self.charges:
            held = watching.workers_of(charge.name)
            workers_died([worker for worker in held if not charge.has_member(pid_of(worker))])
            self._notice_stuck(charge, now)
        if now - self._beat_at >= BEAT_SECONDS:
            self._beat_at = now
            for charge in self.charges:
                watching.beat(charge.name, charge.queue, os.getpid(), restarts=charge.restarts, reason=charge.reason)

    def _notice_stuck(self, charge: Charge, now: float) -> None:
        if charge.ready_at is None or not watching.makes_no_progress(charge.name, charge.queue, charge.workers):
            charge.stuck_since = None
            return
        charge.stuck_since = charge.stuck_since or now
        patience = settings.JOBS_STUCK_SECONDS
        if now - charge.stuck_since >= patience:
            self._bury(charge, f"work was due and it began none for {patience:g} seconds", now)

    def _bury(self, charge: Charge, reason: str, now: float) -> None:
        """Kill what is left of a cluster, free what it held, and have it started again after a pause."""
        charge.kill()
        charge.deaths = 1 if now - charge.started_at > HEALTHY_SECONDS else charge.deaths + 1
        charge.restarts, charge.reason = charge.restarts + 1, reason
        pause = pause_before(charge.deaths)
        charge.start_at, charge.ready_at = now + pause, None
        log.error("worker.cluster_restarted", cluster=charge.name, reason=reason, pause=pause, deaths=charge.deaths)
        self._beat_at = 0.0
        self._ask_database(lambda: self._after_burial(charge))

    def _after_burial(self, charge: Charge) -> None:
        cluster_died(charge.name)
        if charge.deaths >= DEATHS_BEFORE_ALERT:
            watching.alarm(charge.queue, charge.deaths, charge.reason)

    def _ask_database(self, ask: Callable[[], None]) -> None:
        """Do something with the database; while it is away nothing is judged, and workers wait by themselves."""
        try:
            ask()
            if self._database_away:
                log.info("worker.database_back")
            self._database_away = False
        except (OperationalError, InterfaceError) as error:
            if not self._database_away:
                log.error("worker.database_away", reason=str(error).strip())
            self._database_away = True
            for charge in self.charges:
                charge.stuck_since = None
            connection.close()
        except Exception:  # a look that fails must not end the watchdog: without it nobody restarts the workers
            log.exception("worker.look_failed")

    def _stop(self) -> None:
        log.info("worker.stopping", grace=self.grace)
        running = [charge.process for charge in self.charges if charge.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + self.grace
        while time.monotonic() < deadline and self.signals < 2:  # the second signal
            if all(process.poll() is not None for process in running):
                break
            time.sleep(0.05)
        for charge in self.charges:
            charge.kill()
            self._ask_database(lambda name=charge.name: watching.farewell(name))  # type: ignore[misc]
        log.info("worker.stopped")
