"""What every log line gets and loses: who acts, in which request or job; and no secret."""

from collections.abc import MutableMapping
from typing import Any

from apps.core.redaction import redact_value

Line = MutableMapping[str, Any]


def add_actor(logger: Any, method: str, line: Line) -> Line:
    """Add who acts, and in which request or job; what the line says itself goes before."""
    from apps.core.actors import current_actor  # noqa: PLC0415  # the settings name this function before apps exist

    actor = current_actor()
    if actor.user is not None and actor.user.pk:
        line.setdefault("user_id", actor.user.pk)
    for name in ("request_id", "job_id"):
        if value := getattr(actor, name):
            line.setdefault(name, value)
    return line


def hide_secrets(logger: Any, method: str, line: Line) -> Line:
    """Redact the whole line, tracebacks included; stands right before the renderer."""
    hidden: Line = redact_value(dict(line))
    return hidden
