"""The running server, as its lock file and the process table show it. Standard library only: the reaper runs this."""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

PORT = 5432


@dataclass(frozen=True)
class Address:
    """Where a server listens: a folder (Unix socket) or a host, and the port."""

    host: str
    port: int


def lock_lines(data: Path) -> list[str]:
    """What the server wrote into its lock file; empty where there is none."""
    try:
        return (data / "postmaster.pid").read_text().split("\n")
    except FileNotFoundError:
        return []


def pid_of(data: Path) -> int | None:
    """The process id in the lock file, whatever process that number belongs to by now."""
    lines = lock_lines(data)
    return int(lines[0]) if lines and lines[0].isdigit() else None


def address_of(data: Path) -> Address | None:
    """Where the lock file says that the server listens.

    The socket is in the data folder, so its path is taken from where that folder is now, not from where it was when
    the server started: the project may have been renamed since.
    """
    lines = lock_lines(data)
    if len(lines) < 6 or not lines[3].isdigit():
        return None
    return Address(lines[5], int(lines[3])) if lines[5] else Address(str(data), PORT)


def is_taken(pid: int) -> bool:
    """Whether the number belongs to a process, be it one that has ended and was not waited for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    if not is_taken(pid):
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True


def is_running(data: Path) -> bool:
    """Whether a PostgreSQL serves this data, and not a stranger that was given the number in a stale lock file."""
    pid = pid_of(data)
    if pid is None or not is_alive(pid):
        return False
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == data.resolve()
    except PermissionError:
        return False  # of another account, so not ours
    except OSError:
        if Path("/proc/self").exists():
            return False  # it ended between the two looks
    shown = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True).stdout
    return str(data) in shown


def forget_stale_lock(data: Path) -> None:
    """Remove a killed server's lock files whose number is taken, which PostgreSQL would take for a running server.

    By a stranger, or by the dead server itself as long as the system has not cleared it away.

    Only for a caller that holds the folder's lock and knows that none runs. Files that name nobody stay: by them
    PostgreSQL finds out whether children of the killed server are still at work on the data.
    """
    for name in ("postmaster.pid", f".s.PGSQL.{PORT}.lock"):
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
            number = (data / name).read_text().partition("\n")[0].strip()
            if number.isdigit() and is_taken(int(number)):
                (data / name).unlink()


def stop(data: Path, patience: float = 60) -> bool:
    """Stop the server: sessions are cut, transactions rolled back, files in order. False if none ran."""
    pid = pid_of(data)
    if pid is None or not is_running(data):
        return False
    os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + patience
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return True
