"""The page of a request: what is decided, the way it takes, who may decide and why not, what was said."""

import datetime as dt
from typing import Any

from django.http import HttpRequest

from apps.approvals.domain import effects, inbox
from apps.approvals.domain.content import FieldDecided, digest_of, fields_decided, live_digest
from apps.approvals.domain.definition import in_words, spec_of
from apps.approvals.domain.eligibility import Case, case_of
from apps.approvals.domain.reseating import renewals_of
from apps.approvals.enums import Mode
from apps.approvals.models import ApprovalRequest, StageInstance
from apps.approvals.registry import subject_of
from apps.core.markdown import render
from apps.core.text_diff import compare


def case_for(row: ApprovalRequest) -> Case:
    """Return what eligibility asks about a request, read once for the whole page."""
    case: Case | None = row.__dict__.get("_case")
    if case is None:
        case = row.__dict__["_case"] = case_of(row)
    return case


def request_panels(request: HttpRequest, row: ApprovalRequest, *, refused: str | None) -> list[dict[str, Any]]:
    """Return the panels of a request's page.

    Args:
        request: who looks.
        row: the request.
        refused: why the person who looks cannot decide, None when they can.
    """
    case = case_for(row)
    return [_content_panel(row, case), _deciders_panel(request, row, case, refused)]


def _content_panel(row: ApprovalRequest, case: Case) -> dict[str, Any]:
    model: Any = row.content_type.model_class()
    thing, subject = case.thing, subject_of(model)
    return {
        "template": "admin/approvals/content_panel.html",
        "request": row,
        "fields": [shown_field(each) for each in fields_decided(model, row.payload, row.before)],
        "files": row.revision.files,
        "is_first": row.before is None,
        "is_intact": digest_of(row.payload, row.revision.files) == row.digest,
        "has_moved": (row.is_open or row.is_waiting) and (thing is None or live_digest(thing) != row.digest),
        "preview": subject.preview(thing) if subject.preview is not None and thing is not None else "",
        "checks": row.checks,
        "waits": effects.waits_for(row, at=row.submitted_at) if row.is_waiting else "",
    }


def _deciders_panel(request: HttpRequest, row: ApprovalRequest, case: Case, refused: str | None) -> dict[str, Any]:
    said = list(row.decisions.select_related("approver", "principal", "stage"))
    conditions = list(row.conditions.select_related("closed_by"))
    return {
        "template": "admin/approvals/deciders_panel.html",
        "request": row,
        "stages": [_stage(each, said) for each in case.stages],
        "answers": inbox.who_may_decide(row, case=case) if row.is_open else [],
        "refused": refused,
        "decisions": said,
        "several": len(case.stages) > 1,
        "conditions": conditions,
        "emergency": getattr(row, "emergency", None) if row.break_glass else None,
    }


def reseat_panel(request: HttpRequest, row: ApprovalRequest) -> dict[str, Any]:
    """Show who goes and who comes when the approvers are resolved again."""
    return {"template": "admin/approvals/reseat_panel.html", "renewals": renewals_of(case_for(row))}


def _stage(stage: StageInstance, said: list[Any]) -> dict[str, Any]:
    spec = spec_of(stage)
    given = sum(each.stage_id == stage.pk and each.verdict in ("approve", "conditions") for each in said)
    how = f"{spec.needed} of" if spec.mode == Mode.SOME else "all of" if spec.mode == Mode.ALL else "one of"
    least = (
        max(len([each for each in stage.resolved if not each["refused"]]), 1) if spec.mode == Mode.ALL else spec.least
    )
    missing = max(least - given, 0)
    return {
        "stage": stage,
        "spec": spec,
        "how": how,
        "whom": in_words(spec.approvers),
        "missing": missing,
        "passed": _passed(stage),
    }


def shown_field(each: FieldDecided) -> dict[str, Any]:
    """Return a field as the templates show it: rendered Markdown, the difference line by line."""
    return {
        "field": each,
        "html": render(each.value) if each.is_markdown else None,
        "lines": compare(each.before or "", each.value) if each.is_long and each.has_changed else [],
    }


def _passed(stage: StageInstance) -> list[dict[str, Any]]:
    return [{**each, "at": dt.datetime.fromisoformat(each["at"])} for each in stage.replaced]
