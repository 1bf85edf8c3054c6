"""The processes that `manage.py up` runs: started, started again when they die, stopped together."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from mops import undertaker

PROJECT = Path(__file__).resolve().parent.parent
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
HEALTHY_SECONDS = 60.0
GRACE_SECONDS = 10.0
LOG_BYTES = 20 * 1024 * 1024
WATCH = "import sys; sys.path.insert(0, sys.argv[1]); from mops.undertaker import main; main(sys.argv[2])"


def pause_before(restart: int) -> float:
    """How long to wait before the n-th start in a row of a process that keeps dying, counted from 1."""
    return float(min(FIRST_PAUSE * 2 ** min(restart - 1, 10), LONGEST_PAUSE))


@contextlib.contextmanager
def open_log(folder: Path | None, name: str) -> Iterator[IO[bytes] | None]:
    """Open the log of a child for appending, 0600; the one before is kept once it is big. None: the terminal.

    The JSON lines of every request are for machines; on the terminal they would bury what `up` has to say.
    """
    if folder is None:
        yield None
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{name.replace(' ', '-')}.log"
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
        yield log


@dataclass
class Child:
    """One process to keep running."""

    name: str
    command: Sequence[str]
    handles: Sequence[int] = ()
    process: "subprocess.Popen[bytes] | None" = None
    deaths: int = 0
    started_at: float = 0.0
    start_at: float = 0.0


@dataclass
class Household:
    """Children that run until `stop`."""

    children: Sequence[Child]
    say: Callable[[str], object]
    logs: Path | None = None
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    groups: set[int] = field(default_factory=set)
    watcher: "subprocess.Popen[str] | None" = None

    def look_after(self) -> None:
        """Notice who has died, and start whoever is due. To be called a few times a second."""
        self._keep_watcher()
        now = time.monotonic()
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                self._has_died(child, now)
            if child.process is None and now >= child.start_at:
                self._start(child, now)

    def stop(self, is_urgent: Callable[[], bool]) -> None:
        """Ask every child to end, wait for a while (or until it is urgent), then kill what is left."""
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline and not is_urgent():
            if all(process.poll() is not None for process in running):
                break
            time.sleep(0.05)
        undertaker.kill_all(self.token, self.groups)
        for process in running:
            process.wait()
        if self.watcher is not None and self.watcher.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.watcher.stdin.write(f"{undertaker.GOODBYE}\n")
                self.watcher.stdin.close()
            self.watcher.wait()

    def _start(self, child: Child, now: float) -> None:
        with open_log(self.logs, child.name) as log:
            child.process = subprocess.Popen(
                child.command,
                cwd=PROJECT,
                env={**os.environ, undertaker.MARK: self.token},
                pass_fds=child.handles,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal is for `up` alone, which then ends them in order
            )
        child.started_at = now
        self.groups.add(child.process.pid)
        self._tell_watcher(child.process.pid)

    def _has_died(self, child: Child, now: float) -> None:
        process, child.process = child.process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # what it left behind
        self.groups.discard(process.pid)
        child.deaths = 1 if now - child.started_at > HEALTHY_SECONDS else child.deaths + 1
        pause = pause_before(child.deaths)
        child.start_at = now + pause
        how = (
            f"was killed by signal {-process.returncode}" if process.returncode < 0 else f"ended ({process.returncode})"
        )
        self.say(f"mops: the {child.name} {how}; it starts again in {pause:g} seconds.")

    def _keep_watcher(self) -> None:
        if self.watcher is not None and self.watcher.poll() is None:
            return
        self.watcher = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", WATCH, str(PROJECT), self.token],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={},
        )
        for group in self.groups:
            self._tell_watcher(group)

    def _tell_watcher(self, group: int) -> None:
        if self.watcher is not None and self.watcher.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it was killed; the next look_after() makes another
                self.watcher.stdin.write(f"{group}\n")
                self.watcher.stdin.flush()
