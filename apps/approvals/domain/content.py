"""What exactly is decided about: the payload in its canonical form, its digest, and what differs from before."""

import datetime as dt
import decimal
import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from apps.accounts.models import User
from apps.approvals.enums import RequestState
from apps.approvals.models import ApprovalRequest, SubjectRevision
from apps.approvals.registry import Payload, subject_of
from apps.core.money import number_in_words
from apps.core.records import kind_of
from apps.core.words import NOTHING
from apps.core.workspace.models import CustomField, CustomValues

CUSTOM = "custom."
Files = list[dict[str, str]]


def payload_of(thing: models.Model) -> Payload:
    """Return what is decided about `thing`, its custom fields included, in a form that JSON keeps exactly."""
    own = {name: _canonical(getattr(thing, name)) for name in subject_of(type(thing)).material}
    return {**own, **_custom_values(thing)}


def files_of(thing: models.Model) -> Files:
    """Return the files that are decided about with `thing`, each with its SHA-256, in the order of their names."""
    declared = subject_of(type(thing)).files
    given = declared(thing) if declared is not None else ()
    return sorted(({"name": str(each["name"]), "sha256": str(each["sha256"])} for each in given), key=_by_name)


def digest_of(payload: Payload, files: Iterable[Mapping[str, str]] = ()) -> str:
    """Return the SHA-256 of `payload`, and of `files` where there are some: sorted keys, no spaces, UTF-8."""
    listed = [dict(each) for each in files]
    content = {"payload": payload, "files": listed} if listed else payload
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def live_digest(thing: models.Model) -> str:
    """Return the digest of `thing` as it is now."""
    return digest_of(payload_of(thing), files_of(thing))


def record_revision(thing: models.Model, *, by: User, at: dt.datetime) -> SubjectRevision:
    """Return the revision that holds what `thing` says now; a new one unless the last says the same."""
    payload, files = payload_of(thing), files_of(thing)
    digest = digest_of(payload, files)
    kind = kind_of(thing)
    last = SubjectRevision.objects.filter(content_type=kind, object_id=thing.pk).order_by("-number").first()
    if last is not None and last.digest == digest:
        return last
    return SubjectRevision.objects.create(
        content_type=kind,
        object_id=thing.pk,
        number=last.number + 1 if last is not None else 1,
        payload=payload,
        files=files,
        digest=digest,
        author=by,
        author_label=by.get_username(),
        at=at,
    )


def payload_before(thing: models.Model) -> Payload | None:
    """Return what is in force of `thing` before it is sent: as its kind declares, else what was last approved."""
    declared = subject_of(type(thing)).before
    if declared is not None:
        return declared(thing)
    approved = ApprovalRequest.objects.filter(
        object_id=thing.pk, content_type=kind_of(thing), state=RequestState.APPROVED
    )
    found: Payload | None = approved.order_by("-pk").values_list("revision__payload", flat=True).first()
    return found


@dataclass(frozen=True)
class FieldDecided:
    """One field of a payload, as an approver reads it."""

    name: str
    label: str
    value: str
    before: str | None
    is_long: bool
    is_markdown: bool

    @property
    def has_changed(self) -> bool:
        """Whether it differs from what was approved before."""
        return self.before is not None and self.before != self.value


LONG = 120


def fields_decided(
    model: type[models.Model], payload: Payload, before: Payload | None, *, labels: Mapping[str, str] | None = None
) -> list[FieldDecided]:
    """Return the payload field by field with its labels, beside what was approved before.

    Args:
        model: the kind of thing.
        payload: what is decided about.
        before: what was in force, None where nothing was.
        labels: those of custom fields, by key; looked up when not given.
    """
    subject = subject_of(model)
    custom = sorted(name for name in payload if name.startswith(CUSTOM))
    labels = custom_labels(model) if labels is None and custom else labels or {}
    shown = []
    for name in (*(each for each in subject.material if each in payload), *custom):
        field = _field(model, name)
        label = labels.get(name.removeprefix(CUSTOM), name.removeprefix(CUSTOM).replace("_", " "))
        label = str(getattr(field, "verbose_name", label))
        text = _readable(field, payload[name], payload)
        old = _readable(field, before[name], before) if before is not None and name in before else None
        is_long = len(text) > LONG or "\n" in text or name in subject.markdown
        shown.append(FieldDecided(name, label[:1].upper() + label[1:], text, old, is_long, name in subject.markdown))
    return shown


def custom_labels(model: type[models.Model]) -> dict[str, str]:
    """Return the labels of a kind's custom fields, by key."""
    return dict(CustomField.objects.filter(content_type=kind_of(model)).values_list("key", "label"))


def _custom_values(thing: models.Model) -> Payload:
    kept = CustomValues.objects.filter(content_type=kind_of(thing), object_id=thing.pk, archived_at=None)
    values = kept.values_list("values", flat=True).first() or {}
    return {f"{CUSTOM}{key}": value for key, value in values.items() if value not in (None, "")}


def _by_name(file: Mapping[str, str]) -> tuple[str, str]:
    return file["name"], file["sha256"]


def _field(model: type[models.Model], name: str) -> Any:
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def _canonical(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, (dt.timedelta, uuid.UUID)):
        return str(value)
    if isinstance(value, models.Choices):
        return value.value
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, str):
        return value.replace("\r\n", "\n")
    if isinstance(value, Mapping):
        return {str(key): _canonical(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_canonical(each) for each in value]
    return value


def _readable(field: Any, value: Any, payload: Payload) -> str:
    if value in (None, "", []):
        return NOTHING
    if hasattr(field, "readable"):  # a column that knows how people read it
        return str(field.readable(value))
    if getattr(field, "choices", None):
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(field, models.ForeignKey):
        return str(field.related_model._default_manager.filter(pk=value).first() or value)
    if isinstance(field, models.DecimalField):
        return number_in_words(field, value, SimpleNamespace(**payload))
    if isinstance(field, models.DateField) and len(str(value)) == len("2026-01-31"):
        return f"{dt.date.fromisoformat(value):%-d %B %Y}"
    if isinstance(value, list) and not any(isinstance(each, (dict, list)) for each in value):
        return ", ".join(str(each) for each in value)
    if isinstance(value, (dict, list)):
        return json.dumps(value, indent=2, ensure_ascii=False)
    return str(value)
