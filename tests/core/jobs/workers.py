"""Real `manage.py worker` processes for tests, and means to find and kill what is below them."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parents[3]


class Workers:
    """`manage.py worker` as a process, and the processes below it."""

    def __init__(self, log: Path, **environment: str):
        self.log = log.open("ab")
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.core.jobs.worker_settings",
            "PROOF_DATABASE": str(connection.settings_dict["NAME"]),
            **environment,
        }
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "worker", "--clusters", "mops", "--grace", "4"],
            cwd=ROOT,
            env=self.environment,
            stdout=self.log,
            stderr=self.log,
        )

    def first(self) -> int | None:
        """The first process of the cluster."""
        return next(iter(children(self.process.pid)), None)

    def sentinel(self) -> int | None:
        first = self.first()
        return next(iter(children(first)), None) if first else None

    def below_sentinel(self) -> list[int]:
        """Two workers, monitor and pusher, in the order in which they were started, while none has died."""
        sentinel = self.sentinel()
        return children(sentinel) if sentinel else []

    def wait_until_up(self):
        wait_for(lambda: len(self.below_sentinel()) == 4, 180)

    def everybody(self) -> list[int]:
        return [pid for pid in (self.first(), self.sentinel(), *self.below_sentinel()) if pid]

    def stop(self):
        if self.process.poll() is None:
            below = self.everybody()
            self.process.terminate()
            self.process.wait(60)
            wait_for(lambda: not any(map(alive, below)), 20)
        self.log.close()


def children(pid: int) -> list[int]:
    try:
        return sorted(int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    except OSError:
        return []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def kill(*pids: int | None):
    for pid in pids:
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def wait_for(condition, seconds: float):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still waiting after {seconds} s"
        time.sleep(0.05)
