"""Everything about one change, as files: the entry, its versions, what approved it, the job, the proof."""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from apps.audit.domain.proving import Prover
from apps.audit.domain.reading import Reader
from apps.audit.kinds import kind_of, models_by_table
from apps.audit.models import AuditEvent
from apps.audit.related import related_to
from apps.core import access
from apps.core.jobs.models import JobRun
from apps.core.words import NOTHING

WITHHELD = "(personal)"


def dossier_of(event: AuditEvent, *, by: Any, prover: Prover) -> dict[str, bytes]:
    """Return the files about one entry, by name. Personal values are left out of all of them.

    Raises:
        WrongState: the entry is not sealed, or not what was sealed.
    """
    files = {
        "change.txt": _in_words(event).encode(),
        "proof.json": _json(prover.prove(event.pk)),
        "versions.json": _json(_versions(event, by)),
    }
    for number, related in enumerate(related_to(event, by), 1):
        files[f"{related.kind.lower()}-{number}.json"] = _json({"says": related.says, **related.data})
    if (run := job_of(event)) is not None:
        files["job.json"] = _json(_job(run))
    return files


def job_of(event: AuditEvent) -> JobRun | None:
    """Return the run of the job that made a change; None where none did, or it has been pruned."""
    return JobRun.objects.filter(pk=event.job_id).first() if event.job_id.isdigit() else None


def _json(thing: Any) -> bytes:
    return (json.dumps(thing, cls=DjangoJSONEncoder, indent=1, ensure_ascii=False) + "\n").encode()


def _in_words(event: AuditEvent) -> str:
    lines = [
        f"Entry {event.pk}",
        f"When: {event.at.isoformat()}",
        f"Who: {event.actor_label}",
        f"On behalf of: {event.on_behalf_of_label or NOTHING}",
        f"Did: {event.get_action_display()}",
        f"Kind: {kind_of(event.table_name)}",
        f"Record: {event.object_id} {event.object_label}".rstrip(),
        f"Why: {event.reason or NOTHING}",
        f"Through: {event.get_channel_display()}, request {event.request_id or NOTHING}, job {event.job_id or NOTHING}",
        f"Database account: {event.db_role}, transaction {event.txid}",
        "",
    ]
    for change in Reader([event], by=None).changes_of(event):
        lines += [f"{change.label}:", f"  before: {change.before}", f"  after:  {change.after}"]
    return "\n".join(lines) + "\n"


def _versions(event: AuditEvent, by: Any) -> list[dict[str, Any]]:
    """The version before the change and the one it made."""
    model = models_by_table().get(event.table_name)
    history = getattr(model, "history", None)
    if model is None or history is None or not access.has_model_permission(by, "view", model):
        return []
    hidden = {*getattr(model, "personal_fields", ()), *access.hidden_columns(by, model)}
    rows = history.filter(**{model._meta.pk.name: event.object_id}, history_date__lte=event.at)  # type: ignore[union-attr]
    return [_plain(row, hidden) for row in reversed(rows.order_by("-history_date", "-history_id")[:2])]


def _plain(row: models.Model, hidden: set[str]) -> dict[str, Any]:
    return {
        field.attname: WITHHELD if field.name in hidden else field.value_from_object(row)
        for field in row._meta.concrete_fields
        if field.name != "password"
    }


def _job(run: JobRun) -> dict[str, Any]:
    return {
        "run": run.pk,
        "job": run.key,
        "arguments": run.args,
        "state": run.state,
        "requested_by": str(run.requested_by) if run.requested_by else None,
        "queued_at": run.queued_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "attempts": run.attempts,
        "result": run.counts,
        "error": run.error,
    }
