"""What exactly is decided about: the payload in its canonical form, its digest, and what differs from before."""

import datetime as dt
import decimal
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.db import models

from apps.approvals.enums import RequestState
from apps.approvals.models import ApprovalRequest
from apps.approvals.registry import Payload, subject_of


def payload_of(thing: models.Model) -> Payload:
    """Return the material columns of `thing` in a form that JSON keeps exactly."""
    return {name: _canonical(getattr(thing, name)) for name in subject_of(type(thing)).material}


def digest_of(payload: Payload) -> str:
    """Return the SHA-256 of `payload` written with sorted keys, no spaces and UTF-8."""
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def live_digest(thing: models.Model) -> str:
    """Return the digest of `thing` as it is now."""
    return digest_of(payload_of(thing))


def payload_before(thing: models.Model) -> Payload | None:
    """Return what is in force of `thing` before it is sent: as its kind declares, else what was last approved."""
    declared = subject_of(type(thing)).before
    if declared is not None:
        return declared(thing)
    approved = ApprovalRequest.objects.filter(
        object_id=thing.pk,
        content_type__app_label=thing._meta.app_label,
        content_type__model=thing._meta.model_name,
        state=RequestState.APPROVED,
    )
    found: Payload | None = approved.order_by("-pk").values_list("payload", flat=True).first()
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


def fields_decided(model: type[models.Model], payload: Payload, before: Payload | None) -> list[FieldDecided]:
    """Return the payload field by field with its labels, beside what was approved before."""
    subject = subject_of(model)
    shown = []
    for name in (each for each in subject.material if each in payload):
        value = payload[name]
        field = model._meta.get_field(name)
        label = str(getattr(field, "verbose_name", name))
        text = _readable(field, value)
        old = _readable(field, before[name]) if before is not None and name in before else None
        is_long = len(text) > LONG or "\n" in text or name in subject.markdown
        shown.append(FieldDecided(name, label[:1].upper() + label[1:], text, old, is_long, name in subject.markdown))
    return shown


def _canonical(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, models.Choices):
        return value.value
    if isinstance(value, str):
        return value.replace("\r\n", "\n")
    return value


def _readable(field: Any, value: Any) -> str:
    if value in (None, "", []):
        return "—"
    if hasattr(field, "readable"):  # a column that knows how people read it
        return str(field.readable(value))
    if getattr(field, "choices", None):
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(field, models.DecimalField):
        return f"{decimal.Decimal(value):,.2f}"
    if isinstance(field, models.DateField) and len(value) == len("2026-01-31"):
        return f"{dt.date.fromisoformat(value):%-d %B %Y}"
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return str(value)
