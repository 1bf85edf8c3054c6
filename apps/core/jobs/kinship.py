"""Lets processes die with the one that made them, so that kill -9 of any leaves no orphan that goes on working."""

import ctypes
import os
import signal
import sys
import threading
import time

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, see prctl(2)
_LOOK_SECONDS = 0.5
_parent = 0


def die_with_parent(parent: int) -> None:
    """From now on this process, and all that it forks, are killed when their parent ends.

    Args:
        parent: the process id that the parent should have; when it has gone already this process ends at once.
    """
    _bind_to(parent)
    os.register_at_fork(before=_remember, after_in_child=_bind_child)


def _remember() -> None:
    global _parent  # noqa: PLW0603  # between fork's two sides there is nothing else to carry it
    _parent = os.getpid()


def _bind_child() -> None:
    _bind_to(_parent)


def _bind_to(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(1)
