"""The rows of a draft of a policy: written from a definition, and found again."""

from typing import Any

from apps.approvals.domain.definition import Definition
from apps.approvals.domain.facts import facts_catalog, understood
from apps.approvals.enums import Via
from apps.approvals.models import (
    PolicyRule,
    PolicyStage,
    PolicyVersion,
    StageApprover,
)


def rows_of(version: PolicyVersion) -> list[Any]:
    """Return the rows of a version: who edited one of them edited the version."""
    return [*version.stages.all(), *version.approvers.all(), *version.rules.all()]


def copy_definition(definition: Definition, version: PolicyVersion) -> None:
    """Write the rows of a draft that say what `definition` says."""
    for stage in definition.stages:
        escalate = dict(each.split(":", 1) for each in stage.escalate)
        PolicyStage.objects.create(
            version=version,
            number=stage.number,
            name=stage.name,
            mode=stage.mode,
            needed=stage.needed,
            veto=stage.veto,
            allow_delegates=stage.allow_delegates,
            checks=", ".join(stage.checks),
            due_hours=stage.due_hours,
            escalate_role=escalate.get(Via.ROLE, ""),
            escalate_person_id=escalate.get(Via.PERSON),
        )
        for each in stage.approvers:
            column = {Via.ROLE: "role", Via.TEAM: "team_id", Via.GROUP: "group_id", Via.PERSON: "person_id"}
            key = {column.get(Via(each.via), "field"): each.key} if each.via != Via.MANAGER else {}
            StageApprover.objects.create(
                version=version, stage_number=stage.number, via=each.via, part=each.part, **key
            )
    catalog = facts_catalog(version.policy.subject_kind)
    for place, row in enumerate(definition.rows, start=1):
        when = understood(row.when, catalog)
        PolicyRule.objects.create(
            version=version, position=place, name=row.name, when=when, stage_numbers=list(row.stages)
        )
