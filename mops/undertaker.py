"""Ends the processes of a `manage.py up` that was killed and could not do it itself. Standard library only.

`up` holds the other end of this process's standard input. When it closes without a goodbye, `up` is gone; what it
started is asked to stop and, if it has not after a moment, killed. Nothing is left to hold the port.
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

MARK = "MOPS_UP"  # in the environment of everything that `up` starts, the database server excepted
GOODBYE = "goodbye"
GRACE_SECONDS = 3.0


def marked(token: str) -> list[int]:
    """The processes with this mark, where /proc tells; those that left their process group included."""
    needle, found = f"{MARK}={token}".encode(), []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if needle in environ.read_bytes().split(b"\0"):
                found.append(int(environ.parent.name))
    return [pid for pid in found if pid != os.getpid()]


def kill_all(token: str, groups: set[int]) -> None:
    """Kill what is left of these process groups, and every process with the mark."""
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    while rest := marked(token):
        for pid in rest:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def is_group_alive(group: int) -> bool:
    """Whether a process group has a member."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS says so of a group of zombies
        return False
    return True


def main(token: str) -> None:
    """Read the process groups as `up` starts them, then wait for its end."""
    groups: set[int] = set()
    for line in sys.stdin:
        if line.strip() == GOODBYE:
            return
        groups.add(int(line))
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline and any(map(is_group_alive, groups)):
        time.sleep(0.05)
    kill_all(token, groups)
