"""The box on the home page: what waits for a person, and what they wait for."""

from typing import Any

from django.http import HttpRequest

from apps.approvals.domain import inbox


def inbox_panel(request: HttpRequest) -> dict[str, Any] | None:
    """Return what waits for this person and what they wait for; None for people who have neither and never decided."""
    person: Any = request.user
    waiting, sent = inbox.waiting_for(person), inbox.sent_by(person)
    if not waiting and not sent and not inbox.has_decided(person):
        return None
    return {
        "waiting": waiting[: inbox.SHOWN],
        "sent": sent[: inbox.SHOWN],
        "more": max(len(waiting), len(sent)) > inbox.SHOWN,
    }
