"""Who acts, for whom, through which door and why: the context that every write carries into history and ledger."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from apps.accounts.models import User


class Channel(models.TextChoices):
    """Through which door a change came in."""

    ADMIN = "admin", "Admin"
    API = "api", "API"
    GRAPHQL = "graphql", "GraphQL"
    JOB = "job", "Job"
    IMPORT = "import", "Import"
    SYNC = "sync", "Sync"
    SHELL = "shell", "Shell"
    DATABASE = "database", "Database"


@dataclass(frozen=True)
class Actor:
    """One acting person (or system principal) in one request, job or command."""

    user: "User | None" = None
    on_behalf_of: "User | None" = None
    channel: Channel = Channel.SHELL
    request_id: str = ""
    job_id: str = ""
    reason: str = ""
    name: str = ""

    @property
    def label(self) -> str:
        """The name to write into evidence; it stays readable when the person is gone.

        `name` signs where no person can, because there may be no table of people yet: migrations.
        """
        return self.user.get_username() if self.user is not None and self.user.pk else self.name or "unattributed"

    def as_context(self) -> dict[str, Any]:
        """Return what the database triggers read from `mops.ctx`."""
        return {
            "actor_id": self.user.pk if self.user is not None else None,
            "actor": self.label,
            "behalf": self.on_behalf_of.get_username() if self.on_behalf_of else "",
            "channel": str(self.channel),
            "request": self.request_id,
            "job": self.job_id,
            "reason": self.reason,
        }

    @cached_property
    def context_text(self) -> str:
        """The same as JSON, made once for all statements of a request."""
        return json.dumps(self.as_context())


MIGRATION = "Migration or first start"  # the reason of what is written before there is anybody to name
_NOBODY = Actor()
_current: ContextVar[Actor] = ContextVar("mops_actor", default=_NOBODY)


def current_actor() -> Actor:
    """Return who acts now; an actor without a user where nobody said."""
    return _current.get()


@contextmanager
def acting_as(
    user: "User | None",
    *,
    channel: Channel | None = None,
    reason: str | None = None,
    on_behalf_of: "User | None" = None,
    request_id: str | None = None,
    job_id: str | None = None,
    name: str | None = None,
) -> Iterator[Actor]:
    """Let `user` be the author of every write inside the block, history and ledger included.

    What is not given is inherited from the surrounding block, so an operation called inside a request keeps the
    request's channel and id.
    """
    before = _current.get()
    given: dict[str, Any] = {
        "channel": channel,
        "reason": reason,
        "on_behalf_of": on_behalf_of,
        "request_id": request_id,
        "job_id": job_id,
        "name": name,
    }
    actor = replace(before, user=user, **{name: value for name, value in given.items() if value is not None})
    token = _current.set(actor)
    try:
        yield actor
    finally:
        _current.reset(token)


_principal: list[Callable[[], "User"]] = []


def register_system_principal(find: "Callable[[], User]") -> None:
    """Say who acts where no person stands behind a write; called once, by the app that keeps people."""
    _principal[:] = [find]


def system_principal() -> "User":
    """Return the principal that acts for mops itself: scheduled jobs, the sweeper."""
    return _principal[0]()


def set_actor(actor: Actor) -> Any:
    """Set the actor for a whole request or command; returns the token that `reset_actor` takes."""
    return _current.set(actor)


def reset_actor(token: Any) -> None:
    """Undo `set_actor`."""
    _current.reset(token)
