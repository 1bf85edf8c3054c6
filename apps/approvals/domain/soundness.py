"""What keeps a policy version from working, in sentences: for its page, its check and its submission."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import Group

from apps.accounts.enums import Role
from apps.accounts.models import Team, User
from apps.approvals.domain.definition import Definition, Row, Stage
from apps.approvals.domain.facts import facts_catalog, understood
from apps.approvals.enums import Mode, Part, Via
from apps.approvals.registry import model_of, subject_of
from apps.core.rules.bodies import Rule
from apps.core.rules.domain.rule_lists import dead_rules
from apps.core.rules.predicates import Catalog, always_holds, readable, validate


def problems_of(definition: Definition, kind: str) -> list[str]:
    """Return what is wrong with a definition, in sentences; nothing when it can work.

    Args:
        definition: what is looked at.
        kind: the name of the kind it decides about, for instance "campaigns.campaign".
    """
    return [
        *_stage_problems(definition, kind),
        *_table_problems(definition, kind),
        *(sentence for stage in definition.stages for sentence in _missing(stage)),
    ]


def _stage_problems(definition: Definition, kind: str) -> Iterator[str]:
    if not definition.stages:
        yield "It has no stage: nobody would decide. Add one with its approvers."
    for number, times in Counter(stage.number for stage in definition.stages).items():
        if times > 1:
            yield f"Stage {number} is there {times} times; give each stage its own number."
    model = model_of(kind)
    for stage in definition.stages:
        if not any(each.part != Part.OPTIONAL for each in stage.approvers):
            yield f"Stage {stage.number} ({stage.name}) names nobody whose approval counts."
        for each in stage.approvers:
            if each.via == Via.OWNER and model is not None and each.key not in _person_fields(model):
                known = ", ".join(_person_fields(model)) or "none"
                yield f"Stage {stage.number} asks who is in “{each.key}”, which no such record has; it has: {known}."
        known_checks = subject_of(model).checks if model is not None else {}
        for name in stage.checks:
            if name not in known_checks:
                offered = ", ".join(sorted(known_checks)) or "none"
                yield f"Stage {stage.number} wants “{name}” first, which is no check of this kind; it has: {offered}."


def _person_fields(model: type[Any]) -> list[str]:
    declared = set(subject_of(model).owner_fields)
    columns = [each.name for each in model._meta.concrete_fields if each.related_model is User]
    return sorted(declared | set(columns))


def _table_problems(definition: Definition, kind: str) -> Iterator[str]:
    known, catalog = {stage.number for stage in definition.stages}, facts_catalog(kind)
    if not definition.rows:
        yield "The decision table is empty: no request would find its stages. Add a row without a condition."
    elif not _always(definition.rows[-1], catalog):
        yield "The last row of the decision table has a condition: what fits no row would go nowhere. Add one without."
    for row in definition.rows:
        yield from _row_problems(row, known)
    yield from _condition_problems(definition, catalog, kind)


def _row_problems(row: Row, known: set[int]) -> Iterator[str]:
    for number in row.stages:
        if number not in known:
            yield f"Row “{row.name}” sends to stage {number}, which this version does not have."
    if not row.stages:
        yield f"Row “{row.name}” names no stage: what it sends would be approved by nobody."
    if len(set(row.stages)) < len(row.stages):
        yield f"Row “{row.name}” names a stage twice; a request takes each stage once."
    elif list(row.stages) != sorted(row.stages):
        yield f"Row “{row.name}” goes back to an earlier stage; stages follow each other in their order."


def _condition_problems(definition: Definition, catalog: Catalog, kind: str) -> Iterator[str]:
    """What the rules kit finds: facts this kind does not tell, values that do not fit, rows that never get a turn."""
    if model_of(kind) is None:
        yield f"Nothing of the kind “{kind}” can be approved; choose one of the kinds offered."
        return
    found = [sentence for row in definition.rows for sentence in _unfit(row, catalog)]
    yield from found
    if not found:
        yield from (each.sentence for each in dead_rules(_rules(definition, catalog), first_wins=True))


def _unfit(row: Row, catalog: Catalog) -> Iterator[str]:
    for problem in validate(understood(row.when, catalog), catalog, allow_everything=True):
        yield f"Row “{row.name}”: {problem.sentence}"


def _rules(definition: Definition, catalog: Catalog) -> list[Rule]:
    return [
        Rule(str(place), row.name, readable(understood(row.when, catalog), catalog), {}, True, "", place)
        for place, row in enumerate(definition.rows, 1)
    ]


def _always(row: Row, catalog: Catalog) -> bool:
    """Whether nothing is asked, or nothing that anything could fail."""
    when = understood(row.when, catalog)
    return not validate(when, catalog, allow_everything=True) and always_holds(readable(when, catalog))


def _missing(stage: Stage) -> Iterator[str]:
    """What a stage names that is not there: a role nobody plays, an archived team, somebody who has left."""
    for each in stage.approvers:
        where = f"Stage {stage.number} ({stage.name})"
        if each.via == Via.ROLE and each.key not in Role.values:
            yield f"{where} names the role “{each.key}”, which does not exist."
        elif each.via == Via.TEAM and not Team.objects.filter(pk=each.key, archived_at=None).exists():
            yield f"{where} names a team that is archived."
        elif each.via == Via.GROUP and not Group.objects.filter(pk=each.key).exists():
            yield f"{where} names a group that does not exist any more."
        elif each.via == Via.PERSON and not User.objects.filter(pk=each.key, is_active=True).exists():
            person = User.objects.filter(pk=each.key).first()
            yield f"{where} names {person}, who has no active account."
    if stage.mode == Mode.SOME and stage.needed < 1:
        yield f"Stage {stage.number} asks for no approval at all."
