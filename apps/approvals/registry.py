"""What can be approved: each kind of subject says what is decided about it and what a decision does.

Filled in `AppConfig.ready` of the apps above, so that one engine and one inbox serve every kind.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.text import capfirst

if TYPE_CHECKING:
    from apps.core.rules.catalog import Field

Payload = dict[str, Any]
# Returns what is still unmet, in sentences; nothing when the precondition holds.
Check = Callable[[Any], Iterable[str]]


@dataclass(frozen=True)
class ApprovalSubject:
    """How one kind of thing goes through approval.

    Attributes:
        material: the columns (or properties) that are decided about; who changed one of them since the last approval
            is an editor and never decides. The payload is made of them and of the custom fields that hold a value.
        apply: `apply(subject, request, *, by, at)` carries out what was approved, in the transaction of the decision
            (or of the moment it takes effect), with the subject's row locked.
        on_refused: `on_refused(subject, request, *, by)` puts the subject back when the request is refused, withdrawn,
            expired, void or revoked.
        markdown: those of the material columns that hold Markdown.
        before: `before(subject)` returns the payload that is in force now, None where there is none; without it, what
            was last approved of the same row.
        facts: `facts(subject)` returns what a decision table looks at besides the material columns: amount, currency,
            risk, channel…
        fact_fields: what `facts` may return, each as a field of the rules kit, so that conditions are built and
            checked by it: `Field("days", "Length", Number(whole=True, unit="days"))`.
        checks: preconditions by name ("qa_passed"), each returning unmet sentences; a stage names those it wants.
        files: `files(subject)` returns [{"name": …, "sha256": …}] of the files that are decided about too.
        owner_fields: columns that hold a person a policy may name as approver ("owner_person").
        cost_impact: `cost_impact(subject)` says in a few words what it costs, "" where nothing.
        preview: `preview(subject)` returns the address of a page that shows it as it would be.
        effective_at: `effective_at(subject)` returns from when on it takes effect, None for at once.
        parts: `parts(subject)` returns further rows whose editors are editors of the subject.
        keeps_out: `keeps_out(subject, person)` says why somebody the policy names may not decide about this one, None
            when they may: what is kept to a few is decided by some of them.
        policy: returns the definition of the policy the kind starts with; one approver decides when not given.
        related: what a decision reads of the subject's neighbours, by `select_related`: loaded with its row.
    """

    material: tuple[str, ...]
    apply: Callable[..., None]
    on_refused: Callable[..., None]
    markdown: tuple[str, ...] = ()
    before: Callable[[Any], Payload | None] | None = None
    facts: Callable[[Any], Mapping[str, Any]] | None = None
    fact_fields: "tuple[Field, ...]" = ()
    checks: Mapping[str, Check] = field(default_factory=dict)
    files: Callable[[Any], Iterable[Mapping[str, str]]] | None = None
    owner_fields: tuple[str, ...] = ()
    cost_impact: Callable[[Any], str] | None = None
    preview: Callable[[Any], str] | None = None
    effective_at: Callable[[Any], dt.datetime | None] | None = None
    parts: Callable[[Any], Iterable[models.Model]] | None = None
    keeps_out: Callable[[Any, Any], str | None] | None = None
    policy: Callable[[], Any] | None = None
    related: tuple[str, ...] = ()


_subjects: dict[type[models.Model], ApprovalSubject] = {}


def register(model: type[models.Model], subject: ApprovalSubject) -> None:
    """Let `model` be approved."""
    _subjects[model] = subject
    for told in _followers:
        told(model)


_followers: list[Callable[[type[models.Model]], None]] = []


def follow(told: Callable[[type[models.Model]], None]) -> None:
    """Let `told` know of every kind that can be approved, those registered already and those to come."""
    _followers.append(told)
    for model in _subjects:
        told(model)


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


def model_of(kind: str) -> type[models.Model] | None:
    """Return the model that policies know as `kind`, None where nothing of that name can be approved (any more)."""
    return next((model for model in _subjects if kind_of(model) == kind), None)


def kinds() -> list[tuple[str, str]]:
    """Return what policies can decide about, as choices."""
    return sorted((kind_of(model), capfirst(str(model._meta.verbose_name_plural))) for model in _subjects)
