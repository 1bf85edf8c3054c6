"""What stands behind a change elsewhere: approvals, tickets, whatever an app above keeps. Each app says it here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.audit.models import AuditEvent


@dataclass(frozen=True)
class Related:
    """One record behind a change.

    Attributes:
        kind: what it is, in a word: "Approval".
        thing: the record, for a link.
        says: what it says about the change, in a sentence.
        data: the same and all details as JSON values, for an evidence package.
    """

    kind: str
    thing: models.Model
    says: str
    data: dict[str, Any] = field(default_factory=dict)


Find = Callable[["AuditEvent", "User"], Iterator[Related]]
_finders: dict[str, Find] = {}


def register_related(name: str, find: Find) -> None:
    """Say how to find what stands behind a change; called from `AppConfig.ready`.

    Args:
        name: names the finder, so that registering again replaces it.
        find: `find(event, person)` yields what `person` may see.
    """
    _finders[name] = find


def related_to(event: "AuditEvent", person: "User") -> list[Related]:
    """Return what stands behind a change, as far as `person` may see it."""
    return [each for _, find in sorted(_finders.items()) for each in find(event, person)]
