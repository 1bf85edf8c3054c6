"""What can be approved: each kind of subject says what is decided about it and what a decision does.

Filled in `AppConfig.ready` of the apps above, so that one engine and one inbox serve every kind.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models

Payload = dict[str, Any]


@dataclass(frozen=True)
class ApprovalSubject:
    """How one kind of thing goes through approval.

    Attributes:
        material: the columns that are decided about; who changed one of them since the last approval is an editor
            and never decides. The payload is made of them.
        apply: `apply(subject, request, *, by, at)` carries out what was approved, in the transaction of the decision,
            with the subject's row locked.
        on_refused: `on_refused(subject, request, *, by)` puts the subject back when the request is refused or
            withdrawn.
        markdown: those of the material columns that hold Markdown.
        before: `before(subject)` returns the payload that is in force now, None where there is none; without it, what
            was last approved of the same row.
    """

    material: tuple[str, ...]
    apply: Callable[..., None]
    on_refused: Callable[..., None]
    markdown: tuple[str, ...] = ()
    before: Callable[[Any], Payload | None] | None = None


_subjects: dict[type[models.Model], ApprovalSubject] = {}


def register(model: type[models.Model], subject: ApprovalSubject) -> None:
    """Let `model` be approved."""
    _subjects[model] = subject


def subject_of(model: type[models.Model]) -> ApprovalSubject:
    """Return how `model` goes through approval.

    Raises:
        KeyError: it never was registered.
    """
    return _subjects[model]


def registered() -> dict[type[models.Model], ApprovalSubject]:
    """Return everything that can be approved."""
    return dict(_subjects)


def kind_of(model: type[models.Model]) -> str:
    """Return the name by which policies know `model`, for instance "processes.sopversion"."""
    return f"{model._meta.app_label}.{model._meta.model_name}"


def kinds() -> list[tuple[str, str]]:
    """Return what policies can decide about, as choices."""
    return sorted((kind_of(model), str(model._meta.verbose_name_plural)) for model in _subjects)
