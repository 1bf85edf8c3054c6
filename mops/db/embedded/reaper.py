"""Stops the server when nobody uses it any more, however its users ended. Standard library only, to stay small.

Every user holds a shared lock on the file `lease`, which the kernel takes back even from a process that is killed.
The reaper waits for the exclusive lock: once it gets that, and again after a pause, no user is left.
"""

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

from mops.db.embedded import postmaster

LINGER_SECONDS = 5.0
PROJECT = Path(__file__).resolve().parents[3]
BEGIN = "import sys; sys.path.insert(0, sys.argv[1]); from mops.db.embedded.reaper import main; main(sys.argv[2])"


def spawn(folder: Path) -> None:
    """Start the reaper for a server's folder, in a session of its own so that no Ctrl-C meets it."""
    environment = {name: os.environ[name] for name in ("MOPS_PG_LINGER", "TZ") if name in os.environ}
    program = [sys.executable, "-I", "-S", "-c", BEGIN, str(PROJECT), str(folder)]
    subprocess.run(
        ["/bin/sh", "-c", '"$@" &', "sh", *program],  # by way of a shell: the reaper must not be our child
        cwd="/",
        env=environment,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )


def is_on_duty(folder: Path) -> bool:
    """Whether a reaper watches this folder."""
    with (folder / "reaper").open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def main(folder: str) -> None:
    """Wait until nobody holds the lease, then stop the server."""
    os.chdir(folder)  # every path below is relative: the folder may be renamed meanwhile
    linger = float(os.environ.get("MOPS_PG_LINGER", LINGER_SECONDS))
    with Path("reaper").open("a+") as duty, Path("lease").open("a+") as lease, Path("lock").open("a+") as lock:
        if not _take_duty(duty.fileno()):
            return  # another one is on duty
        while True:
            fcntl.flock(lease, fcntl.LOCK_EX)
            fcntl.flock(lease, fcntl.LOCK_UN)
            time.sleep(linger)
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                fcntl.flock(lock, fcntl.LOCK_UN)
                continue  # somebody came back
            location = Path("location")
            postmaster.stop(Path(location.read_text()) if location.exists() else Path("data"))
            return


def _take_duty(handle: int) -> bool:
    for _ in range(20):  # somebody may be holding it for an instant, in is_on_duty()
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(0.02)
        else:
            return True
    return False
