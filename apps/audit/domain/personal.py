"""Personal data in the evidence: read with permission, handed out to the person it is about, erased for good."""

import hashlib
import json
import secrets
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction

from apps.audit.domain.retention import hold_on
from apps.audit.models import AuditEvent, ErasedSubject, PersonalValue
from apps.core.access_log import log_access
from apps.core.actors import acting_as, current_actor
from apps.core.attachments.models import Attachment
from apps.core.context_sql import stamp_transaction
from apps.core.errors import NotAllowed, WrongState
from apps.core.events import publish
from apps.core.personal import Traces, erase_traces, erased_values, known_by, personal_kinds, rows_about
from apps.core.transitions import transition
from apps.core.words import reason_given

SALT_BYTES = 32


def values_behind(event: AuditEvent, *, by: Any) -> dict[str, list[Any]]:
    """Return the personal values behind the commitments of one entry, before and after; that they were read is told.

    A value that has been erased is missing.

    Raises:
        NotAllowed: `by` may not see personal values.
    """
    if not by.has_perm("audit.view_personalvalue"):
        raise NotAllowed("You may not see personal values in the ledger.")
    found: dict[str, list[Any]] = {}
    for each in PersonalValue.objects.filter(event_id=event.pk):
        found.setdefault(each.column_name, [None, None])[each.side == "new"] = each.value
    if found:
        log_access("personal_data", by=by, detail={"entry": event.pk, "columns": sorted(found)})
    return found


def refuse_erase(user: Any, subject: models.Model) -> str | None:
    """Return why `user` cannot have `subject` erased now, None when it works."""
    if not user.has_perm("audit.erase_subject"):
        return "You may not erase people."
    with transaction.atomic():
        return _why_kept(subject)


def _why_kept(subject: models.Model) -> str | None:
    if not any(not kind.subject and isinstance(subject, kind.model) for kind in personal_kinds()):
        return f"{subject._meta.verbose_name_plural} hold no personal data that could be erased.".capitalize()
    for kind, row in rows_about(subject):
        if hold := hold_on(kind.model._meta.db_table, str(row.pk)):
            return f"The legal hold “{hold}” covers this; it has to be released first."
    return None


def erase_subject(subject: models.Model, *, by: Any, reason: str) -> ErasedSubject:
    """Erase everything personal about `subject`: live rows, versions, values behind the ledger; leaves a tombstone.

    The ledger still verifies: it held salted commitments only, and they stay.

    Raises:
        NotAllowed: `by` may not erase.
        WrongState: a legal hold covers it, or this kind of record holds nothing personal.
        InvalidInput: no reason is given.
    """
    if not by.has_perm("audit.erase_subject"):
        raise NotAllowed("You may not erase people.")
    return _erase(subject, by=by, reason=reason)


def erase(subject: models.Model, *, by: Any, reason: str) -> str:
    """Erase `subject` and say what was done: the button's form of `erase_subject`."""
    tombstone = erase_subject(subject, by=by, reason=reason)
    return (
        f"Erased: {tombstone.values_erased} values behind the ledger and {tombstone.versions_cleared} versions. "
        "Copies in backups go when they are replaced; after a restore run “manage.py audit reapply-erasures”."
    )


def _erase(subject: models.Model, *, by: Any, reason: str) -> ErasedSubject:
    reason = reason_given(reason, "An erasure needs a reason.")
    with transaction.atomic(), acting_as(by, reason=reason):
        if refused := _why_kept(subject):
            raise WrongState(refused)
        rows = rows_about(subject)
        traces = Traces([row for _, row in rows], known_by(rows))
        salt = secrets.token_bytes(SALT_BYTES)
        identity = identity_of(subject, salt)
        for kind, row in rows:
            for name, value in erased_values(kind, row).items():
                setattr(row, name, value)
            with transition(kind.model):
                row.save()
        things = [
            {"table": kind.model._meta.db_table, "key": str(row.pk), "history": kind.history, "columns": kind.columns}
            for kind, row in rows
        ]
        with connection.cursor() as cursor:
            stamp_transaction(connection)
            cursor.execute(
                "SELECT * FROM mops_erase_subject(%s, %s, %s::jsonb, %s, %s, %s)",
                (subject._meta.db_table, str(subject.pk), json.dumps(things), salt, identity, reason),
            )
        erase_traces(traces)
        publish("subject.erased", kind=subject._meta.label_lower, object_id=subject.pk)
        return ErasedSubject.objects.latest("pk")


def erase_further(subject: models.Model) -> ErasedSubject:
    """Erase one more record of a person who is just being erased, found by an app among its traces.

    Belongs in `register_traces`: whoever erases was asked for the right already, and the reason is theirs.

    Raises:
        WrongState: a legal hold covers it; nothing of the person is erased then.
    """
    actor = current_actor()
    return _erase(subject, by=actor.user, reason=actor.reason or "Found while the same person was erased.")


def identity_of(subject: models.Model, salt: bytes) -> str:
    """Return the salted SHA-256 of what `subject` is known by, to recognise the same person in a restored copy."""
    kind = next(kind for kind in personal_kinds() if not kind.subject and isinstance(subject, kind.model))
    names = getattr(kind.model, "identity_fields", kind.fields)
    known = "\x1f".join(str(getattr(subject, name) or "").strip().lower() for name in names)
    return hashlib.sha256(salt + known.encode()).hexdigest()


def erasure_list() -> list[dict[str, str]]:
    """Return every tombstone, to be kept outside the database: a restore brings back what was erased after the dump."""
    return [
        {
            "kind": each.kind,
            "object_id": each.object_id,
            "salt": bytes(each.salt).hex(),
            "identity": each.identity,
            "erased_at": each.erased_at.isoformat(),
            "reason": each.reason,
        }
        for each in ErasedSubject.objects.order_by("pk")
    ]


def reapply_erasures(entries: list[dict[str, str]], *, by: Any) -> dict[str, int]:
    """Erase again whom a restore has brought back; who is still erased is left alone. Asks no permission: it was given.

    Returns:
        How many were erased again, how many needed nothing.
    """
    counts = {"erased": 0, "unchanged": 0}
    models_by_table = {kind.model._meta.db_table: kind.model for kind in personal_kinds() if not kind.subject}
    for entry in entries:
        model = models_by_table.get(entry["kind"])
        subject = model._base_manager.filter(pk=entry["object_id"]).first() if model is not None else None
        if subject is not None and identity_of(subject, bytes.fromhex(entry["salt"])) == entry["identity"]:
            _erase(subject, by=by, reason=f"Again after a restore: {entry['reason']}")
            counts["erased"] += 1
        else:
            counts["unchanged"] += 1
    return counts


def export_subject(subject: models.Model, *, by: Any) -> dict[str, Any]:
    """Return all data held about `subject` as JSON values: live rows, versions, ledger entries, files.

    Raises:
        NotAllowed: `by` may not hand out a person's data.
    """
    if not by.has_perm("audit.export_subject"):
        raise NotAllowed("You may not export a person's data.")
    with transaction.atomic():
        rows = rows_about(subject)
        exported = {
            "subject": {"kind": subject._meta.verbose_name, "id": subject.pk},
            "records": [_exported(kind.model, row, kind.history) for kind, row in rows],
        }
    # by number alone: a label would be one more copy of the name
    log_access("export", by=by, detail={"subject": subject._meta.label_lower, "id": subject.pk})
    loaded: dict[str, Any] = json.loads(json.dumps(exported, cls=DjangoJSONEncoder))
    return loaded


def _exported(model: type[models.Model], row: Any, history: str) -> dict[str, Any]:
    events = list(AuditEvent.objects.filter(table_name=model._meta.db_table, object_id=str(row.pk)).order_by("id"))
    behind: dict[tuple[int, str], dict[str, Any]] = {}
    for each in PersonalValue.objects.filter(event_id__in=[event.pk for event in events]):
        behind.setdefault((each.event_id, each.column_name), {})[each.side] = each.value
    return {
        "kind": str(model._meta.verbose_name),
        "now": _plain(row),
        "versions": [_plain(version) for version in row.history.order_by("history_id")] if history else [],
        "changes": [
            {
                "at": event.at,
                "who": event.actor_label,
                "reason": event.reason,
                "changes": {
                    name: [behind[event.pk, name].get(side) for side in ("old", "new")]
                    if (event.pk, name) in behind
                    else pair
                    for name, pair in event.changes.items()
                },
            }
            for event in events
        ],
        "files": _files(row),
    }


def _plain(row: models.Model) -> dict[str, Any]:
    return {field.name: field.value_from_object(row) for field in row._meta.concrete_fields if field.name != "password"}


def _files(row: models.Model) -> list[str]:
    return [str(each) for each in Attachment.objects.about(row).order_by("name", "version")]
