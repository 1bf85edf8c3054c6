"""What was looked at or taken out, told to whoever keeps the record: exports, looking on as somebody else, and the
reading of personal data. Core tells; the app that keeps the log registers how.
"""

from collections.abc import Callable
from typing import Any

from django.db import models

Log = Callable[..., None]
Read = Callable[[Any, Any, str], None]
_log: list[Log] = []
_read: list[Read] = []


def register_access_log(log: Log, read: Read) -> None:
    """Say how accesses are kept; called once, by the app that keeps them.

    Args:
        log: `log(kind, by=, thing=, detail=)` writes one entry.
        read: `read(person, target, how)` decides whether a page that was opened is worth an entry.
    """
    _log[:], _read[:] = [log], [read]


def log_access(
    kind: str, *, by: Any, thing: "models.Model | None" = None, detail: dict[str, Any] | None = None
) -> None:
    """Write down that somebody took out or looked at something, in the caller's transaction.

    Args:
        kind: "export", "view_as" or "personal_data".
        by: the person.
        thing: the record it is about.
        detail: what else an auditor asks, as JSON.
    """
    for log in _log:
        log(kind, by=by, thing=thing, detail=detail or {})


def note_read(person: Any, target: "models.Model | type[models.Model]", how: str) -> None:
    """Tell that a page was opened: a record's, or (with a model) the list of its kind.

    Args:
        person: who opened it.
        target: the record or the model.
        how: "page", "history" or the list's query.
    """
    for read in _read:
        read(person, target, how)
