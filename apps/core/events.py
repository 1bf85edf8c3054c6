"""Announcements: an operation says what happened, `mops/wiring.py` says which jobs follow."""

from collections.abc import Callable, Mapping
from importlib import import_module

Handler = Callable[[Mapping[str, int | str]], None]


def publish(event: str, **facts: int | str) -> None:
    """Announce `event` ("approval.requested") with ids and short texts, inside the caller's transaction.

    The jobs that follow are queued in the same transaction: a rollback takes them back.
    """
    wiring = import_module("mops.wiring")
    for handler in wiring.handlers_of(event):
        handler(facts)
