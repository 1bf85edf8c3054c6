"""What a policy version says: read from its document, written from the rows of a draft, and what is wrong with it."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.contrib.auth.models import Group

from apps.accounts.enums import Role
from apps.accounts.models import Team, User
from apps.approvals.domain.quorum import Quorum
from apps.approvals.domain.table import Predicate, fields_of, read_condition
from apps.approvals.enums import Mode, Part, Via
from apps.approvals.models import PolicyVersion
from apps.approvals.registry import model_of, subject_of
from apps.core.errors import InvalidInput

GENERAL_FACTS = {"kind", "requester", "round"}


@dataclass(frozen=True)
class Named:
    """One way in which a stage names approvers: via a role, team, group, person, field or the requester's manager."""

    via: str
    key: str = ""
    part: str = Part.COUNTS
    origin: str = ""  # for a person found in a field, or as manager: where

    @property
    def token(self) -> str:
        """How people hold it; of a field or the manager nobody holds one until they are looked up for a request."""
        return f"{self.via}:{self.key}"


@dataclass(frozen=True)
class Stage:
    """One stage as a policy version defines it."""

    number: int
    name: str
    approvers: tuple[Named, ...]
    mode: str = Mode.ANY
    needed: int = 1
    veto: bool = True
    allow_delegates: bool = True
    checks: tuple[str, ...] = ()
    due_hours: int | None = None
    escalate: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """The tokens of its approvers."""
        return tuple(dict.fromkeys(each.token for each in self.approvers))

    @property
    def optional(self) -> set[str]:
        """The tokens whose holders are heard without counting."""
        counting = {each.token for each in self.approvers if each.part != Part.OPTIONAL}
        return {each.token for each in self.approvers if each.part == Part.OPTIONAL} - counting

    @property
    def quorum(self) -> Quorum:
        """How many must say yes; the required ones by their place in the list."""
        required = frozenset(place for place, each in enumerate(self.approvers) if each.part == Part.REQUIRED)
        return Quorum(Mode(self.mode), self.needed, self.veto, required)

    @property
    def least(self) -> int:
        """Fewer approvals than this never approve it, whoever is there."""
        return self.needed if self.mode == Mode.SOME else 1


@dataclass(frozen=True)
class Row:
    """One row of the decision table."""

    name: str
    when: Predicate
    stages: tuple[int, ...]
    condition: str = ""


@dataclass(frozen=True)
class Definition:
    """A whole policy version."""

    stages: tuple[Stage, ...]
    rows: tuple[Row, ...]
    distinct_stages: bool = True
    expires_after_days: int | None = None

    def as_document(self) -> dict[str, Any]:
        """Return it as JSON keeps it."""
        document: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return document

    @property
    def digest(self) -> str:
        """SHA-256 of the document in its canonical form."""
        text = json.dumps(self.as_document(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def stage(self, number: int) -> Stage:
        """Return the stage of that number."""
        return next(each for each in self.stages if each.number == number)


def read_stage(document: dict[str, Any]) -> Stage:
    """Return the stage that `document` describes."""
    given = dict(document)
    given["approvers"] = tuple(Named(**each) for each in given["approvers"])
    given["checks"], given["escalate"] = tuple(given.get("checks", ())), tuple(given.get("escalate", ()))
    return Stage(**given)


def read_definition(document: dict[str, Any]) -> Definition:
    """Return the definition that a version keeps."""
    rows = tuple(Row(each["name"], each["when"], tuple(each["stages"]), each["condition"]) for each in document["rows"])
    stages = tuple(read_stage(each) for each in document["stages"])
    return Definition(stages, rows, document["distinct_stages"], document.get("expires_after_days"))


def definition_of(version: PolicyVersion) -> Definition:
    """Return what a version says: its document, or for a draft what its rows say now.

    Raises:
        InvalidInput: a condition of a draft's table is not understood.
    """
    return read_definition(version.definition) if version.definition else written(version)


def written(version: PolicyVersion) -> Definition:
    """Return what the rows of a draft say.

    Raises:
        InvalidInput: a condition of the table is not understood.
    """
    approvers: dict[int, list[Named]] = {}
    for each in version.approvers.filter(archived_at=None).order_by("stage_number", "pk"):
        approvers.setdefault(each.stage_number, []).append(Named(each.via, _key(each), each.part))
    stages = tuple(
        Stage(
            number=each.number,
            name=each.name,
            approvers=tuple(approvers.get(each.number, ())),
            mode=each.mode,
            needed=each.needed if each.mode == Mode.SOME else 1,
            veto=each.veto,
            allow_delegates=each.allow_delegates,
            checks=tuple(name.strip() for name in each.checks.split(",") if name.strip()),
            due_hours=each.due_hours,
            escalate=tuple(_escalation(each)),
        )
        for each in version.stages.filter(archived_at=None).order_by("number")
    )
    rows = tuple(
        Row(each.name, _condition(each), tuple(each.stage_numbers), each.condition)
        for each in version.rules.filter(archived_at=None).order_by("position")
    )
    return Definition(stages, rows, version.distinct_stages, version.expires_after_days)


def _key(row: Any) -> str:
    keys = {
        Via.ROLE: row.role,
        Via.TEAM: row.team_id,
        Via.GROUP: row.group_id,
        Via.PERSON: row.person_id,
        Via.OWNER: row.field,
    }
    return str(keys.get(row.via) or "")


def _escalation(row: Any) -> Iterator[str]:
    if row.escalate_role:
        yield f"{Via.ROLE}:{row.escalate_role}"
    if row.escalate_person_id:
        yield f"{Via.PERSON}:{row.escalate_person_id}"


def _condition(row: Any) -> Predicate:
    try:
        return read_condition(row.condition)
    except InvalidInput as refusal:
        raise InvalidInput(f"Row {row.position} of the decision table, {row.name}: {refusal.message}") from refusal


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
    known = {stage.number for stage in definition.stages}
    if not definition.rows:
        yield "The decision table is empty: no request would find its stages. Add a row without a condition."
    elif fields_of(definition.rows[-1].when):
        yield "The last row of the decision table has a condition: what fits no row would go nowhere. Add one without."
    for row in definition.rows:
        yield from _row_problems(row, known)
    for row in definition.rows[:-1]:
        if not fields_of(row.when):
            yield f"Row “{row.name}” always holds, so that the rows below it are never reached; move it to the end."
    yield from _unknown_facts(definition, kind)


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


def _unknown_facts(definition: Definition, kind: str) -> Iterator[str]:
    model = model_of(kind)
    if model is None:
        yield f"Nothing of the kind “{kind}” can be approved; choose one of the kinds offered."
        return
    subject = subject_of(model)
    if subject.facts is not None and not subject.fact_names:
        return
    known = GENERAL_FACTS | set(subject.material) | set(subject.fact_names)
    for row in definition.rows:
        for name in sorted(fields_of(row.when) - known):
            if not name.startswith("custom."):
                told = ", ".join(sorted(known))
                yield f"Row “{row.name}” looks at “{name}”, which this kind does not tell; it tells: {told}."


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


def in_words(names: tuple[Named, ...]) -> str:
    """Say whom a stage names."""
    people = [each.key for each in names if each.via == Via.PERSON]
    teams = [each.key for each in names if each.via == Via.TEAM]
    groups = [each.key for each in names if each.via == Via.GROUP]
    said = [f"people with the role {_role(each.key)}" for each in names if each.via == Via.ROLE]
    said += [f"members of {name}" for name in _names(Team, "name", teams)]
    said += [f"the group {name}" for name in _names(Group, "name", groups)]
    said += [f"whoever is {each.key.replace('_', ' ')}" for each in names if each.via == Via.OWNER]
    said += ["the requester's manager" for each in names if each.via == Via.MANAGER]
    said += list(_names(User, "full_name", people))
    return " or ".join(said) or "nobody"


def _role(name: str) -> str:
    return Role(name).label.lower() if name in Role.values else name


def _names(model: Any, column: str, keys: list[str]) -> list[str]:
    return list(model.objects.filter(pk__in=keys).order_by(column).values_list(column, flat=True)) if keys else []


def resolved(stage: Stage, thing: Any, by: User) -> Stage:
    """Return the stage with the persons in place of fields of `thing` and of the manager of who sends it.

    What is empty stays as it is and names nobody.
    """
    return replace(stage, approvers=tuple(_resolved(each, thing, by) for each in stage.approvers))


def _resolved(each: Named, thing: Any, by: User) -> Named:
    if each.via == Via.MANAGER:
        person, origin = by.manager, "manager"
    elif each.via == Via.OWNER and thing is not None:
        person, origin = getattr(thing, each.key, None), each.key
    else:
        return each
    return Named(Via.PERSON, str(person.pk), each.part, origin) if isinstance(person, User) else each
